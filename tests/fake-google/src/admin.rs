//! The other side of the fake: what tests arrange and look at, in the process or over HTTP.

pub(crate) mod error;
pub(crate) mod http;
pub(crate) mod identity;
pub(crate) mod mailboxes;
pub(crate) mod oversight;
pub(crate) mod tokens;

use std::sync::{Arc, PoisonError};

use crate::app::App;
use identity::NewCode;
use mailboxes::NewMailbox;

pub(crate) const SAMPLE_MAILBOX: &str = "sample@example.com";
pub(crate) const SAMPLE_CODE: &str = "sample-code";

/// Arranges and inspects one running fake. Cheap to clone.
#[derive(Clone)]
pub struct Admin {
    app: Arc<App>,
}

impl Admin {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// What the sample events in `events/` speak of.
    pub(crate) fn seed_sample(&self) {
        let mailbox = NewMailbox { email: SAMPLE_MAILBOX.into(), ..Default::default() };
        self.create_mailbox(mailbox).expect("a new fake has no mailbox");
        let code = NewCode {
            code: Some(SAMPLE_CODE.into()),
            reusable: true,
            ..NewCode::of(SAMPLE_MAILBOX)
        };
        self.create_code(code).expect("the sample mailbox stands");
    }

    pub(crate) fn abort_deliveries(&self) {
        self.app.deliveries.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

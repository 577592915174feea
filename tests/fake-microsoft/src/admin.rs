//! The other side of the fake: what tests arrange and look at, in the process or over HTTP.

pub(crate) mod error;
pub(crate) mod http;
pub(crate) mod identity;
pub(crate) mod mailboxes;
pub(crate) mod messages;
pub(crate) mod oversight;
pub(crate) mod subscriptions;

use std::sync::{Arc, PoisonError};

use crate::app::{App, State};
use crate::mailbox::{Mailbox, PERSONAL_TENANT, User};
use crate::notify;
use crate::values::{base64url, sha256, uuid_of};
use error::AdminError;
use mailboxes::NewMailbox;

/// Addresses of personal accounts.
const PERSONAL_DOMAINS: [&str; 3] = ["outlook.com", "hotmail.com", "live.com"];

/// Arranges and inspects one running fake. Cheap to clone.
#[derive(Clone)]
pub struct Admin {
    app: Arc<App>,
}

impl Admin {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    pub(crate) fn abort_deliveries(&self) {
        self.app.deliveries.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    /// Changes the state, and tells the subscribers.
    fn changed<T>(
        &self,
        change: impl FnOnce(&mut State) -> Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        let mut state = self.app.state();
        let outcome = change(&mut state);
        notify::publish(&self.app, &mut state);
        outcome
    }

    fn with_mailbox<T>(
        &self,
        email: &str,
        act: impl FnOnce(&mut Mailbox) -> T,
    ) -> Result<T, AdminError> {
        let mut state = self.app.state();
        state.mailboxes.get_mut(email).map(act).ok_or_else(|| missing_mailbox(email))
    }
}

pub(crate) fn missing_mailbox(email: &str) -> AdminError {
    AdminError::NotFound(format!("mailbox {email}"))
}

/// A tenant for each domain, and one for all personal accounts.
pub(crate) fn new_mailbox(new: &NewMailbox) -> Mailbox {
    let domain = new.email.rsplit_once('@').map_or("", |(_, domain)| domain);
    let personal = new.personal || PERSONAL_DOMAINS.contains(&domain);
    let tenant =
        || if personal { PERSONAL_TENANT.into() } else { uuid_of(&format!("tenant|{domain}")) };
    let name = || new.email.split('@').next().unwrap_or_default().to_owned();
    let object = || {
        let made = uuid_of(&format!("user|{}", new.email));
        if personal { format!("00000000-0000-0000-{}", &made[19..]) } else { made }
    };
    let oid = new.oid.clone().unwrap_or_else(object);
    Mailbox::new(User {
        tid: new.tid.clone().unwrap_or_else(tenant),
        sub: base64url(&sha256(format!("sub|{oid}").as_bytes())),
        oid,
        upn: new.upn.clone().unwrap_or_else(|| new.email.clone()),
        name: new.name.clone().unwrap_or_else(name),
        email: new.email.clone(),
    })
}

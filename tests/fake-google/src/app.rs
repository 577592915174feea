//! The shared context of all handlers: the state behind one mutex, the clock, and the running
//! deliveries.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::calls::Calls;
use crate::cloud::CloudChange;
use crate::config::Config;
use crate::faults::Faults;
use crate::gmail::upload::Uploads;
use crate::keys::Keys;
use crate::mailbox::Mailbox;
use crate::oauth::Oauth;
use crate::openid::OpenId;
use crate::pubsub::Push;
use crate::shapes::Shapes;
use crate::timing::Timings;

pub(crate) struct App {
    pub config: Config,
    pub url: String,
    pub http: reqwest::Client,
    /// Woken whenever deliveries may go on or have ended.
    pub push_changed: Notify,
    pub deliveries: Mutex<JoinSet<()>>,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub mailboxes: BTreeMap<String, Mailbox>,
    pub oauth: Oauth,
    pub openid: OpenId,
    pub push: Push,
    pub cloud: CloudChange,
    pub faults: Faults,
    pub shapes: Shapes,
    pub calls: Calls,
    pub uploads: Uploads,
    pub timings: Timings,
    pub violations: Vec<String>,
    pub keys: Keys,
}

impl App {
    pub fn new(config: Config, url: String) -> Self {
        let state = State {
            mailboxes: BTreeMap::new(),
            oauth: Oauth::default(),
            openid: OpenId::default(),
            push: Push::new(config.push.clone()),
            cloud: CloudChange::default(),
            faults: Faults::default(),
            shapes: Shapes::default(),
            calls: Calls::default(),
            uploads: Uploads::default(),
            timings: Timings::default(),
            violations: Vec::new(),
            keys: Keys::new(),
        };
        Self {
            config,
            url,
            http: reqwest::Client::builder().no_proxy().build().expect("a client without options"),
            push_changed: Notify::new(),
            deliveries: Mutex::new(JoinSet::new()),
            state: Mutex::new(state),
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn now(&self) -> OffsetDateTime {
        self.config.clock.as_ref().map_or_else(OffsetDateTime::now_utc, |clock| clock())
    }

    pub fn now_ms(&self) -> i64 {
        i64::try_from(self.now().unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
    }
}

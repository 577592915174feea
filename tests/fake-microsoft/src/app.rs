//! The shared context of all handlers: the state behind one mutex, the clocks, and the running
//! deliveries.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use time::{Duration, OffsetDateTime};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::calls::Calls;
use crate::config::Config;
use crate::faults::Faults;
use crate::graph::uploads::Uploads;
use crate::mailbox::{Mailbox, When};
use crate::notify::Notifications;
use crate::oauth::Oauth;
use crate::requests::Requests;
use crate::shapes::Shapes;
use crate::signing::SigningKey;
use crate::subscriptions::Subscription;
use crate::throttle::Limits;
use crate::timing::Timings;

/// What a test does before a call is answered: the call's name and its path.
pub type Hook = Arc<dyn Fn(&str, &str) + Send + Sync>;

pub(crate) struct App {
    pub config: Config,
    pub url: String,
    pub http: reqwest::Client,
    /// Woken whenever deliveries may go on or have ended.
    pub notify_changed: Notify,
    pub deliveries: Mutex<JoinSet<()>>,
    /// Bytes of endless answers that were taken.
    pub endless_sent: Arc<AtomicU64>,
    pub requests: Requests,
    hook: Mutex<Option<Hook>>,
    state: Mutex<State>,
}

pub(crate) struct State {
    /// By the address that each was made with.
    pub mailboxes: BTreeMap<String, Mailbox>,
    pub oauth: Oauth,
    pub subscriptions: Vec<Subscription>,
    pub notifications: Notifications,
    pub uploads: Uploads,
    pub faults: Faults,
    pub calls: Calls,
    pub timings: Timings,
    pub limits: Limits,
    pub shapes: Shapes,
    pub keys: Vec<SigningKey>,
    /// Where `/front` leads.
    pub front: Option<String>,
    /// How far the server's clock is ahead.
    pub clock_shift: Duration,
    /// Calls that no document of Graph allows, told in words.
    pub violations: Vec<String>,
}

impl App {
    pub fn new(config: Config, url: String) -> std::io::Result<Self> {
        let state = State {
            mailboxes: BTreeMap::new(),
            oauth: Oauth::default(),
            subscriptions: Vec::new(),
            notifications: Notifications::default(),
            uploads: Uploads::default(),
            faults: Faults::default(),
            calls: Calls::default(),
            timings: Timings::default(),
            limits: Limits::default(),
            shapes: Shapes::default(),
            keys: vec![SigningKey::first()],
            front: None,
            clock_shift: Duration::ZERO,
            violations: Vec::new(),
        };
        Ok(Self {
            requests: Requests::of(config.requests.as_deref())?,
            config,
            url,
            http: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .expect("a client with plain options"),
            notify_changed: Notify::new(),
            deliveries: Mutex::new(JoinSet::new()),
            endless_sent: Arc::default(),
            hook: Mutex::new(None),
            state: Mutex::new(state),
        })
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_hook(&self, hook: Option<Hook>) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = hook;
    }

    /// Nothing is locked while the hook runs, so it may use the admin side.
    pub fn run_hook(&self, name: &str, path: &str) {
        let hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(hook) = hook {
            hook(name, path);
        }
    }

    /// True time, which waits and lateness are measured by.
    pub fn now(&self) -> OffsetDateTime {
        self.config.clock.as_ref().map_or_else(OffsetDateTime::now_utc, |clock| clock())
    }

    pub fn now_ms(&self) -> i64 {
        i64::try_from(self.now().unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
    }

    /// What is in front of `/{tid}/v2.0` in an issuer.
    pub fn issuer_base(&self) -> &str {
        self.config.issuer_base.as_deref().unwrap_or(&self.url)
    }
}

impl State {
    /// By the server's clock, which may be off.
    pub fn server_now(&self, app: &App) -> OffsetDateTime {
        app.now() + self.clock_shift
    }

    /// Now, and to be seen after so many milliseconds.
    pub fn when(&self, app: &App, late_ms: i64) -> When {
        let now_ms = app.now_ms();
        let server = self.server_now(app);
        let counts = self.shapes.hidden_fractions;
        When {
            server: server.unix_timestamp(),
            fraction: if counts { server.millisecond().into() } else { 0 },
            shown_from: now_ms.saturating_add(late_ms),
            now_ms,
        }
    }
}

//! Pub/Sub push: the notifications of watched mailboxes, delivered until they are acknowledged.

mod delivery;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;

use crate::admin::identity::KeyName;
use crate::app::{App, State};
use crate::keys::Signing;
use crate::mailbox::Record;
use crate::values::base64;

const FIRST_MESSAGE_ID: u64 = 10_000_000_000_001;
const TOKEN_SECONDS: i64 = 3600;

/// The subscription. Without an endpoint its notifications wait, to be pulled or for an endpoint to
/// come.
#[derive(Clone, Debug, Serialize)]
pub struct PushSettings {
    pub endpoint: Option<String>,
    pub audience: String,
    pub subscription: String,
    pub service_account: String,
    pub mode: PushMode,
}

impl Default for PushSettings {
    fn default() -> Self {
        Self {
            endpoint: None,
            audience: "https://connectors.example.com/pubsub".into(),
            subscription: "projects/example-project/subscriptions/gmail".into(),
            service_account: "gmail-push@example-project.iam.gserviceaccount.com".into(),
            mode: PushMode::default(),
        }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PushMode {
    /// How many of the next notifications are lost.
    pub drop_next: u32,
    /// Every notification is delivered twice, under one message id.
    pub duplicate: bool,
    /// Each delivery waits a pseudo-random time up to this, so they arrive in any order.
    pub shuffle_ms: u64,
    pub seed: u64,
    pub paused: bool,
    /// Gmail sends a number; the guide shows a string.
    pub history_id_as_string: bool,
    /// Undelivered for so long, a notification is given up.
    pub retention_ms: u64,
    /// How long the endpoint may take to answer.
    pub ack_deadline_ms: u64,
    /// The wait after a first failure; it doubles up to the longest.
    pub first_backoff_ms: u64,
    pub longest_backoff_ms: u64,
}

impl Default for PushMode {
    fn default() -> Self {
        Self {
            drop_next: 0,
            duplicate: false,
            shuffle_ms: 0,
            seed: 0,
            paused: false,
            history_id_as_string: false,
            retention_ms: 7 * 24 * 60 * 60 * 1000,
            ack_deadline_ms: 10_000,
            first_backoff_ms: 500,
            longest_backoff_ms: 5_000,
        }
    }
}

/// Absent fields stay as they are; a mode replaces the whole mode.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PushChange {
    pub endpoint: Option<String>,
    pub audience: Option<String>,
    pub subscription: Option<String>,
    pub service_account: Option<String>,
    pub mode: Option<PushMode>,
}

/// Counts deliveries: a duplicated notification counts twice.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PushStatus {
    pub pending: usize,
    pub delivered: u64,
    pub failed_attempts: u64,
    pub dropped: u64,
    pub expired: u64,
}

/// A notification taken by hand, as the request it would have been.
#[derive(Clone, Debug, Serialize)]
pub struct PulledPush {
    pub authorization: String,
    pub body: Value,
}

pub(crate) struct Push {
    pub settings: PushSettings,
    pending: BTreeMap<u64, Notification>,
    status: PushStatus,
    published: u64,
    deliveries: u64,
    random: u64,
}

#[derive(Clone)]
struct Notification {
    message_id: String,
    email: String,
    history_id: u64,
    publish_time: String,
}

impl Push {
    pub fn new(settings: PushSettings) -> Self {
        let random = settings.mode.seed;
        Self {
            settings,
            pending: BTreeMap::new(),
            status: PushStatus::default(),
            published: 0,
            deliveries: 0,
            random,
        }
    }

    pub fn change(&mut self, change: PushChange) {
        let settings = &mut self.settings;
        settings.endpoint = change.endpoint.or(settings.endpoint.take());
        replace(&mut settings.audience, change.audience);
        replace(&mut settings.subscription, change.subscription);
        replace(&mut settings.service_account, change.service_account);
        if let Some(mode) = change.mode {
            self.random = mode.seed;
            settings.mode = mode;
        }
    }

    pub fn status(&self) -> PushStatus {
        PushStatus { pending: self.pending.len(), ..self.status.clone() }
    }

    /// SplitMix64: good enough to shuffle, and the same for the same seed.
    fn random_up_to(&mut self, limit: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.saturating_add(1)
    }

    fn envelope(&self, notification: &Notification) -> Value {
        let history_id = match self.settings.mode.history_id_as_string {
            true => json!(notification.history_id.to_string()),
            false => json!(notification.history_id),
        };
        let data = json!({ "emailAddress": notification.email, "historyId": history_id });
        json!({
            "message": {
                "data": base64(data.to_string().as_bytes()),
                "messageId": notification.message_id,
                "message_id": notification.message_id,
                "publishTime": notification.publish_time,
                "publish_time": notification.publish_time,
            },
            "subscription": self.settings.subscription,
        })
    }
}

/// Publishes if a live watch wants one of these changes: one notification for all of them, as Gmail
/// does.
pub(crate) fn publish_changes(app: &Arc<App>, state: &mut State, email: &str, records: &[Record]) {
    let Some(mailbox) = state.mailboxes.get(email) else { return };
    let history_id = mailbox.history_id;
    let wanted = mailbox
        .live_watch(app.now_ms())
        .is_some_and(|watch| records.iter().any(|record| watch.wants(record)));
    if wanted {
        publish(app, state, email, history_id);
    }
}

pub(crate) fn publish(app: &Arc<App>, state: &mut State, email: &str, history_id: u64) {
    if state.push.settings.mode.drop_next > 0 {
        state.push.settings.mode.drop_next -= 1;
        state.push.status.dropped += 1;
        return;
    }
    if let Some(mailbox) = state.mailboxes.get_mut(email) {
        mailbox.notifications_sent += 1;
    }
    let push = &mut state.push;
    let now = app.now();
    let millis = u32::from(now.millisecond()) * 1_000_000;
    let notification = Notification {
        message_id: (FIRST_MESSAGE_ID + push.published).to_string(),
        email: email.into(),
        history_id,
        publish_time: now
            .replace_nanosecond(millis)
            .unwrap_or(now)
            .format(&Rfc3339)
            .unwrap_or_default(),
    };
    push.published += 1;
    let copies = if push.settings.mode.duplicate { 2 } else { 1 };
    for _ in 0..copies {
        let key = push.deliveries;
        push.deliveries += 1;
        push.pending.insert(key, notification.clone());
        let wait = Duration::from_millis(push.random_up_to(push.settings.mode.shuffle_ms));
        let mut deliveries = app.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
        // Ended deliveries are removed, or the set would only grow.
        while deliveries.try_join_next().is_some() {}
        deliveries.spawn(delivery::deliver(app.clone(), key, wait));
    }
}

/// Takes everything that waits, instead of its delivery.
pub(crate) fn pull(app: &App) -> Vec<PulledPush> {
    let mut state = app.state();
    let pending = std::mem::take(&mut state.push.pending);
    let pulled: Vec<PulledPush> = pending
        .values()
        .map(|notification| PulledPush {
            authorization: format!("Bearer {}", token(app, &state)),
            body: state.push.envelope(notification),
        })
        .collect();
    state.push.status.delivered += pulled.len() as u64;
    drop(state);
    app.push_changed.notify_waiters();
    pulled
}

/// The bearer token of a push, as Google signs it.
fn token(app: &App, state: &State) -> String {
    state.keys.current(KeyName::Google).sign(Signing::Rs256, &Map::new(), &token_claims(app, state))
}

pub(crate) fn token_claims(app: &App, state: &State) -> Map<String, Value> {
    let settings = &state.push.settings;
    let now = app.now().unix_timestamp();
    let account = crate::values::account_id(&settings.service_account);
    let claims = [
        ("iss", json!("https://accounts.google.com")),
        ("aud", json!(settings.audience)),
        ("azp", json!(account)),
        ("sub", json!(account)),
        ("email", json!(settings.service_account)),
        ("email_verified", json!(true)),
        ("iat", json!(now)),
        ("exp", json!(now + TOKEN_SECONDS)),
    ];
    claims.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

fn replace(value: &mut String, new: Option<String>) {
    if let Some(new) = new {
        *value = new;
    }
}

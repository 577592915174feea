//! Change notifications: what is told, what gets lost on the way, and what is tried again.
//! <https://learn.microsoft.com/graph/change-notifications-delivery-webhooks>

mod delivery;

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::{App, State};
use crate::subscriptions::Subscription;

/// How notifications travel. What is not named is as by default.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct NotificationMode {
    /// Nothing is sent; it waits, to be sent later or pulled.
    pub paused: bool,
    /// Every so many-th item is lost for good; 1 loses all, 0 none.
    pub lose_every: u32,
    /// How often each item is sent.
    pub copies: u32,
    /// How long each item waits first.
    pub delay_ms: u64,
    /// The last item is sent first, also within a POST.
    pub reversed: bool,
    /// How many items one POST may carry, of any subscriptions with the same URL.
    pub items_per_post: usize,
    /// How long items wait for others to travel with.
    pub gather_ms: u64,
    /// An answer that comes later counts as none.
    pub answer_deadline_ms: u64,
    pub validation_deadline_ms: u64,
    pub first_backoff_ms: u64,
    pub longest_backoff_ms: u64,
    /// What is older is given up: four hours.
    pub retention_ms: u64,
}

impl NotificationMode {
    fn first_wait(&self) -> Duration {
        Duration::from_millis(self.delay_ms.saturating_add(self.gather_ms))
    }

    fn backoff(&self, failures: u32) -> Duration {
        let doubled = self.first_backoff_ms.saturating_mul(2_u64.saturating_pow(failures));
        Duration::from_millis(doubled.min(self.longest_backoff_ms))
    }
}

impl Default for NotificationMode {
    fn default() -> Self {
        Self {
            paused: false,
            lose_every: 0,
            copies: 1,
            delay_ms: 0,
            reversed: false,
            items_per_post: 20,
            gather_ms: 5,
            answer_deadline_ms: 3_000,
            validation_deadline_ms: 10_000,
            first_backoff_ms: 1_000,
            longest_backoff_ms: 60_000,
            retention_ms: 4 * 3600 * 1000,
        }
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct NotificationStatus {
    /// Items that wait or travel.
    pub pending: usize,
    pub delivered: u64,
    pub lost: u64,
    /// Given up after the retention.
    pub expired: u64,
    pub posts: u64,
    pub failed_posts: u64,
}

/// An item that was taken out of the queue, for a test that delivers it itself.
#[derive(Clone, Debug, Serialize)]
pub struct PulledNotification {
    pub url: String,
    /// One entry of a POST's `value`.
    pub item: Value,
}

#[derive(Default)]
pub(crate) struct Notifications {
    pub mode: NotificationMode,
    pub status: NotificationStatus,
    pending: Vec<Pending>,
    last: u64,
    told: u32,
}

struct Pending {
    n: u64,
    url: String,
    item: Value,
    born: Instant,
    due: Instant,
    travels: bool,
}

impl Notifications {
    pub fn status(&self) -> NotificationStatus {
        NotificationStatus { pending: self.pending.len(), ..self.status.clone() }
    }

    /// Takes what does not travel already, in the order of its events.
    pub fn pull(&mut self) -> Vec<PulledNotification> {
        let (kept, pulled) =
            std::mem::take(&mut self.pending).into_iter().partition(|one| one.travels);
        self.pending = kept;
        let pulled: Vec<Pending> = pulled;
        pulled.into_iter().map(|one| PulledNotification { url: one.url, item: one.item }).collect()
    }

    /// Whether anything was put in.
    fn put(&mut self, url: &str, item: &Value) -> bool {
        self.told = self.told.wrapping_add(1);
        if self.mode.lose_every > 0 && self.told.is_multiple_of(self.mode.lose_every) {
            self.status.lost += 1;
            return false;
        }
        let born = Instant::now();
        let due = born + self.mode.first_wait();
        for _ in 0..self.mode.copies {
            self.last += 1;
            self.pending.push(Pending {
                n: self.last,
                url: url.into(),
                item: item.clone(),
                born,
                due,
                travels: false,
            });
        }
        true
    }
}

/// Tells the subscribers of all mailboxes what has happened since the last call.
pub(crate) fn publish(app: &Arc<App>, state: &mut State) {
    let (now, shapes) = (state.server_now(app).unix_timestamp(), state.shapes);
    let mut urls: Vec<String> = Vec::new();
    for (key, mailbox) in &mut state.mailboxes {
        for event in mailbox.events.drain(..) {
            let of_mailbox = state.subscriptions.iter().filter(|one| one.key == *key);
            for subscription in of_mailbox.filter(|one| one.wants(&event, now)) {
                let url = &subscription.notification_url;
                let told = state.notifications.put(url, &subscription.item(&event, shapes));
                if told && !urls.contains(url) {
                    urls.push(url.clone());
                }
            }
        }
    }
    send(app, state, urls);
}

/// An event of the subscription's own life, to its lifecycle URL. False if it has none.
pub(crate) fn tell_lifecycle(
    app: &Arc<App>,
    state: &mut State,
    subscription: &Subscription,
    event: &str,
) -> bool {
    let Some(url) = &subscription.lifecycle_url else { return false };
    let item = subscription.lifecycle_item(event, state.shapes);
    if state.notifications.put(url, &item) {
        send(app, state, vec![url.clone()]);
    }
    true
}

fn send(app: &Arc<App>, state: &State, urls: Vec<String>) {
    if urls.is_empty() || tokio::runtime::Handle::try_current().is_err() {
        return;
    }
    let wait = state.notifications.mode.first_wait();
    let mut deliveries = app.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
    while deliveries.try_join_next().is_some() {}
    for url in urls {
        deliveries.spawn(delivery::deliver(app.clone(), url, wait));
    }
}

/// The body of a POST.
fn envelope(items: &[Value]) -> String {
    json!({ "value": items }).to_string()
}

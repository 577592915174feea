//! Graph's subscriptions to a mailbox: made, renewed, expired, taken away.

use std::collections::BTreeMap;
use std::time::Duration;

use email_connectors::domain::timestamp::Timestamp;

/// How long a subscription to mail lives at most, without content
/// (<https://learn.microsoft.com/en-us/graph/api/resources/subscription#subscription-lifetime>).
pub const SUBSCRIPTION_LIFE: Duration = Duration::from_secs(10_080 * 60);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    pub expires: Timestamp,
    pub client_state: String,
    /// Without a new authorization by then it ends.
    pub reauthorize_by: Option<Timestamp>,
}

#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    created: u64,
    /// A second one is refused with 409, as documented.
    pub only_one: bool,
    /// By id.
    there: BTreeMap<String, Subscription>,
}

impl Subscriptions {
    /// The same app and resource may have several: the documented 409 does not always come
    /// (<https://github.com/microsoftgraph/microsoft-graph-docs/issues/11346>).
    pub fn create(&mut self, client_state: &str, now: Timestamp) -> (String, Timestamp) {
        self.created += 1;
        let id = format!("sub-{}", self.created);
        let expires = now.after(SUBSCRIPTION_LIFE);
        let client_state = client_state.to_string();
        self.there.insert(id.clone(), Subscription { expires, client_state, reauthorize_by: None });
        (id, expires)
    }

    /// `PATCH`, which authorizes again as well; `None` is a 404.
    pub fn renew(&mut self, id: &str, now: Timestamp) -> Option<Timestamp> {
        self.expire(now);
        let subscription = self.there.get_mut(id)?;
        subscription.expires = now.after(SUBSCRIPTION_LIFE);
        subscription.reauthorize_by = None;
        Some(subscription.expires)
    }

    pub fn delete(&mut self, id: &str) -> bool {
        self.there.remove(id).is_some()
    }

    /// Those that live.
    pub fn living(&self, now: Timestamp) -> impl Iterator<Item = (&String, &Subscription)> {
        self.there.iter().filter(move |(_, subscription)| subscription.lives(now))
    }

    /// Graph takes them all away.
    pub fn remove_all(&mut self) {
        self.there.clear();
    }

    /// Graph wants a new authorization of each within `span`.
    pub fn require_reauthorization(&mut self, within: Duration, now: Timestamp) {
        for subscription in self.there.values_mut() {
            subscription.reauthorize_by.get_or_insert(now.after(within));
        }
    }

    fn expire(&mut self, now: Timestamp) {
        self.there.retain(|_, subscription| subscription.lives(now));
    }
}

impl Subscription {
    fn lives(&self, now: Timestamp) -> bool {
        now < self.expires && self.reauthorize_by.is_none_or(|by| now < by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_subscription_lives_until_it_expires_and_is_not_found_then() {
        let mut subscriptions = Subscriptions::default();
        let (id, expires) = subscriptions.create("state", NOW);
        assert_eq!(expires, NOW.after(SUBSCRIPTION_LIFE));
        let later = NOW.after(SUBSCRIPTION_LIFE / 2);
        assert_eq!(subscriptions.renew(&id, later), Some(later.after(SUBSCRIPTION_LIFE)));
        let gone = later.after(SUBSCRIPTION_LIFE);
        assert_eq!(subscriptions.living(gone).count(), 0);
        assert_eq!(subscriptions.renew(&id, gone), None);
    }

    #[test]
    fn a_second_one_for_the_same_mailbox_is_made_beside_the_first() {
        let mut subscriptions = Subscriptions::default();
        let (first, _) = subscriptions.create("state", NOW);
        let (second, _) = subscriptions.create("state", NOW);
        assert_eq!(subscriptions.living(NOW).count(), 2);
        assert!(subscriptions.delete(&first) && !subscriptions.delete(&first));
        assert_eq!(subscriptions.renew(&first, NOW), None);
        assert!(subscriptions.renew(&second, NOW).is_some());
    }

    #[test]
    fn one_that_is_not_authorized_again_ends_early() {
        let mut subscriptions = Subscriptions::default();
        let (id, _) = subscriptions.create("state", NOW);
        subscriptions.require_reauthorization(HOUR, NOW);
        assert_eq!(subscriptions.living(NOW).count(), 1);
        subscriptions.renew(&id, NOW);
        assert_eq!(subscriptions.living(NOW.after(HOUR)).count(), 1);
        subscriptions.require_reauthorization(HOUR, NOW);
        assert_eq!(subscriptions.living(NOW.after(HOUR)).count(), 0);
    }
}

//! What Graph posts about a mailbox: one item for each living subscription, with its clientState.

use email_connectors::domain::timestamp::Timestamp;
use serde_json::{Value, json};

use super::mailbox::OutlookMailbox;

/// What an item says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    Created,
    Updated,
    Missed,
    SubscriptionRemoved,
    ReauthorizationRequired,
}

impl Said {
    fn named(self) -> (&'static str, &'static str) {
        match self {
            Self::Created => ("changeType", "created"),
            Self::Updated => ("changeType", "updated"),
            Self::Missed => ("lifecycleEvent", "missed"),
            Self::SubscriptionRemoved => ("lifecycleEvent", "subscriptionRemoved"),
            Self::ReauthorizationRequired => ("lifecycleEvent", "reauthorizationRequired"),
        }
    }
}

impl OutlookMailbox {
    /// The items of this moment.
    pub fn notifications(&self, said: Said, now: Timestamp) -> Vec<Value> {
        let living = self.subscriptions.living(now);
        living.map(|(id, subscription)| item(id, &subscription.client_state, said)).collect()
    }

    /// Graph takes the subscriptions away, and says so.
    pub fn remove_subscriptions(&mut self, now: Timestamp) -> Vec<Value> {
        let said = self.notifications(Said::SubscriptionRemoved, now);
        self.subscriptions.remove_all();
        said
    }
}

/// An item as Graph posts it
/// (<https://learn.microsoft.com/en-us/graph/api/resources/changenotification>).
pub fn item(subscription: &str, client_state: &str, said: Said) -> Value {
    let (field, value) = said.named();
    json!({
        "subscriptionId": subscription,
        "clientState": client_state,
        "tenantId": "84bd8158-6d4d-4958-8b9f-9d6445542f95",
        "resource": "Users/olga/Messages/o1-a",
        field: value,
    })
}

#[cfg(test)]
mod tests {
    use email_connectors::domain::email_address::EmailAddress;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    #[test]
    fn each_living_subscription_is_told_and_none_that_ended() {
        let mut mailbox = OutlookMailbox::new(EmailAddress::parse("olga@example.com").unwrap(), 1);
        mailbox.subscriptions.create("one", NOW);
        mailbox.subscriptions.create("two", NOW);
        let told = mailbox.notifications(Said::Updated, NOW);
        let states: Vec<_> = told.iter().map(|item| item["clientState"].as_str()).collect();
        assert_eq!(states, [Some("one"), Some("two")]);
        assert_eq!(told[0]["changeType"], "updated");
        let removed = mailbox.remove_subscriptions(NOW);
        assert_eq!(removed[0]["lifecycleEvent"], "subscriptionRemoved");
        assert_eq!(mailbox.notifications(Said::Created, NOW), Vec::<Value>::new());
    }
}

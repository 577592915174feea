//! A wake-up: "look at this mailbox now". The message in the queue.

use serde::{Deserialize, Serialize};

use crate::domain::email_address::EmailAddress;
use crate::domain::history_id::HistoryId;
use crate::domain::id::fingerprint;
use crate::domain::schema_version::SchemaVersion;
use crate::domain::timestamp::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WakeUp {
    pub schema_version: SchemaVersion<1>,
    pub kind: Kind,
    pub email_address: EmailAddress,
    /// The history id of a push. It may save a listing; it never becomes the cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history_id: Option<HistoryId>,
    #[serde(default)]
    pub correlation: Correlation,
    /// When it was sent; of a push, when Pub/Sub took it from Gmail.
    pub published_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Gmail says that something changed.
    Push,
    /// A mailbox was just connected.
    Kick,
    /// The mailbox's own time to look again has come.
    Due,
    /// Somebody requested a look, parked messages included.
    Sync,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Kick => "kick",
            Self::Due => "due",
            Self::Sync => "sync",
        }
    }
}

/// What ties an event to the push that led to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correlation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pubsub_message_id: Option<String>,
}

impl WakeUp {
    pub fn push(
        email_address: EmailAddress,
        history_id: HistoryId,
        pubsub_message_id: Option<String>,
        published_at: Timestamp,
    ) -> Self {
        Self {
            schema_version: SchemaVersion,
            kind: Kind::Push,
            email_address,
            history_id: Some(history_id),
            correlation: Correlation { pubsub_message_id },
            published_at,
        }
    }

    /// A wake-up of our own: it has no history id, so it is never stale.
    pub fn own(kind: Kind, email_address: EmailAddress, now: Timestamp) -> Self {
        Self {
            schema_version: SchemaVersion,
            kind,
            email_address,
            history_id: None,
            correlation: Correlation::default(),
            published_at: now,
        }
    }

    /// Whether the cursor already covers all that this wake-up can know of.
    pub fn is_stale(&self, cursor: HistoryId) -> bool {
        self.kind == Kind::Push && self.history_id.is_some_and(|pushed| pushed <= cursor)
    }

    /// When Gmail's notification was published, if this stands for one that came through Pub/Sub:
    /// it proves a watch.
    pub fn proves_push_at(&self) -> Option<Timestamp> {
        self.correlation.pubsub_message_id.is_some().then_some(self.published_at)
    }

    /// The FIFO message group: one for each mailbox. Derived, because a group id allows neither
    /// every address nor its length.
    pub fn group(&self) -> String {
        fingerprint(&[self.email_address.as_str()]).simple().to_string()
    }
}

/// Merges several wake-ups of one mailbox: never stale if one of them is not, and with the history
/// id of the newest push.
pub fn coalesce(wake_ups: Vec<WakeUp>) -> Option<WakeUp> {
    // `Sync` wins, since it does most.
    let own =
        wake_ups.iter().filter(|wake_up| wake_up.kind != Kind::Push).map(|wake_up| wake_up.kind);
    let own = own.max_by_key(|kind| *kind == Kind::Sync);
    let newest = wake_ups.into_iter().max_by_key(|wake_up| wake_up.history_id)?;
    Some(WakeUp { kind: own.unwrap_or(newest.kind), ..newest })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(0);

    fn mailbox() -> EmailAddress {
        EmailAddress::parse("ada@example.com").unwrap()
    }

    fn push(history_id: u64) -> WakeUp {
        WakeUp::push(mailbox(), HistoryId::new(history_id), Some(history_id.to_string()), NOW)
    }

    #[test]
    fn only_a_push_can_be_stale() {
        assert!(push(5).is_stale(HistoryId::new(5)));
        assert!(!push(6).is_stale(HistoryId::new(5)));
        assert!(!WakeUp::own(Kind::Due, mailbox(), NOW).is_stale(HistoryId::new(u64::MAX)));
    }

    #[test]
    fn several_wake_ups_of_a_mailbox_become_the_one_that_looks_furthest() {
        assert_eq!(coalesce(vec![push(3), push(9), push(4)]), Some(push(9)));
        let own = WakeUp::own(Kind::Kick, mailbox(), NOW);
        assert_eq!(
            coalesce(vec![push(3), own, push(9)]),
            Some(WakeUp { kind: Kind::Kick, ..push(9) })
        );
        assert_eq!(coalesce(vec![]), None);
    }

    #[test]
    fn a_message_of_another_version_is_unreadable() {
        let json = serde_json::to_string(&push(3)).unwrap();
        assert_eq!(serde_json::from_str::<WakeUp>(&json).unwrap(), push(3));
        assert!(
            serde_json::from_str::<WakeUp>(
                &json.replace("\"schema_version\":1", "\"schema_version\":2")
            )
            .is_err()
        );
    }
}

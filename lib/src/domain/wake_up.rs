//! A wake-up: "look at this mailbox now". The message in the queue.

use serde::{Deserialize, Serialize};

use crate::domain::id::fingerprint;
use crate::domain::mailbox_key::MailboxKey;
use crate::domain::mark::Mark;
use crate::domain::position::Position;
use crate::domain::schema_version::SchemaVersion;
use crate::domain::timestamp::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WakeUp {
    pub schema_version: SchemaVersion<1>,
    pub kind: Kind,
    #[serde(rename = "email_address")]
    pub mailbox: MailboxKey,
    /// How far a push says that the mailbox changed, if it does. It may save a listing; it never
    /// becomes the cursor.
    #[serde(default, rename = "history_id", skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
    /// Whether a push is among it that does not say how far the mailbox changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_mark: bool,
    /// The provider says that the watch ended, or has to be renewed before its time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renews_watch: bool,
    #[serde(default)]
    pub correlation: Correlation,
    /// When it was sent; of a push, when it was published, or when it reached us if it does not
    /// say.
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
        mailbox: impl Into<MailboxKey>,
        mark: impl Into<Option<Mark>>,
        pubsub_message_id: Option<String>,
        published_at: Timestamp,
    ) -> Self {
        let mark = mark.into();
        Self {
            schema_version: SchemaVersion,
            kind: Kind::Push,
            mailbox: mailbox.into(),
            without_mark: mark.is_none(),
            mark,
            renews_watch: false,
            correlation: Correlation { pubsub_message_id },
            published_at,
        }
    }

    /// A push that reached us at `now`, and does not say how far the mailbox changed.
    pub fn notified(mailbox: MailboxKey, renews_watch: bool, now: Timestamp) -> Self {
        Self { renews_watch, ..Self::push(mailbox, None, None, now) }
    }

    /// A wake-up of our own: it has no mark, so it is never stale.
    pub fn own(kind: Kind, mailbox: impl Into<MailboxKey>, now: Timestamp) -> Self {
        Self {
            schema_version: SchemaVersion,
            kind,
            mailbox: mailbox.into(),
            mark: None,
            without_mark: false,
            renews_watch: false,
            correlation: Correlation::default(),
            published_at: now,
        }
    }

    /// Whether a listing has begun since all that this wake-up can know of: the cursor covers its
    /// mark, and the last complete listing began after a push without a mark reached us.
    pub fn is_stale(&self, position: &Position) -> bool {
        let covered = self.mark.is_none_or(|pushed| pushed <= position.cursor);
        let listed = || position.listed_at.is_some_and(|began| self.published_at < began);
        self.kind == Kind::Push && !self.renews_watch && covered && (!self.without_mark || listed())
    }

    /// When a notification of the watch was published, if this stands for one: it proves the watch.
    /// The legacy form of Gmail's came another way.
    pub fn proves_push_at(&self) -> Option<Timestamp> {
        let proves = self.correlation.pubsub_message_id.is_some() || self.without_mark;
        proves.then_some(self.published_at)
    }

    /// The FIFO message group: one for each mailbox. Derived, because a group id allows neither
    /// every address nor its length.
    pub fn group(&self) -> String {
        fingerprint(&[self.mailbox.as_str()]).simple().to_string()
    }
}

/// Merges several wake-ups of one mailbox: never stale if one of them is not, and with the
/// mark of the newest push.
pub fn coalesce(wake_ups: Vec<WakeUp>) -> Option<WakeUp> {
    // `Sync` wins, since it does most.
    let own =
        wake_ups.iter().filter(|wake_up| wake_up.kind != Kind::Push).map(|wake_up| wake_up.kind);
    let own = own.max_by_key(|kind| *kind == Kind::Sync);
    let without_mark = wake_ups.iter().filter(|wake_up| wake_up.without_mark);
    let reached_at = without_mark.map(|wake_up| wake_up.published_at).max();
    let renews_watch = wake_ups.iter().any(|wake_up| wake_up.renews_watch);
    let newest = wake_ups.into_iter().max_by_key(|wake_up| wake_up.mark)?;
    Some(WakeUp {
        kind: own.unwrap_or(newest.kind),
        renews_watch,
        without_mark: reached_at.is_some(),
        published_at: reached_at.unwrap_or(newest.published_at).max(newest.published_at),
        ..newest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(0);

    fn mailbox() -> MailboxKey {
        MailboxKey::parse("ada@example.com").unwrap()
    }

    fn push(history_id: u64) -> WakeUp {
        WakeUp::push(mailbox(), Mark::new(history_id), Some(history_id.to_string()), NOW)
    }

    #[test]
    fn only_a_push_can_be_stale() {
        let at = |cursor| Position::at(Mark::new(cursor));
        assert!(push(5).is_stale(&at(5)));
        assert!(!push(6).is_stale(&at(5)));
        assert!(!WakeUp::own(Kind::Due, mailbox(), NOW).is_stale(&at(u64::MAX)));
    }

    fn without_mark(seconds: i64) -> WakeUp {
        WakeUp::push(mailbox(), None, None, Timestamp::from_seconds(seconds))
    }

    #[test]
    fn a_push_without_a_mark_is_stale_once_a_listing_has_begun_after_it() {
        let listed = |seconds| {
            let mut position = Position::at(Mark::new(5));
            position.listed_at = Some(Timestamp::from_seconds(seconds));
            position
        };
        let table = [
            ("nothing was listed", Position::at(Mark::new(5)), false),
            ("the listing began before it", listed(9), false),
            ("at the same moment", listed(10), false),
            ("after it", listed(11), true),
        ];
        for (case, position, expected) in table {
            assert_eq!(without_mark(10).is_stale(&position), expected, "{case}");
        }
        let json = serde_json::to_string(&without_mark(10)).unwrap();
        assert_eq!(serde_json::from_str::<WakeUp>(&json).unwrap(), without_mark(10));
        assert!(!serde_json::to_string(&push(5)).unwrap().contains("without_mark"));
    }

    #[test]
    fn of_several_pushes_without_a_mark_the_last_one_counts_whatever_comes_with_them() {
        let last = |with: Vec<WakeUp>| {
            let merged = coalesce(with).unwrap();
            (merged.kind, merged.without_mark, merged.published_at.seconds())
        };
        let due = WakeUp::own(Kind::Due, mailbox(), NOW);
        assert_eq!(last(vec![without_mark(20), without_mark(10)]), (Kind::Push, true, 20));
        assert_eq!(last(vec![without_mark(20), due.clone()]), (Kind::Due, true, 20));
        assert_eq!(last(vec![without_mark(20), push(9)]), (Kind::Push, true, 20));
        assert_eq!(last(vec![due.clone(), due]), (Kind::Due, false, 0));
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

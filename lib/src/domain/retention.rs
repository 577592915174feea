//! What remains of an owner elsewhere once every row is deleted: where, what it is, and until when
//! at the latest.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::membership::KEPT_WHEN_EMPTY;
use crate::domain::timestamp::Timestamp;

/// Point-in-time recovery of the table, in days (DynamoDB's own bound).
pub const BACKUP_DAYS: u32 = 35;
/// In days; SQS keeps no message longer.
pub const QUEUE_DAYS: u32 = 14;

/// For how many days the stack keeps what its functions do not delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// 0: there is no archive.
    pub event_archive_days: u32,
    pub log_days: u32,
    pub audit_days: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Remaining {
    #[schema(value_type = String, example = "event_archive")]
    pub place: &'static str,
    #[schema(value_type = String, example = "published events: addresses, subjects, snippets")]
    pub holds: &'static str,
    /// From then on it holds nothing of the owner.
    pub until: Timestamp,
}

impl Retention {
    /// Of an owner whose rows are deleted now.
    pub fn remaining(&self, now: Timestamp) -> Vec<Remaining> {
        let days = |days: u32| Duration::from_secs(24 * 3600) * days;
        let all = [
            (
                "queues",
                "wake-ups, unreadable pushes, and events that no agent took: addresses, subjects, snippets",
                days(2 * QUEUE_DAYS),
            ),
            (
                "backups",
                "the table's rows as they were, for point-in-time recovery",
                days(BACKUP_DAYS),
            ),
            (
                "account_memberships",
                "that a Google account was connected: its id at Google, no address",
                KEPT_WHEN_EMPTY,
            ),
            (
                "event_archive",
                "published events: addresses, subjects, snippets",
                days(self.event_archive_days),
            ),
            ("logs", "ids, reasons and counts", days(self.log_days)),
            ("audit_log", "who did what, from where", days(self.audit_days)),
        ];
        let kept = all.into_iter().filter(|(_, _, kept)| !kept.is_zero());
        kept.map(|(place, holds, kept)| Remaining { place, holds, until: now.after(kept) })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_without_an_archive_names_none() {
        let now = Timestamp::from_seconds(0);
        let remaining = |event_archive_days| {
            let retention = Retention { event_archive_days, log_days: 30, audit_days: 365 };
            retention
                .remaining(now)
                .into_iter()
                .map(|left| (left.place, left.until.seconds() / 86_400))
                .collect::<Vec<_>>()
        };
        let rest = [
            ("queues", 28),
            ("backups", 35),
            ("account_memberships", 40),
            ("logs", 30),
            ("audit_log", 365),
        ];
        assert_eq!(remaining(0), rest);
        assert!(remaining(7).contains(&("event_archive", 7)));
    }
}

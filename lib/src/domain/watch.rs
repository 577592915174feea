//! Gmail's watch on a mailbox: what its last calls came to, and when it must be renewed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::timestamp::Timestamp;

/// Google asks for a renewal at least every seven days and recommends one every day
/// (<https://developers.google.com/workspace/gmail/api/guides/push>).
pub const RENEW_AFTER: Duration = Duration::from_secs(24 * 3600);

/// How long a failed `watch` call waits for its next try.
pub const RETRY_AFTER: Duration = Duration::from_secs(300);

/// By how much Google's clock and ours may differ.
const SKEW: Duration = Duration::from_secs(10);

/// What the last `watch` calls came to. Its history id is not here: it is never a cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Watch {
    /// When Gmail stops notifying, as its last successful answer said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<WatchFailure>,
}

/// The last `watch` call failed; an earlier watch may still be alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WatchFailure {
    pub at: Timestamp,
    pub reason: String,
}

/// The watch as a user is told about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WatchStatus {
    Active,
    Pending,
    Failed,
}

impl Watch {
    pub fn renewed(&self, expiration: Timestamp, now: Timestamp) -> Self {
        Self { expiration: Some(expiration), renewed_at: Some(now), failure: None }
    }

    pub fn failed(&self, reason: String, now: Timestamp) -> Self {
        Self { failure: Some(WatchFailure { at: now, reason }), ..self.clone() }
    }

    pub fn status(&self, now: Timestamp) -> WatchStatus {
        match (self.expiration, &self.failure) {
            (Some(expiration), _) if expiration > now => WatchStatus::Active,
            (None, None) => WatchStatus::Pending,
            _ => WatchStatus::Failed,
        }
    }

    /// Whether a notification that was published then came of this watch; its first one is published while it is asked for.
    pub fn is_proven_by(&self, published_at: Timestamp) -> bool {
        self.renewed_at.is_some_and(|renewed_at| published_at >= renewed_at.before(SKEW))
    }

    /// When the next `watch` call is due. A watch that was never confirmed is due at once.
    pub fn next_renewal(&self) -> Timestamp {
        let planned = self.renewed_at.map_or(Timestamp::from_millis(0), |renewed| renewed.after(RENEW_AFTER));
        match &self.failure {
            Some(failure) => planned.max(failure.at.after(RETRY_AFTER)),
            None => planned,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    #[test]
    fn tells_the_watch_as_it_is() {
        let live = Watch::default().renewed(NOW.after(RENEW_AFTER), NOW);
        let table = [
            ("never called", Watch::default(), WatchStatus::Pending),
            ("confirmed", live.clone(), WatchStatus::Active),
            ("a renewal failed, the old watch lives", live.failed("503".into(), NOW), WatchStatus::Active),
            ("the first call failed", Watch::default().failed("503".into(), NOW), WatchStatus::Failed),
            ("lapsed", Watch::default().renewed(NOW, NOW), WatchStatus::Failed),
        ];
        for (case, watch, expected) in table {
            assert_eq!(watch.status(NOW), expected, "{case}");
        }
    }

    #[test]
    fn a_failed_call_is_tried_again_soon_and_a_good_one_after_a_day() {
        assert!(Watch::default().next_renewal() <= NOW);
        assert_eq!(Watch::default().failed("503".into(), NOW).next_renewal(), NOW.after(RETRY_AFTER));
        let renewed = Watch::default().renewed(NOW.after(RENEW_AFTER * 7), NOW);
        assert_eq!(renewed.next_renewal(), NOW.after(RENEW_AFTER));
        let failed_later = renewed.failed("503".into(), NOW.after(RENEW_AFTER));
        assert_eq!(failed_later.next_renewal(), NOW.after(RENEW_AFTER).after(RETRY_AFTER));
    }
}

//! Gmail's watch on a mailbox: when it must be renewed, and when silence deserves a look.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::connector::{Connector, Status};
use crate::domain::timestamp::Timestamp;

/// Google asks for a renewal at least every seven days and recommends one every day
/// (<https://developers.google.com/workspace/gmail/api/guides/push>).
pub const RENEW_AFTER: Duration = Duration::from_secs(24 * 3600);

/// How long a failed `watch` call waits for its next try.
pub const RETRY_AFTER: Duration = Duration::from_secs(300);

/// What the last `watch` calls came to. Its history id is not here: it is never a cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// When Gmail stops notifying, as its last successful answer said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<WatchFailure>,
}

/// The last `watch` call failed; an earlier watch may still be alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchFailure {
    pub at: Timestamp,
    pub reason: String,
}

/// The watch as a user is told about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchStatus {
    Active,
    Pending,
    Failed,
}

impl Watch {
    pub fn renewed(&self, expiration: Timestamp, now: Timestamp) -> Self {
        Self { expiration: Some(expiration), renewed_at: Some(now), verified_at: self.verified_at, failure: None }
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

    /// When the next `watch` call is due. A watch that was never confirmed is due at once.
    fn next_renewal(&self) -> Timestamp {
        let planned = self.renewed_at.map_or(Timestamp::from_millis(0), |renewed| renewed.after(RENEW_AFTER));
        match &self.failure {
            Some(failure) => planned.max(failure.at.after(RETRY_AFTER)),
            None => planned,
        }
    }
}

/// When the renewer first looks at a connector after a connect: soon, in case that connect did not get to its watch.
pub fn first_sweep(connected: Timestamp) -> Timestamp {
    connected.after(RETRY_AFTER)
}

/// What the renewer does about one connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// Call `watch` again.
    Renew,
    /// Nothing was heard for long: look at the mailbox.
    Wake,
    Keep,
}

pub fn sweep(connector: &Connector, quiet_after: Duration, now: Timestamp) -> Sweep {
    if connector.status != Status::Active {
        Sweep::Keep
    } else if connector.watch.next_renewal() <= now {
        Sweep::Renew
    } else if silent_at(connector, quiet_after) <= now {
        Sweep::Wake
    } else {
        Sweep::Keep
    }
}

/// When the renewer must look at this connector again, or never, while only its user can mend it.
pub fn next_sweep(connector: &Connector, quiet_after: Duration) -> Option<Timestamp> {
    (connector.status == Status::Active).then(|| connector.watch.next_renewal().min(silent_at(connector, quiet_after)))
}

/// When to look again at a mailbox that was just woken: when it could be silent again, and no later than its renewal.
pub fn sweep_after_wake(connector: &Connector, quiet_after: Duration, now: Timestamp) -> Timestamp {
    connector.watch.next_renewal().min(now.after(quiet_after))
}

fn silent_at(connector: &Connector, quiet_after: Duration) -> Timestamp {
    connector.listed_at.unwrap_or(connector.connected_at).after(quiet_after)
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

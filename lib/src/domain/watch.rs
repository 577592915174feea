//! Gmail's watch on a mailbox: the outcome of its last calls, and when it must be renewed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::id::ConnectorId;
use crate::domain::timestamp::Timestamp;

/// A watch is renewed when two to three sevenths of its life are over, each connector at a share of
/// its own: of Google's seven days after two to three, with four left to try again in. Google
/// recommends one a day (<https://developers.google.com/workspace/gmail/api/guides/push>), which is
/// 100 units a day for a mailbox that is idle.
const SEVENTHS_BEFORE_RENEWAL: i64 = 2;

/// How long a failed `watch` call waits for its next try; after each further failure in a row twice
/// as long.
pub const RETRY_AFTER: Duration = Duration::from_secs(300);
/// What is refused for hours is seldom mended within minutes. Its mail is found by comparing
/// meanwhile.
const LONGEST_RETRY: Duration = Duration::from_secs(6 * 3600);

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
    /// By what the provider knows it, if its watches have ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub id: Option<String>,
}

/// A watch that a provider began or renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watching {
    /// When its notifications end.
    pub expires: Timestamp,
    /// By what the provider knows it, if its watches have ids.
    pub id: Option<String>,
    /// Watches of the mailbox that it makes needless, by their ids: to be ended once it is recorded.
    pub needless: Vec<String>,
}

impl From<Timestamp> for Watching {
    fn from(expires: Timestamp) -> Self {
        Self { expires, id: None, needless: Vec::new() }
    }
}

/// Which watches of a mailbox are to end.
#[derive(Debug, Clone, Copy)]
pub enum Ending<'a> {
    /// All, also those whose ids were lost. `known` is the one that is recorded, if it has an id.
    All { known: Option<&'a str> },
    /// These, by their ids; nothing at a provider whose watches have none.
    These(&'a [String]),
}

/// The last `watch` call failed; an earlier watch may still be alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WatchFailure {
    pub at: Timestamp,
    pub reason: String,
    /// How many failed in a row.
    #[serde(default = "once")]
    pub times: u32,
}

/// A failure that was stored before they were counted.
fn once() -> u32 {
    1
}

/// The status of the watch, as users see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WatchStatus {
    Active,
    Pending,
    Failed,
}

impl Watch {
    pub fn renewed(&self, watching: impl Into<Watching>, now: Timestamp) -> Self {
        let Watching { expires, id, .. } = watching.into();
        Self { expiration: Some(expires), renewed_at: Some(now), failure: None, id }
    }

    /// It ended, or may have, or is to be renewed before its time: it is due at once.
    pub fn due(&self) -> Self {
        Self { renewed_at: None, failure: None, ..self.clone() }
    }

    pub fn failed(&self, reason: String, now: Timestamp) -> Self {
        let before = self.failure.as_ref().map_or(0, |failure| failure.times);
        Self {
            failure: Some(WatchFailure { at: now, reason, times: before.saturating_add(1) }),
            ..self.clone()
        }
    }

    pub fn status(&self, now: Timestamp) -> WatchStatus {
        match (self.expiration, &self.failure) {
            (Some(expiration), _) if expiration > now => WatchStatus::Active,
            (None, None) => WatchStatus::Pending,
            _ => WatchStatus::Failed,
        }
    }

    /// Whether a notification that was published then proves this watch; the first one may be
    /// published before the `watch` call is answered.
    pub fn is_proven_by(&self, published_at: Timestamp) -> bool {
        self.renewed_at.is_some_and(|renewed_at| published_at >= renewed_at.before(SKEW))
    }

    /// When the next `watch` call is due. A watch that was never confirmed is due at once.
    pub fn next_renewal(&self, of: &ConnectorId) -> Timestamp {
        let planned = self.planned_renewal(of);
        match &self.failure {
            Some(failure) => planned.max(failure.at.after(self.retry_after(failure))),
            None => planned,
        }
    }

    /// While the watch lives, at most half of its remaining life, so that it is tried again and
    /// again before it ends.
    fn retry_after(&self, failure: &WatchFailure) -> Duration {
        let doublings = failure.times.saturating_sub(1);
        let waits = RETRY_AFTER.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_RETRY);
        let left =
            self.expiration.map_or(0, |ends| ends.millis().saturating_sub(failure.at.millis()));
        match u64::try_from(left) {
            Ok(left @ 1..) => waits.min(Duration::from_millis(left / 2)).max(RETRY_AFTER),
            _ => waits,
        }
    }

    /// The same without failures.
    pub fn planned_renewal(&self, of: &ConnectorId) -> Timestamp {
        match (self.renewed_at, self.expiration) {
            (Some(renewed), Some(ends)) => {
                let life = ends.millis().saturating_sub(renewed.millis()).max(0);
                let part = (SEVENTHS_BEFORE_RENEWAL << 16) + share(of);
                let sevenths = i128::from(life) * i128::from(part) / (7 << 16);
                let waits = Duration::from_millis(u64::try_from(sevenths).unwrap_or(0));
                // Even a short-lived watch is not renewed over and over.
                renewed.after(waits.max(RETRY_AFTER))
            }
            _ => Timestamp::from_millis(0),
        }
    }
}

/// A number below 2^16 that is a connector's own, so that mailboxes which were connected together
/// are not renewed together, and less so each time (FNV-1a).
fn share(of: &ConnectorId) -> i64 {
    let hash = of
        .as_str()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    i64::from((hash ^ (hash >> 16)) & 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn connector(number: u32) -> ConnectorId {
        ConnectorId::new(format!("con_{number}"))
    }

    #[test]
    fn a_watch_has_the_status_of_its_last_calls() {
        let live = Watch::default().renewed(NOW.after(DAY), NOW);
        let table = [
            ("never called", Watch::default(), WatchStatus::Pending),
            ("confirmed", live.clone(), WatchStatus::Active),
            (
                "a renewal failed, the old watch lives",
                live.failed("503".into(), NOW),
                WatchStatus::Active,
            ),
            (
                "the first call failed",
                Watch::default().failed("503".into(), NOW),
                WatchStatus::Failed,
            ),
            ("lapsed", Watch::default().renewed(NOW, NOW), WatchStatus::Failed),
        ];
        for (case, watch, expected) in table {
            assert_eq!(watch.status(NOW), expected, "{case}");
        }
    }

    #[test]
    fn a_watch_with_an_id_keeps_it_until_another_takes_its_place() {
        let watching = |id: &str| Watching {
            expires: NOW.after(DAY),
            id: Some(id.into()),
            needless: Vec::new(),
        };
        let watch = Watch::default().renewed(watching("one"), NOW);
        assert_eq!(watch.failed("503".into(), NOW).id.as_deref(), Some("one"));
        assert_eq!(watch.renewed(watching("two"), NOW).id.as_deref(), Some("two"));
        let of_gmail = Watch::default().renewed(NOW.after(DAY), NOW);
        let row = serde_json::to_string(&of_gmail).unwrap();
        assert!(!row.contains("id\":"), "{row}");
    }

    #[test]
    fn a_failed_call_is_tried_again_soon_and_a_good_one_after_two_to_three_days() {
        let (of, never) = (connector(0), Watch::default());
        assert!(never.next_renewal(&of) <= NOW);
        assert_eq!(never.failed("503".into(), NOW).next_renewal(&of), NOW.after(RETRY_AFTER));
        let renewed = never.renewed(NOW.after(DAY * 7), NOW);
        let due = renewed.next_renewal(&of);
        assert!((NOW.after(DAY * 2)..NOW.after(DAY * 3)).contains(&due), "{due}");
        let failed_later = renewed.failed("503".into(), due);
        assert_eq!(failed_later.next_renewal(&of), due.after(RETRY_AFTER));
    }

    #[test]
    fn what_keeps_failing_is_tried_later_and_later_but_often_before_the_watch_ends() {
        const MINUTES: u64 = 60;
        const HOURS: u64 = 3600;
        let table = [
            ("the first failure", 1, None, 5 * MINUTES),
            ("from before failures were counted, and wrong", 0, None, 5 * MINUTES),
            ("the second", 2, None, 10 * MINUTES),
            ("the sixth", 6, None, 160 * MINUTES),
            ("the seventh", 7, None, 320 * MINUTES),
            ("the eighth and on", 8, None, 6 * HOURS),
            ("a year of them", 2000, None, 6 * HOURS),
            ("as often as can be counted", u32::MAX, None, 6 * HOURS),
            ("four days are left", 20, Some(96 * HOURS), 6 * HOURS),
            ("half a day is left", 20, Some(12 * HOURS), 6 * HOURS),
            ("six hours are left", 20, Some(6 * HOURS), 3 * HOURS),
            ("twenty minutes are left", 20, Some(20 * MINUTES), 10 * MINUTES),
            ("a minute is left", 20, Some(MINUTES), 5 * MINUTES),
            ("a short wait stays short", 1, Some(96 * HOURS), 5 * MINUTES),
            ("it has ended", 20, Some(0), 6 * HOURS),
        ];
        for (case, times, left, expected) in table {
            // Renewed so long ago that only the failure says when the next try is due.
            let renewed = left.map(|left| {
                Watch::default().renewed(NOW.after(Duration::from_secs(left)), NOW.before(DAY * 30))
            });
            let failure = Some(WatchFailure { at: NOW, reason: "503".into(), times });
            let watch = Watch { failure, ..renewed.unwrap_or_default() };
            assert_eq!(
                watch.next_renewal(&connector(0)),
                NOW.after(Duration::from_secs(expected)),
                "{case}"
            );
        }
    }

    #[test]
    fn failures_in_a_row_are_counted_until_one_goes_well() {
        let times = |watch: &Watch| watch.failure.as_ref().map(|failure| failure.times);
        let failed = Watch::default().failed("503".into(), NOW).failed("403".into(), NOW);
        assert_eq!(times(&failed), Some(2));
        let renewed = failed.renewed(NOW.after(DAY * 7), NOW);
        assert_eq!((times(&renewed), times(&renewed.failed("503".into(), NOW))), (None, Some(1)));
    }

    #[test]
    fn a_failure_that_was_stored_before_they_were_counted_is_the_first() {
        let stored =
            serde_json::json!({"failure": {"at": "2030-01-01T00:00:00.000Z", "reason": "503"}});
        let watch: Watch = serde_json::from_value(stored).unwrap();
        assert_eq!(watch.failure.unwrap().times, 1);
    }

    #[test]
    fn mailboxes_that_were_watched_together_are_renewed_apart() {
        let renewed = Watch::default().renewed(NOW.after(DAY * 7), NOW);
        let mut hours = [0; 24];
        for number in 0..24_000 {
            let waited =
                renewed.next_renewal(&connector(number)).millis() - NOW.after(DAY * 2).millis();
            hours[usize::try_from(waited / 3_600_000).unwrap()] += 1;
        }
        assert!(hours.iter().all(|count| (850..1150).contains(count)), "{hours:?}");
    }

    #[test]
    fn a_watch_of_another_life_is_renewed_in_time() {
        for life in [0, 60, 3600, 86_400] {
            let watch = Watch::default().renewed(NOW.after(Duration::from_secs(life)), NOW);
            let waits = (watch.next_renewal(&connector(1)).millis() - NOW.millis()) / 1000;
            let life = i64::try_from(life).unwrap();
            assert!(
                waits == 300 || (life * 2 / 7..=life * 3 / 7).contains(&waits),
                "{waits} of {life}"
            );
        }
    }
}

//! A gap: changes that the provider no longer lists. Its mail is replayed by date, in slices, through the
//! same ledger.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::event::LEDGER_HORIZON;
use crate::domain::mark::Mark;
use crate::domain::timestamp::Timestamp;

/// How far before the last complete listing a replay begins: clocks differ, and mail shows late.
/// What was decided in it is known to the ledger.
const OVERLAP: Duration = Duration::from_secs(3600);

/// How much time one slice covers. A slice that is interrupted goes on at its page, or begins
/// again.
const SHORTEST_SLICE: Duration = Duration::from_secs(3600);
const LONGEST_SLICE: Duration = Duration::from_secs(24 * 3600);
const SLICES: u32 = 8;

/// A replay that is not done yet. It is stored together with the cursor's move to `pinned`, before
/// anything is replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The profile's mark when the gap was found: listings go on from here meanwhile.
    pub pinned: Mark,
    pub pinned_at: Timestamp,
    /// Where the replay began.
    pub since: Timestamp,
    /// Where it goes on: all that arrived between `since` and here was replayed.
    pub after: Timestamp,
    /// Where in the slice that begins at `after` it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_token: Option<String>,
    /// How many messages were looked at, and how many firings came of them.
    pub messages: u64,
    pub fired: u64,
}

/// A part of the time, by when mail arrived (Gmail's internalDate).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    pub after: Timestamp,
    /// The last slice has no end.
    pub before: Option<Timestamp>,
}

impl Gap {
    /// A gap since the last complete listing began, and since what an earlier gap still owes.
    pub fn found(
        pinned: Mark,
        listed_at: Timestamp,
        earlier: Option<&Self>,
        settle: Duration,
        now: Timestamp,
    ) -> Self {
        // Beyond the ledger's horizon an overlap would fire again what is forgotten.
        let overlap = if listed_at.after(LEDGER_HORIZON) <= now.after(OVERLAP) {
            Duration::ZERO
        } else {
            OVERLAP
        };
        let begin = listed_at.before(overlap);
        let since = earlier.map_or(begin, |earlier| earlier.since.min(begin));
        let after = earlier.map_or(begin, |earlier| earlier.slice(settle).after.min(begin));
        let (messages, fired) = earlier.map_or((0, 0), |earlier| (earlier.messages, earlier.fired));
        Self { pinned, pinned_at: now, since, after, page_token: None, messages, fired }
    }

    /// What to replay next: slices up to the pin, at once. Mail that arrived shortly before the pin
    /// may not have shown yet, so the last slice goes over that time again, once all of it has
    /// shown.
    pub fn slice(&self, settle: Duration) -> Slice {
        if self.after >= self.pinned_at {
            return Slice { after: self.pinned_at.before(settle).max(self.since), before: None };
        }
        let window = Duration::from_millis(
            u64::try_from(self.pinned_at.millis() - self.since.millis()).unwrap_or(0),
        );
        let length = (window / SLICES).clamp(SHORTEST_SLICE, LONGEST_SLICE);
        Slice { after: self.after, before: Some(self.after.after(length).min(self.pinned_at)) }
    }

    /// When the slice that is next may be listed.
    pub fn ready_at(&self, settle: Duration) -> Timestamp {
        if self.after < self.pinned_at { self.pinned_at } else { self.pinned_at.after(settle) }
    }

    /// A page was replayed, and another one follows.
    pub fn turn(&mut self, next_page_token: String) {
        self.page_token = Some(next_page_token);
    }

    /// A slice with an end was replayed whole.
    pub fn pass(&mut self, end: Timestamp) {
        self.after = end;
        self.page_token = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_secs(600);
    const HOUR: Duration = Duration::from_secs(3600);
    const NOW: Timestamp = Timestamp::from_seconds(1_900_000_000);

    fn gap(listed: Duration) -> Gap {
        Gap::found(Mark::new(7), NOW.before(listed), None, SETTLE, NOW)
    }

    #[test]
    fn slices_follow_each_other_to_an_open_end() {
        for hours in [0, 1, 5, 24, 24 * 8, 24 * 60] {
            let mut gap = gap(HOUR * hours);
            let mut slices = 0;
            while let Some(before) = gap.slice(SETTLE).before {
                assert!(before > gap.after && before <= NOW, "{hours} h");
                assert_eq!(
                    gap.ready_at(SETTLE),
                    NOW,
                    "{hours} h: what has shown is replayed at once"
                );
                gap.pass(before);
                slices += 1;
            }
            assert!(slices <= 60 + 2, "{hours} h in {slices} slices");
            assert_eq!(
                gap.slice(SETTLE).after,
                NOW.before(SETTLE),
                "{hours} h: what may show late lies in the last slice"
            );
            assert_eq!(gap.ready_at(SETTLE), NOW.after(SETTLE), "{hours} h: the last slice waits");
        }
    }

    #[test]
    fn a_replay_overlaps_what_the_ledger_still_knows() {
        assert_eq!(gap(HOUR).after, NOW.before(HOUR * 2));
        let forgotten = LEDGER_HORIZON + HOUR;
        assert_eq!(
            gap(forgotten).after,
            NOW.before(forgotten),
            "beyond the horizon there is no overlap"
        );
    }

    #[test]
    fn a_second_gap_keeps_what_the_first_one_owes() {
        let first = Gap { messages: 3, ..gap(HOUR * 100) };
        let second = Gap::found(Mark::new(9), NOW, Some(&first), SETTLE, NOW.after(HOUR));
        assert_eq!((second.pinned, second.pinned_at), (Mark::new(9), NOW.after(HOUR)));
        assert_eq!((second.since, second.after, second.messages), (first.since, first.after, 3));

        let nearly_closed = Gap { after: first.pinned_at, ..first.clone() };
        let second = Gap::found(
            Mark::new(9),
            NOW.after(HOUR * 9),
            Some(&nearly_closed),
            SETTLE,
            NOW.after(HOUR * 9),
        );
        assert_eq!(
            second.after,
            NOW.before(SETTLE),
            "what its last slice would have gone over again"
        );
    }
}

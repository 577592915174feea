//! Looks that follow a listing soon, since it showed less than there is: the records of a push that
//! ran ahead of them, and messages that cannot be fetched yet.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{FIRST_WAIT, doubled};
use crate::domain::mark::Mark;
use crate::domain::timestamp::Timestamp;

/// How many looks a message that answers 404 gets before the one that settles its record: a deleted
/// message answers so for ever.
const MOST_LOOKS: u32 = 3;

/// The mark of a push that no listing has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Awaited {
    #[serde(rename = "history_id")]
    mark: Mark,
    looks: u32,
    pub(super) look_at: Timestamp,
}

impl Awaited {
    /// After a listing up to `cursor`: look again after growing waits up to `settle`, then give up,
    /// since a push may be wrong.
    pub(super) fn after(
        before: Option<Self>,
        pushed: Option<Mark>,
        cursor: Mark,
        settle: Duration,
        now: Timestamp,
    ) -> Option<Self> {
        let known = before.map(|awaited| awaited.mark);
        let mark = pushed.max(known).filter(|mark| *mark > cursor)?;
        let looks =
            before.filter(|awaited| awaited.mark == mark).map_or(0, |awaited| awaited.looks);
        let wait = doubled(FIRST_WAIT, looks);
        (wait <= settle).then(|| Self { mark, looks: looks + 1, look_at: now.after(wait) })
    }
}

/// Listed messages that arrived and answer 404: not visible yet, or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NotVisible {
    /// The newest record of such a message.
    record: Mark,
    looks: u32,
    /// `None` once there were enough looks. It is remembered until the record is settled, so that
    /// the same messages begin no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) look_at: Option<Timestamp>,
}

impl NotVisible {
    /// After a listing that began at `began_at` and whose newest such record is `record`. A message
    /// that was not known begins the looks anew; a listing before its time changes nothing.
    pub(super) fn after(
        before: Option<Self>,
        record: Mark,
        began_at: Timestamp,
        settle: Duration,
        now: Timestamp,
    ) -> Self {
        let known = before.filter(|known| record <= known.record);
        let looks = match known {
            Some(known) if known.look_at.is_none_or(|look_at| look_at > began_at) => {
                return Self { record, ..known };
            }
            known => known.map_or(0, |known| known.looks),
        };
        let wait = doubled(FIRST_WAIT, looks);
        let again = looks < MOST_LOOKS && wait <= settle;
        Self { record, looks: looks + 1, look_at: again.then(|| now.after(wait)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_secs(600);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn what_is_not_visible_is_looked_for_a_few_times_and_each_newcomer_anew() {
        // The record, when the listing began and ended, and when the next look is due.
        let listings = [
            ("the first", 7, 0, Some(20)),
            ("a push comes before the look", 7, 10, Some(20)),
            ("the look", 7, 20, Some(60)),
            ("the second look, late", 7, 75, Some(155)),
            ("the third", 7, 155, None),
            ("enough", 7, 200, None),
            ("another message", 9, 210, Some(230)),
            ("which shows, and the first one does not", 7, 230, Some(270)),
        ];
        let mut known = None;
        for (case, record, seconds, expected) in listings {
            let record = Mark::new(record);
            let next = NotVisible::after(known, record, at(seconds), SETTLE, at(seconds));
            assert_eq!(next.look_at, expected.map(at), "{case}");
            known = Some(next);
        }
        let short = NotVisible::after(None, Mark::new(7), at(0), FIRST_WAIT / 2, at(0));
        assert_eq!(short.look_at, None, "the look that settles comes earlier");
    }
}

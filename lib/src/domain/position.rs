//! How far a mailbox was read: the cursor, the settled cursor one step behind it, and all work that
//! is still to be done.
//!
//! A listing begins at `settled`, not at the cursor: a provider may show a record only after its
//! successors. What was handled since then is remembered by record id, so that looking twice costs
//! no fetch.

mod soon;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::soon::{Awaited, NotVisible};
use crate::domain::changes::Candidate;
use crate::domain::gap::Gap;
use crate::domain::id::{MessageId, MessageIdentity};
use crate::domain::mark::{Mark, RecordKey};
use crate::domain::timestamp::Timestamp;

/// How many handled records are remembered; beyond that, the oldest are looked at again, which only
/// costs quota.
const MOST_HANDLED: usize = 5000;
/// How many messages may be parked; one more would keep the cursor back until one of them goes.
pub const MOST_PARKED: usize = 200;
/// A message is parked after so many failures while others of its batch went well …
const FAILURES_TO_PARK: u32 = 3;
/// … or after so long: one that is alone in its mailbox has no others.
const PARK_AFTER: Duration = Duration::from_secs(24 * 3600);

const FIRST_WAIT: Duration = Duration::from_secs(20);
const LONGEST_WAIT: Duration = Duration::from_secs(600);
const LONGEST_PARKED_WAIT: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Everything up to here was handled, except records that show late.
    pub cursor: Mark,
    /// Everything up to here was handled, and no earlier record can show any more. Listings begin
    /// here.
    pub settled: Mark,
    /// A cursor on its way to being settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settling: Option<Settling>,
    /// Records after `settled` that were handled.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub handled: BTreeSet<RecordKey>,
    /// When the last complete listing began; `None` if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_at: Option<Timestamp>,
    /// When a listing last found that something had changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// A push named a later mark than the last listing showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    awaited: Option<Awaited>,
    /// When to look for what a push without a mark told of, since that may show late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    late: Option<Timestamp>,
    /// The last listing named messages that answered 404.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_visible: Option<NotVisible>,
    /// A listing that takes more than one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog: Option<Listing>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
    /// Messages that could not be fetched or read; they keep the cursor back.
    #[serde(default, rename = "troubles", skip_serializing_if = "BTreeMap::is_empty")]
    pub failing: BTreeMap<MessageId, FailedMessage>,
    /// Parked messages, which no longer keep the cursor back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parked: BTreeMap<MessageId, FailedMessage>,
    /// A look that was put off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put_off: Option<PutOff>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Settling {
    cursor: Mark,
    /// When it was committed.
    at: Timestamp,
}

/// One listing of changes, from `settled` to its last page, in one run or in several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    pub began_at: Timestamp,
    /// The page to go on with; `None` at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_token: Option<String>,
    /// The lowest mark that a page reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowest: Option<Mark>,
    /// Records of that page that were looked at, also those that fired nothing: without them a page
    /// of more than one minute's quota would never end. The next listing looks again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub looked_at: BTreeSet<RecordKey>,
    /// The newest record of a message that arrived and answers 404.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_visible: Option<Mark>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedMessage {
    pub since: Timestamp,
    /// Failures while others of the batch went well.
    pub failures: u32,
    pub tries: u32,
    pub tried_at: Timestamp,
    pub retry_at: Timestamp,
    pub reason: String,
    /// Whether the message arrived, and was not only labelled.
    pub arrived: bool,
    /// Whether it was found in a replay, not in a listing.
    pub in_gap: bool,
    /// By which the ledger knows it, if that is not its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<MessageIdentity>,
}

/// A message that could not be fetched or read.
#[derive(Debug, Clone, Copy)]
pub struct FetchFailure<'a> {
    pub message: &'a MessageId,
    /// By which the ledger knows it; `None`: its id.
    pub identity: Option<&'a MessageIdentity>,
    pub reason: &'a str,
    /// Whether the message arrived, and was not only labelled.
    pub arrived: bool,
    /// Whether it was found in a replay, not in a listing.
    pub in_gap: bool,
    /// Whether other messages of its batch were fetched.
    pub others_went_well: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutOff {
    pub until: Timestamp,
    pub times: u32,
}

impl Listing {
    pub fn begin(now: Timestamp) -> Self {
        Self {
            began_at: now,
            page_token: None,
            lowest: None,
            looked_at: BTreeSet::new(),
            not_visible: None,
        }
    }

    pub fn saw(&mut self, mark: Mark) {
        self.lowest = Some(self.lowest.map_or(mark, |lowest| lowest.min(mark)));
    }

    /// The page was looked at; the listing goes on with this one.
    pub fn turn(&mut self, next_page_token: String) {
        self.page_token = Some(next_page_token);
        self.looked_at.clear();
    }
}

impl Position {
    /// The position of a mailbox that was just connected, or whose changes have expired.
    pub fn at(cursor: Mark) -> Self {
        Self {
            cursor,
            settled: cursor,
            settling: None,
            handled: BTreeSet::new(),
            listed_at: None,
            changed_at: None,
            awaited: None,
            late: None,
            not_visible: None,
            backlog: None,
            gap: None,
            failing: BTreeMap::new(),
            parked: BTreeMap::new(),
            put_off: None,
        }
    }

    /// Records were handled: nothing of them need be looked at again.
    pub fn handle(&mut self, records: impl IntoIterator<Item = RecordKey>) {
        self.handled.extend(records);
        while self.handled.len() > MOST_HANDLED {
            self.handled.pop_first();
        }
    }

    /// A push without a mark reached us then. What it tells of shows within a settle time, so that
    /// one more look is due after it, unless a listing has begun since.
    pub fn pushed_without_mark(&mut self, reached_at: Timestamp, settle: Duration) {
        let shown = reached_at.after(settle);
        if self.listed_at.is_none_or(|listed_at| listed_at < shown) {
            self.late = self.late.max(Some(shown));
        }
    }

    /// All pages of a listing were handled: the cursor moves to the lowest mark of its pages, and
    /// never back. `pushed` is the mark of the push that led here. `now` is the moment of
    /// the commit.
    pub fn complete(
        &mut self,
        listing: &Listing,
        pushed: Option<Mark>,
        settle: Duration,
        now: Timestamp,
    ) {
        let cursor = listing.lowest.unwrap_or(self.cursor).max(self.cursor);
        if let Some(settling) =
            self.settling.filter(|settling| settling.at.after(settle) <= listing.began_at)
        {
            self.settled = self.settled.max(settling.cursor);
            self.settling = None;
            self.handled = self.handled.split_off(&RecordKey::above(self.settled));
        }
        if cursor > self.cursor {
            self.changed_at = Some(listing.began_at);
        }
        self.cursor = cursor;
        if self.settling.is_none() && self.settled < cursor {
            self.settling = Some(Settling { cursor, at: now });
        }
        self.listed_at = Some(listing.began_at);
        self.backlog = None;
        self.put_off = None;
        self.late = self.late.filter(|late| *late > listing.began_at);
        self.awaited = Awaited::after(self.awaited, pushed, self.cursor, settle, now);
        let hidden = listing.not_visible.filter(|record| *record > self.settled);
        self.not_visible = hidden.map(|record| {
            NotVisible::after(self.not_visible, record, listing.began_at, settle, now)
        });
    }

    /// The changes from `settled` on have expired: what lies in between becomes a gap to replay, and
    /// listings go on from the profile's mark.
    pub fn pin(&mut self, pinned: Mark, listed_at: Timestamp, settle: Duration, now: Timestamp) {
        let listed_at = self.listed_at.unwrap_or(listed_at);
        let cursor = self.cursor.max(pinned);
        *self = Self {
            listed_at: Some(listed_at),
            changed_at: self.changed_at,
            late: self.late,
            gap: Some(Gap::found(cursor, listed_at, self.gap.as_ref(), settle, now)),
            // The replay finds failing messages again, but not parked ones.
            parked: std::mem::take(&mut self.parked),
            ..Self::at(cursor)
        };
    }

    /// A message could not be fetched or read. Returns whether that parks it.
    pub fn record_failure(&mut self, failure: &FetchFailure<'_>, now: Timestamp) -> bool {
        let FetchFailure { message, identity, reason, arrived, in_gap, others_went_well } =
            *failure;
        let known = self.parked.remove(message);
        let was_parked = known.is_some();
        let earlier = known.or_else(|| self.failing.remove(message));
        let since = earlier.as_ref().map_or(now, |failed| failed.since);
        let failures =
            earlier.as_ref().map_or(0, |failed| failed.failures) + u32::from(others_went_well);
        let tries = earlier.map_or(0, |failed| failed.tries) + 1;
        let enough = failures >= FAILURES_TO_PARK || since.after(PARK_AFTER) <= now;
        let parks = was_parked || (enough && self.parked.len() < MOST_PARKED);
        let longest = if parks { LONGEST_PARKED_WAIT } else { LONGEST_WAIT };
        let wait = doubled(FIRST_WAIT, tries - 1).min(longest);
        let failed = FailedMessage {
            since,
            failures,
            tries,
            tried_at: now,
            retry_at: now.after(wait),
            reason: reason.into(),
            arrived,
            in_gap,
            identity: identity
                .filter(|identity| **identity != MessageIdentity::of(message))
                .cloned(),
        };
        let messages = if parks { &mut self.parked } else { &mut self.failing };
        messages.insert(message.clone(), failed);
        parks && !was_parked
    }

    /// A message was looked at, or is gone.
    pub fn solved(&mut self, message: &MessageId) {
        self.failing.remove(message);
        self.parked.remove(message);
    }

    /// After a complete listing: forgets failing messages that it did not show. Returns whether
    /// another one keeps the cursor back.
    pub fn held_after(&mut self, listing: &Listing) -> bool {
        self.failing.retain(|_, failed| failed.in_gap || failed.tried_at >= listing.began_at);
        self.failing.values().any(|failed| !failed.in_gap)
    }

    /// As `held_after`, for a slice of a replay whose listing began at `began_at`.
    pub fn slice_held_after(&mut self, began_at: Timestamp) -> bool {
        self.failing.retain(|_, failed| !failed.in_gap || failed.tried_at >= began_at);
        self.failing.values().any(|failed| failed.in_gap)
    }

    /// The parked messages to retry now, the one that was tried longest ago first, so that each has
    /// its turn if fewer are tried at once.
    pub fn parked_to_retry(&self, all: bool, now: Timestamp) -> Vec<Candidate> {
        let mut due: Vec<_> =
            self.parked.iter().filter(|(_, failed)| all || failed.retry_at <= now).collect();
        due.sort_by_key(|(_, failed)| failed.tried_at);
        due.into_iter()
            .map(|(message, failed)| {
                let found = Candidate::found(message.clone());
                let identity = failed.identity.clone().unwrap_or(found.identity);
                Candidate { identity, arrived: failed.arrived, ..found }
            })
            .collect()
    }

    pub fn is_failing_or_parked(&self, message: &MessageId) -> bool {
        self.failing.contains_key(message) || self.parked.contains_key(message)
    }

    /// Puts off the look that was due: to `until` if it is given, else for growing waits.
    pub fn put_off(&mut self, until: Option<Timestamp>, now: Timestamp) {
        let times = self.put_off.as_ref().map_or(0, |put_off| put_off.times);
        let until =
            until.unwrap_or_else(|| now.after(doubled(FIRST_WAIT, times).min(LONGEST_WAIT)));
        self.put_off = Some(PutOff { until, times: times + 1 });
    }

    /// When the mailbox must be looked at without a push; `None` if nothing is to be done.
    pub fn look_at(&self, settle: Duration) -> Option<Timestamp> {
        if let Some(put_off) = &self.put_off {
            return Some(put_off.until);
        }
        let failing =
            self.failing.values().chain(self.parked.values()).map(|failed| failed.retry_at);
        let owed = [
            self.awaited.map(|awaited| awaited.look_at),
            self.late,
            self.not_visible.and_then(|hidden| hidden.look_at),
            self.settling.map(|settling| settling.at.after(settle)),
            self.backlog.as_ref().map(|listing| listing.began_at),
            self.gap.as_ref().map(|gap| gap.ready_at(settle)),
        ];
        owed.into_iter().flatten().chain(failing).min()
    }
}

/// `first`, doubled so many times.
fn doubled(first: Duration, times: u32) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_secs(600);
    const NOW: Timestamp = Timestamp::from_seconds(1_900_000_000);

    fn id(value: u64) -> Mark {
        Mark::new(value)
    }

    fn after(seconds: u64) -> Timestamp {
        NOW.after(Duration::from_secs(seconds))
    }

    fn failure(message: &MessageId, others_went_well: bool) -> FetchFailure<'_> {
        FetchFailure {
            message,
            identity: None,
            reason: "500",
            arrived: true,
            in_gap: false,
            others_went_well,
        }
    }

    fn listed(position: &mut Position, began: u64, pages: &[u64], pushed: Option<u64>) {
        let mut listing = Listing::begin(after(began));
        pages.iter().for_each(|page| listing.saw(id(*page)));
        position.complete(&listing, pushed.map(id), SETTLE, after(began + 1));
    }

    #[test]
    fn the_cursor_is_the_lowest_page_and_never_falls() {
        let table: [(&[u64], u64, u64); 4] =
            [(&[], 7, 7), (&[9], 7, 9), (&[12, 9, 15], 7, 9), (&[5], 7, 7)];
        for (pages, stored, expected) in table {
            let mut position = Position::at(id(stored));
            listed(&mut position, 0, pages, None);
            assert_eq!(position.cursor, id(expected), "{pages:?} from {stored}");
        }
    }

    #[test]
    fn settled_follows_only_a_cursor_that_is_old_enough() {
        let mut position = Position::at(id(10));
        listed(&mut position, 0, &[20], None);
        assert_eq!(
            (position.settled, position.look_at(SETTLE)),
            (id(10), Some(after(601))),
            "a listing ten minutes after the commit"
        );
        position.handle([id(15).into(), id(25).into()]);
        listed(&mut position, 600, &[30], None);
        assert_eq!(
            position.settled,
            id(10),
            "a second too early, measured from the listing's start"
        );
        listed(&mut position, 601, &[30], None);
        assert_eq!((position.settled, position.cursor), (id(20), id(30)));
        assert_eq!(
            position.handled,
            BTreeSet::from([id(25).into()]),
            "what is settled need not be remembered"
        );
        listed(&mut position, 1202, &[30], None);
        assert_eq!(
            (position.settled, position.look_at(SETTLE)),
            (id(30), None),
            "all is settled and nothing is owed"
        );
    }

    #[test]
    fn a_listing_behind_its_push_is_repeated_with_patience_that_ends() {
        let mut position = Position::at(id(10));
        let mut now = 0;
        let mut waits = Vec::new();
        listed(&mut position, now, &[10], Some(15));
        while let Some(look_at) = position.look_at(SETTLE) {
            let wait = u64::try_from(look_at.seconds() - after(now + 1).seconds()).unwrap();
            waits.push(wait);
            now += wait + 1;
            listed(&mut position, now, &[10], None);
        }
        assert_eq!(waits, [20, 40, 80, 160, 320]);
        listed(&mut position, now, &[10], Some(15));
        listed(&mut position, now + 1, &[16], None);
        assert_eq!(position.awaited, None, "what was awaited has shown");
    }

    #[test]
    fn after_a_push_without_a_mark_one_more_look_is_due_once_all_has_shown() {
        // When the push reached us, when the listing before it and the one after it began, and when
        // the next look is due after each.
        let table = [
            ("never listed", 0, None, Some(600), None, None),
            ("a listing follows at once", 100, Some(50), Some(700), Some(101), Some(700)),
            ("the later look is the last", 100, Some(50), Some(700), Some(700), None),
            ("delivered once more, much later", 100, Some(700), None, None, None),
            ("it waited while a look was made", 100, Some(130), Some(700), None, Some(700)),
        ];
        for (case, reached, before, due, again, then) in table {
            let mut position = Position::at(id(10));
            before.into_iter().for_each(|began| listed(&mut position, began, &[], None));
            position.pushed_without_mark(after(reached), SETTLE);
            assert_eq!(position.look_at(SETTLE), due.map(after), "{case}");
            if again.is_some() {
                again.into_iter().for_each(|began| listed(&mut position, began, &[], None));
                assert_eq!(position.look_at(SETTLE), then.map(after), "{case}, and listed");
            }
        }
    }

    #[test]
    fn a_message_is_set_aside_when_only_it_fails_or_when_it_fails_for_a_day() {
        let poison = MessageId::new("poison");
        let mut position = Position::at(id(10));
        let parked: Vec<bool> = (0..4)
            .map(|seconds| position.record_failure(&failure(&poison, true), after(seconds)))
            .collect();
        assert_eq!(parked, [false, false, true, false], "it is set aside once");
        assert!(position.failing.is_empty() && position.parked.contains_key(&poison));

        let mut position = Position::at(id(10));
        assert!(
            !(0..100)
                .any(|seconds| position.record_failure(&failure(&poison, false), after(seconds))),
            "an outage sets nothing aside"
        );
        assert!(position.record_failure(&failure(&poison, false), after(24 * 3600)));
        position.solved(&poison);
        assert_eq!(position.look_at(SETTLE), None);
    }

    #[test]
    fn what_is_set_aside_keeps_its_identity_where_that_is_not_its_id() {
        let message = MessageId::new("AAk=");
        for identity in [MessageIdentity::of(&message), MessageIdentity::new("its own")] {
            let mut position = Position::at(id(10));
            for _ in 0..FAILURES_TO_PARK {
                let failure = failure(&message, true);
                position
                    .record_failure(&FetchFailure { identity: Some(&identity), ..failure }, NOW);
            }
            let row = serde_json::to_string(&position).unwrap();
            let read: Position = serde_json::from_str(&row).unwrap();
            let [again] = &read.parked_to_retry(true, NOW)[..] else { panic!("one is set aside") };
            assert_eq!((&again.message, &again.identity), (&message, &identity));
            assert_eq!(row.contains("identity"), identity.as_str() == "its own", "{row}");
        }
    }

    #[test]
    fn of_many_that_are_set_aside_each_has_its_turn() {
        let mut position = Position::at(id(10));
        for number in 0..MOST_PARKED {
            let message = MessageId::new(number.to_string());
            for _ in 0..FAILURES_TO_PARK {
                position.record_failure(&failure(&message, true), NOW);
            }
        }
        let mut tried = BTreeSet::new();
        for round in 1..=4 {
            for candidate in
                position.parked_to_retry(true, after(round)).into_iter().take(MOST_PARKED / 4)
            {
                position.record_failure(&failure(&candidate.message, true), after(round));
                tried.insert(candidate.message);
            }
        }
        assert_eq!(tried.len(), MOST_PARKED, "a quarter each time, and in four times all of them");
    }

    #[test]
    fn no_more_is_set_aside_than_has_room() {
        let mut position = Position::at(id(10));
        for number in 0..=MOST_PARKED {
            let message = MessageId::new(number.to_string());
            for _ in 0..FAILURES_TO_PARK {
                position.record_failure(&failure(&message, true), NOW);
            }
        }
        assert_eq!(
            (position.parked.len(), position.failing.len()),
            (MOST_PARKED, 1),
            "one more holds the cursor"
        );
    }

    #[test]
    fn what_is_put_off_waits_longer_each_time_or_until_a_given_time() {
        let mut position = Position::at(id(10));
        let mut waits = Vec::new();
        for _ in 0..7 {
            position.put_off(None, NOW);
            waits.push(position.look_at(SETTLE).unwrap().seconds() - NOW.seconds());
        }
        assert_eq!(waits, [20, 40, 80, 160, 320, 600, 600]);
        position.put_off(Some(after(5)), NOW);
        assert_eq!(position.look_at(SETTLE), Some(after(5)));
    }

    #[test]
    fn a_pin_keeps_what_is_owed_and_what_was_set_aside() {
        let mut position = Position::at(id(10));
        listed(&mut position, 0, &[20], None);
        let poison = MessageId::new("poison");
        for _ in 0..3 {
            position.record_failure(&failure(&poison, true), NOW);
        }
        position.handle([id(15).into()]);
        position.pin(id(90), NOW, SETTLE, after(7));
        assert_eq!(
            (position.cursor, position.settled, position.handled.len()),
            (id(90), id(90), 0)
        );
        assert_eq!(
            position.gap.as_ref().map(|gap| (gap.pinned, gap.pinned_at)),
            Some((id(90), after(7)))
        );
        assert!(position.parked.contains_key(&poison));
    }
}

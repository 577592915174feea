//! Pages of Gmail's history, filtered and applied to a position. The first line is the cursor, the
//! history id of a push, and the labels of a trigger. Each further line is a page; an empty line
//! ends a listing, and `gone` with a history id means that older history expired. Messages whose id
//! begins with `x` cannot be fetched.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use email_connectors::adapters::gmail::wire::HistoryAnswer;
use email_connectors::domain::changes::{Candidate, Change, ChangeFilter, ChangePage, Record};
use email_connectors::domain::mark::{Mark, RecordKey};
use email_connectors::domain::position::{FetchFailure, Listing, MOST_PARKED, Position};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::trigger::{Filters, Trigger};
use serde_json::Value;

use super::plain::{self, NOW};
use crate::contract::cast::Cast;

const SETTLE: Duration = Duration::from_secs(600);
const MOST_HANDLED: usize = 5000;

pub fn history(data: &[u8]) {
    let (opening, rest) = plain::line(data);
    let mut words = opening.split_whitespace();
    let mut number = || words.next().and_then(|word| word.parse().ok()).map(Mark::new);
    let (cursor, pushed) = (number().unwrap_or(Mark::new(0)), number());
    let reader = Reader::new(words.map(String::from).collect(), pushed);
    let mut position = Position::at(cursor);
    let mut now = NOW;
    for listing in String::from_utf8_lossy(rest).split("\n\n") {
        let before = position.clone();
        reader.list(&mut position, listing, now);
        check(&before, &position);
        now = now.after(SETTLE * 2);
    }
}

struct Reader {
    change_filter: ChangeFilter,
    awaited: Vec<String>,
    pushed: Option<Mark>,
}

impl Reader {
    fn new(labels: Vec<String>, pushed: Option<Mark>) -> Self {
        let cast = Cast::new("fuzz", "history");
        let mut trigger: Trigger = cast.trigger(&cast.connector(1), 1);
        trigger.config.filters = Filters { label_include: labels.clone(), ..Filters::default() };
        let awaited = labels.into_iter().chain(["INBOX".into()]).collect();
        Self { change_filter: ChangeFilter::new(&[trigger]), awaited, pushed }
    }

    /// Reads a listing as a run of the processor does.
    fn list(&self, position: &mut Position, pages: &str, now: Timestamp) {
        let mut listing = Listing::begin(now);
        let before = position.cursor;
        for line in pages.lines() {
            if let Some(pinned) =
                line.strip_prefix("gone ").and_then(|id| id.trim().parse().ok()).map(Mark::new)
            {
                position.pin(pinned, now, SETTLE, now);
                check_gap(position, before.max(pinned));
                return;
            }
            let Some(page) = page(line.as_bytes()) else { continue };
            page.mark.into_iter().for_each(|mark| listing.saw(mark));
            let candidates = self.change_filter.candidates(&page, &position.handled);
            self.check_candidates(&candidates, &page, &position.handled);
            candidates.iter().for_each(|candidate| look_at(position, candidate, now));
        }
        let lowest = listing.lowest;
        if !position.held_after(&listing) {
            position.complete(&listing, self.pushed, SETTLE, now);
            assert_eq!(
                position.cursor,
                lowest.map_or(before, |lowest| lowest.max(before)),
                "the history id of a push moves no cursor"
            );
        }
    }

    fn check_candidates(
        &self,
        candidates: &[Candidate],
        page: &ChangePage,
        handled: &BTreeSet<RecordKey>,
    ) {
        let mut expected: BTreeMap<&str, (bool, BTreeSet<RecordKey>)> = BTreeMap::new();
        for Record { key, changes } in
            page.records.iter().filter(|record| !handled.contains(&record.key))
        {
            for change in changes {
                let (message, arrived, looked_at) = match change {
                    Change::Added { message, label_ids } => (message, true, is_mail(label_ids)),
                    Change::Labelled { message, label_ids } => {
                        (message, false, label_ids.iter().any(|label| self.awaited.contains(label)))
                    }
                };
                if looked_at {
                    let entry = expected.entry(message.as_str()).or_default();
                    entry.0 |= arrived;
                    entry.1.insert(*key);
                }
            }
        }
        let found: BTreeMap<&str, (bool, BTreeSet<RecordKey>)> = candidates
            .iter()
            .map(|candidate| {
                (candidate.message.as_str(), (candidate.arrived, candidate.records.clone()))
            })
            .collect();
        assert_eq!(found.len(), candidates.len(), "a message is looked at once");
        assert_eq!(found, expected);
    }
}

/// Serde also reads a struct from an array of its fields, which has no names to compare by.
fn is_named(record: &Value) -> bool {
    let entries = ["messagesAdded", "labelsAdded"].map(|name| &record[name]);
    let mut entries = entries.into_iter().filter_map(Value::as_array).flatten();
    record.is_object() && entries.all(|entry| entry.is_object() && entry["message"].is_object())
}

/// The page, compared with the same JSON read without a schema.
fn page(line: &[u8]) -> Option<ChangePage> {
    let page = ChangePage::from(serde_json::from_slice::<HistoryAnswer>(line).ok()?);
    let json = plain::json(line).filter(Value::is_object)?;
    assert_eq!(plain::digits(&json["historyId"]), page.mark.map(|mark| mark.to_string()));
    assert_eq!(json["nextPageToken"].as_str(), page.next_page_token.as_deref());
    let none = Vec::new();
    let list = |value: &Value| value.as_array().unwrap_or(&none).clone();
    let records = list(&json["history"]);
    assert_eq!(records.len(), page.records.len());
    for (value, record) in records.iter().zip(&page.records) {
        if !is_named(value) {
            continue;
        }
        assert_eq!(plain::digits(&value["id"]), Some(record.key.to_string()));
        let ids = |name: &str| {
            list(&value[name])
                .into_iter()
                .map(|entry| entry["message"]["id"].as_str().map(String::from))
        };
        let expected: Vec<Option<String>> =
            ids("messagesAdded").chain(ids("labelsAdded")).collect();
        let found = record.changes.iter().map(|change| match change {
            Change::Added { message, .. } | Change::Labelled { message, .. } => {
                Some(message.to_string())
            }
        });
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }
    Some(page)
}

fn is_mail(label_ids: &[String]) -> bool {
    let has = |label: &str| label_ids.iter().any(|id| id == label);
    !(has("DRAFT")
        || has("SPAM")
        || has("TRASH")
        || has("CHAT")
        || has("SCHEDULED")
        || (has("SENT") && !has("INBOX")))
}

fn look_at(position: &mut Position, candidate: &Candidate, now: Timestamp) {
    if candidate.message.as_str().starts_with('x') {
        let failure = FetchFailure {
            message: &candidate.message,
            identity: Some(&candidate.identity),
            reason: "500",
            arrived: candidate.arrived,
            in_gap: false,
            others_went_well: true,
        };
        position.record_failure(&failure, now);
    } else {
        position.solved(&candidate.message);
        position.handle(candidate.records.iter().copied());
    }
}

fn check(before: &Position, after: &Position) {
    assert!(
        after.cursor >= before.cursor && after.settled >= before.settled,
        "{before:?} went back to {after:?}"
    );
    assert!(after.settled <= after.cursor, "{after:?}");
    assert!(after.handled.len() <= MOST_HANDLED && after.parked.len() <= MOST_PARKED);
    assert!(after.failing.keys().all(|message| !after.parked.contains_key(message)), "{after:?}");
    assert!(
        after.settled == before.settled
            || after.handled.iter().all(|record| record.mark > after.settled),
        "{after:?}"
    );
    let owes = after.settled < after.cursor
        || after.gap.is_some()
        || !after.failing.is_empty()
        || !after.parked.is_empty();
    assert!(!owes || after.look_at(SETTLE).is_some(), "pending work has no next look: {after:?}");
    let row = serde_json::to_string(after).expect("a position is JSON");
    assert_eq!(serde_json::from_str::<Position>(&row).ok().as_ref(), Some(after), "{row}");
}

fn check_gap(position: &Position, pinned: Mark) {
    assert_eq!((position.cursor, position.settled), (pinned, pinned));
    let mut gap = position.gap.clone().expect("an expired history leaves a gap");
    assert_eq!(gap.pinned, pinned);
    let mut slices = 0;
    while let Some(before) = gap.slice(SETTLE).before {
        assert!(before > gap.after && before <= gap.pinned_at, "{gap:?}");
        gap.pass(before);
        slices += 1;
        assert!(slices <= 100, "a replay without an end: {gap:?}");
    }
}

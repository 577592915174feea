//! The changes of a mailbox: which of their records deserve a look.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::domain::id::{MessageId, MessageIdentity};
use crate::domain::mark::{Mark, RecordKey};
use crate::domain::message::ProviderMessage;
use crate::domain::trigger::Trigger;

/// One page of a listing: what was added to the mailbox, and what was labelled in it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangePage {
    /// Oldest first.
    pub records: Vec<Record>,
    /// Up to where the mailbox's changes are listed once the listing's last page was. `None` if
    /// this page does not say: the lowest mark that a page reports becomes the cursor.
    pub mark: Option<Mark>,
    pub next_page_token: Option<String>,
    /// Messages of the records, where the provider lists them whole: these are not fetched.
    pub contents: Vec<ProviderMessage>,
}

/// What happened at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub key: RecordKey,
    pub changes: Vec<Change>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A message came into being, with these labels.
    Added { message: MessageId, label_ids: Vec<String> },
    /// These labels were put on a message.
    Labelled { message: MessageId, label_ids: Vec<String> },
}

/// A message that deserves a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub message: MessageId,
    /// By which the ledger knows it.
    pub identity: MessageIdentity,
    /// Whether it came into being here, and was not only labelled.
    pub arrived: bool,
    /// The records that mention it; empty if it was found by date.
    pub records: BTreeSet<RecordKey>,
}

impl Candidate {
    /// A message that was found in the mailbox itself.
    pub fn found(message: MessageId) -> Self {
        let identity = MessageIdentity::of(&message);
        Self { message, identity, arrived: true, records: BTreeSet::new() }
    }
}

/// Mail is received when it is not something that was written, thrown away or chatted. Labels are
/// Gmail's system labels; sent mail counts only if it also arrived, which is mail to oneself.
pub fn is_received(label_ids: &[String]) -> bool {
    let has = |label: &str| label_ids.iter().any(|label_id| label_id == label);
    let never = ["DRAFT", "SPAM", "TRASH", "CHAT", "SCHEDULED"].into_iter().any(has);
    !never && (!has("SENT") || has("INBOX"))
}

/// The label by which mail enters the inbox: a rescue from spam counts as received.
const INBOX: &str = "INBOX";

/// Which changes of a mailbox may make a trigger fire.
#[derive(Debug, Default)]
pub struct ChangeFilter {
    /// Label ids: the inbox's, and those that a trigger names.
    awaited: HashSet<String>,
}

impl ChangeFilter {
    pub fn new(triggers: &[Trigger]) -> Self {
        let named = triggers.iter().flat_map(|trigger| &trigger.config.filters.label_include);
        Self { awaited: named.cloned().chain([INBOX.into()]).collect() }
    }

    /// The messages to look at, oldest record first, each once; records that were handled are passed
    /// over.
    pub fn candidates(&self, page: &ChangePage, handled: &BTreeSet<RecordKey>) -> Vec<Candidate> {
        let identities: HashMap<&MessageId, MessageIdentity> =
            page.contents.iter().map(|message| (&message.id, message.identity())).collect();
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut indices: HashMap<&MessageId, usize> = HashMap::new();
        for record in page.records.iter().filter(|record| !handled.contains(&record.key)) {
            for (message, arrived) in
                record.changes.iter().filter_map(|change| self.look_at(change))
            {
                let index = *indices.entry(message).or_insert_with(|| {
                    let found = Candidate::found(message.clone());
                    let identity = identities.get(message).cloned().unwrap_or(found.identity);
                    candidates.push(Candidate { identity, arrived: false, ..found });
                    candidates.len() - 1
                });
                candidates[index].arrived |= arrived;
                candidates[index].records.insert(record.key);
            }
        }
        candidates
    }

    /// A new message whose own labels already exclude it is not worth a fetch: drafts come back
    /// under a new id at every automatic save. The decision itself is made on the fetched message's
    /// labels.
    fn look_at<'a>(&self, change: &'a Change) -> Option<(&'a MessageId, bool)> {
        match change {
            Change::Added { message, label_ids } => {
                is_received(label_ids).then_some((message, true))
            }
            Change::Labelled { message, label_ids } => label_ids
                .iter()
                .any(|label| self.awaited.contains(label))
                .then_some((message, false)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    fn added(id: &str, names: &[&str]) -> Change {
        Change::Added { message: MessageId::new(id), label_ids: labels(names) }
    }

    fn labelled(id: &str, names: &[&str]) -> Change {
        Change::Labelled { message: MessageId::new(id), label_ids: labels(names) }
    }

    /// One record for each change, numbered from 1.
    fn page(changes: &[Change]) -> ChangePage {
        let record = |(id, change): (u64, &Change)| Record {
            key: Mark::new(id).into(),
            changes: vec![change.clone()],
        };
        let records = (1..).zip(changes).map(record).collect();
        ChangePage { records, mark: None, next_page_token: None, contents: Vec::new() }
    }

    fn sifted(changes: &[Change], awaited: &[&str]) -> Vec<(String, bool)> {
        let change_filter = ChangeFilter { awaited: labels(awaited).into_iter().collect() };
        let candidates = change_filter.candidates(&page(changes), &BTreeSet::new());
        candidates
            .iter()
            .map(|candidate| (candidate.message.to_string(), candidate.arrived))
            .collect()
    }

    #[test]
    fn a_message_in_several_records_is_fetched_once_and_drafts_never() {
        let changes = [
            added("a", &["INBOX"]),
            added("b", &["DRAFT"]),
            added("a", &["INBOX"]),
            added("c", &[]),
        ];
        assert_eq!(sifted(&changes, &[]), [("a".into(), true), ("c".into(), true)]);
    }

    #[test]
    fn a_record_that_was_handled_is_passed_over_and_a_later_one_of_its_message_is_not() {
        let history =
            page(&[added("a", &["INBOX"]), labelled("a", &["INBOX"]), added("b", &["INBOX"])]);
        let candidates = ChangeFilter::new(&[])
            .candidates(&history, &BTreeSet::from([Mark::new(1).into(), Mark::new(3).into()]));
        let expected = Candidate {
            arrived: false,
            records: BTreeSet::from([Mark::new(2).into()]),
            ..Candidate::found(MessageId::new("a"))
        };
        assert_eq!(candidates, [expected]);
    }

    #[test]
    fn of_added_labels_only_those_that_somebody_waits_for_deserve_a_look() {
        let changes = [
            labelled("a", &["UNREAD"]),
            labelled("b", &["INBOX"]),
            labelled("c", &["UNREAD", "Label_7"]),
            labelled("d", &["Label_8"]),
        ];
        assert_eq!(
            sifted(&changes, &["INBOX", "Label_7"]),
            [("b".into(), false), ("c".into(), false)]
        );
    }

    #[test]
    fn a_message_that_was_labelled_and_arrived_has_arrived() {
        for changes in [
            [labelled("a", &["INBOX"]), added("a", &["INBOX"])],
            [added("a", &["INBOX"]), labelled("a", &["INBOX"])],
        ] {
            assert_eq!(sifted(&changes, &["INBOX"]), [("a".into(), true)]);
        }
    }

    #[test]
    fn received_means_received() {
        let table: [(&[&str], bool); 8] = [
            (&["INBOX", "UNREAD"], true),
            (&[], true),
            (&["DRAFT"], false),
            (&["SPAM"], false),
            (&["TRASH", "INBOX"], false),
            (&["CHAT"], false),
            (&["SENT"], false),
            (&["SENT", "INBOX"], true),
        ];
        for (labels, expected) in table {
            let labels: Vec<String> = labels.iter().map(|label| label.to_string()).collect();
            assert_eq!(is_received(&labels), expected, "{labels:?}");
        }
    }
}

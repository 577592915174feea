//! Gmail's history, folded: which messages deserve a look, and where the cursor may move.

use std::collections::{HashMap, HashSet};

use crate::domain::history_id::HistoryId;
use crate::domain::id::MessageId;
use crate::domain::trigger::Trigger;

/// One page of `history.list`: what was added to the mailbox, and what was labelled in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    /// Oldest first.
    pub changes: Vec<Change>,
    /// The mailbox's history id when this page was made.
    pub history_id: HistoryId,
    pub next_page_token: Option<String>,
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
    /// Whether it came into being in this listing, and was not only labelled.
    pub arrived: bool,
}

/// Mail is received when it is not something that was written, thrown away or chatted. Labels are Gmail's system labels;
/// sent mail counts only if it also arrived, which is mail to oneself.
pub fn is_received(label_ids: &[String]) -> bool {
    let has = |label: &str| label_ids.iter().any(|held| held == label);
    let never = ["DRAFT", "SPAM", "TRASH", "CHAT", "SCHEDULED"].into_iter().any(has);
    !never && (!has("SENT") || has("INBOX"))
}

/// The label by which mail enters the inbox: a rescue from spam counts as received.
const INBOX: &str = "INBOX";

/// A listing in the making: complete once a page without a next token was added.
#[derive(Debug, Default)]
pub struct Listing {
    /// Label ids that somebody waits for.
    awaited: HashSet<String>,
    candidates: Vec<Candidate>,
    places: HashMap<MessageId, usize>,
    lowest: Option<HistoryId>,
}

impl Listing {
    /// A listing for these triggers: of labels that were added, the inbox's and those that a trigger names deserve a look.
    pub fn new(triggers: &[Trigger]) -> Self {
        let named = triggers.iter().flat_map(|trigger| &trigger.config.filters.label_include);
        Self { awaited: named.cloned().chain([INBOX.into()]).collect(), ..Self::default() }
    }

    /// Takes a page in. A new message whose own labels already exclude it is not worth a fetch: drafts come back under a new
    /// id at every automatic save. The decision itself is made on the fetched message's labels.
    pub fn add(&mut self, page: HistoryPage) {
        self.lowest = Some(self.lowest.map_or(page.history_id, |lowest| lowest.min(page.history_id)));
        for change in page.changes {
            match change {
                Change::Added { message, label_ids } if is_received(&label_ids) => self.consider(message, true),
                Change::Labelled { message, label_ids } if label_ids.iter().any(|label| self.awaited.contains(label)) => {
                    self.consider(message, false);
                }
                _ => {}
            }
        }
    }

    fn consider(&mut self, message: MessageId, arrived: bool) {
        match self.places.get(&message) {
            Some(place) => self.candidates[*place].arrived |= arrived,
            None => {
                self.places.insert(message.clone(), self.candidates.len());
                self.candidates.push(Candidate { message, arrived });
            }
        }
    }

    /// The messages to fetch, oldest record first, each once.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Where the cursor may move after all of this listing was handled: what every page had already seen, and never back.
    pub fn cursor(&self, stored: HistoryId) -> HistoryId {
        self.lowest.unwrap_or(stored).max(stored)
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

    fn page(history_id: u64, changes: &[Change]) -> HistoryPage {
        HistoryPage { changes: changes.to_vec(), history_id: HistoryId::new(history_id), next_page_token: None }
    }

    fn listed(pages: &[&[Change]], awaited: &[&str]) -> Vec<(String, bool)> {
        let mut listing = Listing { awaited: awaited.iter().map(|label| label.to_string()).collect(), ..Listing::default() };
        pages.iter().for_each(|changes| listing.add(page(9, changes)));
        listing.candidates().iter().map(|candidate| (candidate.message.to_string(), candidate.arrived)).collect()
    }

    #[test]
    fn the_cursor_is_the_lowest_page_and_never_falls() {
        let table: [(&[u64], u64, u64); 4] = [(&[], 7, 7), (&[9], 7, 9), (&[12, 9, 15], 7, 9), (&[5], 7, 7)];
        for (pages, stored, expected) in table {
            let mut listing = Listing::default();
            for history_id in pages {
                listing.add(page(*history_id, &[]));
            }
            assert_eq!(listing.cursor(HistoryId::new(stored)), HistoryId::new(expected), "{pages:?} from {stored}");
        }
    }

    #[test]
    fn a_message_in_several_records_is_fetched_once_and_drafts_never() {
        let first = [added("a", &["INBOX"]), added("b", &["DRAFT"]), added("a", &["INBOX"])];
        let second = [added("c", &[]), added("a", &["INBOX"])];
        assert_eq!(listed(&[&first, &second], &[]), [("a".into(), true), ("c".into(), true)]);
    }

    #[test]
    fn of_added_labels_only_those_that_somebody_waits_for_deserve_a_look() {
        let changes =
            [labelled("a", &["UNREAD"]), labelled("b", &["INBOX"]), labelled("c", &["UNREAD", "Label_7"]), labelled("d", &["Label_8"])];
        assert_eq!(listed(&[&changes], &["INBOX", "Label_7"]), [("b".into(), false), ("c".into(), false)]);
    }

    #[test]
    fn a_message_that_was_labelled_and_arrived_has_arrived() {
        for changes in [[labelled("a", &["INBOX"]), added("a", &["INBOX"])], [added("a", &["INBOX"]), labelled("a", &["INBOX"])]] {
            assert_eq!(listed(&[&changes], &["INBOX"]), [("a".into(), true)]);
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

//! Gmail's history, folded: which messages deserve a look, and where the cursor may move.

use std::collections::HashSet;

use crate::domain::history_id::HistoryId;
use crate::domain::id::MessageId;

/// One page of `history.list`, of which only additions concern us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    pub added: Vec<AddedMessage>,
    /// The mailbox's history id when this page was made.
    pub history_id: HistoryId,
    pub next_page_token: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedMessage {
    pub id: MessageId,
    pub label_ids: Vec<String>,
}

/// Mail is received when it is not something that was written, thrown away or chatted. Labels are Gmail's system labels;
/// sent mail counts only if it also arrived, which is mail to oneself.
pub fn is_received(label_ids: &[String]) -> bool {
    let has = |label: &str| label_ids.iter().any(|held| held == label);
    let never = ["DRAFT", "SPAM", "TRASH", "CHAT", "SCHEDULED"].into_iter().any(has);
    !never && (!has("SENT") || has("INBOX"))
}

/// A listing in the making: complete once a page without a next token was added.
#[derive(Debug, Default)]
pub struct Listing {
    candidates: Vec<MessageId>,
    seen: HashSet<MessageId>,
    lowest: Option<HistoryId>,
}

impl Listing {
    /// Takes a page in. What its own labels already exclude is not worth a fetch: drafts come back under a new id at every
    /// automatic save. The decision itself is made on the fetched message's labels.
    pub fn add(&mut self, page: &HistoryPage) {
        self.lowest = Some(self.lowest.map_or(page.history_id, |lowest| lowest.min(page.history_id)));
        for message in page.added.iter().filter(|message| is_received(&message.label_ids)) {
            if self.seen.insert(message.id.clone()) {
                self.candidates.push(message.id.clone());
            }
        }
    }

    /// The messages to fetch, oldest record first, each once.
    pub fn candidates(&self) -> &[MessageId] {
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

    fn page(history_id: u64, added: &[(&str, &[&str])]) -> HistoryPage {
        let added = added
            .iter()
            .map(|(id, labels)| AddedMessage { id: MessageId::new(*id), label_ids: labels.iter().map(|label| label.to_string()).collect() })
            .collect();
        HistoryPage { added, history_id: HistoryId::new(history_id), next_page_token: None }
    }

    #[test]
    fn the_cursor_is_the_lowest_page_and_never_falls() {
        let table: [(&[u64], u64, u64); 4] = [(&[], 7, 7), (&[9], 7, 9), (&[12, 9, 15], 7, 9), (&[5], 7, 7)];
        for (pages, stored, expected) in table {
            let mut listing = Listing::default();
            for history_id in pages {
                listing.add(&page(*history_id, &[]));
            }
            assert_eq!(listing.cursor(HistoryId::new(stored)), HistoryId::new(expected), "{pages:?} from {stored}");
        }
    }

    #[test]
    fn a_message_in_several_records_is_fetched_once_and_drafts_never() {
        let mut listing = Listing::default();
        listing.add(&page(9, &[("a", &["INBOX"]), ("b", &["DRAFT"]), ("a", &["INBOX"])]));
        listing.add(&page(10, &[("c", &[]), ("a", &["INBOX"])]));
        assert_eq!(listing.candidates(), [MessageId::new("a"), MessageId::new("c")]);
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

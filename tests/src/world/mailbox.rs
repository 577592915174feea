//! A mailbox as Gmail keeps it, and what Gmail answers about it: all that its contract leaves open
//! goes wrong on demand.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use email_connectors::domain::changes::{self, Change, ChangePage};
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::gap::Slice;
use email_connectors::domain::id::MessageId;
use email_connectors::domain::mark::Mark;
use email_connectors::domain::message::ProviderMessage;
use email_connectors::domain::operation::answer::{
    Label, LabelList, LabelType, MailAnswer, MessageView, PlacedMessage,
};
use email_connectors::domain::operation::request::MailRequest;
use email_connectors::domain::outgoing::Outgoing;
use email_connectors::domain::outgoing::identity::Alias;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{Fetched, MessagePage, Profile, ProviderError};

use super::consent::WATCH_LIFE;
use super::mail::{Delivered, Mail, Poison};

/// The first history id, and its step per change: ids are not contiguous.
const FIRST_HISTORY_ID: u64 = 1000;
const HISTORY_STEP: u64 = 7;

/// No replica lags longer than this: after it, a position counts as settled.
const LONGEST_LAG: Duration = Duration::from_secs(590);

/// By how much a search by date is wider than the requested span, on either side.
const SEARCH_MARGIN: Duration = Duration::from_secs(1);

pub(crate) struct Mailbox {
    pub address: EmailAddress,
    /// What its message ids begin with: they are unique over the accounts of a world.
    prefix: String,
    messages: BTreeMap<MessageId, StoredMessage>,
    /// Every message that ever arrived, in order.
    order: Vec<MessageId>,
    records: Vec<Record>,
    /// Counts every record, whether it shows yet or not.
    pub history_id: u64,
    pub page_history_ids: BTreeSet<Mark>,
    pub profile_history_ids: BTreeSet<Mark>,
    /// A listing that starts before this id is refused as expired.
    pub expired: u64,
    /// How many of the newest records a listing omits.
    pub lag: usize,
    pub page_size: usize,
    pub list_page_size: usize,
    /// The page tokens that are accepted.
    pub page_tokens: BTreeSet<String>,
    /// A page of changes has the messages of its records, as of a provider that lists them whole.
    pub lists_whole: bool,
    pub poisoned: BTreeMap<MessageId, Poison>,
    /// The user's own labels, by id: their names.
    pub own_labels: BTreeMap<String, String>,
    /// The addresses that the owner may write from beside the own one.
    pub aliases: Vec<Alias>,
    /// What the owner sent.
    pub sent: Vec<Outgoing>,
    pub watched_until: Option<Timestamp>,
    /// Another topic watches the mailbox.
    pub watch_is_taken: bool,
}

struct StoredMessage {
    content: ProviderMessage,
    visible_at: Timestamp,
}

struct Record {
    id: u64,
    change: Change,
    happened_at: Timestamp,
    visible_at: Timestamp,
}

impl Mailbox {
    /// The `number`th mailbox of its world, from 1.
    pub fn new(address: EmailAddress, number: usize) -> Self {
        Self {
            address,
            prefix: if number == 1 { String::new() } else { format!("a{number}-") },
            messages: BTreeMap::new(),
            order: Vec::new(),
            records: Vec::new(),
            history_id: FIRST_HISTORY_ID,
            page_history_ids: BTreeSet::new(),
            profile_history_ids: BTreeSet::new(),
            expired: 0,
            lag: 0,
            page_size: 500,
            list_page_size: 100,
            page_tokens: BTreeSet::new(),
            lists_whole: false,
            poisoned: BTreeMap::new(),
            own_labels: BTreeMap::from([("Label_7".into(), "Receipts".into())]),
            aliases: Vec::new(),
            sent: Vec::new(),
            watched_until: None,
            watch_is_taken: false,
        }
    }

    pub fn deliver(&mut self, mail: Mail, now: Timestamp) -> Delivered {
        let number = self.records.len() + 1;
        let message = MessageId::new(format!("{}m{number}", self.prefix));
        let change = Change::Added { message: message.clone(), label_ids: mail.label_ids.clone() };
        let history_id = self.record(change, now, now.after(mail.record_late));
        let headers = [
            ("From", mail.from),
            ("To", self.address.to_string()),
            ("Subject", mail.subject.clone()),
            ("Message-ID", format!("<{number}@shop.example>")),
        ];
        let content = ProviderMessage {
            id: message.clone(),
            identity: None,
            thread_id: format!("{}t{number}", self.prefix),
            label_ids: mail.label_ids,
            history_id: Some(history_id),
            received_at: mail.received_at.unwrap_or(now),
            snippet: format!("{}, in short", mail.subject),
            size_estimate: 2048,
            has_attachments: false,
            attachments_unknown: false,
            bounce: None,
            headers: headers
                .map(|(name, value)| (name.to_string(), value))
                .into_iter()
                .chain(mail.headers)
                .collect(),
        };
        self.order.push(message.clone());
        self.messages.insert(
            message.clone(),
            StoredMessage { content, visible_at: now.after(mail.message_late) },
        );
        Delivered { message, history_id }
    }

    fn record(&mut self, change: Change, happened_at: Timestamp, visible_at: Timestamp) -> Mark {
        self.history_id += HISTORY_STEP;
        self.records.push(Record { id: self.history_id, change, happened_at, visible_at });
        Mark::new(self.history_id)
    }

    pub fn labelled(&self, label: &str) -> Vec<MessageId> {
        let holds =
            |message: &StoredMessage| message.content.label_ids.iter().any(|id| id == label);
        self.messages
            .iter()
            .filter(|(_, message)| holds(message))
            .map(|(message, _)| message.clone())
            .collect()
    }

    pub fn arrivals(&self) -> impl Iterator<Item = (MessageId, Timestamp)> {
        self.order.iter().filter_map(|message| {
            Some((message.clone(), self.messages.get(message)?.content.received_at))
        })
    }

    pub fn delete(&mut self, message: &MessageId) {
        self.messages.remove(message);
    }

    pub fn labels(&mut self, message: &MessageId) -> &mut Vec<String> {
        &mut self.messages.get_mut(message).expect("a message").content.label_ids
    }

    pub fn label(&mut self, message: &MessageId, add: &[&str], remove: &[&str], now: Timestamp) {
        let label_ids: Vec<String> = add.iter().map(|label| label.to_string()).collect();
        let labels = self.labels(message);
        labels.retain(|label| !remove.contains(&label.as_str()) && !add.contains(&label.as_str()));
        labels.extend(label_ids.iter().cloned());
        self.record(Change::Labelled { message: message.clone(), label_ids }, now, now);
    }

    /// The message goes on under another id, as one that is dragged in a mail program may.
    pub fn drag(&mut self, message: &MessageId, now: Timestamp) -> MessageId {
        let dragged = MessageId::new(format!("{message}-dragged"));
        let mut content =
            self.messages.remove(message).expect("a message that was delivered").content;
        let label_ids = content.label_ids.clone();
        content.identity = Some(content.identity());
        content.id = dragged.clone();
        self.messages.insert(dragged.clone(), StoredMessage { content, visible_at: now });
        self.record(Change::Added { message: dragged.clone(), label_ids }, now, now);
        dragged
    }

    pub fn profile(&mut self) -> Profile {
        let history_id = Mark::new(self.history_id);
        self.profile_history_ids.insert(history_id);
        Profile { email_address: self.address.clone(), mark: history_id }
    }

    pub fn watch(&mut self, now: Timestamp) -> Result<Timestamp, ProviderError> {
        if self.watch_is_taken {
            return Err(ProviderError::WatchTaken);
        }
        Ok(*self.watched_until.insert(now.after(WATCH_LIFE)))
    }

    pub fn stop(&mut self) {
        self.watched_until = None;
        self.watch_is_taken = false;
    }

    /// Pages show the history as of the start of the listing, but each carries the mailbox's
    /// current history id: Gmail leaves this open, and a careless reader loses the most by it.
    pub fn changes(
        &mut self,
        after: Mark,
        page_token: Option<&str>,
        now: Timestamp,
    ) -> Result<ChangePage, ProviderError> {
        if after.value() < self.expired {
            return Err(ProviderError::HistoryExpired);
        }
        let head = self.known_to_listings(now);
        let parse = |token: &str| {
            let (end, shown) = token.split_once('-')?;
            Some((end.parse().ok()?, shown.parse().ok()?))
        };
        let listing = format!("{after}-");
        let (end, skipped): (u64, usize) =
            self.position(page_token, &listing, parse)?.unwrap_or((head, 0));
        let shows = |record: &&Record| {
            record.id > after.value()
                && record.id <= end
                && record.id <= head
                && record.visible_at <= now
        };
        let listed: Vec<&Record> = self.records.iter().filter(shows).collect();
        let shown = skipped + self.page_size;
        let more = listed.len() > shown;
        let page = listed.into_iter().skip(skipped).take(self.page_size);
        let records: Vec<_> = page
            .map(|record| changes::Record {
                key: Mark::new(record.id).into(),
                changes: vec![record.change.clone()],
            })
            .collect();
        let contents = if self.lists_whole { self.contents(&records) } else { Vec::new() };
        let mark = Mark::new(head);
        self.page_history_ids.insert(mark);
        let next_page_token = more.then(|| self.hand_out(format!("{listing}{end}-{shown}")));
        Ok(ChangePage { records, mark: Some(mark), next_page_token, contents })
    }

    fn contents(&self, records: &[changes::Record]) -> Vec<ProviderMessage> {
        let changes = records.iter().flat_map(|record| &record.changes);
        let messages: BTreeSet<&MessageId> = changes
            .map(|change| match change {
                Change::Added { message, .. } | Change::Labelled { message, .. } => message,
            })
            .collect();
        let known = messages.into_iter().filter_map(|message| self.messages.get(message));
        known.map(|message| message.content.clone()).collect()
    }

    /// The newest history id of the answering replica, which lags by `lag` records, but no longer
    /// than `LONGEST_LAG`.
    fn known_to_listings(&self, now: Timestamp) -> u64 {
        let lagging =
            self.records.iter().rev().nth(self.lag).map_or(FIRST_HISTORY_ID, |record| record.id);
        let old = self
            .records
            .iter()
            .rev()
            .find(|record| record.happened_at.after(LONGEST_LAG) <= now)
            .map_or(0, |record| record.id);
        lagging.max(old)
    }

    /// Newest first. The next page starts after the last message of this one, whatever arrived
    /// meanwhile.
    pub fn list(
        &mut self,
        slice: &Slice,
        page_token: Option<&str>,
        now: Timestamp,
    ) -> Result<MessagePage, ProviderError> {
        let parse = |token: &str| {
            let (received_at, id) = token.split_once('/')?;
            Some((Timestamp::from_millis(received_at.parse().ok()?), MessageId::new(id)))
        };
        let before = slice.before.map_or_else(String::new, |before| before.millis().to_string());
        let listing = format!("{}/{before}/", slice.after.millis());
        let last = self.position(page_token, &listing, parse)?;
        let found = self
            .messages
            .values()
            .filter(|message| message.visible_at <= now && message.is_in(slice));
        let mut positions: Vec<_> = found
            .map(|message| (message.content.received_at, message.content.id.clone()))
            .collect();
        positions.retain(|position| last.as_ref().is_none_or(|last| position < last));
        positions.sort_unstable_by(|one, other| other.cmp(one));
        let more = positions.len() > self.list_page_size;
        positions.truncate(self.list_page_size);
        let last = positions
            .last()
            .filter(|_| more)
            .map(|(received_at, id)| format!("{listing}{}/{id}", received_at.millis()));
        let next_page_token = last.map(|token| self.hand_out(token));
        Ok(MessagePage {
            messages: positions.into_iter().map(|(_, id)| id).collect(),
            next_page_token,
        })
    }

    pub fn get(&self, ids: &[MessageId], now: Timestamp) -> Result<Fetched, ProviderError> {
        let mut fetched = Fetched::default();
        let mut throttled = Vec::new();
        for message in ids
            .iter()
            .filter_map(|id| self.messages.get(id))
            .filter(|message| message.visible_at <= now)
        {
            let id = message.content.id.clone();
            match self.poisoned.get(&id) {
                None => fetched.messages.push(message.content.clone()),
                Some(Poison::Fails) => fetched.failed.push((id, "500 backendError".into())),
                Some(Poison::Throttled) => throttled.push(id),
            }
        }
        let error = ProviderError::unavailable("429 rateLimitExceeded");
        match (&throttled[..], ids) {
            ([], _) => Ok(fetched),
            // A single message is fetched by a call of its own, which fails as a whole.
            (_, [_]) => Err(error),
            _ => Ok(Fetched { unanswered: Some((throttled, error)), ..fetched }),
        }
    }

    /// The requests that stories use: reading a message, and sending, which is recorded.
    pub fn perform(
        &mut self,
        request: &MailRequest,
        now: Timestamp,
    ) -> Result<MailAnswer, ProviderError> {
        match request {
            MailRequest::GetMessage(id, _) => {
                let message = self.messages.get(id).filter(|message| message.visible_at <= now);
                let gone = || ProviderError::Refused { status: 404, reason: "notFound".into() };
                let message = message.ok_or_else(gone)?.content.clone().normalize();
                Ok(MailAnswer::Message(Box::new(MessageView::Whole(Box::new(message)))))
            }
            MailRequest::ListLabels(_) => {
                let own = self.own_labels.iter().map(|(id, name)| label(id, name, LabelType::User));
                let labels = [label("INBOX", "INBOX", LabelType::System)].into_iter().chain(own);
                let labels = labels.collect();
                Ok(MailAnswer::Labels(LabelList { labels, next_page_token: None }))
            }
            MailRequest::Send(mail) => {
                self.sent.push(mail.as_ref().clone());
                let id = MessageId::new(format!("sent-{}", self.sent.len()));
                Ok(MailAnswer::Placed(PlacedMessage {
                    thread_id: id.to_string(),
                    id,
                    label_ids: vec!["SENT".into()],
                }))
            }
            _ => Ok(MailAnswer::Done),
        }
    }

    /// The position in the listing that the page token stands for.
    fn position<T>(
        &self,
        token: Option<&str>,
        listing: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ProviderError> {
        let Some(token) = token else { return Ok(None) };
        let rest = token.strip_prefix(listing).filter(|_| self.page_tokens.contains(token));
        rest.and_then(parse).map(Some).ok_or(ProviderError::PageLost)
    }

    fn hand_out(&mut self, token: String) -> String {
        self.page_tokens.insert(token.clone());
        token
    }
}

fn label(id: &str, name: &str, kind: LabelType) -> Label {
    Label {
        id: id.into(),
        name: name.into(),
        kind,
        label_list_visibility: None,
        message_list_visibility: None,
        color: None,
        messages_total: None,
        messages_unread: None,
        threads_total: None,
        threads_unread: None,
    }
}

impl StoredMessage {
    fn is_in(&self, slice: &Slice) -> bool {
        let hidden = self.content.label_ids.iter().any(|label| label == "SPAM" || label == "TRASH");
        let received_at = self.content.received_at;
        let ends = slice.before.is_some_and(|before| received_at >= before.after(SEARCH_MARGIN));
        !hidden && received_at >= slice.after.before(SEARCH_MARGIN) && !ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
    const MINUTE: Duration = Duration::from_secs(60);
    const START: Mark = Mark::new(FIRST_HISTORY_ID);
    const ALL: Slice = Slice { after: Timestamp::from_seconds(0), before: None };

    fn mailbox() -> Mailbox {
        Mailbox::new(EmailAddress::parse("ada@example.com").unwrap(), 1)
    }

    fn ids(page: &ChangePage) -> Vec<u64> {
        page.records.iter().map(|record| record.key.mark.value()).collect()
    }

    fn names(messages: &[MessageId]) -> Vec<&str> {
        messages.iter().map(MessageId::as_str).collect()
    }

    #[test]
    fn a_late_record_shows_behind_a_history_id_that_counts_it() {
        let mut mailbox = mailbox();
        let late = mailbox.deliver(Mail::new("late").late(MINUTE), NOW);
        let early = mailbox.deliver(Mail::new("early"), NOW);
        let page = mailbox.changes(START, None, NOW).unwrap();
        assert_eq!((ids(&page), page.mark), (vec![1014], Some(early.history_id)));
        assert_eq!(names(&mailbox.list(&ALL, None, NOW).unwrap().messages), ["m2"]);
        assert!(mailbox.get(std::slice::from_ref(&late.message), NOW).unwrap().messages.is_empty());

        let later = NOW.after(MINUTE);
        assert_eq!(ids(&mailbox.changes(START, None, later).unwrap()), [1007, 1014]);
        assert_eq!(mailbox.list(&ALL, None, later).unwrap().messages.len(), 2);
        assert_eq!(
            mailbox.get(&[late.message], later).unwrap().messages[0].received_at,
            NOW,
            "it arrived when it arrived"
        );
    }

    #[test]
    fn a_message_may_be_there_later_than_its_record() {
        let mut mailbox = mailbox();
        let mail = mailbox.deliver(Mail::new("late").fetched_late(MINUTE), NOW).message;
        assert_eq!(ids(&mailbox.changes(START, None, NOW).unwrap()), [1007]);
        let found = |at| mailbox.get(std::slice::from_ref(&mail), at).unwrap().messages.len();
        assert_eq!((found(NOW), found(NOW.after(MINUTE))), (0, 1));
    }

    #[test]
    fn a_lagging_listing_has_an_older_history_id_and_fewer_records() {
        let mut mailbox = mailbox();
        (0..3).for_each(|_| drop(mailbox.deliver(Mail::new("mail"), NOW)));
        for (lag, history_id, shown) in [(0, 1021, 3), (2, 1007, 1), (3, 1000, 0), (9, 1000, 0)] {
            mailbox.lag = lag;
            let page = mailbox.changes(START, None, NOW).unwrap();
            assert_eq!(
                (page.mark.map(Mark::value), page.records.len()),
                (Some(history_id), shown),
                "behind by {lag}"
            );
        }
        let ahead = mailbox.changes(Mark::new(1014), None, NOW).unwrap();
        assert_eq!(
            (ahead.mark.map(Mark::value), ahead.records.len()),
            (Some(1000), 0),
            "its history id may be below the requested start"
        );
        let values = |ids: &BTreeSet<Mark>| ids.iter().map(|id| id.value()).collect::<Vec<_>>();
        assert_eq!(
            (values(&mailbox.page_history_ids), values(&mailbox.profile_history_ids)),
            (vec![1000, 1007, 1021], vec![])
        );
        assert_eq!(mailbox.profile().mark.value(), 1021, "a profile does not lag");
        assert_eq!(values(&mailbox.profile_history_ids), [1021]);
    }

    #[test]
    fn a_list_goes_on_where_it_stood_and_leaves_spam_out() {
        let mut mailbox = mailbox();
        let at = |second| NOW.after(Duration::from_secs(second));
        for second in [10, 30, 20, 40] {
            mailbox.deliver(Mail::new("mail").received_at(at(second)), NOW);
        }
        mailbox.deliver(Mail::new("spam").labelled(&["SPAM"]).received_at(at(30)), NOW);
        mailbox.list_page_size = 2;
        let first = mailbox.list(&ALL, None, NOW).unwrap();
        assert_eq!(names(&first.messages), ["m4", "m2"]);
        mailbox.deliver(Mail::new("new").received_at(at(50)), NOW);
        let second = mailbox.list(&ALL, first.next_page_token.as_deref(), NOW).unwrap();
        assert_eq!((names(&second.messages), second.next_page_token), (vec!["m3", "m1"], None));
        let slice = Slice { after: at(20), before: Some(at(30)) };
        assert_eq!(
            names(&mailbox.list(&slice, None, NOW).unwrap().messages),
            ["m2", "m3"],
            "a second wider on either side"
        );
        assert_eq!(
            mailbox
                .list(&Slice { after: at(22), before: Some(at(29)) }, None, NOW)
                .unwrap()
                .messages,
            []
        );
        let other = mailbox.list(&slice, first.next_page_token.as_deref(), NOW);
        assert!(
            matches!(other, Err(ProviderError::PageLost)),
            "a token is good for its own listing"
        );
    }

    #[test]
    fn lost_page_tokens_are_refused_until_they_are_handed_out_again() {
        let mut mailbox = mailbox();
        (0..3).for_each(|_| drop(mailbox.deliver(Mail::new("mail"), NOW)));
        (mailbox.page_size, mailbox.list_page_size) = (2, 2);
        let page = mailbox.changes(START, None, NOW).unwrap().next_page_token;
        let list_page = mailbox.list(&ALL, None, NOW).unwrap().next_page_token;
        mailbox.page_tokens.clear();
        assert!(matches!(
            mailbox.changes(START, page.as_deref(), NOW),
            Err(ProviderError::PageLost)
        ));
        assert!(matches!(
            mailbox.list(&ALL, list_page.as_deref(), NOW),
            Err(ProviderError::PageLost)
        ));
        let again = mailbox.changes(START, None, NOW).unwrap().next_page_token;
        assert_eq!(ids(&mailbox.changes(START, again.as_deref(), NOW).unwrap()), [1021]);
    }

    #[test]
    fn poison_strikes_its_message_and_no_other() {
        let mut mailbox = mailbox();
        let mails: Vec<MessageId> =
            (0..3).map(|_| mailbox.deliver(Mail::new("mail"), NOW).message).collect();
        mailbox.poisoned = BTreeMap::from([
            (mails[0].clone(), Poison::Fails),
            (mails[1].clone(), Poison::Throttled),
        ]);
        let fetched = mailbox.get(&mails, NOW).unwrap();
        assert_eq!((&fetched.messages[0].id, fetched.messages.len()), (&mails[2], 1));
        assert_eq!(fetched.failed, [(mails[0].clone(), "500 backendError".into())]);
        assert_eq!(fetched.unanswered.unwrap().0, mails[1..2]);
        assert!(
            matches!(mailbox.get(&mails[1..2], NOW), Err(ProviderError::Unavailable { .. })),
            "alone it is the call that is refused"
        );
        assert_eq!(mailbox.get(&mails[..1], NOW).unwrap().failed.len(), 1);
    }

    #[test]
    fn a_watch_that_is_taken_is_refused_until_a_stop() {
        let mut mailbox = mailbox();
        mailbox.watch_is_taken = true;
        assert!(matches!(mailbox.watch(NOW), Err(ProviderError::WatchTaken)));
        mailbox.stop();
        assert_eq!(mailbox.watch(NOW).unwrap(), NOW.after(WATCH_LIFE));
    }

    #[test]
    fn no_two_mailboxes_of_a_world_share_a_message_id() {
        let mut second = Mailbox::new(mailbox().address, 2);
        assert_eq!(second.deliver(Mail::new("mail"), NOW).message.as_str(), "a2-m1");
        assert_eq!(mailbox().deliver(Mail::new("mail"), NOW).message.as_str(), "m1");
    }
}

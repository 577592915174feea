//! A mailbox as Exchange keeps it and Graph lists it: all that Graph leaves open, or that users saw
//! of it, goes wrong on demand. It knows nothing of how the product pages.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::MessageId;
use email_connectors::domain::timestamp::Timestamp;

use super::subscriptions::Subscriptions;
use crate::world::mail::Mail;

/// Graph's largest page (<https://learn.microsoft.com/en-us/graph/api/user-list-messages>).
const LARGEST_PAGE: usize = 1000;

/// The folders that stories use, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Folder {
    Inbox,
    /// One of the user's own, at the top.
    Work,
    /// One of the user's own, below the deleted items.
    OldWork,
    Drafts,
    Sent,
    Junk,
    Deleted,
}

impl Folder {
    /// Graph's opaque id of it: two of them differ in case alone, as users met it
    /// (<https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/6432>).
    pub fn id(self) -> &'static str {
        match self {
            Self::Inbox => "AQFk",
            Self::Work => "AQFw",
            Self::OldWork => "AQFo",
            Self::Drafts => "AQFd",
            Self::Sent => "AQFs",
            Self::Junk => "AQFj",
            Self::Deleted => "AQFK",
        }
    }

    /// Whether mail that rests here was received.
    pub fn is_received(self) -> bool {
        matches!(self, Self::Inbox | Self::Work)
    }

    /// Where mail with Gmail's labels lies.
    fn of_labels(label_ids: &[String]) -> Self {
        let has = |label: &str| label_ids.iter().any(|id| id == label);
        let special = [
            ("DRAFT", Self::Drafts),
            ("SPAM", Self::Junk),
            ("TRASH", Self::Deleted),
            ("SENT", Self::Sent),
        ];
        let special = special.into_iter().find(|(label, _)| has(label));
        special.map_or(Self::Inbox, |(_, folder)| folder)
    }
}

/// A message as one answer of Graph shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub id: String,
    /// Another one at every change.
    pub change_key: String,
    pub internet_message_id: Option<String>,
    /// `receivedDateTime`, in whole seconds by the server's clock.
    pub received: Timestamp,
    /// `lastModifiedDateTime`, in whole seconds by the server's clock.
    pub modified: Timestamp,
    pub folder: Folder,
    pub is_read: bool,
    pub is_flagged: bool,
    pub categories: Vec<String>,
    pub subject: String,
    pub from: String,
    pub headers: Vec<(String, String)>,
}

/// The states of a message, oldest first, each with when it shows.
struct Kept {
    states: Vec<(Timestamp, Item)>,
    is_deleted: bool,
}

impl Kept {
    /// What Graph shows now: the newest state that is visible.
    fn shown(&self, now: Timestamp) -> Option<&Item> {
        let visible = self.states.iter().rev().find(|(visible_at, _)| *visible_at <= now);
        visible.map(|(_, item)| item).filter(|_| !self.is_deleted)
    }

    /// What it is in truth.
    fn newest(&self) -> &Item {
        &self.states.last().expect("a message has a state").1
    }
}

/// `GET /me/messages?$filter=lastModifiedDateTime ge {since}&$orderby=lastModifiedDateTime
/// &$top={top}&$skip={skip}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListRequest {
    pub since: Timestamp,
    pub top: usize,
    pub skip: usize,
}

/// A page of Graph's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub items: Vec<Item>,
    /// Whether there is an `@odata.nextLink`.
    pub has_more: bool,
}

pub(crate) struct OutlookMailbox {
    pub address: EmailAddress,
    /// What the ids of its messages begin with: they are unique over the accounts of a world.
    prefix: String,
    /// By the first id of each.
    kept: BTreeMap<MessageId, Kept>,
    /// Every message that ever came, in order.
    order: Vec<MessageId>,
    changes: u64,
    /// By how many seconds the answering server's clock is ahead.
    pub clock_off: i64,
    /// The largest page that it gives, whatever `$top` says.
    pub largest_page: usize,
    pub subscriptions: Subscriptions,
    /// The last seconds of pages: the allowed values of a cursor.
    pub listed: BTreeSet<Timestamp>,
    /// The dates of profiles: the allowed values of a first cursor.
    pub dates: BTreeSet<Timestamp>,
}

impl OutlookMailbox {
    /// The `number`th mailbox of its world, from 1.
    pub fn new(address: EmailAddress, number: usize) -> Self {
        Self {
            address,
            prefix: format!("o{number}-"),
            kept: BTreeMap::new(),
            order: Vec::new(),
            changes: 0,
            clock_off: 0,
            largest_page: LARGEST_PAGE,
            subscriptions: Subscriptions::default(),
            listed: BTreeSet::new(),
            dates: BTreeSet::new(),
        }
    }

    /// The server's time: the `Date` of its answers, in whole seconds.
    pub fn date(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_seconds(now.seconds() + self.clock_off)
    }

    fn change_key(&mut self) -> String {
        self.changes += 1;
        format!("CQAA{:04}", self.changes)
    }

    /// Mail comes; returns its first id, by which stories name it whatever its id is later.
    pub fn deliver(&mut self, mail: &Mail, now: Timestamp) -> MessageId {
        let number = self.order.len() + 1;
        let first = MessageId::new(format!("{}{}", self.prefix, letters(number)));
        let date = self.date(now);
        let item = Item {
            id: first.to_string(),
            change_key: self.change_key(),
            internet_message_id: Some(format!("<{}{number}@shop.example>", self.prefix)),
            received: mail.received_at.map_or(date, whole),
            modified: date,
            folder: Folder::of_labels(&mail.label_ids),
            is_read: false,
            is_flagged: false,
            categories: Vec::new(),
            subject: mail.subject.clone(),
            from: mail.from.clone(),
            headers: mail.headers.clone(),
        };
        self.order.push(first.clone());
        let visible_at = now.after(mail.record_late);
        self.kept
            .insert(first.clone(), Kept { states: vec![(visible_at, item)], is_deleted: false });
        first
    }

    /// As a draft that Outlook saves: without an `internetMessageId`.
    pub fn without_message_id(&mut self, message: &MessageId) {
        for (_, item) in &mut self.kept_mut(message).states {
            item.internet_message_id = None;
        }
    }

    fn kept_mut(&mut self, message: &MessageId) -> &mut Kept {
        self.kept.get_mut(message).expect("a message")
    }

    /// A change of the message, which shows once `late` has passed; until then the old state does.
    fn change(
        &mut self,
        message: &MessageId,
        now: Timestamp,
        late: Duration,
        change: impl FnOnce(&mut Item),
    ) {
        let (date, change_key) = (self.date(now), self.change_key());
        let kept = self.kept_mut(message);
        let mut item = kept.newest().clone();
        change(&mut item);
        (item.modified, item.change_key) = (date, change_key);
        kept.states.push((now.after(late), item));
    }

    pub fn flag(&mut self, message: &MessageId, now: Timestamp, late: Duration) {
        self.change(message, now, late, |item| item.is_flagged = !item.is_flagged);
    }

    pub fn categorize(&mut self, message: &MessageId, category: &str, now: Timestamp) {
        self.change(message, now, Duration::ZERO, |item| item.categories.push(category.into()));
    }

    /// By a client that keeps immutable ids.
    pub fn move_to(&mut self, message: &MessageId, folder: Folder, now: Timestamp, late: Duration) {
        self.change(message, now, late, |item| item.folder = folder);
    }

    /// By a drag in Outlook's desktop program: the id is another one afterwards
    /// (<https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/1208>).
    pub fn drag(&mut self, message: &MessageId, folder: Folder, now: Timestamp) {
        self.change(message, now, Duration::ZERO, |item| {
            item.id.push('d');
            item.folder = folder;
        });
    }

    /// From the deleted items, or from what the server still keeps: told as created again.
    pub fn restore(&mut self, message: &MessageId, now: Timestamp) {
        self.kept_mut(message).is_deleted = false;
        self.change(message, now, Duration::ZERO, |item| {
            item.id.push('r');
            item.folder = Folder::Inbox;
        });
    }

    /// For good.
    pub fn delete(&mut self, message: &MessageId) {
        self.kept_mut(message).is_deleted = true;
    }

    /// The messages in truth, in the order of their coming, with their first ids.
    pub fn items(&self) -> impl Iterator<Item = (&MessageId, &Item)> {
        self.order.iter().filter_map(|first| {
            let kept = self.kept.get(first)?;
            (!kept.is_deleted).then(|| (first, kept.newest()))
        })
    }

    pub fn item(&self, message: &MessageId) -> Option<&Item> {
        self.kept.get(message).map(Kept::newest)
    }

    /// Ascending; equal times in the server's own order, which is that of ids.
    pub fn list(&mut self, request: ListRequest, now: Timestamp) -> Listed {
        let shown = self.kept.values().filter_map(|kept| kept.shown(now));
        let mut found: Vec<&Item> = shown.filter(|item| item.modified >= request.since).collect();
        found.sort_by(|one, other| (one.modified, &one.id).cmp(&(other.modified, &other.id)));
        let top = request.top.min(self.largest_page).max(1);
        let has_more = found.len() > request.skip + top;
        let items: Vec<Item> = found.into_iter().skip(request.skip).take(top).cloned().collect();
        self.listed.extend(items.last().map(|item| item.modified));
        Listed { items, has_more }
    }

    /// `GET /me/messages?$orderby=lastModifiedDateTime desc&$top=1`.
    pub fn newest(&self, now: Timestamp) -> Option<Timestamp> {
        self.kept.values().filter_map(|kept| kept.shown(now)).map(|item| item.modified).max()
    }

    /// `GET /me/messages?$filter=receivedDateTime ge {after} and receivedDateTime lt {before}`, all
    /// of them.
    pub fn received(
        &self,
        after: Timestamp,
        before: Option<Timestamp>,
        now: Timestamp,
    ) -> Vec<Item> {
        let inside = |item: &&Item| {
            item.received >= whole(after) && before.is_none_or(|before| item.received < before)
        };
        self.kept.values().filter_map(|kept| kept.shown(now)).filter(inside).cloned().collect()
    }

    /// `GET /me/messages/{id}`: by the id that it has now; ids that differ in case are two.
    pub fn get(&self, id: &str, now: Timestamp) -> Option<&Item> {
        self.kept.values().filter_map(|kept| kept.shown(now)).find(|item| item.id == id)
    }
}

fn whole(moment: Timestamp) -> Timestamp {
    Timestamp::from_seconds(moment.seconds())
}

/// The number in letters, of which neighbours differ in case alone: 1 is `a`, 2 is `A`, 3 is `b`.
fn letters(number: usize) -> String {
    let (mut rest, mut text) = (number - 1, String::new());
    loop {
        let letter = char::from(b'a' + u8::try_from(rest % 52 / 2).unwrap_or(0));
        text.push(if rest % 2 == 0 { letter } else { letter.to_ascii_uppercase() });
        if rest < 52 {
            return text;
        }
        rest = rest / 52 - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_400);
    const AT_ONCE: Duration = Duration::ZERO;
    const SECOND: Duration = Duration::from_secs(1);

    fn mailbox() -> OutlookMailbox {
        OutlookMailbox::new(EmailAddress::parse("olga@example.com").unwrap(), 1)
    }

    fn all(mailbox: &mut OutlookMailbox, now: Timestamp) -> Vec<Item> {
        let request = ListRequest { since: Timestamp::from_seconds(0), top: 1000, skip: 0 };
        mailbox.list(request, now).items
    }

    fn page(mailbox: &mut OutlookMailbox, since: Timestamp, skip: usize) -> (Vec<String>, bool) {
        let listed = mailbox.list(ListRequest { since, top: 2, skip }, NOW.after(SECOND * 60));
        (listed.items.into_iter().map(|item| item.id).collect(), listed.has_more)
    }

    #[test]
    fn times_are_whole_seconds_of_a_clock_that_may_be_off() {
        let mut mailbox = mailbox();
        mailbox.clock_off = -120;
        let mail = mailbox.deliver(&Mail::new("mail"), NOW);
        let item = mailbox.item(&mail).unwrap().clone();
        let seconds = Timestamp::from_seconds(NOW.seconds() - 120);
        assert_eq!((item.received, item.modified), (seconds, seconds));
        mailbox.clock_off = 60;
        mailbox.flag(&mail, NOW, AT_ONCE);
        let flagged = mailbox.item(&mail).unwrap();
        assert_eq!(flagged.modified, Timestamp::from_seconds(NOW.seconds() + 60));
        assert_eq!(flagged.received, seconds, "it was received once");
        assert_ne!(flagged.change_key, item.change_key);
    }

    #[test]
    fn a_late_change_shows_the_old_state_until_then_and_a_late_message_none() {
        let mut mailbox = mailbox();
        let mail = mailbox.deliver(&Mail::new("mail").late(SECOND * 30), NOW);
        assert_eq!(all(&mut mailbox, NOW), []);
        let later = NOW.after(SECOND * 30);
        assert_eq!(all(&mut mailbox, later)[0].folder, Folder::Inbox);
        mailbox.move_to(&mail, Folder::Work, later, SECOND * 590);
        let before = all(&mut mailbox, later.after(SECOND * 589)).remove(0);
        assert_eq!((before.folder, before.modified.seconds()), (Folder::Inbox, NOW.seconds()));
        let shown = all(&mut mailbox, later.after(SECOND * 590)).remove(0);
        assert_eq!((shown.folder, shown.modified.seconds()), (Folder::Work, later.seconds()));
        assert_eq!(mailbox.item(&mail).unwrap().folder, Folder::Work, "in truth at once");
    }

    #[test]
    fn a_drag_and_a_restore_give_another_id_and_a_move_does_not() {
        let mut mailbox = mailbox();
        let mail = mailbox.deliver(&Mail::new("mail"), NOW);
        let now = NOW.after(SECOND);
        let ids = |mailbox: &mut OutlookMailbox| all(mailbox, now).remove(0).id;
        mailbox.move_to(&mail, Folder::Work, now, AT_ONCE);
        assert_eq!(ids(&mut mailbox), "o1-a");
        mailbox.drag(&mail, Folder::Inbox, now);
        assert_eq!(ids(&mut mailbox), "o1-ad");
        mailbox.delete(&mail);
        assert_eq!(all(&mut mailbox, now), []);
        mailbox.restore(&mail, now);
        let restored = all(&mut mailbox, now).remove(0);
        assert_eq!((restored.id.as_str(), restored.received.seconds()), ("o1-adr", NOW.seconds()));
        assert!(mailbox.get("o1-ADR", now).is_none(), "ids that differ in case are two");
    }

    #[test]
    fn ids_of_neighbours_differ_in_case_alone() {
        let ids: Vec<String> = (1..=2000).map(letters).collect();
        assert_eq!(ids[..4], ["a", "A", "b", "B"]);
        assert!(ids[0].eq_ignore_ascii_case(&ids[1]));
        let different: std::collections::BTreeSet<&String> = ids.iter().collect();
        assert_eq!(different.len(), ids.len());
    }

    #[test]
    fn skip_passes_over_a_message_when_another_one_leaves_its_second() {
        let mut mailbox = mailbox();
        let mails: Vec<MessageId> =
            (0..5).map(|_| mailbox.deliver(&Mail::new("import"), NOW)).collect();
        let since = whole(NOW);
        // In the server's order: upper case first.
        assert_eq!(page(&mut mailbox, since, 0), (vec!["o1-A".into(), "o1-B".into()], true));
        mailbox.flag(&mails[1], NOW.after(SECOND), AT_ONCE);
        assert_eq!(page(&mut mailbox, since, 2), (vec!["o1-b".into(), "o1-c".into()], true));
        let (last, more) = page(&mut mailbox, since, 4);
        assert_eq!((last, more), (vec!["o1-A".to_string()], false), "and o1-a was never shown");
    }

    #[test]
    fn skip_repeats_a_message_when_another_one_enters_its_second() {
        let mut mailbox = mailbox();
        (0..4).for_each(|_| drop(mailbox.deliver(&Mail::new("mail"), NOW)));
        let since = whole(NOW);
        assert_eq!(page(&mut mailbox, since, 0).0, ["o1-A", "o1-B"]);
        (0..2).for_each(|_| drop(mailbox.deliver(&Mail::new("mail"), NOW)));
        assert_eq!(page(&mut mailbox, since, 2).0, ["o1-C", "o1-a"]);
    }
}

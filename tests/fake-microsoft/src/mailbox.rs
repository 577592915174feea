//! One user's mailbox: folders, messages, and the changes that notifications tell of.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::folders::{Folder, Folders};
use crate::message::{Attachment, Content, Ids, Marks, Message};
use crate::shapes::Shapes;
use crate::throttle::Throttle;
use crate::values::{base64url_padded, sha256};

/// The tenant of all personal accounts:
/// <https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference>.
pub const PERSONAL_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub tid: String,
    pub oid: String,
    /// Another one for each app; here for each fake.
    pub sub: String,
    pub email: String,
    pub upn: String,
    pub name: String,
}

/// Where Exchange keeps the mailboxes of personal accounts; their mail names it in its headers.
pub(crate) const EXCHANGES_TENANT: &str = "84df9e7f-e9f6-40af-b435-aaaaaaaaaaaa";

impl User {
    pub fn is_personal(&self) -> bool {
        self.tid == PERSONAL_TENANT
    }

    /// What Graph calls the user: the object id, or 16 digits of it for a personal account
    /// (OfficeDev/outlook-dev-docs#918).
    pub fn graph_id(&self) -> String {
        let digits: String = self.oid.chars().filter(char::is_ascii_hexdigit).collect();
        match self.is_personal() && digits.len() == 32 {
            true => digits[16..].to_owned(),
            false => self.oid.clone(),
        }
    }

    /// What Exchange calls the user, for a personal account (as above).
    pub fn exchange_id(&self) -> String {
        let digits = self.graph_id();
        match self.is_personal() && digits.len() == 16 {
            true => format!(
                "{}-{}-{}-0000-000000000000@{EXCHANGES_TENANT}",
                &digits[..8],
                &digits[8..12],
                &digits[12..]
            ),
            false => digits,
        }
    }

    /// Whether a path means this user.
    pub fn is(&self, name: &str) -> bool {
        let known = [&self.oid, &self.upn, &self.email, &self.graph_id(), &self.exchange_id()];
        known.into_iter().any(|one| one.eq_ignore_ascii_case(name))
    }
}

pub(crate) struct Mailbox {
    pub user: User,
    pub folders: Folders,
    pub messages: BTreeMap<u64, Stored>,
    /// Name and colour of each: `preset0` to `preset24`, or `none`.
    pub categories: Vec<(String, String)>,
    /// Not told of yet.
    pub events: Vec<Event>,
    pub throttle: Throttle,
    /// Graph answers 401 until a consent has these claims.
    pub claims: Option<String>,
    last_number: u64,
    last_version: u64,
    last_move: u64,
}

/// A message, and what is shown of it while its last change has not arrived everywhere.
pub(crate) struct Stored {
    pub message: Message,
    /// In milliseconds, by the true clock.
    pub shown_from: i64,
    pub before: Option<Message>,
}

impl Stored {
    pub fn seen(&self, now_ms: i64) -> Option<&Message> {
        if now_ms >= self.shown_from { Some(&self.message) } else { self.before.as_ref() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Created,
    Updated,
    Deleted,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}

/// A change that subscribers hear of.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub kind: Kind,
    pub ids: Ids,
    pub etag: String,
    pub folder: String,
}

/// A message that comes into the mailbox.
pub(crate) struct Arriving {
    pub content: Content,
    pub folder: String,
    pub marks: Marks,
    /// Seconds since 1970, by the server's clock.
    pub received: i64,
    pub sent: i64,
    /// In place of the one that would be made.
    pub id: Option<String>,
}

/// When something happens: the server's clock in seconds, and from when on it shows.
#[derive(Clone, Copy)]
pub(crate) struct When {
    pub server: i64,
    /// Milliseconds of it, if they count.
    pub fraction: i64,
    pub shown_from: i64,
    pub now_ms: i64,
}

impl Mailbox {
    pub fn new(user: User) -> Self {
        let folders = Folders::of(&user.oid);
        Self {
            user,
            folders,
            messages: BTreeMap::new(),
            categories: Vec::new(),
            events: Vec::new(),
            throttle: Throttle::default(),
            claims: None,
            last_number: 0,
            last_version: 0,
            last_move: 0,
        }
    }

    /// The new message's number.
    pub fn add(&mut self, arriving: Arriving, when: When) -> u64 {
        self.last_number += 1;
        let number = self.last_number;
        let mut ids = Ids::of(&self.user.oid, number, 0);
        if let Some(id) = arriving.id {
            ids.immutable = id;
        }
        let message = Message {
            number,
            ids,
            folder: arriving.folder,
            version: self.next_version(),
            created: when.server,
            modified: when.server,
            fraction: when.fraction,
            received: arriving.received,
            sent: arriving.sent,
            marks: arriving.marks,
            conversation: self.conversation(&arriving.content, number),
            content: Arc::new(arriving.content),
        };
        self.tell(Kind::Created, &message);
        let stored = Stored { message, shown_from: when.shown_from, before: None };
        self.messages.insert(number, stored);
        number
    }

    /// That of a message which this one refers to, or a new one.
    fn conversation(&self, content: &Content, number: u64) -> String {
        let references = ["In-Reply-To", "References"].map(|name| content.header(name));
        let named: Vec<&str> =
            references.into_iter().flatten().flat_map(str::split_whitespace).collect();
        let of = |stored: &&Stored| {
            stored.message.content.message_id.as_deref().is_some_and(|id| named.contains(&id))
        };
        let joined = if named.is_empty() { None } else { self.messages.values().find(of) };
        joined.map(|stored| stored.message.conversation.clone()).unwrap_or_else(|| {
            let digest = sha256(format!("conversation|{}|{number}", self.user.oid).as_bytes());
            format!(
                "AAQkAGVmMDEzMTM4LTZmYWUtNDdkNC1hMDZiLTU1OGY5OTZhYmY4OAAQ{}",
                base64url_padded(&digest[..15])
            )
        })
    }

    pub fn find(&self, id: &str, now_ms: i64) -> Option<&Message> {
        let seen = self.messages.values().filter_map(|stored| stored.seen(now_ms));
        seen.into_iter().find(|message| message.ids.is(id))
    }

    /// Also of a message that does not show yet.
    pub fn number_of(&self, id: &str) -> Option<u64> {
        let named = self.messages.values().find(|stored| stored.message.ids.is(id));
        named.map(|stored| stored.message.number)
    }

    pub fn message(&self, number: u64) -> &Message {
        &self.messages[&number].message
    }

    /// Changes a message, which gives it another change key and the time of the server.
    pub fn change(&mut self, number: u64, when: When, change: impl FnOnce(&mut Message)) {
        let version = self.next_version();
        let stored = self.messages.get_mut(&number).expect("a message that stands");
        let before = stored.seen(when.now_ms).cloned();
        change(&mut stored.message);
        stored.message.version = version;
        stored.message.modified = when.server;
        stored.message.fraction = when.fraction;
        stored.before = before;
        // What did not show before shows no earlier for being changed.
        stored.shown_from = stored.shown_from.max(when.shown_from);
        let message = stored.message.clone();
        self.tell(Kind::Updated, &message);
    }

    pub fn mark(&mut self, number: u64, when: When, change: impl FnOnce(&mut Marks)) {
        self.change(number, when, |message| change(&mut message.marks));
    }

    /// Into another folder; only the changing id is another one then.
    pub fn move_to(&mut self, number: u64, folder: &str, when: When) {
        self.last_move += 1;
        let other = Ids::of(&self.user.oid, number, self.last_move);
        self.change(number, when, |message| {
            message.folder = folder.into();
            message.ids.changing = other.changing;
        });
    }

    /// A move, as the shapes tell of it.
    pub fn moved(&mut self, number: u64, folder: &str, when: When, shapes: Shapes) {
        let before = self.message(number).clone();
        self.move_to(number, folder, when);
        if shapes.move_keeps_modified {
            let stored = self.messages.get_mut(&number).expect("a message that stands");
            stored.message.modified = before.modified;
            stored.message.fraction = before.fraction;
            stored.message.version = before.version;
        }
        if shapes.move_tells_created {
            self.tell_created(number);
        }
    }

    /// As Outlook's desktop program drags for some users: deleted here, and created anew there.
    pub fn drag_to(&mut self, number: u64, folder: &str, when: When) {
        self.last_move += 1;
        let other = Ids::of(&self.user.oid, number, self.last_move);
        let gone = self.message(number).clone();
        self.change(number, when, |message| {
            message.folder = folder.into();
            message.ids = other;
        });
        self.events.pop();
        self.tell(Kind::Deleted, &gone);
        let message = self.message(number).clone();
        self.tell(Kind::Created, &message);
    }

    /// A copy is a message of its own.
    pub fn copy_to(&mut self, number: u64, folder: &str, when: When) -> u64 {
        let message = self.message(number);
        let arriving = Arriving {
            content: Content::clone(&message.content),
            folder: folder.into(),
            marks: message.marks.clone(),
            received: message.received,
            sent: message.sent,
            id: None,
        };
        self.add(arriving, when)
    }

    /// Gone for good.
    pub fn remove(&mut self, number: u64) {
        if let Some(stored) = self.messages.remove(&number) {
            self.tell(Kind::Deleted, &stored.message);
        }
    }

    /// Changes what a mail says: its bytes are composed anew.
    pub fn edit(&mut self, number: u64, when: When, edit: impl FnOnce(&mut Content)) {
        self.change(number, when, |message| {
            let mut content = Content::clone(&message.content);
            content.raw = None;
            edit(&mut content);
            message.content = Arc::new(content);
        });
    }

    pub fn attach(&mut self, number: u64, attachment: Attachment, when: When) {
        self.edit(number, when, |content| content.attachments.push(attachment));
    }

    /// In place of the last event, which told of its change.
    pub fn tell_created(&mut self, number: u64) {
        let message = self.message(number).clone();
        self.events.pop();
        self.tell(Kind::Created, &message);
    }

    pub fn tell_anew(&mut self, number: u64) {
        let message = self.message(number).clone();
        self.tell(Kind::Created, &message);
    }

    pub fn remove_folder(&mut self, id: &str) {
        for folder in self.folders.remove(id) {
            let within = self.messages.values().filter(|stored| stored.message.folder == folder.id);
            let numbers: Vec<u64> = within.map(|stored| stored.message.number).collect();
            numbers.into_iter().for_each(|number| self.remove(number));
        }
    }

    /// Items of a folder, and how many of them are unread.
    pub fn counted(&self, folder: &Folder, now_ms: i64) -> (usize, usize) {
        let seen = self.messages.values().filter_map(|stored| stored.seen(now_ms));
        let within = seen.filter(|message| message.folder == folder.id);
        within.fold((0, 0), |(all, unread), message| {
            (all + 1, unread + usize::from(!message.marks.is_read))
        })
    }

    fn next_version(&mut self) -> u64 {
        self.last_version += 1;
        self.last_version
    }

    fn tell(&mut self, kind: Kind, message: &Message) {
        self.events.push(Event {
            kind,
            ids: message.ids.clone(),
            etag: message.etag(),
            folder: message.folder.clone(),
        });
    }
}

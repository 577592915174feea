//! What Gmail requires for each operation: the scopes of its discovery document, the units of its
//! quota table.

pub mod push;
pub mod receiver;

use super::{Method, Provider, Registration, Use};
use crate::domain::operation::request::{Conversation, Format, Listing, MailRequest};
use crate::domain::outgoing::recipient::Author;
use crate::domain::outgoing::{Needs, Outgoing};
use crate::domain::quota::Prices;

pub const REGISTRATION: Registration = Registration {
    provider: Provider::Gmail,
    name: "Gmail",
    connect: "/api/auth/google/gmail",
    admin_consent: None,
    vendor: "Google",
    callback: "/auth/google/callback",
    client_setting: "GOOGLE_CLIENT_ID",
    scopes_setting: "GOOGLE_SCOPES",
    issuer: "https://accounts.google.com",
    prices: Prices {
        profile: price::PROFILE,
        changes: price::HISTORY,
        list: price::LIST,
        message: price::MESSAGE,
        watch: price::WATCH,
        stop: price::STOP,
    },
    revokes_grants: true,
    greets_watch: true,
    // GmailUserUnitsPerMinute bounds it.
    most_units_per_minute: u32::MAX,
    proves_arrivals: true,
    // Messages are fetched one by one, and the ledger is asked meanwhile.
    came_after: |_, _| false,
    mailbox: |address, _| address.into(),
    calls,
    aliases: &SEND_AS_LIST,
};

/// Prices in units, of projects made since May 2026
/// (<https://developers.google.com/workspace/gmail/api/reference/quota>).
pub mod price {
    pub const PROFILE: u32 = 1;
    pub const SEND_AS: u32 = 1;
    pub const HISTORY: u32 = 2;
    pub const LIST: u32 = 5;
    pub const MESSAGE: u32 = 20;
    pub const THREAD: u32 = 40;
    pub const SEND: u32 = 100;
    pub const STOP: u32 = 50;
    pub const WATCH: u32 = 100;
}

const FULL: &str = "https://mail.google.com/";
const MODIFY: &str = "https://www.googleapis.com/auth/gmail.modify";
const READONLY: &str = "https://www.googleapis.com/auth/gmail.readonly";
const METADATA: &str = "https://www.googleapis.com/auth/gmail.metadata";
const COMPOSE: &str = "https://www.googleapis.com/auth/gmail.compose";
const SEND: &str = "https://www.googleapis.com/auth/gmail.send";
const SETTINGS: &str = "https://www.googleapis.com/auth/gmail.settings.basic";
const LABELS: &str = "https://www.googleapis.com/auth/gmail.labels";

const READS_HEADERS: &[&str] = &[METADATA, READONLY, MODIFY, FULL];
const READS: &[&str] = &[READONLY, MODIFY, FULL];
const MODIFIES: &[&str] = &[MODIFY, FULL];
const DELETES: &[&str] = &[FULL];
const READS_LABELS: &[&str] = &[LABELS, METADATA, READONLY, MODIFY, FULL];
const MAKES_LABELS: &[&str] = &[LABELS, MODIFY, FULL];
const SENDS: &[&str] = &[SEND, COMPOSE, MODIFY, FULL];
const READS_DRAFTS: &[&str] = &[READONLY, COMPOSE, MODIFY, FULL];
const READS_SETTINGS: &[&str] = &[SETTINGS, READONLY, MODIFY, FULL];
const DRAFTS: &[&str] = &[COMPOSE, MODIFY, FULL];

const fn method(name: &'static str, units: u32, scopes: &'static [&'static str]) -> Method {
    Method { name, units, scopes }
}

static MESSAGES_LIST: Method = method("messages.list", price::LIST, READS_HEADERS);
/// A search (`q`). Gmail refuses it under `gmail.metadata`, and so the whole messages and threads
/// below.
static MESSAGES_SEARCH: Method = method("messages.list", price::LIST, READS);
static MESSAGES_GET: Method = method("messages.get", price::MESSAGE, READS_HEADERS);
static MESSAGES_GET_WHOLE: Method = method("messages.get", price::MESSAGE, READS);
static THREADS_GET_WHOLE: Method = method("threads.get", price::THREAD, READS);
static MESSAGES_SEND: Method = method("messages.send", price::SEND, SENDS);
static MESSAGES_MODIFY: Method = method("messages.modify", 5, MODIFIES);
static MESSAGES_TRASH: Method = method("messages.trash", 20, MODIFIES);
static MESSAGES_UNTRASH: Method = method("messages.untrash", 5, MODIFIES);
static MESSAGES_DELETE: Method = method("messages.delete", 10, DELETES);
static MESSAGES_BATCH_MODIFY: Method = method("messages.batchModify", 50, MODIFIES);
static MESSAGES_BATCH_DELETE: Method = method("messages.batchDelete", 50, DELETES);
static ATTACHMENTS_GET: Method = method("messages.attachments.get", price::MESSAGE, READS);
static THREADS_LIST: Method = method("threads.list", 10, READS_HEADERS);
static THREADS_SEARCH: Method = method("threads.list", 10, READS);
static THREADS_GET: Method = method("threads.get", price::THREAD, READS_HEADERS);
static THREADS_MODIFY: Method = method("threads.modify", 10, MODIFIES);
static THREADS_TRASH: Method = method("threads.trash", 20, MODIFIES);
static THREADS_UNTRASH: Method = method("threads.untrash", 20, MODIFIES);
static THREADS_DELETE: Method = method("threads.delete", 20, DELETES);
static LABELS_LIST: Method = method("labels.list", 1, READS_LABELS);
static LABELS_GET: Method = method("labels.get", 1, READS_LABELS);
static LABELS_CREATE: Method = method("labels.create", 5, MAKES_LABELS);
static LABELS_PATCH: Method = method("labels.patch", 5, MAKES_LABELS);
static LABELS_DELETE: Method = method("labels.delete", 5, MAKES_LABELS);
static DRAFTS_LIST: Method = method("drafts.list", 5, READS_DRAFTS);
static DRAFTS_GET: Method = method("drafts.get", 20, READS_DRAFTS);
static DRAFTS_CREATE: Method = method("drafts.create", 10, DRAFTS);
static DRAFTS_UPDATE: Method = method("drafts.update", 15, DRAFTS);
static DRAFTS_SEND: Method = method("drafts.send", price::SEND, DRAFTS);
static DRAFTS_DELETE: Method = method("drafts.delete", 10, DRAFTS);
static SEND_AS_LIST: Method = method("settings.sendAs.list", price::SEND_AS, READS_SETTINGS);

/// Every method that an operation uses.
pub static METHODS: [&Method; 32] = [
    &MESSAGES_LIST,
    &MESSAGES_SEARCH,
    &MESSAGES_GET,
    &MESSAGES_GET_WHOLE,
    &MESSAGES_SEND,
    &MESSAGES_MODIFY,
    &MESSAGES_TRASH,
    &MESSAGES_UNTRASH,
    &MESSAGES_DELETE,
    &MESSAGES_BATCH_MODIFY,
    &MESSAGES_BATCH_DELETE,
    &ATTACHMENTS_GET,
    &THREADS_LIST,
    &THREADS_SEARCH,
    &THREADS_GET,
    &THREADS_GET_WHOLE,
    &THREADS_MODIFY,
    &THREADS_TRASH,
    &THREADS_UNTRASH,
    &THREADS_DELETE,
    &LABELS_LIST,
    &LABELS_GET,
    &LABELS_CREATE,
    &LABELS_PATCH,
    &LABELS_DELETE,
    &DRAFTS_LIST,
    &DRAFTS_GET,
    &DRAFTS_CREATE,
    &DRAFTS_UPDATE,
    &DRAFTS_SEND,
    &DRAFTS_DELETE,
    &SEND_AS_LIST,
];

fn calls(request: &MailRequest) -> Vec<Use> {
    use Conversation::{Message, Thread};
    let once = |method: &'static Method| vec![Use::of(method)];
    let searched = |listing: &Listing, search: &'static Method, list: &'static Method| {
        once(if listing.query.is_some() { search } else { list })
    };
    match request {
        MailRequest::ListMessages(listing, format) => {
            let mut calls = searched(listing, &MESSAGES_SEARCH, &MESSAGES_LIST);
            calls.extend(
                format.map(|format| Use { times: listing.page_size, ..Use::of(message(format)) }),
            );
            calls
        }
        MailRequest::ListThreads(listing) => searched(listing, &THREADS_SEARCH, &THREADS_LIST),
        MailRequest::ListDrafts(_) => once(&DRAFTS_LIST),
        MailRequest::ListLabels(_) => once(&LABELS_LIST),
        MailRequest::GetMessage(_, format) => once(message(*format)),
        MailRequest::GetThread(_, format) => {
            once(if reads_body(*format) { &THREADS_GET_WHOLE } else { &THREADS_GET })
        }
        MailRequest::GetDraft(..) => once(&DRAFTS_GET),
        MailRequest::GetLabel(_) => once(&LABELS_GET),
        MailRequest::ListAttachments(_) => once(&MESSAGES_GET_WHOLE),
        // Gmail's id of an attachment changes from one reading to the next, so it is looked up by
        // its part id first.
        MailRequest::GetAttachment(..) | MailRequest::LinkAttachment(..) => {
            [once(&MESSAGES_GET_WHOLE), once(&ATTACHMENTS_GET)].concat()
        }
        MailRequest::Modify(Message, ..) => once(&MESSAGES_MODIFY),
        MailRequest::Modify(Thread, ..) => once(&THREADS_MODIFY),
        MailRequest::Trash(Message, _) => once(&MESSAGES_TRASH),
        MailRequest::Trash(Thread, _) => once(&THREADS_TRASH),
        MailRequest::Untrash(Message, _) => once(&MESSAGES_UNTRASH),
        MailRequest::Untrash(Thread, _) => once(&THREADS_UNTRASH),
        MailRequest::Delete(Message, _) => once(&MESSAGES_DELETE),
        MailRequest::Delete(Thread, _) => once(&THREADS_DELETE),
        MailRequest::BatchModify(..) | MailRequest::BatchTrash(_) => once(&MESSAGES_BATCH_MODIFY),
        MailRequest::BatchDelete(_) => once(&MESSAGES_BATCH_DELETE),
        MailRequest::Send(mail) => writing(mail, &MESSAGES_SEND),
        MailRequest::CreateDraft(mail) => writing(mail, &DRAFTS_CREATE),
        MailRequest::UpdateDraft(_, mail) => writing(mail, &DRAFTS_UPDATE),
        MailRequest::PatchDraft(_, change) => {
            let changing = [Use::of(&DRAFTS_GET), Use::of(&DRAFTS_UPDATE)];
            author(change.from.as_ref()).into_iter().chain(changing).collect()
        }
        MailRequest::SendDraft(_) => once(&DRAFTS_SEND),
        MailRequest::DeleteDraft(_) => once(&DRAFTS_DELETE),
        MailRequest::CreateLabel(_) => once(&LABELS_CREATE),
        MailRequest::UpdateLabel(..) => once(&LABELS_PATCH),
        MailRequest::DeleteLabel(_) => once(&LABELS_DELETE),
        // Gmail has no part in it. Who may not send has no use for it.
        MailRequest::CreateUpload(_) => vec![Use { times: 0, ..Use::of(&MESSAGES_SEND) }],
    }
}

/// What is read before a mail is written: who may write it, and what it answers or passes on. A
/// reply asks whether it answers mail to an alias only where it may.
fn writing(mail: &Outgoing, method: &'static Method) -> Vec<Use> {
    let asked = author(mail.from.as_ref());
    let aliases = Use { optional: true, ..Use::of(&SEND_AS_LIST) };
    let reply = |read: &'static Method| {
        let aliases = asked.is_none().then_some(aliases);
        [Use::of(read)].into_iter().chain(aliases).collect()
    };
    let read: Vec<Use> = match mail.needs() {
        Needs::Nothing => Vec::new(),
        Needs::Message(_) => reply(&MESSAGES_GET),
        Needs::Thread(_) => reply(&THREADS_GET),
        Needs::Original(_) => vec![Use::of(&MESSAGES_GET_WHOLE)],
    };
    asked.into_iter().chain(read).chain([Use::of(method)]).collect()
}

fn author(author: Option<&Author>) -> Option<Use> {
    author.and_then(Author::asks_for).map(|_| Use::of(&SEND_AS_LIST))
}

fn message(format: Format) -> &'static Method {
    if reads_body(format) { &MESSAGES_GET_WHOLE } else { &MESSAGES_GET }
}

fn reads_body(format: Format) -> bool {
    matches!(format, Format::Full | Format::Raw)
}

//! What Microsoft Graph requires for each operation: the delegated permissions of its reference, and
//! one unit for each request, since Graph counts requests: 10,000 in 10 minutes for each app and
//! mailbox (<https://learn.microsoft.com/en-us/graph/throttling-limits#outlook-service-limits>).

use crate::domain::mailbox_key::MailboxKey;
use crate::domain::mark::Mark;
use crate::domain::operation::request::{Conversation, Format, MailRequest};
use crate::domain::outgoing::recipient::Author;
use crate::domain::outgoing::{Needs, Outgoing};
use crate::domain::provider::{Method, Provider, Registration, Use};
use crate::domain::quota::Prices;

/// Headers, without bodies, previews and attachments.
pub const READ_BASIC: &str = "Mail.ReadBasic";
pub const READ: &str = "Mail.Read";
pub const READ_WRITE: &str = "Mail.ReadWrite";
pub const SEND: &str = "Mail.Send";
pub const CATEGORIES: &str = "MailboxSettings.Read";
const WRITE_CATEGORIES: &str = "MailboxSettings.ReadWrite";
const USER_READ: &str = "User.Read";

const READS_HEADERS: &[&str] = &[READ_BASIC, READ, READ_WRITE];
const READS: &[&str] = &[READ, READ_WRITE];
const WRITES: &[&str] = &[READ_WRITE];
const SENDS: &[&str] = &[SEND];
const READS_CATEGORIES: &[&str] = &[CATEGORIES, WRITE_CATEGORIES];
const READS_USER: &[&str] = &[USER_READ, "User.ReadBasic.All", "User.Read.All"];

/// What an access token's scopes are called without their resource, as Graph's own are granted.
pub fn short_scope(scope: &str) -> &str {
    ["https://graph.microsoft.com/", "https://outlook.office.com/"]
        .iter()
        .find_map(|resource| scope.strip_prefix(resource))
        .unwrap_or(scope)
}

/// Whether a grant allows to read headers and nothing else.
pub fn only_headers(granted: &[String]) -> bool {
    let has = |scope: &str| granted.iter().any(|one| one == scope);
    has(READ_BASIC) && !has(READ) && !has(READ_WRITE)
}

/// Whether a wider permission, or none that a token tells of, stands for this one. That there is a
/// refresh token says that `offline_access` was granted; the identity's scopes may be left out.
pub fn covers(granted: &[String], scope: &str) -> bool {
    let has = |wider: &[&str]| granted.iter().any(|one| wider.contains(&one.as_str()));
    match short_scope(scope) {
        READ_BASIC => has(&[READ_BASIC, READ, READ_WRITE]),
        READ => has(&[READ, READ_WRITE]),
        "offline_access" => true,
        "openid" | "profile" | "email" => has(&[READ_BASIC, READ, READ_WRITE, SEND]),
        _ => false,
    }
}

const fn method(name: &'static str, scopes: &'static [&'static str]) -> Method {
    Method { name, units: 1, scopes }
}

static LIST_MESSAGES: Method = method("messages.list", READS_HEADERS);
/// A search reads bodies: `$search` is refused under `Mail.ReadBasic`.
static SEARCH_MESSAGES: Method = method("messages.list", READS);
static GET_MESSAGE: Method = method("messages.get", READS_HEADERS);
static GET_MIME: Method = method("messages.content", READS);
static UPDATE_MESSAGE: Method = method("messages.update", WRITES);
static MOVE_MESSAGE: Method = method("messages.move", WRITES);
static DELETE_MESSAGE: Method = method("messages.delete", WRITES);
static DELETE_FOR_GOOD: Method = method("messages.permanentDelete", WRITES);
static CREATE_MESSAGE: Method = method("messages.create", WRITES);
static SEND_DRAFT: Method = method("messages.send", SENDS);
static SEND_MAIL: Method = method("sendMail", SENDS);
static CREATE_UPLOAD: Method = method("attachments.createUploadSession", WRITES);
static LIST_FOLDERS: Method = method("mailFolders.list", READS_HEADERS);
static GET_FOLDER: Method = method("mailFolders.get", READS_HEADERS);
static CREATE_FOLDER: Method = method("mailFolders.create", WRITES);
static UPDATE_FOLDER: Method = method("mailFolders.update", WRITES);
static DELETE_FOLDER: Method = method("mailFolders.delete", WRITES);
static LIST_CATEGORIES: Method = method("masterCategories.list", READS_CATEGORIES);
/// Graph lists no addresses that a mailbox may write from beside its own: nothing is asked.
static ALIASES: Method = Method { name: "me.get", units: 0, scopes: READS_USER };

pub const REGISTRATION: Registration = Registration {
    provider: Provider::Outlook,
    name: "Outlook",
    connect: "/api/auth/microsoft/outlook",
    admin_consent: Some("/api/auth/microsoft/outlook/admin-consent"),
    vendor: "Microsoft",
    callback: "/auth/microsoft/callback",
    client_setting: "MICROSOFT_CLIENT_ID",
    scopes_setting: "MICROSOFT_SCOPES",
    issuer: "https://login.microsoftonline.com/",
    // Requests; a page of changes may look up folders besides.
    prices: Prices { profile: 2, changes: 8, list: 8, message: 1, watch: 3, stop: 1 },
    // Of 10,000 in ten minutes, so that the API's operations have room beside the processor.
    most_units_per_minute: 800,
    revokes_grants: false,
    greets_watch: false,
    proves_arrivals: false,
    // A message is not changed before it is received, and the cursor is the newest change listed.
    came_after: |message, cursor| {
        u64::try_from(message.received_at.millis()).is_ok_and(|at| Mark::new(at) > cursor)
    },
    mailbox: |_, account| MailboxKey::of_account(Provider::Outlook.as_str(), account),
    calls,
    aliases: &ALIASES,
};

pub static METHODS: [&Method; 20] = [
    &LIST_MESSAGES,
    &SEARCH_MESSAGES,
    &GET_MESSAGE,
    &GET_MIME,
    &UPDATE_MESSAGE,
    &MOVE_MESSAGE,
    &DELETE_MESSAGE,
    &DELETE_FOR_GOOD,
    &CREATE_MESSAGE,
    &SEND_DRAFT,
    &SEND_MAIL,
    &CREATE_UPLOAD,
    &LIST_FOLDERS,
    &GET_FOLDER,
    &CREATE_FOLDER,
    &UPDATE_FOLDER,
    &DELETE_FOLDER,
    &LIST_CATEGORIES,
    &ALIASES,
    &BATCH,
];

/// Of requests: each of its parts is counted by itself.
static BATCH: Method = Method { name: "batch", units: 0, scopes: READS_HEADERS };

/// What a thread holds at most; beyond, its messages are not read.
pub const MOST_IN_THREAD: u32 = 100;

/// The requests of an operation, each with the most times.
pub fn calls(request: &MailRequest) -> Vec<Use> {
    let once = |method: &'static Method| vec![Use::of(method)];
    let times = |method: &'static Method, times: u32| Use { times, ..Use::of(method) };
    match request {
        MailRequest::ListMessages(listing, format) => {
            let list = if listing.query.is_some() { &SEARCH_MESSAGES } else { &LIST_MESSAGES };
            let whole = format.filter(|format| reads_content(*format));
            once(list)
                .into_iter()
                .chain(whole.map(|_| times(&GET_MIME, listing.page_size)))
                .collect()
        }
        MailRequest::ListThreads(listing) => {
            once(if listing.query.is_some() { &SEARCH_MESSAGES } else { &LIST_MESSAGES })
        }
        MailRequest::ListDrafts(_) => once(&LIST_MESSAGES),
        MailRequest::ListLabels(_) => {
            vec![Use::of(&LIST_FOLDERS), Use { optional: true, ..Use::of(&LIST_CATEGORIES) }]
        }
        MailRequest::GetMessage(_, format) | MailRequest::GetDraft(_, format) => read(*format),
        MailRequest::GetThread(_, format) => {
            let whole = reads_content(*format).then(|| times(&GET_MIME, MOST_IN_THREAD));
            once(&LIST_MESSAGES).into_iter().chain(whole).collect()
        }
        MailRequest::GetLabel(_) => once(&GET_FOLDER),
        MailRequest::ListAttachments(_)
        | MailRequest::GetAttachment(..)
        | MailRequest::LinkAttachment(..) => once(&GET_MIME),
        MailRequest::Modify(what, ..) => {
            placed(*what, &[&GET_MESSAGE, &UPDATE_MESSAGE, &MOVE_MESSAGE])
        }
        MailRequest::Trash(what, _) => placed(*what, &[&MOVE_MESSAGE]),
        MailRequest::Untrash(what, _) => placed(*what, &[&GET_MESSAGE, &MOVE_MESSAGE]),
        MailRequest::Delete(what, _) => placed(*what, &[&DELETE_FOR_GOOD]),
        MailRequest::BatchModify(ids, _) => {
            [&GET_MESSAGE, &UPDATE_MESSAGE, &MOVE_MESSAGE].map(|one| times(one, count(ids))).into()
        }
        MailRequest::BatchTrash(ids) => vec![times(&MOVE_MESSAGE, count(ids))],
        MailRequest::BatchDelete(ids) => vec![times(&DELETE_FOR_GOOD, count(ids))],
        MailRequest::Send(mail) => sending(mail),
        MailRequest::CreateDraft(mail) => writing(mail, &[&CREATE_MESSAGE]),
        MailRequest::UpdateDraft(_, mail) => writing(mail, &[&CREATE_MESSAGE, &DELETE_MESSAGE]),
        MailRequest::PatchDraft(..) => {
            vec![Use::of(&GET_MIME), Use::of(&CREATE_MESSAGE), Use::of(&DELETE_MESSAGE)]
        }
        MailRequest::SendDraft(_) => vec![Use::of(&GET_MESSAGE), Use::of(&SEND_DRAFT)],
        MailRequest::DeleteDraft(_) => once(&DELETE_MESSAGE),
        MailRequest::CreateLabel(_) => once(&CREATE_FOLDER),
        MailRequest::UpdateLabel(..) => once(&UPDATE_FOLDER),
        MailRequest::DeleteLabel(_) => once(&DELETE_FOLDER),
        // Graph has no part in it. Who may not write drafts has no use for it.
        MailRequest::CreateUpload(_) => vec![Use { times: 0, ..Use::of(&CREATE_UPLOAD) }],
    }
}

fn read(format: Format) -> Vec<Use> {
    let whole = reads_content(format).then_some(&GET_MIME);
    [&GET_MESSAGE].into_iter().chain(whole).map(Use::of).collect()
}

fn reads_content(format: Format) -> bool {
    matches!(format, Format::Full | Format::Raw)
}

/// A thread is a listing and each of its messages.
fn placed(what: Conversation, methods: &[&'static Method]) -> Vec<Use> {
    match what {
        Conversation::Message => methods.iter().map(|method| Use::of(method)).collect(),
        Conversation::Thread => {
            let each = methods.iter().filter(|method| **method != &GET_MESSAGE);
            let each = each.map(|method| Use { times: MOST_IN_THREAD, ..Use::of(method) });
            [Use::of(&LIST_MESSAGES)].into_iter().chain(each).collect()
        }
    }
}

fn count(ids: &[String]) -> u32 {
    u32::try_from(ids.len()).unwrap_or(u32::MAX)
}

/// A draft and its sending, where the grant allows drafts; else the sending alone.
fn sending(mail: &Outgoing) -> Vec<Use> {
    let mut calls = writing(mail, &[&SEND_MAIL]);
    calls.push(Use { optional: true, ..Use::of(&CREATE_MESSAGE) });
    calls
}

fn writing(mail: &Outgoing, methods: &[&'static Method]) -> Vec<Use> {
    let author = mail.from.as_ref().and_then(Author::asks_for).map(|_| Use::of(&ALIASES));
    let read: Vec<Use> = match mail.needs() {
        Needs::Nothing => Vec::new(),
        Needs::Message(_) => vec![Use::of(&GET_MESSAGE)],
        Needs::Thread(_) => vec![Use::of(&LIST_MESSAGES)],
        Needs::Original(_) => vec![Use::of(&GET_MIME)],
    };
    author.into_iter().chain(read).chain(methods.iter().map(|method| Use::of(method))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::MessageId;

    fn scopes(text: &str) -> Vec<String> {
        text.split_whitespace().map(String::from).collect()
    }

    fn allowed(request: &MailRequest, granted: &str) -> bool {
        let granted = scopes(granted);
        let suffices = |used: &Use| {
            used.optional || granted.iter().any(|one| used.method.scopes.contains(&one.as_str()))
        };
        calls(request).iter().all(suffices)
    }

    #[test]
    fn every_operation_has_its_permissions() {
        let id = || MessageId::new("m");
        let mail = || Box::new(Outgoing { complete: true, ..Outgoing::default() });
        let table = [
            (MailRequest::GetMessage(id(), Format::Metadata), "Mail.ReadBasic", true),
            (MailRequest::GetMessage(id(), Format::Full), "Mail.ReadBasic", false),
            (MailRequest::GetMessage(id(), Format::Full), "Mail.Read", true),
            (MailRequest::Trash(Conversation::Message, "m".into()), "Mail.Read", false),
            (MailRequest::Trash(Conversation::Thread, "t".into()), "Mail.ReadWrite", true),
            (MailRequest::Send(mail()), "Mail.Send", true),
            (MailRequest::Send(mail()), "Mail.ReadWrite", false),
            (MailRequest::CreateDraft(mail()), "Mail.ReadWrite", true),
            (MailRequest::SendDraft("d".into()), "Mail.ReadWrite Mail.Send", true),
            (MailRequest::BatchDelete(vec!["m".into()]), "Mail.ReadWrite", true),
        ];
        for (request, granted, expected) in table {
            assert_eq!(allowed(&request, granted), expected, "{request:?} under {granted}");
        }
    }

    #[test]
    fn a_scope_is_the_same_with_and_without_its_resource() {
        for scope in ["https://graph.microsoft.com/Mail.Read", "Mail.Read"] {
            assert_eq!(short_scope(scope), READ);
        }
        assert_eq!(short_scope("openid"), "openid");
        let granted = scopes("Mail.ReadWrite User.Read");
        for (scope, expected) in
            [("Mail.Read", true), ("offline_access", true), ("openid", true), ("Mail.Send", false)]
        {
            assert_eq!(covers(&granted, scope), expected, "{scope}");
        }
        assert!(!covers(&scopes("Mail.Read"), READ_WRITE));
        assert!(!covers(&scopes("https://mail.google.com/"), "openid"), "Google tells of it");
        assert!(only_headers(&scopes("openid Mail.ReadBasic Mail.Send")));
        assert!(!only_headers(&scopes("Mail.ReadBasic Mail.ReadWrite")));
    }
}

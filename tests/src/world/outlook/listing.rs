//! What the product's own paging makes of Graph's pages: it decides what to ask, the mailbox
//! answers.

use email_connectors::domain::changes::{Change, ChangePage, Record};
use email_connectors::domain::id::{MessageId, MessageIdentity};
use email_connectors::domain::mark::{Mark, RecordKey};
use email_connectors::domain::message::ProviderMessage;
use email_connectors::domain::provider::outlook::identity::identity;
use email_connectors::domain::provider::outlook::labels::Marks;
use email_connectors::domain::provider::outlook::paging::{Listed, Next, PageToken, state};
use email_connectors::domain::provider::outlook::received::{Folders, WellKnown};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::ProviderError;

use super::mailbox::{Folder, Item, ListRequest, OutlookMailbox};

/// What the product asks for with `$top`.
const TOP: usize = 100;

/// A page of changes after a mark, as the product's adapter answers it.
pub(crate) fn changes(
    mailbox: &mut OutlookMailbox,
    after: Mark,
    page_token: Option<&str>,
    now: Timestamp,
) -> Result<ChangePage, ProviderError> {
    let token = match page_token {
        None => PageToken::first(moment(after)),
        Some(text) => PageToken::parse(text).ok_or(ProviderError::PageLost)?,
    };
    let skip = usize::try_from(token.skip()).unwrap_or(usize::MAX);
    let page = mailbox.list(ListRequest { since: token.from, top: TOP, skip }, now);
    let listed: Vec<Listed<'_>> = page
        .items
        .iter()
        .map(|item| Listed { id: &item.id, change_key: &item.change_key, modified: item.modified })
        .collect();
    let next = token.after(&listed, page.has_more).map_err(ProviderError::unavailable)?;
    let (mark, next_page_token) = match next {
        Next::Page(next) => (None, Some(next.to_string())),
        Next::End { newest } => (newest.map(mark), None),
    };
    let contents = page.items.iter().map(|item| content(item, &mailbox.address.to_string()));
    let contents: Vec<ProviderMessage> = contents.collect();
    let records = page.items.iter().zip(&contents).map(|(item, content)| record(item, content));
    Ok(ChangePage { records: records.collect(), mark, next_page_token, contents })
}

fn record(item: &Item, content: &ProviderMessage) -> Record {
    let key = RecordKey { mark: mark(item.modified), tag: Some(state(&item.id, &item.change_key)) };
    let received = folders().place(item.folder.id()).is_received() == Some(true);
    let added =
        || Change::Added { message: content.id.clone(), label_ids: content.label_ids.clone() };
    Record { key, changes: received.then(added).into_iter().collect() }
}

/// The item as the product's adapter reads it.
pub(crate) fn content(item: &Item, to: &str) -> ProviderMessage {
    let marks = Marks {
        folder: item.folder.id().into(),
        is_draft: item.folder == Folder::Drafts,
        is_read: item.is_read,
        is_flagged: item.is_flagged,
        is_important: false,
        categories: item.categories.clone(),
    };
    let of_mail =
        [("From", item.from.clone()), ("To", to.to_string()), ("Subject", item.subject.clone())];
    let message_id = item.internet_message_id.clone().map(|id| ("Message-ID", id));
    let headers = of_mail.into_iter().chain(message_id);
    ProviderMessage {
        id: MessageId::new(&item.id),
        identity: Some(identity_of(item)),
        thread_id: format!("{}-thread", item.id),
        label_ids: marks.label_ids(&folders()),
        history_id: None,
        received_at: item.received,
        snippet: format!("{}, in short", item.subject),
        size_estimate: 2048,
        has_attachments: false,
        attachments_unknown: false,
        bounce: None,
        headers: headers
            .map(|(name, value)| (name.to_string(), value))
            .chain(item.headers.iter().cloned())
            .collect(),
    }
}

pub(crate) fn identity_of(item: &Item) -> MessageIdentity {
    MessageIdentity::new(identity(&item.id, item.internet_message_id.as_deref(), item.received))
}

fn folders() -> Folders {
    let well_known = [
        (Folder::Inbox, WellKnown::Inbox),
        (Folder::Drafts, WellKnown::Drafts),
        (Folder::Sent, WellKnown::SentItems),
        (Folder::Junk, WellKnown::JunkEmail),
        (Folder::Deleted, WellKnown::DeletedItems),
    ];
    let mut folders =
        Folders::new(well_known.map(|(folder, known)| (folder.id().to_string(), known)));
    folders.learn(Folder::Work.id(), None);
    folders.learn(Folder::OldWork.id(), Some(Folder::Deleted.id().into()));
    folders
}

/// `lastModifiedDateTime` in milliseconds.
pub(crate) fn mark(moment: Timestamp) -> Mark {
    Mark::new(u64::try_from(moment.millis()).unwrap_or(0))
}

fn moment(mark: Mark) -> Timestamp {
    Timestamp::from_millis(i64::try_from(mark.value()).unwrap_or(i64::MAX))
}

//! What else the product's adapter answers about a mailbox: its profile, its watch, its messages.

use email_connectors::domain::gap::Slice;
use email_connectors::domain::id::MessageId;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::watch::{Ending, Watching};
use email_connectors::ports::{Fetched, MessagePage, Profile, ProviderError};

use super::listing::{content, mark};
use super::mailbox::OutlookMailbox;

/// The address, and the newest change as the mark; the server's time of an empty mailbox.
pub(crate) fn profile(mailbox: &mut OutlookMailbox, now: Timestamp) -> Profile {
    let newest = mailbox.newest(now).unwrap_or(mailbox.date(now));
    mailbox.dates.insert(newest);
    Profile { email_address: mailbox.address.clone(), mark: mark(newest) }
}

/// The current subscription is renewed; one that is gone is made anew. Others of the mailbox are
/// needless then, or in the way where Graph keeps to its documents and has no second one.
pub(crate) fn watch(
    mailbox: &mut OutlookMailbox,
    key: &str,
    current: Option<&str>,
    now: Timestamp,
) -> Result<Watching, ProviderError> {
    let subscriptions = &mut mailbox.subscriptions;
    if let Some((id, expires)) = current.and_then(|id| Some((id, subscriptions.renew(id, now)?))) {
        return Ok(Watching { expires, id: Some(id.into()), needless: Vec::new() });
    }
    let needless: Vec<String> = subscriptions.living(now).map(|(id, _)| id.clone()).collect();
    if subscriptions.only_one && !needless.is_empty() {
        return Err(ProviderError::WatchTaken);
    }
    let (id, expires) = subscriptions.create(key, now);
    Ok(Watching { expires, id: Some(id), needless })
}

pub(crate) fn stop(mailbox: &mut OutlookMailbox, ending: Ending<'_>) {
    match ending {
        Ending::All { .. } => mailbox.subscriptions.remove_all(),
        Ending::These(ids) => {
            for id in ids {
                mailbox.subscriptions.delete(id);
            }
        }
    }
}

pub(crate) fn list(mailbox: &OutlookMailbox, slice: &Slice, now: Timestamp) -> MessagePage {
    let found = mailbox.received(slice.after, slice.before, now);
    let messages = found.into_iter().map(|item| MessageId::new(item.id)).collect();
    MessagePage { messages, next_page_token: None }
}

pub(crate) fn get(mailbox: &OutlookMailbox, ids: &[MessageId], now: Timestamp) -> Fetched {
    let to = mailbox.address.to_string();
    let found = ids.iter().filter_map(|id| mailbox.get(id.as_str(), now));
    Fetched { messages: found.map(|item| content(item, &to)).collect(), ..Fetched::default() }
}

//! What else the product's adapter answers about a mailbox: its profile, its watch, its messages.

use email_connectors::domain::gap::Slice;
use email_connectors::domain::id::MessageId;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::watch::Watching;
use email_connectors::ports::{Fetched, MessagePage, Profile};

use super::listing::{content, mark};
use super::mailbox::OutlookMailbox;

/// The address, and the newest change as the mark; the server's time of an empty mailbox.
pub(crate) fn profile(mailbox: &mut OutlookMailbox, now: Timestamp) -> Profile {
    let newest = mailbox.newest(now).unwrap_or(mailbox.date(now));
    mailbox.dates.insert(newest);
    Profile { email_address: mailbox.address.clone(), mark: mark(newest) }
}

/// The current subscription is renewed; one that is gone is made anew, and others of the mailbox,
/// whose ids were lost, are deleted.
pub(crate) fn watch(
    mailbox: &mut OutlookMailbox,
    key: &str,
    current: Option<&str>,
    now: Timestamp,
) -> Watching {
    let subscriptions = &mut mailbox.subscriptions;
    let renewed = current.and_then(|id| Some((id.to_string(), subscriptions.renew(id, now)?)));
    let (id, expires) = renewed.unwrap_or_else(|| {
        let (id, expires) = subscriptions.create(key, now);
        subscriptions.delete_others(&id);
        (id, expires)
    });
    Watching { expires, id: Some(id) }
}

pub(crate) fn stop(mailbox: &mut OutlookMailbox, id: Option<&str>) {
    if let Some(id) = id {
        mailbox.subscriptions.delete(id);
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

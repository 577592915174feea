//! A trigger is rehearsed on the mail of the last days. Nothing of it is written, and nothing
//! fires.

use std::collections::HashSet;

use crate::domain::id::{EventId, MessageId, OwnerId, TriggerId};
use crate::domain::quota::price;
use crate::domain::rehearsal::{Looked, RehearsalRange, event_of, look};
use crate::domain::scopes::{Capability, GMAIL_READONLY, capabilities};
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::TriggerType;
use crate::flows::access::{Access, AccessError, Session};
use crate::flows::preconditions::{Unusable, admit};
use crate::ports::{EmailProvider, Fetched, Ports, ProviderError, Store};

/// What a rehearsal came to.
#[derive(Debug)]
pub struct Rehearsed {
    /// Newest first.
    pub looked: Vec<Looked>,
    /// Messages that could not be read, each for a reason of its own.
    pub unreadable: Vec<MessageId>,
    /// Whether there is more mail of those days than was looked at.
    pub truncated: bool,
    /// Quota units that were spent.
    pub units: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum RehearseError {
    #[error("no such trigger")]
    NotFound,
    /// A `webhook` trigger is fired from outside.
    #[error("no mail fires this trigger")]
    NotOfMail,
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

impl<P: Ports> Access<'_, P> {
    pub async fn rehearse(
        self,
        owner: &OwnerId,
        id: &TriggerId,
        range: RehearsalRange,
        now: Timestamp,
    ) -> Result<Rehearsed, RehearseError> {
        let trigger = self
            .store
            .trigger(owner, id)
            .await
            .map_err(Unusable::from)?
            .ok_or(RehearseError::NotFound)?;
        if trigger.kind != TriggerType::Email {
            return Err(RehearseError::NotOfMail);
        }
        let connector = self
            .store
            .connector(owner, &trigger.config.connector_id)
            .await
            .map_err(Unusable::from)?;
        let connector = connector.ok_or(RehearseError::NotFound)?;
        // Under `gmail.metadata` alone Gmail refuses searches.
        let reads = capabilities(&connector.grant.scopes).contains(&Capability::Read);
        admit(&connector, (!reads).then_some(GMAIL_READONLY), now)?;
        let mut session = self.session(&connector, now).await.map_err(Unusable::from)?;
        let (ids, truncated) = list(&mut session, range, now).await.map_err(Unusable::from)?;
        let events: Vec<EventId> =
            ids.iter().map(|message| event_of(&connector, &trigger, message)).collect();
        let (fetched, decided) =
            tokio::join!(fetch(&mut session, &ids), self.store.decided(&events));
        let (fetched, decided) = (
            fetched.map_err(Unusable::from)?,
            decided.map_err(Unusable::from)?.into_iter().collect::<HashSet<EventId>>(),
        );
        let mut looked: Vec<Looked> = Vec::new();
        for message in fetched.messages {
            let decided = decided.contains(&event_of(&connector, &trigger, &message.id));
            looked.push(look(&connector, &trigger, &message.normalize(), decided, now));
        }
        looked.sort_by(|one, other| {
            (other.timestamp, &other.message_id).cmp(&(one.timestamp, &one.message_id))
        });
        let unreadable = fetched.failed.into_iter().map(|(message, _)| message).collect();
        Ok(Rehearsed { looked, unreadable, truncated, units: session.units() })
    }
}

/// The messages of those days, as many as may be looked at, and whether there are more.
async fn list<P: Ports>(
    session: &mut Session<'_, P>,
    range: RehearsalRange,
    now: Timestamp,
) -> Result<(Vec<MessageId>, bool), AccessError> {
    let (provider, slice) = (session.provider(), range.slice(now));
    let (mut found, mut page_token) = (Vec::new(), None::<String>);
    loop {
        let page = session.call(price::LIST, |access| {
            let (slice, token) = (&slice, page_token.clone());
            async move { provider.list(&access, slice, token.as_deref()).await }
        });
        let page = page.await?;
        found.extend(page.messages);
        let more = page.next_page_token.is_some();
        if found.len() >= range.limit || !more {
            let truncated = more || found.len() > range.limit;
            found.truncate(range.limit);
            return Ok((found, truncated));
        }
        if page.next_page_token == page_token {
            return Err(ProviderError::unavailable("the list's pages do not end").into());
        }
        page_token = page.next_page_token;
    }
}

/// A partial answer is an error: the rehearsal would report the unread messages as absent.
async fn fetch<P: Ports>(
    session: &mut Session<'_, P>,
    ids: &[MessageId],
) -> Result<Fetched, AccessError> {
    if ids.is_empty() {
        return Ok(Fetched::default());
    }
    let provider = session.provider();
    let units = price::MESSAGE.saturating_mul(u32::try_from(ids.len()).unwrap_or(u32::MAX));
    let mut fetched = session
        .call(units, |access| async move { provider.messages(&access, ids, false).await })
        .await?;
    session.spend(fetched.more_units);
    match fetched.unanswered.take() {
        Some((_, error)) => Err(error.into()),
        None => Ok(fetched),
    }
}

//! A trigger, or filters for one, are rehearsed on the mail of the last days. Nothing of it is
//! written, and nothing fires.

use std::collections::HashSet;

use crate::domain::connector::Connector;
use crate::domain::id::{ConnectorId, EventId, MessageId, OwnerId, TriggerId};
use crate::domain::message::{Message, ProviderMessage};
use crate::domain::rehearsal::{Looked, RehearsalRange, event_of, look, look_by_filters};
use crate::domain::scopes::{Capability, GMAIL_READONLY, capabilities};
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::{Filters, TriggerType};
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
    #[error("no such trigger or connector")]
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
        let connector = self.to_rehearse(owner, &trigger.config.connector_id, now).await?;
        let mut session = self.session(&connector, now).await.map_err(Unusable::from)?;
        let (ids, truncated) = list(&mut session, range, now).await.map_err(Unusable::from)?;
        let fetched = fetch(&mut session, &ids).await.map_err(Unusable::from)?;
        // Only the message itself may say by what the ledger knows it.
        let event = |message: &ProviderMessage| event_of(&connector, &trigger, &message.identity());
        let events: Vec<EventId> = fetched.messages.iter().map(event).collect();
        let decided: HashSet<EventId> =
            self.store.decided(&events).await.map_err(Unusable::from)?.into_iter().collect();
        let look = |message: Message| {
            let decided = decided.contains(&event_of(&connector, &trigger, &message.identity));
            look(&connector, &trigger, &message, decided, now)
        };
        Ok(Rehearsed::of(fetched, look, truncated, session.units()))
    }

    /// Which of the recent mail these filters let pass, whoever's trigger they are to be.
    pub async fn rehearse_filters(
        self,
        owner: &OwnerId,
        id: &ConnectorId,
        filters: &Filters,
        range: RehearsalRange,
        now: Timestamp,
    ) -> Result<Rehearsed, RehearseError> {
        let connector = self.to_rehearse(owner, id, now).await?;
        let mut session = self.session(&connector, now).await.map_err(Unusable::from)?;
        let (ids, truncated) = list(&mut session, range, now).await.map_err(Unusable::from)?;
        let fetched = fetch(&mut session, &ids).await.map_err(Unusable::from)?;
        let look = |message: Message| look_by_filters(filters, &message);
        Ok(Rehearsed::of(fetched, look, truncated, session.units()))
    }

    /// The connector whose mail may be searched.
    async fn to_rehearse(
        self,
        owner: &OwnerId,
        id: &ConnectorId,
        now: Timestamp,
    ) -> Result<Connector, RehearseError> {
        let connector = self.store.connector(owner, id).await.map_err(Unusable::from)?;
        let connector = connector.ok_or(RehearseError::NotFound)?;
        // Under `gmail.metadata` alone Gmail refuses searches.
        let reads = capabilities(&connector.grant.scopes).contains(&Capability::Read);
        admit(&connector, (!reads).then_some(GMAIL_READONLY), now)?;
        Ok(connector)
    }
}

impl Rehearsed {
    fn of(fetched: Fetched, look: impl Fn(Message) -> Looked, truncated: bool, units: u32) -> Self {
        let mut looked: Vec<Looked> =
            fetched.messages.into_iter().map(|message| look(message.normalize())).collect();
        looked.sort_by(|one, other| {
            (other.timestamp, &other.message_id).cmp(&(one.timestamp, &one.message_id))
        });
        let unreadable = fetched.failed.into_iter().map(|(message, _)| message).collect();
        Self { looked, unreadable, truncated, units }
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
        let page = session.call(session.prices().list, |access| {
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
    let units =
        session.prices().message.saturating_mul(u32::try_from(ids.len()).unwrap_or(u32::MAX));
    let mut fetched = session
        .call(units, |access| async move { provider.messages(&access, ids, false).await })
        .await?;
    session.spend(fetched.more_units);
    match fetched.unanswered.take() {
        Some((_, error)) => Err(error.into()),
        None => Ok(fetched),
    }
}

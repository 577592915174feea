//! A message arrives: list from the cursor, fetch, decide, commit with the cursor, publish.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;

use crate::domain::connector::{Connector, Location, Status};
use crate::domain::firing::{Firing, decide, possible};
use crate::domain::history::{Candidate, Listing};
use crate::domain::id::{EventId, MessageId};
use crate::domain::scopes;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::Trigger;
use crate::domain::wake_up::WakeUp;
use crate::flows::access::{AccessError, Session};
use crate::ports::{Commit, EmailProvider, EventBus, Progress, ProviderError, Store, StoreError, Unavailable, Vault};

/// How often a wake-up starts over after another writer came first, before the queue delivers it again.
const MOST_ATTEMPTS: u32 = 3;
/// A listing longer than this is no listing: half a million records.
const MOST_PAGES: usize = 1000;
/// How many messages are fetched and decided before what they fired is committed.
const GROUP: usize = 100;

pub struct Process<S, V, P, B> {
    pub store: S,
    pub vault: V,
    pub provider: P,
    pub bus: B,
    /// How long a processor may run: younger unpublished firings may be another's work in progress.
    pub processor_timeout: Duration,
}

/// How a wake-up ended for one connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The cursor covered it already.
    Stale,
    /// Only the user can mend this connector; its cursor waits.
    NotActive,
    Listed {
        /// Messages that were new to the cursor.
        messages: usize,
        fired: usize,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Bus(#[from] Unavailable),
}

impl ProcessError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict) | Self::Access(AccessError::Store(StoreError::Conflict)))
    }
}

impl<S: Store, V: Vault, P: EmailProvider, B: EventBus> Process<S, V, P, B> {
    /// Handles one wake-up of a mailbox for all its connectors; no outcome at all if nobody connected it. An error means
    /// that the wake-up must come again: cursors stand where they stood, or where a commit moved them.
    pub async fn run(&self, wake_up: &WakeUp, now: Timestamp) -> Result<Vec<Outcome>, ProcessError> {
        let mut attempt = 1;
        loop {
            let members = self.store.mailbox(&wake_up.email_address).await?;
            let outcomes = join_all(members.iter().map(|(connector, triggers)| self.handle(connector, triggers, wake_up, now))).await;
            match outcomes.into_iter().collect::<Result<Vec<_>, _>>() {
                Err(error) if error.is_conflict() && attempt < MOST_ATTEMPTS => attempt += 1,
                ended => return ended,
            }
        }
    }

    async fn handle(&self, connector: &Connector, triggers: &[Trigger], wake_up: &WakeUp, now: Timestamp) -> Result<Outcome, ProcessError> {
        // First of all, and also for a stale wake-up: what was decided is owed. While it cannot be published, new mail is
        // decided all the same, and the wake-up comes again.
        let left_over = self.publish_left_over(connector, now).await;
        let outcome = self.handle_new(connector, triggers, wake_up, now).await;
        left_over.and(outcome)
    }

    async fn handle_new(
        &self,
        connector: &Connector,
        triggers: &[Trigger],
        wake_up: &WakeUp,
        now: Timestamp,
    ) -> Result<Outcome, ProcessError> {
        if connector.status != Status::Active {
            return Ok(Outcome::NotActive);
        }
        if wake_up.is_stale(connector.history_id) {
            return Ok(Outcome::Stale);
        }
        match self.look(connector, triggers, wake_up, now).await {
            Err(ProcessError::Access(AccessError::Provider(ProviderError::GrantRefused(reason)))) => {
                let error = format!("Google refused the grant ({reason}); the user must connect again");
                self.store.set_status(&connector.location(), connector.version, Status::NeedsReauth, Some(&error), now).await?;
                Ok(Outcome::NotActive)
            }
            ended => ended,
        }
    }

    async fn look(&self, connector: &Connector, triggers: &[Trigger], wake_up: &WakeUp, now: Timestamp) -> Result<Outcome, ProcessError> {
        let mut session = Session::open(&self.store, &self.vault, &self.provider, connector, now).await?;
        let listing = self.list(&mut session, connector, triggers).await?;
        let candidates = if triggers.is_empty() { &[] } else { listing.candidates() };

        let mut steps = Steps { connector: connector.location(), version: connector.version, fired: 0, refused: None, now };
        let mut groups = candidates.chunks(GROUP).peekable();
        while let Some(group) = groups.next() {
            let firings = self.decide_group(&mut session, connector, triggers, group, wake_up, now).await?;
            let mut chunks = firings.chunks(Commit::MOST_FIRINGS).peekable();
            while let Some(chunk) = chunks.next() {
                // The cursor moves with the very last chunk: until then the next delivery lists all this again.
                if groups.peek().is_some() || chunks.peek().is_some() {
                    self.commit(&mut steps, chunk, None).await?;
                } else {
                    self.commit(&mut steps, chunk, Some(progress(&listing, connector, now))).await?;
                    return steps.outcome(&listing);
                }
            }
        }
        // Nothing fired at the end of the listing: the cursor moves alone.
        self.commit(&mut steps, &[], Some(progress(&listing, connector, now))).await?;
        steps.outcome(&listing)
    }

    /// All pages, or an error: a listing that is not complete moves no cursor.
    async fn list(&self, session: &mut Session<'_, S, V, P>, connector: &Connector, triggers: &[Trigger]) -> Result<Listing, ProcessError> {
        let mut listing = Listing::new(triggers);
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let page = session
                .call(|access| {
                    let token = token.clone();
                    async move { self.provider.history(&access, connector.history_id, token.as_deref()).await }
                })
                .await?;
            let next_page_token = page.next_page_token.clone();
            listing.add(page);
            match next_page_token {
                Some(next) if token.as_ref() != Some(&next) => token = Some(next),
                Some(_) => break,
                None => return Ok(listing),
            }
        }
        Err(AccessError::from(ProviderError::Unavailable("the history's pages do not end".into())).into())
    }

    async fn decide_group(
        &self,
        session: &mut Session<'_, S, V, P>,
        connector: &Connector,
        triggers: &[Trigger],
        group: &[Candidate],
        wake_up: &WakeUp,
        now: Timestamp,
    ) -> Result<Vec<Firing>, ProcessError> {
        let only_headers = scopes::only_metadata(&connector.granted_scopes);
        let events = possible(connector, triggers, group);
        let ids: Vec<MessageId> = group.iter().map(|candidate| candidate.message.clone()).collect();
        let (messages, decided) = tokio::join!(
            session.call(|access| {
                let ids = &ids;
                async move { self.provider.messages(&access, ids, only_headers).await }
            }),
            self.store.decided(&events),
        );
        let decided: HashSet<EventId> = decided?.into_iter().collect();
        let arrived: HashMap<&MessageId, bool> = group.iter().map(|candidate| (&candidate.message, candidate.arrived)).collect();
        let firings = messages?.into_iter().flat_map(|message| {
            let arrived = arrived.get(&message.id).copied().unwrap_or(false);
            decide(connector, triggers, &message.normalize(), arrived, wake_up, now)
        });
        Ok(firings.filter(|firing| !decided.contains(&firing.event_id)).collect())
    }

    async fn commit(&self, steps: &mut Steps, firings: &[Firing], progress: Option<Progress>) -> Result<(), ProcessError> {
        let commit = Commit { firings: firings.to_vec(), progress, now: steps.now };
        self.store.commit(&steps.connector, steps.version, &commit).await?;
        steps.version += 1;
        steps.fired += firings.len();
        match self.publish(&steps.connector, firings, steps.now).await {
            // Decided is decided: a bus that is down keeps no further mail from being so.
            Err(ProcessError::Bus(refused)) => steps.refused = Some(refused),
            published => published?,
        }
        Ok(())
    }

    /// Decided rows that an earlier invocation did not get to mark; the same bytes under the same ids.
    async fn publish_left_over(&self, connector: &Connector, now: Timestamp) -> Result<(), ProcessError> {
        if connector.unpublished.is_empty() {
            return Ok(());
        }
        let events: Vec<EventId> = connector.unpublished.iter().cloned().collect();
        let mut firings = self.store.unpublished(&events).await?;
        firings.retain(|firing| firing.decided_at.after(self.processor_timeout) <= now);
        for chunk in firings.chunks(Commit::MOST_FIRINGS) {
            self.publish(&connector.location(), chunk, now).await?;
        }
        Ok(())
    }

    async fn publish(&self, connector: &Location, firings: &[Firing], now: Timestamp) -> Result<(), ProcessError> {
        if !firings.is_empty() {
            self.bus.publish(firings).await?;
            self.store.mark_published(connector, firings, now).await?;
        }
        Ok(())
    }
}

/// The commits of one listing: each is conditional on the version that the one before it left.
struct Steps {
    connector: Location,
    version: u64,
    fired: usize,
    /// The bus did not take what was committed; the wake-up must come again.
    refused: Option<Unavailable>,
    now: Timestamp,
}

impl Steps {
    fn outcome(self, listing: &Listing) -> Result<Outcome, ProcessError> {
        match self.refused {
            Some(refused) => Err(refused.into()),
            None => Ok(Outcome::Listed { messages: listing.candidates().len(), fired: self.fired }),
        }
    }
}

fn progress(listing: &Listing, connector: &Connector, now: Timestamp) -> Progress {
    Progress { cursor: listing.cursor(connector.history_id), listed_at: now }
}

//! A gap is replayed: the mail that arrived in it is listed by date, in slices, and goes through
//! the same ledger.

use std::collections::HashSet;

use crate::domain::changes::Candidate;
use crate::domain::firing::possible;
use crate::domain::gap::Gap;
use crate::domain::id::EventId;
use crate::domain::notice;
use crate::flows::access::{AccessError, Session};
use crate::flows::process::ProcessError;
use crate::flows::process::run::{Pause, Progress, Run};
use crate::ports::{EmailProvider, MessagePage, Ports, ProviderError, Store};

impl<P: Ports> Run<'_, P> {
    pub(super) async fn replay(
        &mut self,
        session: &mut Session<'_, P>,
    ) -> Result<Progress, ProcessError> {
        let settle = self.process.limits.sweep_times.settle;
        while let Some(mut gap) = self.next.reading.position.gap.clone() {
            let began_at = self.now();
            if began_at < gap.ready_at(settle) {
                if self.next != self.stored {
                    self.commit(session.take_units()).await?;
                }
                return Ok(Progress::Done);
            }
            if self.out_of_time() {
                return Ok(Progress::Paused(Pause::Time));
            }
            let page = match self.found(session, &gap).await {
                Err(ProcessError::Access(AccessError::Provider(ProviderError::PageLost)))
                    if gap.page_token.is_some() =>
                {
                    gap.page_token = None;
                    self.next.reading.position.gap = Some(gap);
                    continue;
                }
                page => page?,
            };
            if let Progress::Paused(pause) = self.decide_page(session, &mut gap, &page).await? {
                return Ok(Progress::Paused(pause));
            }
            let blocked = self.next.reading.position.slice_held_after(began_at);
            if blocked {
                // The page is listed again when its failing message is retried.
                self.next.reading.position.gap = Some(gap);
                self.commit(session.take_units()).await?;
                return Ok(Progress::Done);
            }
            let anything = !page.messages.is_empty();
            self.turn(gap, page);
            // An empty page needs no commit: it is quickly listed again.
            if anything || self.next.reading.position.gap.is_none() {
                self.commit(session.take_units()).await?;
            }
        }
        Ok(Progress::Done)
    }

    async fn found(
        &self,
        session: &mut Session<'_, P>,
        gap: &Gap,
    ) -> Result<MessagePage, ProcessError> {
        // Without triggers nothing can fire, and a later trigger does not fire for older mail.
        if self.triggers.is_empty() {
            return Ok(MessagePage { messages: Vec::new(), next_page_token: None });
        }
        let (provider, slice) =
            (session.provider(), gap.slice(self.process.limits.sweep_times.settle));
        let page = session.call(session.prices().list, |access| {
            let (slice, token) = (slice, gap.page_token.clone());
            async move { provider.list(&access, &slice, token.as_deref()).await }
        });
        Ok(page.await?)
    }

    /// The ledger is queried first: a message whose events it has need not be fetched.
    async fn decide_page(
        &mut self,
        session: &mut Session<'_, P>,
        gap: &mut Gap,
        page: &MessagePage,
    ) -> Result<Progress, ProcessError> {
        if page.messages.is_empty() {
            return Ok(Progress::Done);
        }
        let candidates: Vec<Candidate> =
            page.messages.iter().cloned().map(Candidate::found).collect();
        let identities = candidates.iter().map(|candidate| &candidate.identity);
        let events = possible(&self.stored, self.triggers, identities);
        let known: HashSet<EventId> =
            self.process.store.decided(&events).await?.into_iter().collect();
        let undecided = |candidate: &Candidate| {
            let mut events =
                possible(&self.stored, self.triggers, [&candidate.identity]).into_iter();
            events.any(|event| !known.contains(&event))
        };
        let group: Vec<Candidate> = candidates.into_iter().filter(undecided).collect();
        if group.is_empty() {
            return Ok(Progress::Done);
        }
        // In a fresh minute a page is taken whatever it costs: else one above the quota would never
        // be.
        let fresh = self.is_fresh_minute(session.units());
        if (!fresh && self.affordable(session.units()) < group.len()) || self.too_many_wait() {
            return Ok(Progress::Paused(Pause::Quota));
        }
        let fetched = self.fetch(session, group.iter()).await?;
        let looked_at = self.decide_fetched(&group, fetched, &known, true)?.len();
        gap.messages += u64::try_from(looked_at).unwrap_or(0);
        gap.fired +=
            self.decided.iter().map(|event| u64::from(event.trigger_id.is_some())).sum::<u64>();
        self.next.reading.position.gap = Some(gap.clone());
        self.settle_interruption(session).await?;
        Ok(Progress::Done)
    }

    /// What follows this page: the next one, the next slice, or the end.
    fn turn(&mut self, mut gap: Gap, page: MessagePage) {
        let slice = gap.slice(self.process.limits.sweep_times.settle);
        match (page.next_page_token, slice.before) {
            (Some(next), _) => gap.turn(next),
            (None, Some(end)) => gap.pass(end),
            (None, None) => {
                self.decided.push(notice::gap_recovered(&self.stored, &gap, self.now()));
                self.next.reading.position.gap = None;
                return;
            }
        }
        self.next.reading.position.gap = Some(gap);
    }
}

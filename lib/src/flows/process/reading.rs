//! The changes are read from the settled cursor, page by page; messages are fetched, unless they
//! came with the page, and decided in groups, and the cursor moves last.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::domain::changes::{Candidate, ChangeFilter, ChangePage};
use crate::domain::event::Event;
use crate::domain::firing::{can_never_fire, decide, possible};
use crate::domain::id::{EventId, MessageId};
use crate::domain::mark::{Mark, RecordKey};
use crate::domain::message::ProviderMessage;
use crate::domain::notice;
use crate::domain::position::{FetchFailure, Listing};
use crate::domain::scopes;
use crate::domain::wake_up::Kind;
use crate::flows::access::{AccessError, Session};
use crate::flows::process::ProcessError;
use crate::flows::process::run::{Pause, Progress, Run};
use crate::ports::{Commit, EmailProvider, Fetched, Ports, ProviderError, Store, StoreError};

/// How many messages are fetched and decided before what they fired is committed.
pub(super) const GROUP: usize = 100;
/// With more failing messages than this, reading is put off: the connector's row has to hold them.
const MOST_FAILING: usize = 300;

/// How many messages of each record have not been looked at yet.
struct Open(BTreeMap<RecordKey, usize>);

/// What a message fires, before the ledger is asked.
struct Judged {
    message: MessageId,
    events: Vec<Event>,
    /// It need not be looked at again.
    for_good: bool,
    /// It came after all that listings have shown, so that the ledger cannot know it.
    is_new: bool,
}

/// The messages that came with a page.
pub(super) type Contents = HashMap<MessageId, ProviderMessage>;

impl Open {
    fn of(candidates: &[Candidate]) -> Self {
        let mut open = BTreeMap::new();
        for record in candidates.iter().flat_map(|candidate| &candidate.records) {
            *open.entry(*record).or_default() += 1;
        }
        Self(open)
    }

    /// Returns the records whose last message this was.
    fn looked_at(&mut self, candidate: &Candidate) -> Vec<RecordKey> {
        let mut handled = Vec::new();
        for record in &candidate.records {
            if let Some(left) = self.0.get_mut(record) {
                *left -= 1;
                if *left == 0 {
                    handled.push(*record);
                }
            }
        }
        handled
    }
}

fn contents(messages: Vec<ProviderMessage>) -> Contents {
    messages.into_iter().map(|message| (message.id.clone(), message)).collect()
}

/// How many of these messages make the next group, if so many may still be fetched: those that came
/// with the page are not.
fn group_length(candidates: &[Candidate], contents: &Contents, affordable: usize) -> usize {
    let mut left = affordable;
    let within = candidates.iter().take(GROUP).take_while(|candidate| {
        let fetched = !contents.contains_key(&candidate.message);
        let within = !fetched || left > 0;
        left = left.saturating_sub(usize::from(fetched));
        within
    });
    within.count()
}

impl<P: Ports> Run<'_, P> {
    pub(super) async fn read(
        &mut self,
        session: &mut Session<'_, P>,
    ) -> Result<Progress, ProcessError> {
        self.retry_parked(session).await?;
        let mut listing = self
            .next
            .reading
            .position
            .backlog
            .clone()
            .unwrap_or_else(|| Listing::begin(self.now()));
        let change_filter = ChangeFilter::new(self.triggers);
        let (mut pinned, mut restarted) = (false, false);
        let mut ahead = self.look_ahead(session, &listing, &change_filter).await?;
        loop {
            let mut page = match self
                .page(session, self.next.reading.position.settled, listing.page_token.as_deref())
                .await
            {
                Err(ProcessError::Access(AccessError::Provider(ProviderError::HistoryExpired)))
                    if listing.page_token.is_none() && !pinned =>
                {
                    pinned = true;
                    self.pin(session).await?;
                    listing = Listing::begin(self.now());
                    ahead.clear();
                    continue;
                }
                // The listing has expired: it starts again, and the ledger keeps events from being
                // decided twice.
                Err(ProcessError::Access(AccessError::Provider(
                    ProviderError::HistoryExpired | ProviderError::PageLost,
                ))) if listing.page_token.is_some() && !restarted => {
                    restarted = true;
                    self.next.reading.position.backlog = None;
                    listing = Listing::begin(self.now());
                    ahead.clear();
                    continue;
                }
                page => page?,
            };
            if let Some(mark) = page.mark {
                listing.saw(mark);
            }
            page.records.retain(|record| {
                !listing.looked_at.contains(&record.key) && !ahead.contains(&record.key)
            });
            let candidates = if self.triggers.is_empty() {
                Vec::new()
            } else {
                change_filter.candidates(&page, &self.next.reading.position.handled)
            };
            let mut contents = contents(page.contents);
            let looked_at = &mut listing.looked_at;
            let progress = self.decide_all(session, &candidates, &mut contents, looked_at).await?;
            listing.not_visible = listing.not_visible.max(self.not_visible.take());
            if let Progress::Paused(pause) = progress {
                self.next.reading.position.backlog = Some(listing);
                return Ok(Progress::Paused(pause));
            }
            match page.next_page_token {
                None => break,
                Some(next) if listing.page_token.as_ref() == Some(&next) => {
                    return Err(AccessError::from(ProviderError::unavailable(
                        "the pages of changes do not end",
                    ))
                    .into());
                }
                Some(next) => listing.turn(next),
            }
            if self.out_of_time() {
                self.next.reading.position.backlog = Some(listing);
                return Ok(Progress::Paused(Pause::Time));
            }
            // Pages that hold their messages whole come faster than what they lead to is committed:
            // more than this would take memory, and the time after the deadline.
            if self.decided.len() >= Commit::MOST_EVENTS {
                self.next.reading.position.backlog = Some(listing.clone());
                self.commit(session.take_units()).await?;
            }
        }
        self.note_success();
        if self.next.reading.position.held_after(&listing) {
            // A failed message is not handled: the cursor stays until it succeeds or is parked.
            self.next.reading.position.backlog = None;
        } else {
            let (pushed, settle) = (self.wake_up.mark, self.process.limits.sweep_times.settle);
            let now = self.now();
            self.next.reading.position.complete(&listing, pushed, settle, now);
        }
        self.commit(session.take_units()).await?;
        Ok(Progress::Done)
    }

    /// In a busy mailbox, new records come only after pages of handled ones. For a push, the
    /// records after the cursor are decided and committed first, so that only the cursor waits for
    /// those pages. Returns the records that this listing need not look at again.
    async fn look_ahead(
        &mut self,
        session: &mut Session<'_, P>,
        listing: &Listing,
        change_filter: &ChangeFilter,
    ) -> Result<BTreeSet<RecordKey>, ProcessError> {
        let mut ahead = BTreeSet::new();
        let busy = self.next.reading.position.handled.len() >= self.process.limits.history_page;
        let resumed = self.next.reading.position.backlog.is_some();
        if !busy || resumed || self.wake_up.kind != Kind::Push || self.triggers.is_empty() {
            return Ok(ahead);
        }
        let page = match self.page(session, self.next.reading.position.cursor, None).await {
            // The listing below will expire too, and handles it.
            Err(ProcessError::Access(AccessError::Provider(ProviderError::HistoryExpired))) => {
                return Ok(ahead);
            }
            page => page?,
        };
        let candidates = change_filter.candidates(&page, &self.next.reading.position.handled);
        let mut contents = contents(page.contents);
        self.decide_all(session, &candidates, &mut contents, &mut ahead).await?;
        // Messages that failed just now keep the cursor back, and would only fail again.
        let failed = |message: &MessageId| {
            self.next
                .reading
                .position
                .failing
                .get(message)
                .is_some_and(|failed| failed.tried_at >= listing.began_at)
        };
        ahead.extend(
            candidates
                .iter()
                .filter(|candidate| failed(&candidate.message))
                .flat_map(|candidate| &candidate.records),
        );
        if !self.decided.is_empty() {
            self.commit(session.take_units()).await?;
        }
        Ok(ahead)
    }

    async fn page(
        &self,
        session: &mut Session<'_, P>,
        after: Mark,
        page_token: Option<&str>,
    ) -> Result<ChangePage, ProcessError> {
        let (provider, prices) = (session.provider(), session.prices());
        let page = session.call(prices.changes, |access| async move {
            provider.changes(&access, after, page_token).await
        });
        Ok(page.await?)
    }

    /// The changes have expired: the gap and the new start of listings are stored before anything is
    /// replayed.
    async fn pin(&mut self, session: &mut Session<'_, P>) -> Result<(), ProcessError> {
        let (provider, prices) = (session.provider(), session.prices());
        let profile = session
            .call(prices.profile, |access| async move { provider.profile(&access).await })
            .await?;
        let (connected_at, now) = (self.next.connected_at, self.now());
        self.next.reading.position.pin(
            profile.mark,
            connected_at,
            self.process.limits.sweep_times.settle,
            now,
        );
        self.commit(session.take_units()).await
    }

    /// Fetches and decides in groups. Each group is committed before the next one begins, the last
    /// one by the caller.
    async fn decide_all(
        &mut self,
        session: &mut Session<'_, P>,
        candidates: &[Candidate],
        contents: &mut Contents,
        seen: &mut BTreeSet<RecordKey>,
    ) -> Result<Progress, ProcessError> {
        let (mut open, mut unseen) = (Open::of(candidates), Open::of(candidates));
        let mut rest = candidates;
        let mut first = true;
        while !rest.is_empty() {
            if !first {
                self.commit(session.take_units()).await?;
                if self.out_of_time() {
                    return Ok(Progress::Paused(Pause::Time));
                }
            }
            first = false;
            let affordable = self.affordable(session.units());
            if group_length(rest, contents, affordable) == 0 || self.too_many_wait() {
                return Ok(Progress::Paused(Pause::Quota));
            }
            let (group, others) = rest.split_at(group_length(rest, contents, affordable));
            rest = others;
            let looked_at = self.decide_group(session, group, contents, false).await?;
            for candidate in group.iter().filter(|candidate| looked_at.contains(&candidate.message))
            {
                let handled = open.looked_at(candidate);
                self.next.reading.position.handle(handled);
            }
            for candidate in group.iter().filter(|candidate| {
                !self.next.reading.position.failing.contains_key(&candidate.message)
            }) {
                seen.extend(unseen.looked_at(candidate));
            }
            self.settle_interruption(session).await?;
        }
        Ok(Progress::Done)
    }

    /// Fetches those of these messages that did not come with the page, queries the ledger at the
    /// same time, and decides. What came is decided first, so that the ledger is queried only for
    /// what would fire, and not even for that where nothing of it can be known yet. Returns the
    /// messages that need no further look; their events are in `decided` until the next commit.
    async fn decide_group(
        &mut self,
        session: &mut Session<'_, P>,
        group: &[Candidate],
        contents: &mut Contents,
        in_gap: bool,
    ) -> Result<HashSet<MessageId>, ProcessError> {
        let listed: Vec<ProviderMessage> =
            group.iter().filter_map(|candidate| contents.remove(&candidate.message)).collect();
        let came: HashSet<&MessageId> = listed.iter().map(|message| &message.id).collect();
        let missing: Vec<&Candidate> =
            group.iter().filter(|candidate| !came.contains(&candidate.message)).collect();
        let identities = missing.iter().map(|candidate| &candidate.identity);
        let asked = possible(&self.stored, self.triggers, identities);
        let (fetched, known) =
            tokio::join!(self.fetch(session, missing.iter().copied()), self.in_ledger(&asked));
        let (mut fetched, mut known) = (fetched?, known?);
        fetched.messages.extend(listed);
        let judged = self.judge(group, std::mem::take(&mut fetched.messages));
        // After a conflict nothing is taken for new, nor once this run has committed something.
        let any_is_new = !self.again && self.fired == 0;
        let asked: HashSet<EventId> = asked.into_iter().collect();
        let unknown = judged.iter().filter(|judged| !(any_is_new && judged.is_new));
        let unknown = unknown.flat_map(|judged| &judged.events).map(|event| &event.event_id);
        let unknown: Vec<EventId> = unknown.filter(|id| !asked.contains(id)).cloned().collect();
        known.extend(self.in_ledger(&unknown).await?);
        self.take_decisions(group, judged, fetched, &known, in_gap)
    }

    async fn in_ledger(&self, events: &[EventId]) -> Result<HashSet<EventId>, StoreError> {
        if events.is_empty() {
            return Ok(HashSet::new());
        }
        Ok(self.process.store.decided(events).await?.into_iter().collect())
    }

    pub(super) async fn fetch<'c>(
        &self,
        session: &mut Session<'_, P>,
        candidates: impl Iterator<Item = &'c Candidate>,
    ) -> Result<Fetched, AccessError> {
        let only_headers = scopes::only_metadata(&self.stored.grant.scopes);
        let ids: Vec<MessageId> = candidates.map(|candidate| candidate.message.clone()).collect();
        if ids.is_empty() {
            return Ok(Fetched::default());
        }
        let (provider, prices) = (session.provider(), session.prices());
        let units = prices.message.saturating_mul(u32::try_from(ids.len()).unwrap_or(u32::MAX));
        let fetched = session.call(units, |access| {
            let ids = &ids;
            async move { provider.messages(&access, ids, only_headers).await }
        });
        let fetched = fetched.await?;
        session.spend(fetched.more_units);
        Ok(fetched)
    }

    pub(super) fn decide_fetched(
        &mut self,
        group: &[Candidate],
        mut fetched: Fetched,
        known: &HashSet<EventId>,
        in_gap: bool,
    ) -> Result<HashSet<MessageId>, ProcessError> {
        let judged = self.judge(group, std::mem::take(&mut fetched.messages));
        self.take_decisions(group, judged, fetched, known, in_gap)
    }

    /// What these messages fire, whatever the ledger knows.
    fn judge(&self, group: &[Candidate], messages: Vec<ProviderMessage>) -> Vec<Judged> {
        let now = self.now();
        let arrived: HashMap<&MessageId, bool> =
            group.iter().map(|candidate| (&candidate.message, candidate.arrived)).collect();
        let cursor = self.stored.reading.position.cursor;
        let came_after = self.stored.registration().came_after;
        let judge = |message: ProviderMessage| {
            let arrived = *arrived.get(&message.id)?;
            let is_new = came_after(&message, cursor);
            let message = message.normalize();
            let events = decide(&self.stored, self.triggers, &message, arrived, self.wake_up, now);
            // Labels may still change (INBOX is added before SPAM is removed): a message that fires
            // nothing is looked at again until its record is settled, unless no label could make it
            // fire.
            let for_good =
                arrived || can_never_fire(&self.stored, self.triggers, &message, false, now);
            Some(Judged { message: message.id, events, for_good, is_new })
        };
        messages.into_iter().filter_map(judge).collect()
    }

    fn take_decisions(
        &mut self,
        group: &[Candidate],
        judged: Vec<Judged>,
        fetched: Fetched,
        known: &HashSet<EventId>,
        in_gap: bool,
    ) -> Result<HashSet<MessageId>, ProcessError> {
        let now = self.now();
        // Several first failures at once without any success are an outage, not the messages'
        // fault; messages that failed before do not count.
        let newly_failed = fetched
            .failed
            .iter()
            .filter(|(message, _)| !self.next.reading.position.is_failing_or_parked(message))
            .count();
        let others_went_well = !judged.is_empty();
        let candidates: HashMap<&MessageId, &Candidate> =
            group.iter().map(|candidate| (&candidate.message, candidate)).collect();
        // An earlier page, or the retry of parked messages, may have decided the same event.
        // Two messages of this group may be one to the ledger.
        let mut waiting: HashSet<EventId> =
            self.decided.iter().map(|event| event.event_id.clone()).collect();
        let mut looked_at = HashSet::new();
        let mut unread: HashSet<&MessageId> =
            fetched.failed.iter().map(|(message, _)| message).collect();
        unread.extend(fetched.unanswered.iter().flat_map(|(messages, _)| messages));
        let visible: HashSet<&MessageId> = judged.iter().map(|judged| &judged.message).collect();
        for candidate in group.iter().filter(|candidate| !unread.contains(&candidate.message)) {
            self.next.reading.position.solved(&candidate.message);
            // Just not handled: until `settled` passes it, it may only be not visible yet.
            if candidate.arrived && !visible.contains(&candidate.message) {
                self.not_visible =
                    self.not_visible.max(candidate.records.last().map(|key| key.mark));
            }
        }
        for Judged { message, events, for_good, .. } in judged {
            if for_good || !events.is_empty() {
                looked_at.insert(message);
            }
            let is_new = |event: &Event| {
                !known.contains(&event.event_id) && waiting.insert(event.event_id.clone())
            };
            let before = self.decided.len();
            self.decided.extend(events.into_iter().filter(is_new));
            self.matched += usize::from(self.decided.len() > before);
        }
        self.messages += looked_at.len();
        for (message, reason) in fetched.failed {
            let candidate = candidates.get(&message);
            let arrived = candidate.is_none_or(|candidate| candidate.arrived);
            let failure = FetchFailure {
                message: &message,
                identity: candidate.map(|candidate| &candidate.identity),
                reason: &reason,
                arrived,
                in_gap,
                others_went_well,
            };
            if self.next.reading.position.record_failure(&failure, now) {
                self.decided.push(notice::message_parked(&self.stored, &message, &reason, now));
            }
            if self.next.reading.position.parked.contains_key(&message) {
                looked_at.insert(message);
            }
        }
        let outage = ((newly_failed > 1 && !others_went_well)
            || self.next.reading.position.failing.len() > MOST_FAILING)
            .then(|| {
                ProviderError::unavailable(format_args!(
                    "none of {} messages could be had",
                    group.len()
                ))
            });
        self.interruption = fetched.unanswered.map(|(_, error)| error).or(outage);
        Ok(looked_at)
    }

    /// If the provider stopped answering in the middle, commits what was decided and returns the
    /// error; the rest is read again.
    pub(super) async fn settle_interruption(
        &mut self,
        session: &mut Session<'_, P>,
    ) -> Result<(), ProcessError> {
        match self.interruption.take() {
            None => Ok(()),
            Some(error) => {
                self.commit(session.take_units()).await?;
                Err(AccessError::from(error).into())
            }
        }
    }

    /// Retries the parked messages that are due; all of them for a wake-up of kind `sync`.
    async fn retry_parked(&mut self, session: &mut Session<'_, P>) -> Result<(), ProcessError> {
        if self.triggers.is_empty() {
            // Without triggers nothing can fire, and a later trigger does not fire for older mail.
            self.next.reading.position.parked.clear();
        }
        let all = self.wake_up.kind == Kind::Sync;
        let mut retry = self.next.reading.position.parked_to_retry(all, self.now());
        retry.truncate(self.affordable(session.units()).min(GROUP));
        if !retry.is_empty() {
            self.decide_group(session, &retry, &mut Contents::new(), false).await?;
            self.settle_interruption(session).await?;
        }
        Ok(())
    }
}

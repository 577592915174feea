//! One connector's part of a wake-up: its stored and its next state, and how a change is committed.

use crate::domain::circuit::{Circuit, CircuitState};
use crate::domain::connector::Connector;
use crate::domain::event::{DetailType, Event, MOST_UNPUBLISHED};
use crate::domain::id::EventId;
use crate::domain::mark::Mark;
use crate::domain::metric::{
    CIRCUITS_CLOSED, CIRCUITS_OPENED, MESSAGES_MATCHED, MESSAGES_SEEN, NOTIFICATION_LAG,
    OUTBOX_AGE, PROVIDER,
};
use crate::domain::notice;
use crate::domain::position::PutOff;
use crate::domain::provider::registered;
use crate::domain::quota::next_minute;
use crate::domain::sweep::next_sweep;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::Trigger;
use crate::domain::wake_up::{Kind, WakeUp};
use crate::flows::access::{Access, AccessError, Session};
use crate::flows::process::{Outcome, Process, ProcessError};
use crate::flows::publishing::publish;
use crate::ports::{Clock, Commit, Ports, ProviderError, Store, StoreError, WakeUps};

pub(super) struct Run<'a, P: Ports> {
    pub(super) process: &'a Process<P>,
    /// As the table has it; every commit is conditional on its version.
    pub(super) stored: Connector,
    /// As the next commit will have it.
    pub(super) next: Connector,
    /// What the next commit decides.
    pub(super) decided: Vec<Event>,
    pub(super) triggers: &'a [Trigger],
    pub(super) wake_up: &'a WakeUp,
    began: Timestamp,
    /// The wake-up started over: another writer came first, or an event was decided already.
    pub(super) again: bool,
    /// Its share of the mailbox's quota.
    units_per_minute: u32,
    /// Events that the bus did not take in this run.
    refused: usize,
    pub(super) messages: usize,
    /// Messages that fired a trigger.
    pub(super) matched: usize,
    pub(super) fired: usize,
    /// From the provider's notification to the last event that it led to, in milliseconds.
    lag_ms: Option<i64>,
    /// The newest record of a message that arrived and answers 404, until the listing has it.
    pub(super) not_visible: Option<Mark>,
    /// The provider stopped answering in the middle of a group.
    pub(super) interruption: Option<ProviderError>,
    /// Quota units that a look spent before it failed.
    unrecorded_units: u32,
    /// As it was when this run began.
    put_off_before: Option<PutOff>,
}

/// Why reading stops before the end; a later run continues from the stored position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pause {
    /// This run has taken its time; the next one follows at once.
    Time,
    /// This minute's quota is spent.
    Quota,
}

pub(super) enum Progress {
    Done,
    Paused(Pause),
}

impl<'a, P: Ports> Run<'a, P> {
    pub(super) fn new(
        process: &'a Process<P>,
        connector: &Connector,
        triggers: &'a [Trigger],
        wake_up: &'a WakeUp,
        members: usize,
        (began, again): (Timestamp, bool),
    ) -> Self {
        let (stored, next) = (connector.clone(), connector.clone());
        let put_off_before = connector.reading.position.put_off.clone();
        Self {
            process,
            stored,
            next,
            decided: Vec::new(),
            triggers,
            wake_up,
            began,
            again,
            units_per_minute: process
                .limits
                .units_per_minute
                .min(registered(connector.provider).most_units_per_minute)
                / u32::try_from(members.max(1)).unwrap_or(1),
            refused: 0,
            messages: 0,
            matched: 0,
            fired: 0,
            lag_ms: None,
            not_visible: None,
            interruption: None,
            unrecorded_units: 0,
            put_off_before,
        }
    }

    pub(super) async fn handle(mut self) -> Result<Outcome, ProcessError> {
        let from = self.stored.reading.position.cursor;
        let ended = self.answer().await;
        metrics::counter!(MESSAGES_SEEN, PROVIDER => self.provider())
            .increment(self.messages as u64);
        metrics::counter!(MESSAGES_MATCHED, PROVIDER => self.provider())
            .increment(self.matched as u64);
        // A failure is logged where it is handled.
        if let Ok(outcome) = &ended {
            let (to, settled) =
                (self.stored.reading.position.cursor, self.stored.reading.position.settled);
            let outcome = outcome.as_str();
            let Self { messages, matched, fired, lag_ms, .. } = self;
            tracing::info!(outcome, history_from = %from, history_to = %to, %settled, messages, matched, fired, lag_ms, "mailbox looked at");
        }
        ended
    }

    async fn answer(&mut self) -> Result<Outcome, ProcessError> {
        // First, and also for a stale wake-up: decided events must be published.
        self.publish_left_over().await?;
        if !self.stored.is_live() {
            return Ok(Outcome::NotActive);
        }
        self.note_proof();
        self.note_push_without_mark();
        self.note_end_of_watch().await?;
        if self.wake_up.is_stale(&self.stored.reading.position) {
            if self.next != self.stored {
                self.commit(0).await?;
            }
            return Ok(Outcome::Stale);
        }
        if self.stored.reading.circuit.state(self.now()) == CircuitState::Open {
            // The work of this wake-up is put off until the circuit closes.
            if self.stored.reading.position.put_off.is_none() {
                self.next
                    .reading
                    .position
                    .put_off(self.stored.reading.circuit.open_until, self.now());
                self.commit(0).await?;
            }
            return Ok(Outcome::PutOff);
        }
        if self.too_many_wait() {
            self.next.reading.position.put_off(None, self.now());
            self.commit(0).await?;
            return Ok(Outcome::PutOff);
        }
        match self.look().await {
            Err(ProcessError::Access(AccessError::Provider(ProviderError::GrantRefused(
                reason,
            )))) => {
                self.next = Connector {
                    reading: self.stored.without_grant(&reason),
                    ..self.stored.clone()
                };
                self.decided = vec![notice::needs_reauth(&self.stored, &reason, self.now())];
                self.commit(0).await?;
                Ok(Outcome::NotActive)
            }
            Err(ProcessError::Access(
                error @ (AccessError::Provider(_) | AccessError::Vault(_)),
            )) => self.put_off(&error).await,
            ended => ended,
        }
    }

    async fn look(&mut self) -> Result<Outcome, ProcessError> {
        let Process { store, vault, provider, refreshes, .. } = self.process;
        let mut session =
            Access { store, vault, provider, refreshes }.session(&self.stored, self.now()).await?;
        self.next.reading.position.put_off = None;
        let looked = self.look_with(&mut session).await;
        if looked.is_err() {
            self.unrecorded_units = session.take_units();
        }
        looked
    }

    async fn look_with(&mut self, session: &mut Session<'_, P>) -> Result<Outcome, ProcessError> {
        let mut progress = self.read(session).await?;
        if matches!(progress, Progress::Done) {
            progress = self.replay(session).await?;
        }
        let (messages, fired) = (self.messages, self.fired);
        match progress {
            Progress::Done => Ok(Outcome::Listed { messages, fired }),
            Progress::Paused(pause) => {
                self.pause(pause, session.take_units()).await?;
                Ok(Outcome::Interrupted { messages: self.messages, fired: self.fired })
            }
        }
    }

    /// A push that was published after the watch was renewed proves that notifications come
    /// through.
    fn note_proof(&mut self) {
        // A publication time in the future counts as now.
        let published_at =
            self.wake_up.proves_push_at().map(|published_at| published_at.min(self.now()));
        let proven =
            published_at.filter(|published_at| self.stored.watch.is_proven_by(*published_at));
        if proven.is_some() && !self.stored.is_verified() {
            self.next.reading.verified_at = proven;
        }
    }

    fn note_push_without_mark(&mut self) {
        if self.wake_up.without_mark {
            let (reached_at, settle) =
                (self.wake_up.published_at.min(self.now()), self.process.limits.sweep_times.settle);
            self.next.reading.position.pushed_without_mark(reached_at, settle);
        }
    }

    /// The renewer renews what is due; the commit of this look tells it so.
    async fn note_end_of_watch(&mut self) -> Result<(), StoreError> {
        if !self.wake_up.renews_watch {
            return Ok(());
        }
        let watch = self.stored.watch.due();
        self.process.store.record_watch(&self.stored, &watch).await?;
        (self.stored.watch, self.next.watch) = (watch.clone(), watch);
        Ok(())
    }

    fn provider(&self) -> &'static str {
        self.stored.provider.as_str()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.process.clock.now()
    }

    /// A DynamoDB row holds 400 KB: while the bus is down and this many events wait, no further
    /// mail is decided.
    pub(super) fn too_many_wait(&self) -> bool {
        self.stored.outbox.unpublished.len() + self.refused > MOST_UNPUBLISHED
    }

    pub(super) fn out_of_time(&self) -> bool {
        self.now() >= self.began.after(self.process.limits.processor_timeout / 2)
    }

    /// How many messages this minute's quota still allows.
    pub(super) fn affordable(&self, unrecorded_units: u32) -> usize {
        let now = self.now();
        let (spent, prices) = (self.next.reading.spent, &self.stored.registration().prices);
        spent.and(unrecorded_units, now).messages_left(self.units_per_minute, prices, now)
    }

    /// Whether this minute's quota was spent on no more than the listings that led here.
    pub(super) fn is_fresh_minute(&self, unrecorded_units: u32) -> bool {
        self.next.reading.spent.and(unrecorded_units, self.now()).within(self.now())
            < self.stored.registration().prices.message
    }

    /// Commits the position in `next`, and sees to it that a later wake-up continues from it.
    async fn pause(&mut self, pause: Pause, units: u32) -> Result<(), ProcessError> {
        if pause == Pause::Quota {
            self.next.reading.position.put_off(Some(next_minute(self.now())), self.now());
        }
        self.commit(units).await?;
        if pause == Pause::Time {
            let again = WakeUp::own(Kind::Due, self.stored.mailbox(), self.now());
            if let Err(error) = self.process.wake_ups.send(&again, None).await {
                tracing::warn!(%error, "the next sweep wakes the mailbox, in place of this run");
            }
        }
        Ok(())
    }

    /// Schedules a retry on the connector's row, so that the queue need not redeliver the wake-up.
    /// Finished groups are committed already.
    async fn put_off(&mut self, error: &AccessError) -> Result<Outcome, ProcessError> {
        let now = self.now();
        tracing::warn!(error = %error, connector = %self.stored.id, "the mailbox is looked at later");
        self.next = self.stored.clone();
        self.note_push_without_mark();
        self.decided = Vec::new();
        if let AccessError::Provider(ProviderError::Unavailable { retry_after, .. }) = error {
            self.next.reading.circuit =
                self.stored.reading.circuit.failed(*retry_after, self.process.limits.cooldown, now);
            // A failed probe of an open circuit does not count as an opening.
            if self.stored.reading.circuit.open_until.is_none()
                && self.next.reading.circuit.open_until.is_some()
            {
                metrics::counter!(CIRCUITS_OPENED, PROVIDER => self.provider()).increment(1);
            }
        }
        if let AccessError::Provider(ProviderError::PageLost) = error {
            self.next.reading.position.backlog = None;
        }
        // The backoff goes on from before this run, even if the listing succeeded before its replay
        // failed.
        self.next.reading.position.put_off = self.put_off_before.clone();
        self.next
            .reading
            .position
            .put_off(self.next.reading.circuit.open_until.filter(|until| *until > now), now);
        self.next.reading.last_error = Some(error.to_string());
        self.commit(self.unrecorded_units).await?;
        Ok(Outcome::PutOff)
    }

    /// The provider answered: resets the circuit and the last error.
    pub(super) fn note_success(&mut self) {
        if self.next.reading.circuit.open_until.is_some() {
            metrics::counter!(CIRCUITS_CLOSED, PROVIDER => self.provider()).increment(1);
        }
        self.next.reading.circuit = Circuit::default();
        self.next.reading.last_error = None;
    }

    /// Writes the decided events and the connector's changes, in as many transactions as it takes,
    /// and publishes after each one. The connector changes with the last transaction: until then
    /// all this is read again.
    pub(super) async fn commit(&mut self, units: u32) -> Result<(), ProcessError> {
        let events = std::mem::take(&mut self.decided);
        let mut rest = events.as_slice();
        loop {
            let now = self.now();
            let (chunk, others) = rest.split_at(rest.len().min(Commit::MOST_EVENTS));
            let last = others.is_empty();
            if last {
                self.next.reading.spent = self.next.reading.spent.and(units, now);
            }
            let next = if last { &self.next } else { &self.stored };
            let next_sweep = next_sweep(next, self.process.limits.sweep_times);
            self.process
                .store
                .commit(&Commit {
                    before: &self.stored,
                    after: &next.reading,
                    events: chunk,
                    next_sweep,
                    now,
                })
                .await?;
            self.stored = Connector { version: self.stored.version + 1, ..next.clone() };
            self.fired +=
                chunk.iter().filter(|event| event.detail_type == DetailType::TriggerFired).count();
            self.publish(chunk).await?;
            self.note_lag(chunk);
            if last {
                self.next = self.stored.clone();
                return Ok(());
            }
            rest = others;
        }
    }

    /// Publishes events that an earlier run left unpublished, with the same bytes and ids.
    /// `outbox_taken_at` is committed first, so that no second worker publishes them.
    async fn publish_left_over(&mut self) -> Result<(), ProcessError> {
        let (now, in_progress) = (self.now(), self.process.limits.processor_timeout);
        let taken_on = self
            .stored
            .reading
            .outbox_taken_at
            .is_some_and(|taken_at| taken_at.after(in_progress) > now);
        if self.stored.outbox.unpublished.is_empty() || taken_on {
            return Ok(());
        }
        let waiting: Vec<EventId> = self.stored.outbox.unpublished.iter().cloned().collect();
        let mut events = self.process.store.unpublished(&waiting).await?;
        events.retain(|event| event.decided_at.after(in_progress) <= now);
        let Some(oldest) = events.iter().map(|event| event.decided_at).min() else { return Ok(()) };
        metrics::histogram!(OUTBOX_AGE).record(seconds_between(oldest, now));
        self.next.reading.outbox_taken_at = Some(now);
        self.commit(0).await?;
        for chunk in events.chunks(Commit::MOST_EVENTS) {
            self.publish(chunk).await?;
        }
        Ok(())
    }

    /// Events that the bus refuses stay in the outbox, and do not stop this run.
    async fn publish(&mut self, events: &[Event]) -> Result<(), StoreError> {
        let process = self.process;
        let refused =
            publish(&process.store, &process.bus, &self.stored.location(), events, self.now())
                .await?;
        self.refused += refused.len();
        Ok(())
    }

    /// Only for events of this run: left-over events have waited for other reasons.
    fn note_lag(&mut self, events: &[Event]) {
        let fired = events.iter().any(|event| event.detail_type == DetailType::TriggerFired);
        let Some(notified_at) =
            self.wake_up.proves_push_at().filter(|_| fired && self.refused == 0)
        else {
            return;
        };
        let lag = self.now().millis().saturating_sub(notified_at.millis()).max(0);
        self.lag_ms = Some(lag);
        #[expect(clippy::cast_precision_loss, reason = "no lag lasts for so many milliseconds")]
        metrics::histogram!(NOTIFICATION_LAG, PROVIDER => self.provider()).record(lag as f64);
    }
}

#[expect(clippy::cast_precision_loss, reason = "nothing waits for so long")]
fn seconds_between(earlier: Timestamp, later: Timestamp) -> f64 {
    later.seconds().saturating_sub(earlier.seconds()).max(0) as f64
}

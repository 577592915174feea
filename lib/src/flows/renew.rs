//! One sweep: watches that are due are renewed, silent mailboxes are compared, and mailboxes with
//! work to do are woken.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;

use crate::domain::connector::{Connector, Location, Reading};
use crate::domain::event::Event;
use crate::domain::metric::{
    CONNECTORS_CLOSED, MAILBOXES_RENAMED, MAILBOXES_SILENT, MAILBOXES_WOKEN, PROVIDER,
    SWEEPS_FAILED, WATCH_LEFT, WATCHES_LAPSED, WATCHES_NOT_RENEWED, WATCHES_RENEWED,
    WATCHES_UNPROVEN,
};
use crate::domain::notice;
use crate::domain::provider::provider_of;
use crate::domain::sweep::{Sweep, SweepTimes, lapsed, next_sweep, sweep, unproven};
use crate::domain::timestamp::Timestamp;
use crate::domain::wake_up::{Kind, WakeUp};
use crate::domain::watch::Ending;
use crate::flows::access::{Access, AccessError, Refreshes};
use crate::flows::disconnect::close;
use crate::flows::watching::{log_not_ended, make_room, record, rename, stop_all, watch};
use crate::ports::{
    Clock, Commit, Due, EmailProvider, Ports, ProviderError, SWEEP_SHARDS, Store, StoreError,
    Unavailable, WakeUps,
};

/// How many due rows of a shard are read at once.
pub const MOST_PER_SHARD: u32 = 100;
/// How many connectors of a shard are swept side by side: one that Google keeps waiting must not
/// hold up the others.
pub const AT_ONCE: usize = 8;
/// How soon a connector whose sweep failed is swept again.
pub const AGAIN_AFTER: Duration = Duration::from_secs(60);

pub struct Renew<P: Ports> {
    pub store: P::Store,
    pub vault: P::Vault,
    pub provider: P::Provider,
    pub wake_ups: P::WakeUps,
    pub clock: P::Machine,
    pub sweep_times: SweepTimes,
    /// After this long a run begins nothing new; what is left is still due in the next run.
    pub budget: Duration,
    pub refreshes: Refreshes,
}

/// What one run did.
#[derive(Debug, Default)]
pub struct Swept {
    pub renewed: usize,
    /// Watches that Google refused; the reason is stored with the connector, and the next try is
    /// scheduled.
    pub not_renewed: usize,
    /// Watches that ended before they were renewed; an event reports each.
    pub lapsed: usize,
    /// Looks at mailboxes of which no push has come since their watch was renewed.
    pub unproven: usize,
    pub woken: usize,
    /// Mailboxes that were compared and had no changes.
    pub silent: usize,
    pub renamed: usize,
    /// Connectors whose disconnect was begun before and is finished now.
    pub closed: usize,
    /// What failed otherwise; it is due again in a minute.
    pub failures: Vec<RenewError>,
}

#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    #[error("shard {shard} could not be read")]
    Shard {
        shard: u8,
        #[source]
        source: StoreError,
    },
    #[error("{connector}: {source}")]
    Connector {
        connector: String,
        #[source]
        source: SweepError,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Queue(#[from] Unavailable),
}

impl SweepError {
    fn is_conflict(&self) -> bool {
        matches!(
            self,
            Self::Store(StoreError::Conflict)
                | Self::Access(AccessError::Store(StoreError::Conflict))
        )
    }
}

/// A failure is only logged: the row stays due.
fn log_not_put_off(location: &Location, done: Result<(), StoreError>) {
    if let Err(error) = done {
        tracing::warn!(%error, connector = %location.connector, "what was not swept is not put off either");
    }
}

enum Done {
    Renewed,
    NotRenewed,
    Lapsed,
    Unproven,
    Woken,
    Silent,
    Renamed,
    Closed,
}

impl<P: Ports> Renew<P> {
    pub async fn run(&self, began: Timestamp) -> Swept {
        let shards = join_all((0..SWEEP_SHARDS).map(|shard| self.sweep_shard(shard, began))).await;
        shards.into_iter().fold(Swept::default(), Swept::and)
    }

    /// Page after page of what is due, until nothing new is on it or the time is up.
    async fn sweep_shard(&self, shard: u8, began: Timestamp) -> Swept {
        let (mut swept, mut woken, mut seen) = (Swept::default(), BTreeSet::new(), BTreeSet::new());
        while self.clock.now() < began.after(self.budget) {
            let due = match self.store.due(shard, self.clock.now(), MOST_PER_SHARD).await {
                Ok(due) => due,
                Err(source) => {
                    metrics::counter!(SWEEPS_FAILED).increment(1);
                    swept.failures.push(RenewError::Shard { shard, source });
                    break;
                }
            };
            let mut connectors = Vec::new();
            for due in due {
                match due {
                    // A mailbox is woken once, however many of its events wait; and first, since it
                    // takes but a moment.
                    Due::Event { connector, .. } if woken.insert(connector.mailbox.clone()) => {
                        let done = self.wake(&connector, Kind::Due).await;
                        swept.count(&connector, done);
                    }
                    Due::Connector(location) if seen.insert(location.clone()) => {
                        connectors.push(location)
                    }
                    Due::Event { .. } | Due::Connector(_) => {}
                }
            }
            if connectors.is_empty() {
                break;
            }
            let sweeps = stream::iter(connectors)
                .map(async |location| (self.sweep_in_time(&location, began).await, location));
            for (done, location) in sweeps.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
                swept.count(&location, done);
            }
        }
        swept
    }

    /// Does nothing when the time is up: the connector stays due for the next run.
    async fn sweep_in_time(
        &self,
        location: &Location,
        began: Timestamp,
    ) -> Result<Vec<Done>, SweepError> {
        if self.clock.now() < began.after(self.budget) {
            self.sweep_connector(location).await
        } else {
            Ok(Vec::new())
        }
    }

    async fn sweep_connector(&self, location: &Location) -> Result<Vec<Done>, SweepError> {
        // A failing connector is put off, so that it does not fill the page that others wait for.
        match self.store.connector_at(location).await {
            Ok(None) => Ok(Vec::new()),
            Ok(Some(connector)) => {
                let (version, done) = (connector.version, self.sweep_read(connector).await);
                if done.as_ref().is_err_and(|error| !error.is_conflict()) {
                    let later = self.clock.now().after(AGAIN_AFTER);
                    log_not_put_off(
                        location,
                        self.store.schedule(location, version, None, Some(later)).await,
                    );
                }
                done
            }
            Err(error @ StoreError::Unreadable(_)) => {
                log_not_put_off(
                    location,
                    self.store.put_off(location, self.clock.now().after(AGAIN_AFTER)).await,
                );
                Err(error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn sweep_read(&self, mut connector: Connector) -> Result<Vec<Done>, SweepError> {
        let mut done = Vec::new();
        if let Some(ended) = lapsed(&connector, self.clock.now()) {
            connector = self.report_lapse(connector, ended).await?;
            done.push(Done::Lapsed);
        }
        if unproven(&connector, self.sweep_times, self.clock.now()) {
            done.push(Done::Unproven);
        }
        match sweep(&connector, self.sweep_times, self.clock.now()) {
            Sweep::Renew => done.push(self.renew(connector).await?),
            Sweep::Wake => done.extend(self.wake_and_schedule(&connector, Kind::Due).await?),
            Sweep::Compare => done.extend(self.compare(&connector).await?),
            Sweep::Close => done.extend(self.close(connector).await?),
            Sweep::Keep => self.schedule(&connector, None).await?,
        }
        Ok(done)
    }

    /// Commits the event that the watch ended: until it is renewed, only sweeps find new mail.
    async fn report_lapse(
        &self,
        connector: Connector,
        ended: Timestamp,
    ) -> Result<Connector, SweepError> {
        let reading = Reading { lapse_notified_at: Some(ended), ..connector.reading.clone() };
        let event = notice::watch_lapsed(&connector, ended, self.clock.now());
        self.commit(&connector, reading, &[event]).await
    }

    /// Renews the watch. The cursor stays as it is, whatever position the provider answers.
    async fn renew(&self, mut connector: Connector) -> Result<Done, SweepError> {
        // The watch's first notification may be published before its answer is here.
        let now = self.clock.now();
        let answer = async {
            let mut session = self.access().session(&connector, now).await?;
            let (provider, prices) = (session.provider(), session.prices());
            let first = session
                .call(prices.watch, |access| {
                    let connector = &connector;
                    async move { watch(provider, &access, connector).await }
                })
                .await;
            let Err(AccessError::Provider(ProviderError::WatchTaken)) = first else {
                return Ok((session, first?));
            };
            make_room(&self.store, &mut connector).await?;
            let connector = &connector;
            let ended = session.call(prices.stop, |access| async move {
                stop_all(provider, &access, connector).await
            });
            ended.await?;
            let second = session.call(prices.watch, |access| async move {
                watch(provider, &access, connector).await
            });
            let watching = second.await?;
            Ok((session, watching))
        };
        let (watch, done) = match answer.await {
            Ok((mut session, watching)) => {
                record_what_was_left(&connector, now);
                let recorded = record(&self.store, &connector, watching, now).await;
                if !recorded.ending.is_empty() {
                    let (provider, prices) = (session.provider(), session.prices());
                    let ended = session.call(prices.stop, |access| {
                        let ending = Ending::These(&recorded.ending);
                        async move { provider.stop(&access, ending).await }
                    });
                    log_not_ended(ended.await);
                }
                recorded.outcome?;
                (recorded.watch, Done::Renewed)
            }
            Err(AccessError::Provider(ProviderError::GrantRefused(reason))) => {
                self.without_grant(&connector, &reason).await?;
                return Ok(Done::NotRenewed);
            }
            Err(AccessError::Provider(refusal)) => {
                let watch = connector.watch.failed(refusal.to_string(), now);
                self.store.record_watch(&connector, &watch).await?;
                (watch, Done::NotRenewed)
            }
            Err(other) => return Err(other.into()),
        };
        self.schedule(&Connector { watch, ..connector }, None).await?;
        Ok(done)
    }

    /// Reads the profile, for one quota unit: a newer mark means a missed notification,
    /// another address a renamed mailbox.
    async fn compare(&self, connector: &Connector) -> Result<Vec<Done>, SweepError> {
        let answer = async {
            let mut session = self.access().session(connector, self.clock.now()).await?;
            let (provider, prices) = (session.provider(), session.prices());
            session
                .call(prices.profile, |access| async move { provider.profile(&access).await })
                .await
        };
        let profile = match answer.await {
            Ok(profile) => profile,
            Err(AccessError::Provider(ProviderError::GrantRefused(reason))) => {
                self.without_grant(connector, &reason).await?;
                return Ok(Vec::new());
            }
            Err(error) => return Err(error.into()),
        };
        if connector.mailbox_at(&profile.email_address) != connector.mailbox() {
            rename(&self.store, connector, &profile.email_address, self.clock.now()).await?;
            tracing::warn!(connector = %connector.id, "the mailbox has another address, and is found there now");
            return Ok(vec![Done::Renamed]);
        }
        // Compared with `settled`, not with the cursor: a listing could still show a late record
        // between the two.
        if profile.mark <= connector.reading.position.settled {
            self.schedule(connector, Some(self.clock.now())).await?;
            return Ok(vec![Done::Silent]);
        }
        self.wake_and_schedule(connector, Kind::Due).await
    }

    /// Continues a disconnect that was begun and is not finished.
    async fn close(&self, connector: Connector) -> Result<Vec<Done>, SweepError> {
        // First of all, so that a connector that fails here does not fill the page that others wait
        // for.
        self.schedule(&connector, None).await?;
        let receipt = close(self.access(), connector, self.clock.now()).await?;
        Ok(receipt.data_purged.then_some(Done::Closed).into_iter().collect())
    }

    fn access(&self) -> Access<'_, P> {
        Access {
            store: &self.store,
            vault: &self.vault,
            provider: &self.provider,
            refreshes: &self.refreshes,
        }
    }

    async fn without_grant(&self, connector: &Connector, reason: &str) -> Result<(), SweepError> {
        let event = notice::needs_reauth(connector, reason, self.clock.now());
        self.commit(connector, connector.without_grant(reason), &[event]).await?;
        Ok(())
    }

    /// The events are published by the wake-up that finds them waiting.
    async fn commit(
        &self,
        before: &Connector,
        reading: Reading,
        events: &[Event],
    ) -> Result<Connector, SweepError> {
        let after = Connector { reading, ..before.clone() };
        let next_sweep = next_sweep(&after, self.sweep_times);
        self.store
            .commit(&Commit {
                before,
                after: &after.reading,
                events,
                next_sweep,
                now: self.clock.now(),
            })
            .await?;
        Ok(Connector { version: before.version + 1, ..after })
    }

    async fn wake_and_schedule(
        &self,
        connector: &Connector,
        kind: Kind,
    ) -> Result<Vec<Done>, SweepError> {
        let done = self.wake(&connector.location(), kind).await?;
        self.schedule(connector, Some(self.clock.now())).await?;
        Ok(done)
    }

    async fn wake(&self, connector: &Location, kind: Kind) -> Result<Vec<Done>, SweepError> {
        self.wake_ups
            .send(&WakeUp::own(kind, connector.mailbox.clone(), self.clock.now()), None)
            .await?;
        Ok(vec![Done::Woken])
    }

    /// On a conflict the other writer has scheduled the next sweep.
    async fn schedule(
        &self,
        connector: &Connector,
        checked_at: Option<Timestamp>,
    ) -> Result<(), SweepError> {
        let checked =
            Connector { checked_at: checked_at.or(connector.checked_at), ..connector.clone() };
        // What was swept is not due again in this run: the next page must show others.
        let this_run = self.clock.now().after(self.budget);
        let next = next_sweep(&checked, self.sweep_times).map(|next| next.max(this_run));
        match self.store.schedule(&connector.location(), connector.version, checked_at, next).await
        {
            Ok(()) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// How much of its life the watch had left when it was renewed.
fn record_what_was_left(connector: &Connector, now: Timestamp) {
    let left = connector
        .watch
        .expiration
        .map_or(0, |ends| ends.seconds().saturating_sub(now.seconds()).max(0));
    #[expect(clippy::cast_precision_loss, reason = "no watch lasts for so many seconds")]
    metrics::histogram!(WATCH_LEFT, PROVIDER => connector.provider.as_str()).record(left as f64);
}

impl Swept {
    fn count(&mut self, location: &Location, done: Result<Vec<Done>, SweepError>) {
        let provider = provider_of(&location.mailbox).as_str();
        let done = match done {
            Ok(done) => done,
            // Another writer came first: the work stays due.
            Err(error) if error.is_conflict() => return,
            Err(source) => {
                metrics::counter!(SWEEPS_FAILED, PROVIDER => provider).increment(1);
                return self.failures.push(RenewError::Connector {
                    connector: location.connector.to_string(),
                    source,
                });
            }
        };
        for done in done {
            let (metric, count) = match done {
                Done::Renewed => (WATCHES_RENEWED, &mut self.renewed),
                Done::NotRenewed => (WATCHES_NOT_RENEWED, &mut self.not_renewed),
                Done::Lapsed => (WATCHES_LAPSED, &mut self.lapsed),
                Done::Unproven => (WATCHES_UNPROVEN, &mut self.unproven),
                Done::Woken => (MAILBOXES_WOKEN, &mut self.woken),
                Done::Silent => (MAILBOXES_SILENT, &mut self.silent),
                Done::Renamed => (MAILBOXES_RENAMED, &mut self.renamed),
                Done::Closed => (CONNECTORS_CLOSED, &mut self.closed),
            };
            metrics::counter!(metric, PROVIDER => provider).increment(1);
            *count += 1;
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.renewed += other.renewed;
        self.not_renewed += other.not_renewed;
        self.lapsed += other.lapsed;
        self.unproven += other.unproven;
        self.woken += other.woken;
        self.silent += other.silent;
        self.renamed += other.renamed;
        self.closed += other.closed;
        self.failures.extend(other.failures);
        self
    }
}

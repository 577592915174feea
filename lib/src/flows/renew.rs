//! A watch is renewed: what is due is watched again, what is silent is woken, what a crash left unpublished is woken too.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;

use crate::domain::connector::{Connector, Location, Status};
use crate::domain::sweep::{Sweep, next_sweep, sweep, sweep_after_wake};
use crate::domain::timestamp::Timestamp;
use crate::domain::wake_up::{Kind, WakeUp};
use crate::flows::access::{AccessError, Session};
use crate::ports::{Due, EmailProvider, ProviderError, SWEEP_SHARDS, Store, StoreError, Unavailable, Vault, WakeUps};

/// How many due rows of a shard one run takes on; the rest is due still when the next run comes, a minute later.
const MOST_PER_SHARD: u32 = 100;
/// How many connectors of a shard are swept side by side: one that Google keeps waiting must not hold up the others.
const AT_ONCE: usize = 8;

pub struct Renew<S, V, P, W> {
    pub store: S,
    pub vault: V,
    pub provider: P,
    pub wake_ups: W,
    /// A mailbox in which nothing was listed for this long is looked at without a push.
    pub quiet_after: Duration,
}

/// What one run did.
#[derive(Debug, Default)]
pub struct Swept {
    pub renewed: usize,
    /// Watches that Google refused; the reason lies on the connector, and the next try is scheduled.
    pub not_renewed: usize,
    pub woken: usize,
    /// What failed for a reason that is not Google's answer; still due, so the next run tries again.
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

enum Done {
    Renewed,
    NotRenewed,
    Woken,
    Nothing,
}

impl<S: Store, V: Vault, P: EmailProvider, W: WakeUps> Renew<S, V, P, W> {
    pub async fn run(&self, now: Timestamp) -> Swept {
        let shards = join_all((0..SWEEP_SHARDS).map(|shard| self.sweep_shard(shard, now))).await;
        shards.into_iter().fold(Swept::default(), Swept::and)
    }

    async fn sweep_shard(&self, shard: u8, now: Timestamp) -> Swept {
        let mut swept = Swept::default();
        let due = match self.store.due(shard, now, MOST_PER_SHARD).await {
            Ok(due) => due,
            Err(source) => {
                swept.failures.push(RenewError::Shard { shard, source });
                return swept;
            }
        };
        // A mailbox is woken once, however many of its firings wait; and first, since it takes but a moment.
        let (mut forgotten, mut connectors) = (BTreeMap::new(), Vec::new());
        for due in due {
            match due {
                Due::Firing { connector, .. } => drop(forgotten.insert(connector.mailbox.clone(), connector)),
                Due::Connector(location) => connectors.push(location),
            }
        }
        for location in forgotten.into_values() {
            let woken = self.wake(&location, Kind::Due, now).await;
            swept.count(&location, woken);
        }
        let swept_connectors = stream::iter(connectors).map(async |location| (self.sweep_connector(&location, now).await, location));
        for (done, location) in swept_connectors.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
            swept.count(&location, done);
        }
        swept
    }

    async fn sweep_connector(&self, location: &Location, now: Timestamp) -> Result<Done, SweepError> {
        let Some(connector) = self.store.connector_at(location).await? else { return Ok(Done::Nothing) };
        match sweep(&connector, self.quiet_after, now) {
            Sweep::Renew => self.renew(&connector, now).await,
            Sweep::Wake => {
                let done = self.wake(location, Kind::Sync, now).await?;
                self.store.schedule(location, connector.generation, Some(sweep_after_wake(&connector, self.quiet_after, now))).await?;
                Ok(done)
            }
            Sweep::Keep => {
                self.store.schedule(location, connector.generation, next_sweep(&connector, self.quiet_after)).await?;
                Ok(Done::Nothing)
            }
        }
    }

    /// Watches again. Neither the answer's history id nor anything else here touches the cursor.
    async fn renew(&self, connector: &Connector, now: Timestamp) -> Result<Done, SweepError> {
        let answer = self.watch(connector, now).await;
        let (watch, done) = match answer {
            Ok(expiration) => (connector.watch.renewed(expiration, now), Done::Renewed),
            Err(AccessError::Provider(ProviderError::GrantRefused(reason))) => {
                let error = format!("Google refused the grant ({reason}); the user must connect again");
                self.store.set_status(&connector.location(), connector.version, Status::NeedsReauth, Some(&error), now).await?;
                return Ok(Done::NotRenewed);
            }
            Err(AccessError::Provider(refusal)) => (connector.watch.failed(refusal.to_string(), now), Done::NotRenewed),
            Err(other) => return Err(other.into()),
        };
        let watched = Connector { watch, ..connector.clone() };
        let next = next_sweep(&watched, self.quiet_after).map(|next| next.max(now));
        self.store.record_watch(&connector.location(), connector.generation, &watched.watch, next).await?;
        Ok(done)
    }

    async fn watch(&self, connector: &Connector, now: Timestamp) -> Result<Timestamp, AccessError> {
        let mut session = Session::open(&self.store, &self.vault, &self.provider, connector, now).await?;
        session.call(|access| async move { self.provider.watch(&access).await }).await
    }

    async fn wake(&self, connector: &Location, kind: Kind, now: Timestamp) -> Result<Done, SweepError> {
        self.wake_ups.send(&WakeUp::own(kind, connector.mailbox.clone(), now), None).await?;
        Ok(Done::Woken)
    }
}

impl Swept {
    fn count(&mut self, location: &Location, done: Result<Done, SweepError>) {
        match done {
            Ok(Done::Renewed) => self.renewed += 1,
            Ok(Done::NotRenewed) => self.not_renewed += 1,
            Ok(Done::Woken) => self.woken += 1,
            Ok(Done::Nothing) => {}
            Err(source) => self.failures.push(RenewError::Connector { connector: location.connector.to_string(), source }),
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.renewed += other.renewed;
        self.not_renewed += other.not_renewed;
        self.woken += other.woken;
        self.failures.extend(other.failures);
        self
    }
}

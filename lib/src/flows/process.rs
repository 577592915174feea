//! A wake-up is handled: unpublished events are published, the changes are read from the settled
//! cursor, and a gap is replayed by date. The reading is in `process/reading.rs`, the replay in
//! `process/replay.rs`.

mod reading;
mod replay;
mod run;

use futures_util::future::join_all;
use tracing::Instrument;

use self::run::Run;
use crate::domain::sweep::ProcessorLimits;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::TriggerType;
use crate::domain::wake_up::WakeUp;
use crate::flows::access::{AccessError, Refreshes};
use crate::ports::{Ports, Store, StoreError};

/// How often a wake-up starts over after another writer came first, before the queue delivers it
/// again.
const MOST_ATTEMPTS: u32 = 3;

pub struct Process<P: Ports> {
    pub store: P::Store,
    pub vault: P::Vault,
    pub provider: P::Provider,
    pub bus: P::Bus,
    pub wake_ups: P::WakeUps,
    pub clock: P::Machine,
    pub limits: ProcessorLimits,
    pub refreshes: Refreshes,
}

/// How a wake-up ended for one connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The cursor covered it already.
    Stale,
    /// Only the user can mend this connector; its cursor waits.
    NotActive,
    /// The provider or the keys are not available, or too many events wait: a retry is scheduled,
    /// and nothing is lost.
    PutOff,
    Listed {
        /// Messages that were looked at.
        messages: usize,
        fired: usize,
    },
    /// There was more than one run or one minute's quota allows; the rest follows by itself.
    Interrupted { messages: usize, fired: usize },
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::NotActive => "inactive",
            Self::PutOff => "put_off",
            Self::Listed { .. } => "listed",
            Self::Interrupted { .. } => "interrupted",
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ProcessError {
    fn is_conflict(&self) -> bool {
        matches!(
            self,
            Self::Store(StoreError::Conflict)
                | Self::Access(AccessError::Store(StoreError::Conflict))
        )
    }
}

impl<P: Ports> Process<P> {
    /// Handles one wake-up of a mailbox for all its connectors; the result is empty if it has none.
    /// `began` is when this invocation began. After an error the wake-up must be delivered again;
    /// every cursor is where its last commit put it.
    pub async fn run(
        &self,
        wake_up: &WakeUp,
        began: Timestamp,
    ) -> Result<Vec<Outcome>, ProcessError> {
        let mut attempt = 1;
        loop {
            let mut members = self.store.mailbox(&wake_up.mailbox).await?;
            for (_, triggers) in &mut members {
                triggers.retain(|trigger| trigger.kind == TriggerType::Email);
            }
            let runs = members.iter().map(|(connector, triggers)| {
                let (id, owner, provider) =
                    (&connector.id, &connector.owner_id, connector.provider.as_str());
                let span = tracing::info_span!("connector", connector = %id, %owner, provider);
                Run::new(self, connector, triggers, wake_up, members.len(), (began, attempt > 1))
                    .handle()
                    .instrument(span)
            });
            match join_all(runs).await.into_iter().collect::<Result<Vec<_>, _>>() {
                Err(error) if error.is_conflict() && attempt < MOST_ATTEMPTS => attempt += 1,
                ended => return ended,
            }
        }
    }
}

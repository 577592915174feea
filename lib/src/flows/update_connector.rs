//! An owner pauses a connector or lets it go on, and gives it a label. Mail that arrives in a pause
//! never fires, all else goes on.

use crate::domain::connector::Connector;
use crate::domain::connector_change::ConnectorChange;
use crate::domain::id::{ConnectorId, OwnerId};
use crate::domain::pause::MOST_PAUSES;
use crate::domain::sweep::{SweepTimes, next_sweep};
use crate::domain::timestamp::Timestamp;
use crate::ports::{Commit, Store, StoreError};

/// How often a change starts over after another writer came first.
const MOST_ATTEMPTS: u32 = 5;

#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("no such connector")]
    NotFound,
    #[error("the connector was paused {MOST_PAUSES} times in three months")]
    TooManyPauses,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns the changed connector. Pausing a paused connector changes nothing.
pub async fn apply(
    store: &impl Store,
    sweep_times: SweepTimes,
    owner: &OwnerId,
    id: &ConnectorId,
    change: &ConnectorChange,
    now: Timestamp,
) -> Result<Connector, ChangeError> {
    let mut attempt = 1;
    loop {
        let before = store
            .connector(owner, id)
            .await?
            .filter(|connector| connector.closing.is_none())
            .ok_or(ChangeError::NotFound)?;
        let reading = change.apply(&before.reading, now);
        if reading == before.reading {
            return Ok(before);
        }
        if change.paused == Some(true) && reading.pauses.len() > MOST_PAUSES {
            return Err(ChangeError::TooManyPauses);
        }
        let after = Connector { reading, ..before.clone() };
        let next_sweep = next_sweep(&after, sweep_times);
        match store
            .commit(&Commit {
                before: &before,
                after: &after.reading,
                events: &[],
                next_sweep,
                now,
            })
            .await
        {
            Err(StoreError::Conflict) if attempt < MOST_ATTEMPTS => attempt += 1,
            ended => {
                return ended
                    .map(|()| Connector { version: before.version + 1, updated_at: now, ..after })
                    .map_err(ChangeError::from);
            }
        }
    }
}

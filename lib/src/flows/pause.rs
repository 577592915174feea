//! An owner pauses a connector, or lets it go on: mail that arrives in between never fires, everything else goes on.

use crate::domain::connector::Connector;
use crate::domain::id::{ConnectorId, OwnerId};
use crate::domain::pause;
use crate::domain::sweep::{Patience, next_sweep};
use crate::domain::timestamp::Timestamp;
use crate::ports::{Commit, Store, StoreError};

/// How often a change starts over after another writer came first.
const MOST_ATTEMPTS: u32 = 5;

#[derive(Debug, thiserror::Error)]
pub enum PauseError {
    #[error("no such connector")]
    NotFound,
    #[error("the connector was paused {} times in three months", pause::MOST_PAUSES)]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Answers the connector as it is then. To pause what is paused changes nothing.
pub async fn set(
    store: &impl Store,
    patience: Patience,
    owner: &OwnerId,
    id: &ConnectorId,
    paused: bool,
    now: Timestamp,
) -> Result<Connector, PauseError> {
    let mut attempt = 1;
    loop {
        let before = store.connector(owner, id).await?.filter(|connector| connector.closing.is_none()).ok_or(PauseError::NotFound)?;
        let after = Connector { pauses: pause::set(&before.pauses, paused, now), ..before.clone() };
        if after == before {
            return Ok(before);
        }
        if paused && after.pauses.len() > pause::MOST_PAUSES {
            return Err(PauseError::TooMany);
        }
        let next_sweep = next_sweep(&after, patience);
        match store.commit(&Commit { before: &before, after: &after, events: &[], next_sweep, now }).await {
            Err(StoreError::Conflict) if attempt < MOST_ATTEMPTS => attempt += 1,
            ended => return ended.map(|()| Connector { version: before.version + 1, updated_at: now, ..after }).map_err(PauseError::from),
        }
    }
}

//! An owner requests a look at a mailbox now, parked messages included: a wake-up of kind `sync`
//! goes to the queue.

use crate::domain::connector::Status;
use crate::domain::id::{ConnectorId, OwnerId};
use crate::domain::timestamp::Timestamp;
use crate::domain::wake_up::{Kind, WakeUp};
use crate::ports::{Store, StoreError, Unavailable, WakeUps};

#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error("no such connector")]
    NotFound,
    #[error("the connector is being disconnected")]
    Closing,
    #[error("the user must connect again")]
    NeedsReauth,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Queue(#[from] Unavailable),
}

/// Returns once the queue has the wake-up.
pub async fn request(
    store: &impl Store,
    wake_ups: &impl WakeUps,
    owner: &OwnerId,
    id: &ConnectorId,
    now: Timestamp,
) -> Result<(), SyncError> {
    let connector = store.connector(owner, id).await?.ok_or(SyncError::NotFound)?;
    if connector.closing.is_some() {
        return Err(SyncError::Closing);
    }
    if connector.reading.status == Status::NeedsReauth {
        return Err(SyncError::NeedsReauth);
    }
    Ok(wake_ups.send(&WakeUp::own(Kind::Sync, connector.mailbox(), now), None).await?)
}

//! A connector's grant is gone: it waits for its user, and whoever listens is told.

use crate::domain::connector::{Connector, Location};
use crate::domain::notice;
use crate::domain::timestamp::Timestamp;
use crate::flows::publishing::tell;
use crate::ports::{Commit, EventBus, Store, StoreError};

/// How often a connector's change starts over after another writer came first.
const MOST_ATTEMPTS: u32 = 5;

/// Whether it was suspended: it is there, and `concerned`.
pub async fn suspend(
    store: &impl Store,
    bus: &impl EventBus,
    location: &Location,
    why: &str,
    now: Timestamp,
    concerned: impl Fn(&Connector) -> bool + Send,
) -> Result<bool, StoreError> {
    let mut attempt = 1;
    loop {
        let Some(before) = store.connector_at(location).await?.filter(&concerned) else { return Ok(false) };
        let (after, told) = (before.reading.without_grant(why), [notice::needs_reauth(&before, why, now)]);
        match store.commit(&Commit { before: &before, after: &after, events: &told, next_sweep: None, now }).await {
            Err(StoreError::Conflict) if attempt < MOST_ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
            Ok(()) => {
                tell(store, bus, location, &told, now).await;
                return Ok(true);
            }
        }
    }
}

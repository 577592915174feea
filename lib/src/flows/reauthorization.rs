//! A connector whose grant is gone is suspended until its user connects again, and an event is
//! published.

use crate::domain::connector::{Connector, Location};
use crate::domain::notice;
use crate::domain::timestamp::Timestamp;
use crate::flows::publishing::publish_or_log;
use crate::ports::{Commit, EventBus, Store, StoreError};

/// How often a connector's change starts over after another writer came first.
const MOST_ATTEMPTS: u32 = 5;

/// Returns whether it was suspended: false if it is gone, or not `concerned`.
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
        let Some(before) = store.connector_at(location).await?.filter(&concerned) else {
            return Ok(false);
        };
        let (after, events) =
            (before.without_grant(why), [notice::needs_reauth(&before, why, now)]);
        match store
            .commit(&Commit {
                before: &before,
                after: &after,
                events: &events,
                next_sweep: None,
                now,
            })
            .await
        {
            Err(StoreError::Conflict) if attempt < MOST_ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
            Ok(()) => {
                publish_or_log(store, bus, location, &events, now).await;
                return Ok(true);
            }
        }
    }
}

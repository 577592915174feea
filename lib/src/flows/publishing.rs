//! Events are published as soon as they are committed. What the bus refuses stays in the outbox,
//! and the next wake-up publishes it.

use crate::domain::connector::Location;
use crate::domain::event::Event;
use crate::domain::id::EventId;
use crate::domain::metric::{EVENTS_PUBLISHED, EVENTS_PUT_OFF, PROVIDER};
use crate::domain::provider::provider_of;
use crate::domain::timestamp::Timestamp;
use crate::ports::{EventBus, Store, StoreError};

/// Publishes events of a connector and marks them; returns those that the bus refused.
pub async fn publish(
    store: &impl Store,
    bus: &impl EventBus,
    connector: &Location,
    events: &[Event],
    now: Timestamp,
) -> Result<Vec<EventId>, StoreError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let refused = match bus.publish(events).await {
        Ok(()) => Vec::new(),
        Err(error) => {
            metrics::counter!(EVENTS_PUT_OFF).increment(error.events.len() as u64);
            tracing::error!(error = %error, cause = %error.cause, connector = %connector.connector, "events wait for the bus");
            error.events
        }
    };
    let taken: Vec<Event> =
        events.iter().filter(|event| !refused.contains(&event.event_id)).cloned().collect();
    let provider = provider_of(&connector.mailbox).as_str();
    for event in &taken {
        let (event_id, detail_type) = (&event.event_id, event.detail_type.as_str());
        metrics::counter!(EVENTS_PUBLISHED, "DetailType" => detail_type, PROVIDER => provider)
            .increment(1);
        tracing::info!(%event_id, detail_type, connector = %connector.connector, "event published");
    }
    if !taken.is_empty() {
        store.mark_published(connector, &taken, now).await?;
    }
    Ok(refused)
}

/// As `publish`, but an error is only logged: the events stay in the outbox.
pub async fn publish_or_log(
    store: &impl Store,
    bus: &impl EventBus,
    connector: &Location,
    events: &[Event],
    now: Timestamp,
) {
    if let Err(error) = publish(store, bus, connector, events, now).await {
        tracing::warn!(%error, connector = %connector.connector, "events that were published are not marked, and will be published again");
    }
}

//! All that is stored of an owner is deleted, with every connector.

use crate::domain::id::{ConnectorId, OwnerId};
use crate::domain::timestamp::Timestamp;
use crate::flows::disconnect::{Disconnect, Receipt, close};
use crate::ports::{Ports, Store, StoreError};

/// Disconnects every connector of the owner. The renewer finishes what is not done yet; a repeated
/// call reports how far that is.
pub async fn erase<P: Ports>(
    disconnect: &Disconnect<'_, P>,
    owner: &OwnerId,
    now: Timestamp,
) -> Result<Vec<(ConnectorId, Receipt)>, StoreError> {
    // Every disconnect is begun before the first one is finished: the renewer continues those that
    // this request does not get to.
    let mut ending = Vec::new();
    for connector in disconnect.access.store.connectors(owner).await? {
        ending.extend(disconnect.begin(connector, now).await?);
    }
    disconnect.access.store.forget_requests(owner).await?;
    let mut receipts = Vec::new();
    for connector in ending {
        let id = connector.id.clone();
        let closed = close(disconnect.access, connector, now).await;
        let receipt = closed.unwrap_or_else(|error| {
            tracing::warn!(%error, connector = %id, "the connector's end is not done, and is tried again");
            Receipt::default()
        });
        receipts.push((id, receipt));
    }
    Ok(receipts)
}

//! All that is stored of an owner is deleted, with every connector.

use crate::domain::id::{ConnectorId, OwnerId};
use crate::domain::timestamp::Timestamp;
use crate::flows::disconnect::{Disconnect, Receipt, close};
use crate::ports::{Ports, Store, StoreError};

/// Ends every connector of the owner, with all that hangs on it. What is not done yet goes on by itself; asked again, it
/// answers how far that is.
pub async fn erase<P: Ports>(
    disconnect: &Disconnect<'_, P>,
    owner: &OwnerId,
    now: Timestamp,
) -> Result<Vec<(ConnectorId, Receipt)>, StoreError> {
    // All ends are begun before the first is brought about: what this request does not get to goes on by itself.
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

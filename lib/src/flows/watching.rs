//! A mailbox is watched: Gmail has one watch for each mailbox and client, and another topic's must
//! be stopped first. A renamed mailbox's connector moves to the new address.

use crate::domain::connector::{Connector, Location};
use crate::domain::email_address::EmailAddress;
use crate::domain::secret::AccessToken;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::Trigger;
use crate::ports::{EmailProvider, ProviderError, Store, StoreError};

/// Begins the watch; returns when it ends.
pub async fn watch(
    provider: &impl EmailProvider,
    access: &AccessToken,
) -> Result<Timestamp, ProviderError> {
    match provider.watch(access).await {
        Err(ProviderError::WatchTaken) => {
            provider.stop(access).await?;
            provider.watch(access).await
        }
        answer => answer,
    }
}

/// Moves a connector to its mailbox's new address; `Conflict` if events wait for publication under
/// the old one.
pub async fn rename(
    store: &impl Store,
    connector: &Connector,
    to: &EmailAddress,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (triggers, membership) =
        tokio::join!(store.triggers(&connector.owner_id), store.membership(&connector.google_sub));
    let triggers: Vec<Trigger> = triggers?
        .into_iter()
        .filter(|trigger| trigger.config.connector_id == connector.id)
        .collect();
    let moved =
        membership?.joined(Location { mailbox: to.clone(), connector: connector.id.clone() });
    store.rename(connector, &triggers, &moved, to, now).await
}

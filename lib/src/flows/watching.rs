//! A mailbox is watched: a provider may have one watch for each mailbox and client, and another
//! one must be stopped first. A renamed mailbox's connector moves to the new address.

use crate::domain::connector::Connector;
use crate::domain::email_address::EmailAddress;
use crate::domain::secret::AccessToken;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::Trigger;
use crate::domain::watch::Watching;
use crate::ports::{EmailProvider, ProviderError, Store, StoreError, WatchRequest};

/// Begins or renews the watch of a connector's mailbox.
pub async fn watch(
    provider: &impl EmailProvider,
    access: &AccessToken,
    connector: &Connector,
) -> Result<Watching, ProviderError> {
    let (mailbox, current) = (connector.mailbox(), connector.watch.id.as_deref());
    let request = WatchRequest { mailbox: &mailbox, current };
    match provider.watch(access, &request).await {
        Err(ProviderError::WatchTaken) => {
            provider.stop(access, current).await?;
            provider.watch(access, &request).await
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
        tokio::join!(store.triggers(&connector.owner_id), store.membership(&connector.account));
    let triggers: Vec<Trigger> = triggers?
        .into_iter()
        .filter(|trigger| trigger.config.connector_id == connector.id)
        .collect();
    let renamed = Connector { email_address: to.clone(), ..connector.clone() };
    let moved = membership?.joined(renamed.location());
    store.rename(connector, &triggers, &moved, to, now).await
}

//! A mailbox is watched: a provider may have one watch for each mailbox and client, and another
//! one must be stopped first. A renamed mailbox's connector moves to the new address.

use std::fmt::Display;
use std::time::Duration;

use crate::domain::connector::{Connector, Location};
use crate::domain::email_address::EmailAddress;
use crate::domain::secret::AccessToken;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::Trigger;
use crate::domain::watch::{Ending, Watch, Watching};
use crate::ports::{EmailProvider, ProviderError, Store, StoreError, WatchRequest};

/// How often a watch is made due that others write meanwhile.
const MOST_ATTEMPTS: u32 = 5;
/// Until a watch that was made twice at once is looked at again.
const SOON: Duration = Duration::from_secs(60);

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
            provider.stop(access, Ending::All { known: current }).await?;
            provider.watch(access, &request).await
        }
        answer => answer,
    }
}

/// What came of recording a watch.
pub struct Recorded {
    pub watch: Watch,
    /// `Conflict` if another writer came first: another renewal, a connect, a disconnect.
    pub outcome: Result<(), StoreError>,
    /// Watches to end now, by their ids.
    pub ending: Vec<String>,
}

/// Records a watch that was just made, for the connector as it was read before. What it makes
/// needless ends only then: until it is recorded, another writer may come first, and then it is the
/// new one that ends.
pub async fn record(
    store: &impl Store,
    connector: &Connector,
    watching: Watching,
    now: Timestamp,
) -> Recorded {
    let needless = watching.needless.clone();
    let watch = connector.watch.renewed(watching, now);
    let outcome = store.record_watch(connector, &watch).await;
    let ending = match outcome {
        Ok(()) => needless,
        Err(StoreError::Conflict) if watch.id != connector.watch.id => {
            // Each of the two may have ended the other's to make room for its own.
            if let Err(error) = make_due(store, &connector.location(), now.after(SOON)).await {
                tracing::warn!(%error, connector = %connector.id, "a watch that was made twice is not due");
            }
            watch.id.iter().cloned().collect()
        }
        Err(_) => Vec::new(),
    };
    Recorded { watch, outcome, ending }
}

/// A watch that is not ended ends by itself within a week; what it tells of is looked at twice.
pub fn log_not_ended(ended: Result<(), impl Display>) {
    if let Err(error) = ended {
        tracing::info!(%error, "a needless watch goes on until it ends by itself");
    }
}

/// Makes a live connector's watch due then; false if there is none. `Conflict` if others write all
/// the time.
pub async fn make_due(
    store: &impl Store,
    location: &Location,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let mut attempt = 1;
    loop {
        let Some(connector) =
            store.connector_at(location).await?.filter(|connector| connector.is_live())
        else {
            return Ok(false);
        };
        let written = async {
            store.record_watch(&connector, &connector.watch.due()).await?;
            store.schedule(location, connector.version, None, Some(at)).await
        };
        match written.await {
            Err(StoreError::Conflict) if attempt < MOST_ATTEMPTS => attempt += 1,
            written => return written.map(|()| true),
        }
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

//! A mailbox is watched: a watch is made or renewed, and recorded over the one that was read, since
//! others may be at work on it. A provider may have one watch for each mailbox and client, and
//! another one must be stopped first. A renamed mailbox's connector moves to the new address.

use std::fmt::Display;
use std::time::Duration;

use crate::domain::connector::{Connector, Location};
use crate::domain::email_address::EmailAddress;
use crate::domain::secret::AccessToken;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::Trigger;
use crate::domain::watch::{Ending, Watch, Watching};
use crate::ports::{Commit, EmailProvider, ProviderError, Store, StoreError, WatchRequest};

/// How often a watch is written anew, or made due, that others write meanwhile.
const MOST_ATTEMPTS: u32 = 5;
/// Until a watch that may have ended is made anew.
const SOON: Duration = Duration::from_secs(60);

/// Begins or renews the watch of a connector's mailbox.
pub async fn watch(
    provider: &impl EmailProvider,
    access: &AccessToken,
    connector: &Connector,
) -> Result<Watching, ProviderError> {
    let (mailbox, current) = (connector.mailbox(), connector.watch.id.as_deref());
    provider.watch(access, &WatchRequest { mailbox: &mailbox, current }).await
}

/// Ends every watch of the mailbox, also the one that is recorded.
pub async fn stop_all(
    provider: &impl EmailProvider,
    access: &AccessToken,
    connector: &Connector,
) -> Result<(), ProviderError> {
    provider.stop(access, Ending::All { known: connector.watch.id.as_deref() }).await
}

/// Before what is in the way ends: that may be the recorded watch, which is due from here on, so that
/// another one is made whatever becomes of this one.
pub async fn make_room(store: &impl Store, connector: &mut Connector) -> Result<(), StoreError> {
    let due = connector.watch.due();
    if due != connector.watch {
        store.record_watch(connector, &due).await?;
        connector.watch = due;
    }
    Ok(())
}

/// What came of recording a watch.
pub struct Recorded {
    /// `Conflict` if another watch is recorded, or the connector is closing or gone.
    pub outcome: Result<(), StoreError>,
    /// The watch that is recorded, as far as it is known.
    pub watch: Watch,
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
    let is_new = watch.id != connector.watch.id;
    let (location, mut before, mut attempt) = (connector.location(), connector.clone(), 1);
    loop {
        let outcome = store.record_watch(&before, &watch).await;
        if !matches!(outcome, Err(StoreError::Conflict)) {
            let ending = if outcome.is_ok() { needless } else { Vec::new() };
            return Recorded { outcome, watch, ending };
        }
        let current = match store.connector_at(&location).await {
            Ok(current) => current,
            Err(error) => return Recorded { outcome: Err(error), watch, ending: Vec::new() },
        };
        match current {
            // The answer was lost, and the client's repeated write met its own.
            Some(row) if row.watch == watch => {
                return Recorded { outcome: Ok(()), watch, ending: needless };
            }
            // The one before was only made due, which another one answers.
            Some(row)
                if is_new
                    && row.is_live()
                    && row.grant.generation == connector.grant.generation
                    && row.watch.id == connector.watch.id
                    && attempt < MOST_ATTEMPTS =>
            {
                (before, attempt) = (row, attempt + 1);
            }
            current => {
                let mut ending = Vec::new();
                if is_new {
                    // Either may have ended the other's to make room for its own.
                    log_not_due(make_due(store, &location, now.after(SOON), now).await);
                    ending.extend(watch.id.clone());
                }
                let watch = current.map_or(watch, |row| row.watch);
                return Recorded { outcome: Err(StoreError::Conflict), watch, ending };
            }
        }
    }
}

/// Records that no watch was made. Where another writer came first, what it recorded is due soon.
pub async fn record_failure(
    store: &impl Store,
    connector: &Connector,
    watch: Watch,
    now: Timestamp,
) -> Recorded {
    let outcome = store.record_watch(connector, &watch).await;
    if matches!(outcome, Err(StoreError::Conflict)) {
        log_not_due(make_due(store, &connector.location(), now.after(SOON), now).await);
    }
    Recorded { outcome, watch, ending: Vec::new() }
}

/// A watch that is not ended ends by itself within a week; what it tells of is looked at twice.
pub fn log_not_ended(ended: Result<(), impl Display>) {
    if let Err(error) = ended {
        tracing::info!(%error, "a needless watch goes on until it ends by itself");
    }
}

fn log_not_due(due: Result<bool, StoreError>) {
    if let Err(error) = due {
        tracing::warn!(%error, "a watch that may have ended is not due before its time");
    }
}

/// Makes a live connector's watch due then; false if there is none. `Conflict` if others write all
/// the time. Raises the version, so that nobody who read the row before puts it off again.
pub async fn make_due(
    store: &impl Store,
    location: &Location,
    at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut attempt = 1;
    loop {
        let Some(connector) =
            store.connector_at(location).await?.filter(|connector| connector.is_live())
        else {
            return Ok(false);
        };
        let due = Commit {
            before: &connector,
            after: &connector.reading,
            events: &[],
            next_sweep: Some(at),
            now,
        };
        let written = async {
            store.record_watch(&connector, &connector.watch.due()).await?;
            store.commit(&due).await
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

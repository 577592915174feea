//! A connector is removed: stop the watch, revoke the grant (both only for the account's last
//! connector), then purge. Each step is recorded, and the renewer retries what is not done.

use std::time::Duration;

use crate::domain::connector::{Closing, Connector};
use crate::domain::id::{ConnectorId, EventId, OwnerId};
use crate::domain::notice;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::Trigger;
use crate::flows::access::{Access, AccessError};
use crate::flows::publishing::publish_or_log;
use crate::flows::watching::stop_all;
use crate::ports::{
    EmailProvider, Ports, ProviderError, Providers, Store, StoreError, Vault, VaultError,
};

/// How often a step starts over after another writer came first.
const MOST_ATTEMPTS: u32 = 5;
/// A watch ends by itself within this time, and data is not kept for longer while the provider does
/// not answer.
const GIVE_UP_AFTER: Duration = Duration::from_secs(7 * 24 * 3600);
/// How many delivery records are read and deleted at once, and how often in one run.
const RECORDS: u32 = 100;
const MOST_ROUNDS: u32 = 20;

pub struct Disconnect<'a, P: Ports> {
    pub access: Access<'a, P>,
    pub bus: &'a P::Bus,
}

/// What is done; the renewer finishes the rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Receipt {
    /// False also where another connector still needs the watch, or where the grant was dead: it
    /// ends by itself within a week.
    pub watch_stopped: bool,
    pub grant_revoked: bool,
    pub data_purged: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum DisconnectError {
    #[error("no such connector")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<P: Ports> Disconnect<'_, P> {
    /// A repeated call continues where the first one stopped.
    pub async fn run(
        &self,
        owner: &OwnerId,
        id: &ConnectorId,
        now: Timestamp,
    ) -> Result<Receipt, DisconnectError> {
        let connector =
            self.access.store.connector(owner, id).await?.ok_or(DisconnectError::NotFound)?;
        let closing = self.begin(connector, now).await?.ok_or(DisconnectError::NotFound)?;
        Ok(close(self.access, closing, now).await?)
    }

    /// Marks the connector as closing: it fires nothing from here on, and if it is the account's
    /// last one, no connector can join the account. `None` if it is gone.
    pub(super) async fn begin(
        &self,
        mut connector: Connector,
        now: Timestamp,
    ) -> Result<Option<Connector>, StoreError> {
        let mut attempt = 1;
        while connector.closing.is_none() {
            let membership = self.access.store.membership(&connector.account).await?;
            let last = membership.is_last(&connector.id);
            let closing = Closing { since: now, last, watch_stopped: None, grant_revoked: None };
            let events = [notice::disconnected(&connector, now)];
            match self
                .access
                .store
                .begin_closing(&connector, &closing, &membership.closed_by(&connector.id), &events)
                .await
            {
                Ok(()) => {
                    publish_or_log(self.access.store, self.bus, &connector.location(), &events, now)
                        .await
                }
                Err(StoreError::Conflict) if attempt < MOST_ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
            }
            match self.access.store.connector(&connector.owner_id, &connector.id).await? {
                Some(again) => connector = again,
                None => return Ok(None),
            }
        }
        Ok(Some(connector))
    }
}

/// Does the remaining steps of a disconnect that has begun. An error means that the table failed:
/// call it again.
pub async fn close<P: Ports>(
    access: Access<'_, P>,
    connector: Connector,
    now: Timestamp,
) -> Result<Receipt, StoreError> {
    let Some(mut closing) = connector.closing.clone() else { return Err(StoreError::Conflict) };
    if closing.last {
        take_from_google(access, &connector, &mut closing, now).await?;
    }
    let left = !closing.last
        || closing.grant_revoked.is_some()
        || closing.since.after(GIVE_UP_AFTER) <= now;
    Ok(Receipt {
        watch_stopped: closing.watch_stopped == Some(true),
        grant_revoked: closing.grant_revoked == Some(true),
        data_purged: left && purge(access.store, connector, closing.last, now).await?,
    })
}

/// Stops first: a revoked grant can no longer stop the watch.
async fn take_from_google<P: Ports>(
    access: Access<'_, P>,
    connector: &Connector,
    closing: &mut Closing,
    now: Timestamp,
) -> Result<(), StoreError> {
    if closing.watch_stopped.is_none() {
        closing.watch_stopped = answered(connector, stop(access, connector, now).await);
        match closing.watch_stopped {
            Some(_) => record(access.store, connector, closing).await?,
            None => return Ok(()),
        }
    }
    if closing.grant_revoked.is_none() {
        closing.grant_revoked = answered(connector, revoke(access, connector).await);
        if closing.grant_revoked.is_some() {
            record(access.store, connector, closing).await?;
        }
    }
    Ok(())
}

/// A conflict means that another worker finished closing the connector.
async fn record(
    store: &impl Store,
    connector: &Connector,
    closing: &Closing,
) -> Result<(), StoreError> {
    match store.record_closing(&connector.location(), closing).await {
        Err(StoreError::Conflict) => Ok(()),
        recorded => recorded,
    }
}

/// The outcome of a step at Google; `None` if it is worth a retry.
fn answered(connector: &Connector, outcome: Result<bool, AccessError>) -> Option<bool> {
    match outcome {
        Ok(done) => Some(done),
        // A secret that cannot be decrypted is useless, and must not keep its connector from
        // closing.
        Err(AccessError::Vault(VaultError::WrongContext)) => Some(false),
        Err(error) => {
            tracing::warn!(%error, connector = %connector.id, "the connector's end is not done, and is tried again");
            None
        }
    }
}

async fn stop<P: Ports>(
    access: Access<'_, P>,
    connector: &Connector,
    now: Timestamp,
) -> Result<bool, AccessError> {
    let stopped = async {
        let mut session = access.session(connector, now).await?;
        let (provider, prices) = (session.provider(), session.prices());
        session
            .call(prices.stop, |token| async move { stop_all(provider, &token, connector).await })
            .await
    };
    match stopped.await {
        Ok(()) => Ok(true),
        // A final refusal must not keep the connector from closing.
        Err(AccessError::Provider(
            ProviderError::GrantRefused(_)
            | ProviderError::Unauthorized
            | ProviderError::Refused { .. },
        )) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn revoke<P: Ports>(
    access: Access<'_, P>,
    connector: &Connector,
) -> Result<bool, AccessError> {
    if !connector.registration().revokes_grants {
        return Ok(false);
    }
    let token =
        access.vault.open_refresh_token(&connector.grant.refresh_token, &connector.id).await?;
    Ok(access.provider.of(connector.provider).revoke(&token).await.map(|_| true)?)
}

/// Deletes the connector and its delivery records, once nothing waits for publication. Starts over
/// when another writer came first: the grant is revoked already, so the rows must go too.
async fn purge(
    store: &impl Store,
    mut connector: Connector,
    last: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut attempt = 1;
    loop {
        if !connector.outbox.unpublished.is_empty() || !forget_records(store, &connector.id).await?
        {
            return Ok(false);
        }
        let (triggers, membership) =
            tokio::join!(store.triggers(&connector.owner_id), store.membership(&connector.account));
        let triggers: Vec<Trigger> = triggers?
            .into_iter()
            .filter(|trigger| trigger.config.connector_id == connector.id)
            .collect();
        let membership = membership?;
        let without = if last {
            membership.emptied_by(&connector.id, now)
        } else {
            membership.left_by(&connector.id)
        };
        match store.remove_connector(&connector, &triggers, &without).await {
            Err(StoreError::Conflict) if attempt < MOST_ATTEMPTS => attempt += 1,
            ended => return ended.map(|()| true),
        }
        // A connector that is closing is not renamed, so its location is still valid.
        match store.connector_at(&connector.location()).await? {
            Some(again) => connector = again,
            None => return Ok(true),
        }
    }
}

/// Deletes the delivery records; false if there are more than one run deletes.
async fn forget_records(store: &impl Store, connector: &ConnectorId) -> Result<bool, StoreError> {
    for _ in 0..MOST_ROUNDS {
        let records: Vec<EventId> = store
            .delivery_records(connector, None, RECORDS)
            .await?
            .into_iter()
            .map(|event| event.event_id)
            .collect();
        if records.is_empty() {
            // The index may not list the newest event yet.
            store.forget(&[notice::id_of_disconnected(connector)]).await?;
            return Ok(true);
        }
        store.forget(&records).await?;
    }
    Ok(false)
}

//! A connector is taken away: stop the watch, revoke the grant (both only for the mailbox's last connector), then purge.

use crate::domain::connector::Connector;
use crate::domain::id::{ConnectorId, OwnerId, TriggerId};
use crate::domain::quota::price;
use crate::domain::timestamp::Timestamp;
use crate::flows::access::{AccessError, Refreshes, Session};
use crate::ports::{EmailProvider, ProviderError, Store, StoreError, Vault, VaultError};

/// How often the purge starts over after another writer came first.
const MOST_ATTEMPTS: u32 = 5;

pub struct Disconnect<S, V, P> {
    pub store: S,
    pub vault: V,
    pub provider: P,
}

/// What was done. A watch that could not be stopped, because its grant is dead, ends by itself within a week; its pushes
/// find nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    pub watch_stopped: bool,
    pub grant_revoked: bool,
    pub data_purged: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum DisconnectError {
    #[error("no such connector")]
    NotFound,
    /// Decided events wait for publication, which the next wake-up brings.
    #[error("events of this connector wait for publication")]
    Busy,
    /// Nothing was purged; the same request may be sent again.
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S: Store, V: Vault, P: EmailProvider> Disconnect<S, V, P> {
    pub async fn run(&self, owner: &OwnerId, id: &ConnectorId, now: Timestamp) -> Result<Receipt, DisconnectError> {
        let connector = self.store.connector(owner, id).await?.ok_or(DisconnectError::NotFound)?;
        if !connector.unpublished.is_empty() {
            return Err(DisconnectError::Busy);
        }
        let members = self.store.mailbox(&connector.email_address).await?;
        let shared = members.iter().any(|(member, _)| member.id != connector.id);
        let mut receipt = Receipt { watch_stopped: false, grant_revoked: false, data_purged: true };
        if !shared {
            receipt.watch_stopped = self.stop(&connector, now).await?;
            receipt.grant_revoked = self.revoke(&connector).await?;
        }
        self.purge(connector, owner).await?;
        Ok(receipt)
    }

    /// Starts over when a wake-up or a trigger change came in between: the grant is gone already, so the rows must go too.
    async fn purge(&self, mut connector: Connector, owner: &OwnerId) -> Result<(), StoreError> {
        let mut attempt = 1;
        loop {
            let triggers = self.store.triggers(owner).await?.into_iter().filter(|trigger| trigger.config.connector_id == connector.id);
            let triggers: Vec<TriggerId> = triggers.map(|trigger| trigger.id).collect();
            match self.store.remove_connector(&connector, &triggers).await {
                Err(StoreError::Conflict) if attempt < MOST_ATTEMPTS => attempt += 1,
                ended => return ended,
            }
            match self.store.connector(owner, &connector.id).await? {
                Some(again) => connector = again,
                None => return Ok(()),
            }
        }
    }

    async fn stop(&self, connector: &Connector, now: Timestamp) -> Result<bool, AccessError> {
        let stopped = async {
            let refreshes = Refreshes::default();
            let mut session = Session::open(&self.store, &self.vault, &self.provider, &refreshes, connector, now).await?;
            session.call(price::STOP, |access| async move { self.provider.stop(&access).await }).await
        };
        match stopped.await {
            Ok(()) => Ok(true),
            // No is the answer, also later: the connector must not be kept for it.
            Err(AccessError::Provider(ProviderError::GrantRefused(_) | ProviderError::Unauthorized | ProviderError::Refused { .. })) => {
                Ok(false)
            }
            Err(AccessError::Vault(VaultError::WrongContext)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A token that does not open can be used by nobody, and must not keep its connector for ever.
    async fn revoke(&self, connector: &Connector) -> Result<bool, AccessError> {
        match self.vault.open_refresh_token(&connector.refresh_token, &connector.id).await {
            Ok(token) => Ok(self.provider.revoke(&token).await.map(|()| true)?),
            Err(VaultError::WrongContext) => Ok(false),
            Err(unavailable) => Err(unavailable.into()),
        }
    }
}

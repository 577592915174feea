//! An operator withdraws a connector's grant, because secrets may be in the wrong hands: it is
//! revoked at Google first, so that nobody can use it, then every connector that used it is
//! suspended until its user connects again. Cursor, triggers and firings stay.

use crate::domain::connector::{Connector, Location};
use crate::domain::id::{ConnectorId, OwnerId};
use crate::domain::timestamp::Timestamp;
use crate::flows::reauthorization::suspend;
use crate::ports::{
    EmailProvider, Ports, ProviderError, Providers, Store, StoreError, Vault, VaultError,
};

/// The reason in the event `CONNECTOR_NEEDS_REAUTH`.
pub const WHY: &str = "withdrawn by the operator";

pub struct Withdraw<'a, P: Ports> {
    pub store: &'a P::Store,
    pub vault: &'a P::Vault,
    pub provider: &'a P::Provider,
    pub bus: &'a P::Bus,
}

/// A connector that is gone, closing, or already waiting for its user is in neither list; its grant
/// is revoked all the same, if there is one.
#[derive(Debug, Default)]
pub struct Withdrawn {
    pub suspended: Vec<Suspended>,
    /// Their grant is revoked, but their rows could not be changed: their next call to Google will
    /// be refused.
    pub failed: Vec<(ConnectorId, StoreError)>,
}

/// A connector that waits for its user now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspended {
    pub connector: ConnectorId,
    pub owner: OwnerId,
}

#[derive(Debug, thiserror::Error)]
pub enum WithdrawError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

impl<P: Ports> Withdraw<'_, P> {
    /// Repeating it is harmless. If a run broke off, repeat it for each remaining connector of the
    /// account: Google does not say which grant a dead token belonged to.
    pub async fn run(
        &self,
        location: &Location,
        now: Timestamp,
    ) -> Result<Withdrawn, WithdrawError> {
        let Some(connector) = self.store.connector_at(location).await? else {
            return Ok(Withdrawn::default());
        };
        let mut affected = self.others(&connector).await?;
        let token =
            self.vault.open_refresh_token(&connector.grant.refresh_token, &connector.id).await?;
        // Revoking an unknown token ended no other grant: the other connectors may use a newer one.
        if !self.provider.of(connector.provider).revoke(&token).await? {
            affected.clear();
        }
        affected.insert(0, connector);
        let mut withdrawn = Withdrawn::default();
        for connector in affected {
            // A connect in the meantime has a grant of its own, and a higher generation.
            let same_grant = |row: &Connector| {
                row.is_live() && row.grant.generation == connector.grant.generation
            };
            match suspend(self.store, self.bus, &connector.location(), WHY, now, same_grant).await {
                Ok(true) => withdrawn
                    .suspended
                    .push(Suspended { connector: connector.id, owner: connector.owner_id }),
                Ok(false) => {}
                Err(error) => withdrawn.failed.push((connector.id, error)),
            }
        }
        Ok(withdrawn)
    }

    /// The other connectors of the account, of any owner: Google has one grant for each account and
    /// client.
    async fn others(&self, connector: &Connector) -> Result<Vec<Connector>, StoreError> {
        let mut others = Vec::new();
        for member in self.store.membership(&connector.account).await?.members {
            if member.connector != connector.id {
                others.extend(self.store.connector_at(&member).await?);
            }
        }
        Ok(others)
    }
}

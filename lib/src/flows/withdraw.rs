//! An operator withdraws a connector's grant, because secrets may be in wrong hands: revoked at Google first, so that nobody
//! can use it, then every connector that lived by it waits for its user. Cursor, triggers and firings stay.

use crate::domain::connector::{Connector, Location};
use crate::domain::id::{ConnectorId, OwnerId};
use crate::domain::timestamp::Timestamp;
use crate::flows::reauthorization::suspend;
use crate::ports::{EmailProvider, Ports, ProviderError, Store, StoreError, Vault, VaultError};

/// As `CONNECTOR_NEEDS_REAUTH` tells it.
pub const WHY: &str = "withdrawn by the operator";

pub struct Withdraw<'a, P: Ports> {
    pub store: &'a P::Store,
    pub vault: &'a P::Vault,
    pub provider: &'a P::Provider,
    pub bus: &'a P::Bus,
}

/// What came of it. Nobody is in either list if the connector is gone, on its way out, or waits for its user already; what it held
/// is revoked all the same, if it is there.
#[derive(Debug, Default)]
pub struct Withdrawn {
    pub suspended: Vec<Suspended>,
    /// Their grant is revoked, and their rows could not be changed: they find out by themselves.
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
    /// Doing it again does no harm. Of whom a run that broke off did not get to, each must be named: Google does not say of a dead
    /// token whose grant went with it.
    pub async fn run(&self, location: &Location, now: Timestamp) -> Result<Withdrawn, WithdrawError> {
        let Some(connector) = self.store.connector_at(location).await? else { return Ok(Withdrawn::default()) };
        let mut held = self.others(&connector).await?;
        let token = self.vault.open_refresh_token(&connector.grant.refresh_token, &connector.id).await?;
        // A token that is unknown there took nobody else's with it: the others may live by a newer grant.
        if !self.provider.revoke(&token).await? {
            held.clear();
        }
        held.insert(0, connector);
        let mut withdrawn = Withdrawn::default();
        for connector in held {
            // A connect that came meanwhile has a grant of its own, and says so by its generation.
            let same_grant = |row: &Connector| row.is_live() && row.grant.generation == connector.grant.generation;
            match suspend(self.store, self.bus, &connector.location(), WHY, now, same_grant).await {
                Ok(true) => withdrawn.suspended.push(Suspended { connector: connector.id, owner: connector.owner_id }),
                Ok(false) => {}
                Err(error) => withdrawn.failed.push((connector.id, error)),
            }
        }
        Ok(withdrawn)
    }

    /// Who shares the account, whoever owns them: Google's grant is one for each account and client.
    async fn others(&self, connector: &Connector) -> Result<Vec<Connector>, StoreError> {
        let mut others = Vec::new();
        for member in self.store.membership(&connector.google_sub).await?.members {
            if member.connector != connector.id {
                others.extend(self.store.connector_at(&member).await?);
            }
        }
        Ok(others)
    }
}

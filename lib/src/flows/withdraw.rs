//! An operator withdraws a connector's grant, because secrets may be in wrong hands: revoked at Google first, so that nobody
//! can use it, then the connector waits for its user. Cursor, triggers and firings stay.

use crate::domain::connector::{Connector, Location};
use crate::domain::timestamp::Timestamp;
use crate::flows::suspending::suspend;
use crate::ports::{EmailProvider, EventBus, ProviderError, Store, StoreError, Vault, VaultError};

/// As `CONNECTOR_NEEDS_REAUTH` tells it.
pub const WHY: &str = "withdrawn by the operator";

pub struct Withdraw<'a, S, V, P, B> {
    pub store: &'a S,
    pub vault: &'a V,
    pub provider: &'a P,
    pub bus: &'a B,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawn {
    Revoked,
    /// It is gone, on its way out, or waits for its user already; what it held is revoked all the same, if it is there.
    WasIdle,
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

impl<S: Store, V: Vault, P: EmailProvider, B: EventBus> Withdraw<'_, S, V, P, B> {
    /// Doing it again does no harm: a grant that is dead already is revoked.
    pub async fn run(&self, location: &Location, now: Timestamp) -> Result<Withdrawn, WithdrawError> {
        let Some(connector) = self.store.connector_at(location).await? else { return Ok(Withdrawn::WasIdle) };
        let token = self.vault.open_refresh_token(&connector.refresh_token, &connector.id).await?;
        self.provider.revoke(&token).await?;
        // A connect that came meanwhile has a grant of its own, and says so by its generation.
        let same_grant = |held: &Connector| held.is_live() && held.generation == connector.generation;
        let suspended = suspend(self.store, self.bus, location, WHY, now, same_grant).await?;
        Ok(if suspended { Withdrawn::Revoked } else { Withdrawn::WasIdle })
    }
}

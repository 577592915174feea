//! Access to a mailbox: the cached token while it lasts, a fresh one when it does not.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::domain::connector::{Connector, StoredGrant};
use crate::domain::id::ConnectorId;
use crate::domain::quota::Prices;
use crate::domain::secret::{AccessToken, RefreshToken, Sealed};
use crate::domain::timestamp::Timestamp;
use crate::ports::{
    EmailProvider, Ports, ProviderError, ProviderOf, Providers, Refreshed, Store, StoreError,
    Vault, VaultError,
};

/// A token that ends within the minute may end within the request.
const MARGIN: Duration = Duration::from_secs(60);
/// How many connectors one process remembers a refresh of.
const MOST_REMEMBERED: usize = 1000;

#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One refresh at a time for each connector in this process: whoever comes second takes what the
/// first one got.
#[derive(Debug, Default)]
pub struct Refreshes(Mutex<BTreeMap<ConnectorId, Arc<Mutex<Option<Remembered>>>>>);

#[derive(Debug)]
struct Remembered {
    generation: u64,
    token: AccessToken,
}

impl Refreshes {
    async fn of(&self, connector: &ConnectorId) -> Arc<Mutex<Option<Remembered>>> {
        let mut remembered = self.0.lock().await;
        if remembered.len() >= MOST_REMEMBERED {
            remembered.clear();
        }
        remembered.entry(connector.clone()).or_default().clone()
    }
}

/// What every session with a mailbox needs.
pub struct Access<'a, P: Ports> {
    pub store: &'a P::Store,
    pub vault: &'a P::Vault,
    pub provider: &'a P::Provider,
    pub refreshes: &'a Refreshes,
}

impl<P: Ports> Clone for Access<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Ports> Copy for Access<'_, P> {}

impl<'a, P: Ports> Access<'a, P> {
    /// Opens the token that is cached, or has one refreshed.
    pub async fn session(
        self,
        connector: &Connector,
        now: Timestamp,
    ) -> Result<Session<'a, P>, AccessError> {
        let lasting =
            connector.access_token.as_ref().filter(|sealed| sealed.expires_at > now.after(MARGIN));
        let cached = match lasting {
            Some(sealed) => match self
                .vault
                .open_access_token(sealed, &connector.id, connector.grant.generation)
                .await
            {
                Ok(token) => Some(token),
                // Sealed for an earlier generation, or under a key that is gone: a cache that does
                // not open is empty.
                Err(VaultError::WrongContext) => None,
                Err(unavailable) => return Err(unavailable.into()),
            },
            None => None,
        };
        let is_cached = cached.is_some();
        let nothing = AccessToken { secret: String::new().into(), expires_at: now };
        let token = cached.unwrap_or(nothing);
        let mut session = Session {
            access: self,
            connector: connector.clone(),
            now,
            token,
            fresh: false,
            units: 0,
        };
        if !is_cached {
            session.refresh().await?;
        }
        Ok(session)
    }
}

/// A connector's access to its mailbox for the length of one invocation.
pub struct Session<'a, P: Ports> {
    access: Access<'a, P>,
    connector: Connector,
    now: Timestamp,
    token: AccessToken,
    /// Whether the token was refreshed in this session: a refusal is then not due to an outdated
    /// cache.
    fresh: bool,
    /// Quota units that were spent and not yet recorded.
    units: u32,
}

impl<'a, P: Ports> Session<'a, P> {
    /// Calls the provider, at a cost of `units`. A refused access token is refreshed once; a second
    /// refusal is returned. A token that this process only remembers may be refused as well, and is
    /// no refresh.
    pub async fn call<T, F, Answer>(&mut self, units: u32, request: F) -> Result<T, AccessError>
    where
        T: Send,
        F: Fn(AccessToken) -> Answer + Send + Sync,
        Answer: Future<Output = Result<T, ProviderError>> + Send,
    {
        self.units = self.units.saturating_add(units);
        loop {
            match request(self.token.clone()).await {
                Err(ProviderError::Unauthorized) if !self.fresh => self.refresh().await?,
                answer => return Ok(answer?),
            }
        }
    }

    pub fn provider(&self) -> &'a ProviderOf<P> {
        self.access.provider.of(self.connector.provider)
    }

    /// What calls cost at the provider.
    pub fn prices(&self) -> &'static Prices {
        &self.connector.registration().prices
    }

    pub fn units(&self) -> u32 {
        self.units
    }

    /// Counts units that a call turned out to cost more.
    pub fn spend(&mut self, units: u32) {
        self.units = self.units.saturating_add(units);
    }

    pub fn take_units(&mut self) -> u32 {
        std::mem::take(&mut self.units)
    }

    async fn refresh(&mut self) -> Result<(), AccessError> {
        let remembered = self.access.refreshes.of(&self.connector.id).await;
        let mut remembered = remembered.lock().await;
        let newer = |refreshed: &&Remembered| {
            refreshed.generation == self.connector.grant.generation
                && refreshed.token.expires_at > self.token.expires_at
                && refreshed.token.expires_at > self.now.after(MARGIN)
        };
        if let Some(refreshed) = remembered.as_ref().filter(newer) {
            self.token = refreshed.token.clone();
            self.fresh = false;
            return Ok(());
        }
        let token = self.confirmed().await?;
        *remembered =
            Some(Remembered { generation: self.connector.grant.generation, token: token.clone() });
        self.token = token;
        self.fresh = true;
        Ok(())
    }

    /// A refused grant is read from the table and tried once more before it is believed: a connect
    /// may have replaced the refresh token meanwhile.
    async fn confirmed(&mut self) -> Result<AccessToken, AccessError> {
        let (token, rotated) = match self.refresh_and_cache(&self.connector).await {
            Err(AccessError::Provider(ProviderError::GrantRefused(_))) => {
                let current = self.access.store.connector_at(&self.connector.location()).await?;
                let current = current
                    .filter(|current| current.grant.generation == self.connector.grant.generation)
                    .ok_or(StoreError::Conflict)?;
                self.refresh_and_cache(&current).await?
            }
            answer => answer?,
        };
        if let Some(rotated) = rotated {
            self.connector.grant.refresh_token = rotated;
        }
        Ok(token)
    }

    /// Returns the access token, and the sealed refresh token that is stored in place of the one
    /// that it was got with.
    async fn refresh_and_cache(
        &self,
        connector: &Connector,
    ) -> Result<(AccessToken, Option<Sealed>), AccessError> {
        let Access { store, vault, .. } = self.access;
        let (refresh_token, kept_key) = tokio::join!(
            vault.open_refresh_token(&connector.grant.refresh_token, &connector.id),
            store.data_key()
        );
        let (refresh_token, kept_key) = (refresh_token?, kept_key?);
        let Refreshed { access: token, refresh } =
            self.provider().refresh(&refresh_token, self.now).await?;
        let rotated = match refresh {
            Some(refresh) => self.rotate(connector, &refresh).await,
            None => None,
        };
        let key = match kept_key {
            Some(key) => key,
            None => store.keep_data_key(vault.new_data_key().await?).await?,
        };
        let sealed = vault
            .seal_access_token(&token, &connector.id, connector.grant.generation, &key)
            .await?;
        match store
            .cache_access_token(&connector.location(), connector.grant.generation, &sealed)
            .await
        {
            // Conditional on the generation: a token of an earlier connect is neither kept nor
            // used.
            Err(conflict @ StoreError::Conflict) => Err(conflict.into()),
            Err(error) => {
                tracing::warn!(%error, "the access token is not cached, and will be refreshed again");
                Ok((token, rotated))
            }
            Ok(()) => Ok((token, rotated)),
        }
    }

    /// Stores a rotated refresh token; `None` if it was not stored. The one before stays valid, so
    /// that a lost write is made up for by the next refresh, and whoever comes second leaves what
    /// the first one stored.
    async fn rotate(&self, connector: &Connector, refresh: &RefreshToken) -> Option<Sealed> {
        let Access { store, vault, .. } = self.access;
        let sealed = match vault.seal_refresh_token(refresh, &connector.id).await {
            Ok(sealed) => sealed,
            Err(error) => {
                tracing::warn!(%error, "a rotated refresh token is not sealed, nor stored");
                return None;
            }
        };
        let StoredGrant { generation, refresh_token: replaced, .. } = &connector.grant;
        match store
            .rotate_refresh_token(&connector.location(), *generation, replaced, &sealed)
            .await
        {
            Ok(()) => Some(sealed),
            // Another session stored its own, or a connect came: then the access token is not
            // cached below.
            Err(StoreError::Conflict) => None,
            Err(error) => {
                tracing::warn!(%error, "a rotated refresh token is not stored");
                None
            }
        }
    }
}

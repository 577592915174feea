//! Access to a mailbox: the cached token while it lasts, a fresh one when it does not.

use std::future::Future;
use std::time::Duration;

use crate::domain::connector::Connector;
use crate::domain::secret::AccessToken;
use crate::domain::timestamp::Timestamp;
use crate::ports::{EmailProvider, ProviderError, Store, StoreError, Vault, VaultError};

/// A token that ends within the minute may end within the request.
const MARGIN: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A connector's access to its mailbox for the length of one invocation.
pub struct Session<'a, S, V, P> {
    store: &'a S,
    vault: &'a V,
    provider: &'a P,
    connector: &'a Connector,
    now: Timestamp,
    token: AccessToken,
    /// Whether the token was refreshed in this session, so that a refusal is not our cache's fault.
    fresh: bool,
}

impl<'a, S: Store, V: Vault, P: EmailProvider> Session<'a, S, V, P> {
    pub async fn open(store: &'a S, vault: &'a V, provider: &'a P, connector: &'a Connector, now: Timestamp) -> Result<Self, AccessError> {
        let lasting = connector.access_token.as_ref().filter(|sealed| sealed.expires_at > now.after(MARGIN));
        let cached = match lasting {
            Some(sealed) => match vault.open_access_token(sealed, &connector.id, connector.generation).await {
                Ok(token) => Some(token),
                // Sealed for an earlier generation, or under a key that is gone: a cache that does not open is empty.
                Err(VaultError::WrongContext) => None,
                Err(unavailable) => return Err(unavailable.into()),
            },
            None => None,
        };
        let fresh = cached.is_none();
        let token = match cached {
            Some(token) => token,
            None => refresh(store, vault, provider, connector, now).await?,
        };
        Ok(Self { store, vault, provider, connector, now, token, fresh })
    }

    /// Calls the provider. A token that is refused is refreshed once; what is refused then stays refused.
    pub async fn call<T, F, Answer>(&mut self, request: F) -> Result<T, AccessError>
    where
        T: Send,
        F: Fn(AccessToken) -> Answer + Send + Sync,
        Answer: Future<Output = Result<T, ProviderError>> + Send,
    {
        match request(self.token.clone()).await {
            Err(ProviderError::Unauthorized) if !self.fresh => {
                self.token = refresh(self.store, self.vault, self.provider, self.connector, self.now).await?;
                self.fresh = true;
                Ok(request(self.token.clone()).await?)
            }
            answer => Ok(answer?),
        }
    }
}

async fn refresh(
    store: &impl Store,
    vault: &impl Vault,
    provider: &impl EmailProvider,
    connector: &Connector,
    now: Timestamp,
) -> Result<AccessToken, AccessError> {
    let (refresh_token, kept_key) = tokio::join!(vault.open_refresh_token(&connector.refresh_token, &connector.id), store.data_key());
    let (refresh_token, kept_key) = (refresh_token?, kept_key?);
    let token = provider.refresh(&refresh_token, now).await?;
    let key = match kept_key {
        Some(key) => key,
        None => store.keep_data_key(vault.new_data_key().await?).await?,
    };
    let sealed = vault.seal_access_token(&token, &connector.id, connector.generation, &key).await?;
    match store.cache_access_token(&connector.location(), connector.generation, &sealed).await {
        // Conditional on the generation: a token of an earlier connect is neither kept nor used.
        Err(conflict @ StoreError::Conflict) => Err(conflict.into()),
        Err(error) => {
            tracing::warn!(%error, "the access token is not cached, and will be refreshed again");
            Ok(token)
        }
        Ok(()) => Ok(token),
    }
}

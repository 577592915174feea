//! A vault that binds for real: the context lies inside what it seals, and opening checks it.

use email_connectors::domain::id::{ConnectorId, TriggerId};
use email_connectors::domain::secret::{
    AccessToken, RefreshToken, Sealed, SealedAccessToken, WrappedKey,
};
use email_connectors::ports::{Vault, VaultError};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::script::Call;
use super::{State, World};

/// What a ciphertext holds. The number makes every sealing different, as a nonce does.
#[derive(Serialize, Deserialize)]
struct Content {
    number: u64,
    context: Context,
    secret: String,
}

#[derive(PartialEq, Serialize, Deserialize)]
enum Context {
    RefreshToken { connector: ConnectorId },
    TriggerSecret { trigger: TriggerId },
    DataKey,
    AccessToken { connector: ConnectorId, generation: u64, key: Vec<u8> },
}

/// Enough that no secret stands in a row in the clear.
fn veil(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().map(|byte| byte ^ 0xa5).collect()
}

fn seal(state: &mut State, context: Context, secret: &str) -> Sealed {
    state.sealed += 1;
    let content = Content { number: state.sealed, context, secret: secret.to_string() };
    Sealed(veil(serde_json::to_vec(&content).expect("strings and numbers are JSON")))
}

fn open(sealed: &Sealed, context: Context) -> Result<String, VaultError> {
    let content: Content =
        serde_json::from_slice(&veil(sealed.0.clone())).map_err(|_| VaultError::WrongContext)?;
    if content.context == context { Ok(content.secret) } else { Err(VaultError::WrongContext) }
}

#[derive(Clone)]
pub struct MemoryVault(World);

impl MemoryVault {
    pub(crate) fn new(world: World) -> Self {
        Self(world)
    }
}

impl Vault for MemoryVault {
    async fn seal_refresh_token(
        &self,
        token: &RefreshToken,
        connector: &ConnectorId,
    ) -> Result<Sealed, VaultError> {
        let context = Context::RefreshToken { connector: connector.clone() };
        self.0
            .call(Call::SealRefreshToken, connector, |state| {
                Ok(seal(state, context, token.0.expose_secret()))
            })
            .await
    }

    async fn open_refresh_token(
        &self,
        sealed: &Sealed,
        connector: &ConnectorId,
    ) -> Result<RefreshToken, VaultError> {
        let context = Context::RefreshToken { connector: connector.clone() };
        self.0
            .call(Call::OpenRefreshToken, connector, |_| {
                Ok(RefreshToken(open(sealed, context)?.into()))
            })
            .await
    }

    async fn seal_trigger_secret(
        &self,
        secret: &SecretString,
        trigger: &TriggerId,
    ) -> Result<Sealed, VaultError> {
        let context = Context::TriggerSecret { trigger: trigger.clone() };
        self.0
            .call(Call::SealTriggerSecret, trigger, |state| {
                Ok(seal(state, context, secret.expose_secret()))
            })
            .await
    }

    async fn open_trigger_secret(
        &self,
        sealed: &Sealed,
        trigger: &TriggerId,
    ) -> Result<SecretString, VaultError> {
        let context = Context::TriggerSecret { trigger: trigger.clone() };
        self.0.call(Call::OpenTriggerSecret, trigger, |_| Ok(open(sealed, context)?.into())).await
    }

    async fn new_data_key(&self) -> Result<WrappedKey, VaultError> {
        self.0.call(Call::NewDataKey, "", |state| Ok(seal(state, Context::DataKey, "a key"))).await
    }

    async fn seal_access_token(
        &self,
        token: &AccessToken,
        connector: &ConnectorId,
        generation: u64,
        key: &WrappedKey,
    ) -> Result<SealedAccessToken, VaultError> {
        let context =
            Context::AccessToken { connector: connector.clone(), generation, key: key.0.clone() };
        let seal = |state: &mut State| {
            open(key, Context::DataKey)?;
            let token_sealed = seal(state, context, token.secret.expose_secret());
            Ok(SealedAccessToken {
                key: key.clone(),
                token: token_sealed,
                expires_at: token.expires_at,
            })
        };
        self.0.call(Call::SealAccessToken, connector, seal).await
    }

    async fn open_access_token(
        &self,
        sealed: &SealedAccessToken,
        connector: &ConnectorId,
        generation: u64,
    ) -> Result<AccessToken, VaultError> {
        let context = Context::AccessToken {
            connector: connector.clone(),
            generation,
            key: sealed.key.0.clone(),
        };
        let open = |_: &mut State| {
            open(&sealed.key, Context::DataKey)?;
            Ok(AccessToken {
                secret: SecretString::from(open(&sealed.token, context)?),
                expires_at: sealed.expires_at,
            })
        };
        self.0.call(Call::OpenAccessToken, connector, open).await
    }
}

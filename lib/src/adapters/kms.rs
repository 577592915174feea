//! The vault on KMS: refresh tokens and triggers' secrets sealed by KMS itself, access tokens under
//! a data key that KMS wrapped.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_sdk_kms::Client;
use aws_sdk_kms::operation::decrypt::DecryptError;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use crate::domain::id::{ConnectorId, TriggerId};
use crate::domain::metric::SECRET_WRONG_CONTEXT;
use crate::domain::secret::{AccessToken, RefreshToken, Sealed, SealedAccessToken, WrappedKey};
use crate::ports::{Cause, Vault, VaultError};

/// How many unwrapped data keys a process caches: there is one, and another after each rotation.
const MOST_DATA_KEYS: usize = 8;

pub struct KmsVault {
    client: Client,
    key_id: String,
    unwrapped: Mutex<HashMap<Vec<u8>, Arc<RandomizedNonceKey>>>,
}

impl KmsVault {
    pub fn new(config: &aws_config::SdkConfig, key_id: impl Into<String>) -> Self {
        Self { client: Client::new(config), key_id: key_id.into(), unwrapped: Mutex::default() }
    }

    async fn encrypt(
        &self,
        secret: &SecretString,
        (name, value): (&str, &str),
    ) -> Result<Sealed, VaultError> {
        let plaintext = Blob::new(secret.expose_secret().as_bytes());
        let request = self
            .client
            .encrypt()
            .key_id(&self.key_id)
            .encryption_context(name, value)
            .plaintext(plaintext);
        let answer = request.send().await.map_err(unavailable)?;
        answer
            .ciphertext_blob
            .map(|blob| Sealed(blob.into_inner()))
            .ok_or_else(|| unavailable("KMS answered without a ciphertext"))
    }

    async fn decrypt(
        &self,
        sealed: &Sealed,
        (name, value): (&str, &str),
    ) -> Result<Vec<u8>, VaultError> {
        let request = self
            .client
            .decrypt()
            .key_id(&self.key_id)
            .encryption_context(name, value)
            .ciphertext_blob(Blob::new(sealed.0.clone()));
        match request.send().await {
            Ok(answer) => Ok(answer.plaintext.map(Blob::into_inner).unwrap_or_default()),
            Err(error) => match error.as_service_error() {
                Some(
                    DecryptError::InvalidCiphertextException(_)
                    | DecryptError::IncorrectKeyException(_),
                ) => Err(VaultError::WrongContext),
                _ => Err(unavailable(error)),
            },
        }
    }

    /// The lock is held while KMS unwraps, so that invocations that start together unwrap a key
    /// only once.
    async fn data_key(&self, wrapped: &WrappedKey) -> Result<Arc<RandomizedNonceKey>, VaultError> {
        let mut unwrapped = self.unwrapped.lock().await;
        if let Some(key) = unwrapped.get(&wrapped.0) {
            return Ok(key.clone());
        }
        let plaintext = self.decrypt(wrapped, DATA_KEY_CONTEXT).await?;
        let key = Arc::new(
            RandomizedNonceKey::new(&AES_256_GCM, &plaintext)
                .map_err(|_| VaultError::WrongContext)?,
        );
        if unwrapped.len() >= MOST_DATA_KEYS {
            unwrapped.clear();
        }
        unwrapped.insert(wrapped.0.clone(), key.clone());
        Ok(key)
    }
}

/// CloudTrail shows encryption contexts in the clear: opaque ids only.
fn connector_context(connector: &ConnectorId) -> (&'static str, &str) {
    ("connector_id", connector.as_str())
}

fn trigger_context(trigger: &TriggerId) -> (&'static str, &str) {
    ("trigger_id", trigger.as_str())
}

const DATA_KEY_CONTEXT: (&str, &str) = ("purpose", "access-tokens");

/// What an access token is bound to: a token of an earlier connect cannot be decrypted.
fn associated_data(connector: &ConnectorId, generation: u64) -> Aad<Vec<u8>> {
    Aad::from(format!("{connector}#{generation}").into_bytes())
}

impl Vault for KmsVault {
    async fn seal_refresh_token(
        &self,
        token: &RefreshToken,
        connector: &ConnectorId,
    ) -> Result<Sealed, VaultError> {
        self.encrypt(&token.0, connector_context(connector)).await
    }

    async fn open_refresh_token(
        &self,
        sealed: &Sealed,
        connector: &ConnectorId,
    ) -> Result<RefreshToken, VaultError> {
        let opened = self.decrypt(sealed, connector_context(connector)).await.and_then(secret);
        alarmed("refresh token", connector.as_str(), opened).map(RefreshToken)
    }

    async fn seal_trigger_secret(
        &self,
        secret: &SecretString,
        trigger: &TriggerId,
    ) -> Result<Sealed, VaultError> {
        self.encrypt(secret, trigger_context(trigger)).await
    }

    async fn open_trigger_secret(
        &self,
        sealed: &Sealed,
        trigger: &TriggerId,
    ) -> Result<SecretString, VaultError> {
        let opened = self.decrypt(sealed, trigger_context(trigger)).await.and_then(secret);
        alarmed("trigger secret", trigger.as_str(), opened)
    }

    async fn new_data_key(&self) -> Result<WrappedKey, VaultError> {
        let (name, value) = DATA_KEY_CONTEXT;
        let request = self
            .client
            .generate_data_key_without_plaintext()
            .key_id(&self.key_id)
            .key_spec(DataKeySpec::Aes256);
        let answer = request.encryption_context(name, value).send().await.map_err(unavailable)?;
        answer
            .ciphertext_blob
            .map(|blob| Sealed(blob.into_inner()))
            .ok_or_else(|| unavailable("KMS answered without a key"))
    }

    async fn seal_access_token(
        &self,
        token: &AccessToken,
        connector: &ConnectorId,
        generation: u64,
        key: &WrappedKey,
    ) -> Result<SealedAccessToken, VaultError> {
        let data_key = alarmed("data key", connector.as_str(), self.data_key(key).await)?;
        let mut text = token.secret.expose_secret().as_bytes().to_vec();
        let nonce = data_key
            .seal_in_place_append_tag(associated_data(connector, generation), &mut text)
            .map_err(|_| unavailable("the access token could not be sealed"))?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut text);
        Ok(SealedAccessToken {
            key: key.clone(),
            token: Sealed(sealed),
            expires_at: token.expires_at,
        })
    }

    async fn open_access_token(
        &self,
        sealed: &SealedAccessToken,
        connector: &ConnectorId,
        generation: u64,
    ) -> Result<AccessToken, VaultError> {
        let data_key = alarmed("data key", connector.as_str(), self.data_key(&sealed.key).await)?;
        let opened = alarmed(
            "access token",
            connector.as_str(),
            unsealed(&data_key, &sealed.token, associated_data(connector, generation)),
        )?;
        Ok(AccessToken { secret: opened, expires_at: sealed.expires_at })
    }
}

fn unsealed(
    key: &RandomizedNonceKey,
    sealed: &Sealed,
    bound_to: Aad<Vec<u8>>,
) -> Result<SecretString, VaultError> {
    let (nonce, text) = sealed.0.split_at_checked(NONCE_LEN).ok_or(VaultError::WrongContext)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::WrongContext)?;
    let mut text = text.to_vec();
    let opened =
        key.open_in_place(nonce, bound_to, &mut text).map_err(|_| VaultError::WrongContext)?;
    secret(opened.to_vec())
}

/// Reports a ciphertext that cannot be decrypted: it was altered, or belongs elsewhere, so an
/// operator must look.
fn alarmed<T>(what: &str, of: &str, opened: Result<T, VaultError>) -> Result<T, VaultError> {
    if let Err(VaultError::WrongContext) = &opened {
        metrics::counter!(SECRET_WRONG_CONTEXT).increment(1);
        tracing::error!(of, "a sealed {what} does not open under its context");
    }
    opened
}

fn secret(bytes: Vec<u8>) -> Result<SecretString, VaultError> {
    String::from_utf8(bytes).map(SecretString::from).map_err(|_| VaultError::WrongContext)
}

fn unavailable(cause: impl Into<Cause>) -> VaultError {
    VaultError::Unavailable(cause.into())
}

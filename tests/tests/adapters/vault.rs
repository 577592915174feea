//! The vault on KMS: what is sealed to one connector opens for no other.

use std::time::Duration;

use aws_sdk_kms::types::KeySpec;
use email_connectors::adapters::kms::KmsVault;
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::secret::{AccessToken, RefreshToken, Sealed};
use email_connectors::ports::{Vault, VaultError};
use secrecy::{ExposeSecret, SecretString};

use crate::aws;

async fn vault() -> KmsVault {
    let config = aws::config().await;
    let key = aws_sdk_kms::Client::new(&config).create_key().key_spec(KeySpec::SymmetricDefault).send().await.unwrap();
    KmsVault::new(&config, key.key_metadata.unwrap().key_id)
}

fn ids() -> (ConnectorId, ConnectorId) {
    (ConnectorId::new("con_one"), ConnectorId::new("con_other"))
}

#[tokio::test]
async fn a_refresh_token_opens_only_for_its_connector() {
    let vault = vault().await;
    let (one, other) = ids();
    let sealed = vault.seal_refresh_token(&RefreshToken(SecretString::from("1//refresh")), &one).await.unwrap();

    assert!(!sealed.0.windows(9).any(|window| window == b"1//refres"), "the token is in the clear");
    assert_eq!(vault.open_refresh_token(&sealed, &one).await.unwrap().0.expose_secret(), "1//refresh");
    assert!(matches!(vault.open_refresh_token(&sealed, &other).await, Err(VaultError::WrongContext)));
    assert!(matches!(vault.open_refresh_token(&Sealed(b"rubbish".into()), &one).await, Err(VaultError::WrongContext)));
}

#[tokio::test]
async fn an_access_token_opens_only_for_its_connector_and_generation() {
    let vault = vault().await;
    let (one, other) = ids();
    let key = vault.new_data_key().await.unwrap();
    let token = AccessToken { secret: SecretString::from("ya29.access"), expires_at: aws::now().after(Duration::from_secs(3600)) };
    let sealed = vault.seal_access_token(&token, &one, 2, &key).await.unwrap();

    let opened = vault.open_access_token(&sealed, &one, 2).await.unwrap();
    assert_eq!((opened.secret.expose_secret(), opened.expires_at), ("ya29.access", token.expires_at));
    assert!(matches!(vault.open_access_token(&sealed, &other, 2).await, Err(VaultError::WrongContext)));
    assert!(matches!(vault.open_access_token(&sealed, &one, 3).await, Err(VaultError::WrongContext)));
    for at in [0, 12, sealed.token.0.len() - 1] {
        let mut altered = sealed.clone();
        altered.token.0[at] ^= 1;
        assert!(matches!(vault.open_access_token(&altered, &one, 2).await, Err(VaultError::WrongContext)), "byte {at}");
    }
    let again = vault.seal_access_token(&token, &one, 2, &key).await.unwrap();
    assert_ne!(again.token, sealed.token, "a nonce was used twice");
}

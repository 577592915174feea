//! The vault on KMS: what is sealed to one connector or trigger opens for no other, and each
//! attempt is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_kms::types::KeySpec;
use email_connectors::adapters::kms::KmsVault;
use email_connectors::domain::id::{ConnectorId, TriggerId};
use email_connectors::domain::secret::{AccessToken, RefreshToken, Sealed, SealedAccessToken};
use email_connectors::ports::{Vault, VaultError};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use secrecy::{ExposeSecret, SecretString};

use crate::aws;

async fn vault() -> KmsVault {
    let config = aws::config().await;
    let key = aws_sdk_kms::Client::new(&config)
        .create_key()
        .key_spec(KeySpec::SymmetricDefault)
        .send()
        .await
        .unwrap();
    KmsVault::new(&config, key.key_metadata.unwrap().key_id)
}

fn ids() -> (ConnectorId, ConnectorId) {
    (ConnectorId::new("con_one"), ConnectorId::new("con_other"))
}

#[tokio::test]
async fn a_refresh_token_opens_only_for_its_connector() {
    let vault = vault().await;
    let (one, other) = ids();
    let sealed = vault
        .seal_refresh_token(&RefreshToken(SecretString::from("1//refresh")), &one)
        .await
        .unwrap();

    assert!(!sealed.0.windows(9).any(|window| window == b"1//refres"), "the token is in the clear");
    assert_eq!(
        vault.open_refresh_token(&sealed, &one).await.unwrap().0.expose_secret(),
        "1//refresh"
    );
    assert!(matches!(
        vault.open_refresh_token(&sealed, &other).await,
        Err(VaultError::WrongContext)
    ));
    assert!(matches!(
        vault.open_refresh_token(&Sealed(b"rubbish".into()), &one).await,
        Err(VaultError::WrongContext)
    ));
}

#[tokio::test]
async fn an_access_token_opens_only_for_its_connector_and_generation() {
    let vault = vault().await;
    let (one, other) = ids();
    let key = vault.new_data_key().await.unwrap();
    let token = AccessToken {
        secret: SecretString::from("ya29.access"),
        expires_at: aws::now().after(Duration::from_secs(3600)),
    };
    let sealed = vault.seal_access_token(&token, &one, 2, &key).await.unwrap();

    let opened = vault.open_access_token(&sealed, &one, 2).await.unwrap();
    assert_eq!(
        (opened.secret.expose_secret(), opened.expires_at),
        ("ya29.access", token.expires_at)
    );
    assert!(matches!(
        vault.open_access_token(&sealed, &other, 2).await,
        Err(VaultError::WrongContext)
    ));
    assert!(matches!(
        vault.open_access_token(&sealed, &one, 3).await,
        Err(VaultError::WrongContext)
    ));
    for at in [0, 12, sealed.token.0.len() - 1] {
        let mut altered = sealed.clone();
        altered.token.0[at] ^= 1;
        assert!(
            matches!(
                vault.open_access_token(&altered, &one, 2).await,
                Err(VaultError::WrongContext)
            ),
            "byte {at}"
        );
    }
    let again = vault.seal_access_token(&token, &one, 2, &key).await.unwrap();
    assert_ne!(again.token, sealed.token, "a nonce was used twice");
}

#[tokio::test]
async fn a_triggers_secret_opens_only_for_its_trigger() {
    let vault = vault().await;
    let (one, other) = (TriggerId::new("trg_one"), TriggerId::new("trg_other"));
    let sealed =
        vault.seal_trigger_secret(&SecretString::from("whsec-of-one"), &one).await.unwrap();

    assert!(
        !sealed.0.windows(9).any(|window| window == b"whsec-of-"),
        "the secret is in the clear"
    );
    assert_eq!(
        vault.open_trigger_secret(&sealed, &one).await.unwrap().expose_secret(),
        "whsec-of-one"
    );
    assert!(matches!(
        vault.open_trigger_secret(&sealed, &other).await,
        Err(VaultError::WrongContext)
    ));
    // A trigger's secret does not open for a connector with the same id.
    let of_the_same_name = ConnectorId::new(one.as_str());
    assert!(matches!(
        vault.open_refresh_token(&sealed, &of_the_same_name).await,
        Err(VaultError::WrongContext)
    ));
    let token = vault
        .seal_refresh_token(&RefreshToken(SecretString::from("1//refresh")), &of_the_same_name)
        .await
        .unwrap();
    assert!(matches!(vault.open_trigger_secret(&token, &one).await, Err(VaultError::WrongContext)));
}

/// Counts this thread's increments of one metric.
#[derive(Default)]
struct Alarms(Arc<AtomicU64>);

impl Recorder for Alarms {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        if key.name() == "SecretWrongContext" {
            Counter::from_arc(self.0.clone())
        } else {
            Counter::noop()
        }
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[tokio::test]
async fn whatever_does_not_open_raises_an_alarm_and_what_opens_does_not() {
    let (vault, alarms) = (vault().await, Alarms::default());
    let _recording = metrics::set_default_local_recorder(&alarms);
    let raised = || alarms.0.swap(0, Ordering::Relaxed);
    let (one, other) = ids();
    let (trigger, other_trigger) = (TriggerId::new("trg_one"), TriggerId::new("trg_other"));
    let key = vault.new_data_key().await.unwrap();
    let token = AccessToken {
        secret: SecretString::from("ya29.access"),
        expires_at: aws::now().after(Duration::from_secs(3600)),
    };
    let refresh = vault
        .seal_refresh_token(&RefreshToken(SecretString::from("1//refresh")), &one)
        .await
        .unwrap();
    let hook = vault.seal_trigger_secret(&SecretString::from("whsec"), &trigger).await.unwrap();
    let access = vault.seal_access_token(&token, &one, 2, &key).await.unwrap();
    vault.open_refresh_token(&refresh, &one).await.unwrap();
    vault.open_trigger_secret(&hook, &trigger).await.unwrap();
    vault.open_access_token(&access, &one, 2).await.unwrap();
    assert_eq!(raised(), 0, "what opens alarms nobody");

    let moved_key = SealedAccessToken { key: refresh.clone(), ..access.clone() };
    let cut = SealedAccessToken { token: Sealed(vec![1, 2, 3]), ..access.clone() };
    let wrong = [
        ("a refresh token", vault.open_refresh_token(&refresh, &other).await.err()),
        ("a trigger's secret", vault.open_trigger_secret(&hook, &other_trigger).await.err()),
        ("an access token", vault.open_access_token(&access, &other, 2).await.err()),
        (
            "an access token of another generation",
            vault.open_access_token(&access, &one, 1).await.err(),
        ),
        ("an access token that was cut", vault.open_access_token(&cut, &one, 2).await.err()),
        ("a data key that is none", vault.open_access_token(&moved_key, &one, 2).await.err()),
        (
            "a data key that is none, to seal under",
            vault.seal_access_token(&token, &one, 2, &refresh).await.err(),
        ),
    ];
    assert_eq!(raised(), wrong.len() as u64, "each is an alarm");
    for (what, error) in wrong {
        assert!(matches!(error, Some(VaultError::WrongContext)), "{what}: {error:?}");
    }
}

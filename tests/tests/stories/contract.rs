//! The in-memory ports pass the contract tests of the real ones.

use email_connectors::domain::id::{ConnectorId, TriggerId};
use email_connectors::domain::secret::{RefreshToken, Sealed};
use email_connectors::ports::{
    AuthorizationCode, ConsentRequest, EmailProvider, Entropy, Grant, ProviderError, Vault,
    VaultError,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tests::contract::objects::{Holder, objects_contract};
use tests::contract::store_contract;
use tests::world::{CLIENT_ID, Consent, MemoryObjects, World};

#[tokio::test]
async fn the_store_in_memory_keeps_the_contract() {
    store_contract(&World::new().store(), "memory").await;
}

struct Browser(MemoryObjects);

impl Holder for Browser {
    async fn put(&self, url: &str, _: &[(&'static str, String)], bytes: Vec<u8>) -> u16 {
        self.0.serve("PUT", url, Some(bytes)).status
    }

    async fn get(&self, url: &str) -> (u16, Vec<u8>, String) {
        let served = self.0.serve("GET", url, None);
        (
            served.status,
            served.bytes,
            served.shown.map(|shown| shown.disposition).unwrap_or_default(),
        )
    }
}

#[tokio::test]
async fn the_bucket_in_memory_keeps_the_contract() {
    let world = World::new();
    objects_contract(&world.objects(), &Browser(world.objects()), "memory", world.now()).await;
}

#[tokio::test]
async fn the_vault_in_memory_opens_a_triggers_secret_for_its_trigger_only() {
    let vault = World::new().vault();
    let (one, other) = (TriggerId::new("trg_one"), TriggerId::new("trg_other"));
    let sealed = vault.seal_trigger_secret(&SecretString::from("whsec"), &one).await.unwrap();
    assert_eq!(vault.open_trigger_secret(&sealed, &one).await.unwrap().expose_secret(), "whsec");
    let token = vault
        .seal_refresh_token(
            &RefreshToken(SecretString::from("whsec")),
            &ConnectorId::new("trg_one"),
        )
        .await
        .unwrap();
    for (sealed, trigger) in [(&sealed, &other), (&token, &one), (&Sealed(b"rubbish".into()), &one)]
    {
        assert!(matches!(
            vault.open_trigger_secret(sealed, trigger).await,
            Err(VaultError::WrongContext)
        ));
    }
}

#[test]
fn randomness_that_counts_repeats_nothing_and_is_the_same_again() {
    let (one, other) = (World::new().machine(), World::new().machine());
    let drawn = |entropy: &dyn Fn() -> SecretString| {
        (0..3).map(|_| entropy().expose_secret().to_string()).collect::<Vec<_>>()
    };
    let (first, second) = (drawn(&|| one.secret()), drawn(&|| other.secret()));
    assert_eq!(first, second, "another world draws the same");
    assert!(first[0] != first[1] && first[1] != first[2], "{first:?}");
    assert!(first.iter().all(|secret| secret.len() == 43), "as long as a real one: {first:?}");
}

/// A user consents to a request with this PKCE verifier; returns the code.
fn agreed(world: &World, verifier: &str, consent: Consent) -> String {
    let request = ConsentRequest {
        scopes: &["openid".into()],
        redirect_uri: "https://app.example.com/callback",
        state: "state",
        nonce: "nonce",
        code_verifier: &SecretString::from(verifier),
        login_hint: Some("ada@example.com"),
    };
    let url = world.gmail().consent_url(&request);
    let requested = world.authorize_request(&url).unwrap();
    assert_eq!(
        (requested.scopes, requested.login_hint),
        (vec!["openid".into()], Some("ada@example.com".into()))
    );
    world.account("ada@example.com").consent_at(&url, consent)
}

async fn exchange(
    world: &World,
    code: &str,
    redirect_uri: &str,
    verifier: Option<&str>,
) -> Result<Grant, ProviderError> {
    let code = AuthorizationCode {
        code: code.into(),
        redirect_uri: redirect_uri.into(),
        code_verifier: verifier.map(SecretString::from),
    };
    world.gmail().exchange(&code, world.now()).await
}

#[tokio::test]
async fn a_code_is_bound_to_what_the_user_was_sent_away_with() {
    let (world, here) = (World::new(), "https://app.example.com/callback");
    let code = agreed(&world, "verifier", Consent::default());
    for verifier in [None, Some(""), Some("other")] {
        assert!(
            matches!(
                exchange(&world, &code, here, verifier).await,
                Err(ProviderError::GrantRefused(_))
            ),
            "{verifier:?}"
        );
    }
    let elsewhere =
        exchange(&world, &code, "https://evil.example/callback", Some("verifier")).await;
    assert!(matches!(elsewhere, Err(ProviderError::Refused { status: 400, .. })), "{elsewhere:?}");
    let grant = exchange(&world, &code, here, Some("verifier")).await.unwrap();
    assert_eq!(
        (&grant.identity["nonce"], &grant.identity["aud"]),
        (&json!("nonce"), &json!(CLIENT_ID))
    );
    assert!(
        matches!(
            exchange(&world, &code, here, Some("verifier")).await,
            Err(ProviderError::GrantRefused(_))
        ),
        "it is good once"
    );

    let of_a_popup = world.account("ada@example.com").consent(Consent::default());
    let grant = exchange(&world, &of_a_popup, "postmessage", None).await.unwrap();
    assert_eq!(
        grant.identity.get("nonce"),
        None,
        "a popup that nobody sent the user to has no nonce"
    );
}

#[tokio::test]
async fn an_id_token_may_say_what_it_should_not() {
    let world = World::new();
    let claims = json!({"aud": "another-client", "nonce": "another", "iss": null})
        .as_object()
        .unwrap()
        .clone();
    let code = agreed(&world, "verifier", Consent { claims, ..Consent::default() });
    let identity = exchange(&world, &code, "https://app.example.com/callback", Some("verifier"))
        .await
        .unwrap()
        .identity;
    assert_eq!(
        (&identity["aud"], &identity["nonce"], &identity["iss"]),
        (&json!("another-client"), &json!("another"), &json!(null))
    );
    assert!(identity["sub"].is_string(), "and the rest is as ever: {identity:?}");
}

//! A user is sent to Google for consent and comes back: the state is bound to the user, good once,
//! for ten minutes.

use email_connectors::domain::connector::Status;
use email_connectors::domain::provider::Provider;
use email_connectors::flows::authorize::{AuthorizeRequest, authorize};
use email_connectors::flows::connect::{ConnectError, ConnectRequest, Connected};
use email_connectors::ports::{AuthorizationCode, CONSENT_LIFE, ProviderError, Store};
use serde_json::json;
use tests::stage::{MINUTE, Stage, owner};
use tests::world::{Account, Call, Consent, SCOPES, When};

const CALLBACK: &str = "https://app.example.com/auth/google/callback";

async fn sent_away(stage: &Stage, of: &str) -> AuthorizeRequest {
    let scopes = SCOPES.map(String::from);
    let world = &stage.world;
    let wanted = (scopes.as_slice(), CALLBACK, None);
    authorize(
        &world.store(),
        (Provider::Gmail, &world.gmail()),
        &world.machine(),
        &owner(of),
        wanted,
        world.now(),
    )
    .await
    .unwrap()
}

fn come_back(stage: &Stage, of: &str, code: &str, state: &str) -> ConnectRequest {
    let request = stage.request(of, code);
    let code = AuthorizationCode { redirect_uri: CALLBACK.into(), ..request.code };
    ConnectRequest { code, state: Some(state.into()), ..request }
}

async fn connect(stage: &Stage, request: &ConnectRequest) -> Result<Connected, ConnectError> {
    stage.connecting().run(request, stage.world.now()).await
}

fn scene() -> (Stage, Account) {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    (stage, ada)
}

#[tokio::test]
async fn a_consent_that_was_requested_here_connects() {
    let (stage, ada) = scene();
    let request = sent_away(&stage, "owner").await;
    let code = ada.consent_at(&request.authorization_url, Consent::default());
    let connected =
        connect(&stage, &come_back(&stage, "owner", &code, &request.state)).await.unwrap();
    assert_eq!(stage.connector(&connected.connector_id).reading.status, Status::Active);
}

#[tokio::test]
async fn no_state_is_given_twice() {
    let (stage, _) = scene();
    let (one, other) = (sent_away(&stage, "owner").await, sent_away(&stage, "owner").await);
    assert_ne!(one.state, other.state);
    assert_ne!(one.authorization_url, other.authorization_url);
}

#[tokio::test]
async fn a_state_that_is_not_this_users_leads_to_no_exchange() {
    let (stage, ada) = scene();
    let request = sent_away(&stage, "owner").await;
    let code = ada.consent_at(&request.authorization_url, Consent::default());
    stage.forget_calls();
    let altered = format!("{}x", request.state);
    for (of, state) in
        [("thief", request.state.as_str()), ("owner", &altered), ("owner", "made-up")]
    {
        let refused = connect(&stage, &come_back(&stage, of, &code, state)).await;
        assert!(matches!(refused, Err(ConnectError::UnknownState)), "{of} {state}: {refused:?}");
    }
    assert!(stage.calls_of(&["gmail"]).is_empty());
    // The owner's own state is still good.
    connect(&stage, &come_back(&stage, "owner", &code, &request.state)).await.unwrap();
}

#[tokio::test]
async fn a_state_is_good_for_ten_minutes() {
    for (waited, good) in [(CONSENT_LIFE - MINUTE, true), (CONSENT_LIFE, false)] {
        let (stage, ada) = scene();
        let request = sent_away(&stage, "owner").await;
        let code = ada.consent_at(&request.authorization_url, Consent::default());
        stage.world.pass(waited);
        assert_eq!(
            connect(&stage, &come_back(&stage, "owner", &code, &request.state)).await.is_ok(),
            good,
            "{waited:?}"
        );
    }
}

#[tokio::test]
async fn a_state_is_used_once_and_the_same_request_gets_the_same_answer() {
    let (stage, ada) = scene();
    let authorization = sent_away(&stage, "owner").await;
    let code = ada.consent_at(&authorization.authorization_url, Consent::default());
    let request = come_back(&stage, "owner", &code, &authorization.state);
    let first = connect(&stage, &request).await.unwrap();
    stage.forget_calls();
    assert_eq!(connect(&stage, &request).await.unwrap(), first);
    let another = ada.consent_at(&authorization.authorization_url, Consent::default());
    let again = connect(&stage, &come_back(&stage, "owner", &another, &authorization.state)).await;
    assert!(matches!(again, Err(ConnectError::UnknownState)), "{again:?}");
    assert!(stage.calls_of(&["gmail"]).is_empty(), "no exchange for a state that was used");
}

#[tokio::test]
async fn of_two_requests_with_one_state_one_exchanges() {
    let (stage, ada) = scene();
    let request = sent_away(&stage, "owner").await;
    let (one, other) = (
        ada.consent_at(&request.authorization_url, Consent::default()),
        ada.consent_at(&request.authorization_url, Consent::default()),
    );
    let gate = stage.world.hold(Call::TakeConsent, When::Before, 1);
    let (one, other) = (
        come_back(&stage, "owner", &one, &request.state),
        come_back(&stage, "owner", &other, &request.state),
    );
    let (first, second) = tokio::join!(connect(&stage, &one), async {
        let second = connect(&stage, &other).await;
        gate.open();
        second
    });
    assert!(second.is_ok());
    assert!(matches!(first, Err(ConnectError::UnknownState)), "{first:?}");
    assert_eq!(stage.calls_of(&["gmail.exchange"]).len(), 1);
}

#[tokio::test]
async fn a_state_outlives_an_exchange_that_google_did_not_answer() {
    let (stage, ada) = scene();
    let authorization = sent_away(&stage, "owner").await;
    let code = ada.consent_at(&authorization.authorization_url, Consent::default());
    let request = come_back(&stage, "owner", &code, &authorization.state);
    stage.world.fail(Call::Exchange, When::Before, 1);
    assert!(matches!(
        connect(&stage, &request).await,
        Err(ConnectError::Provider(ProviderError::Unavailable { .. }))
    ));
    assert!(connect(&stage, &request).await.is_ok());
}

#[tokio::test]
async fn a_state_whose_code_may_be_spent_or_that_cannot_be_stored_again_means_a_new_consent() {
    for (call, when, also) in [
        (Call::Exchange, When::After, None),
        (Call::Exchange, When::Before, Some(Call::KeepConsent)),
    ] {
        let (stage, ada) = scene();
        let authorization = sent_away(&stage, "owner").await;
        let code = ada.consent_at(&authorization.authorization_url, Consent::default());
        let request = come_back(&stage, "owner", &code, &authorization.state);
        stage.world.fail(call, when, 1);
        if let Some(also) = also {
            stage.world.fail(also, When::Before, 1);
        }
        let failed = connect(&stage, &request).await;
        assert!(matches!(failed, Err(ConnectError::ConsentAgain(_))), "{failed:?}");
        let again = connect(&stage, &request).await;
        assert!(matches!(again, Err(ConnectError::UnknownState)), "{again:?}");
    }
}

/// An attacker's code is delivered into the session of a victim who has a consent of their own
/// under way.
#[tokio::test]
async fn a_code_of_another_consent_is_refused() {
    let (stage, ada) = scene();
    let mallory = stage.world.account("mallory@example.com");
    let (victims, attackers) =
        (sent_away(&stage, "victim").await, sent_away(&stage, "attacker").await);
    let code = mallory.consent_at(&attackers.authorization_url, Consent::default());
    let refused = connect(&stage, &come_back(&stage, "victim", &code, &victims.state)).await;
    assert!(
        matches!(refused, Err(ConnectError::Provider(ProviderError::GrantRefused(_)))),
        "PKCE: {refused:?}"
    );
    let (popup, request) = (mallory.consent(Consent::default()), sent_away(&stage, "victim").await);
    let refused = connect(&stage, &come_back(&stage, "victim", &popup, &request.state)).await;
    assert!(matches!(refused, Err(ConnectError::Identity(_))), "nonce: {refused:?}");
    assert_eq!(stage.world.store().connectors(&owner("victim")).await.unwrap(), []);
    assert!(!ada.is_granted());
}

#[tokio::test]
async fn an_id_token_that_answers_another_consent_is_refused() {
    for claims in
        [json!({"nonce": "other"}), json!({"aud": "other"}), json!({"iss": "https://evil.example"})]
    {
        let (stage, ada) = scene();
        let request = sent_away(&stage, "owner").await;
        let consent = Consent { claims: claims.as_object().unwrap().clone(), ..Consent::default() };
        let code = ada.consent_at(&request.authorization_url, consent);
        let refused = connect(&stage, &come_back(&stage, "owner", &code, &request.state)).await;
        assert!(matches!(refused, Err(ConnectError::Identity(_))), "{claims}: {refused:?}");
        assert_eq!(stage.world.store().connectors(&owner("owner")).await.unwrap(), []);
    }
}

//! Google reports that an account's access ended: its connectors need a reconnect, each reported
//! once.

use email_connectors::domain::claims::SecurityEventPolicy;
use email_connectors::domain::connector::Status;
use email_connectors::domain::event::DetailType;
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::flows::process::Outcome;
use email_connectors::flows::security_events::{Protect, ProtectError, Protected};
use email_connectors::ports::TokenError;
use serde_json::{Value, json};
use tests::stage::{MINUTE, Scene, Stage};
use tests::world::{Account, CLIENT_ID, Call, Consent, Failure, When, World};

const REVOKED: &str = "https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked";

fn event(of: &Account, jti: &str, issued_at: Timestamp) -> Value {
    let subject =
        json!({"subject_type": "iss-sub", "iss": "https://accounts.google.com/", "sub": of.sub});
    json!({"iss": "https://accounts.google.com/", "aud": CLIENT_ID, "iat": issued_at.seconds(), "jti": jti, "events": {REVOKED: {"subject": subject}}})
}

async fn receive(stage: &Stage, claims: Value) -> Result<Protected, ProtectError> {
    let token = stage.world.verifier().issue(claims);
    receive_token(stage, &token).await
}

async fn receive_token(stage: &Stage, token: &str) -> Result<Protected, ProtectError> {
    let (store, bus, verifier) = (stage.world.store(), stage.world.bus(), stage.world.verifier());
    let policy = SecurityEventPolicy { client_id: CLIENT_ID.into() };
    Protect::<World> { store: &store, bus: &bus, verifier: &verifier, policy: &policy }
        .run(token, stage.world.now())
        .await
}

fn suspended(received: Result<Protected, ProtectError>) -> Vec<ConnectorId> {
    match received {
        Ok(Protected::Suspended(connectors)) => connectors,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_connector_of_the_account_waits_for_its_user_and_says_so_once() {
    let scene = Scene::new().await;
    let second = scene.stage.connect("second-owner", &scene.ada).await;
    let bob = scene.stage.world.account("bob@example.com");
    let other = scene.stage.connect("third-owner", &bob).await;
    let claims = event(&scene.ada, "one", scene.stage.world.now());

    assert_eq!(
        suspended(receive(&scene.stage, claims.clone()).await),
        [scene.id.clone(), second.id.clone()]
    );

    for id in [&scene.id, &second.id] {
        assert_eq!(scene.stage.connector(id).reading.status, Status::NeedsReauth);
    }
    assert_eq!(scene.stage.connector(&other.id).reading.status, Status::Active);
    let notices = scene.stage.notices(DetailType::ConnectorNeedsReauth);
    assert_eq!(
        notices.iter().map(|notice| &notice["reason"]).collect::<Vec<_>>(),
        ["tokens-revoked", "tokens-revoked"]
    );
    scene.stage.forget_calls();
    assert_eq!(
        scene.stage.wake(&scene.push()).await.unwrap(),
        [Outcome::NotActive, Outcome::NotActive]
    );
    assert!(scene.stage.calls_of(&["gmail"]).is_empty(), "nothing is called any more");

    assert!(matches!(receive(&scene.stage, claims).await, Err(ProtectError::Repeated)));
    assert_eq!(
        receive(&scene.stage, event(&scene.ada, "two", scene.stage.world.now())).await.unwrap(),
        Protected::Suspended(Vec::new())
    );
    assert_eq!(scene.stage.notices(DetailType::ConnectorNeedsReauth).len(), 2);
}

#[tokio::test]
async fn an_event_from_before_the_last_consent_says_nothing_of_it() {
    let scene = Scene::new().await;
    let before = event(&scene.ada, "one", scene.stage.world.now());
    scene.stage.world.pass(MINUTE);
    scene.stage.connect_with("owner", &scene.ada, Consent::default()).await.unwrap();
    assert_eq!(receive(&scene.stage, before).await.unwrap(), Protected::Suspended(Vec::new()));
    assert_eq!(scene.connector().reading.status, Status::Active);
}

#[tokio::test]
async fn an_event_not_signed_by_google_or_not_for_us_changes_nothing() {
    let scene = Scene::new().await;
    let before = scene.connector();
    assert!(matches!(
        receive_token(&scene.stage, "made-up").await,
        Err(ProtectError::Token(TokenError::Invalid(_)))
    ));
    for (name, value) in [
        ("iss", json!("https://accounts.google.com")),
        ("aud", json!("another")),
        ("iat", json!("now")),
    ] {
        let mut claims = event(&scene.ada, "one", scene.stage.world.now());
        claims[name] = value;
        assert!(
            matches!(receive(&scene.stage, claims).await, Err(ProtectError::Refused(_))),
            "{name}"
        );
    }
    for (name, value) in
        [("jti", json!(7)), ("events", json!({})), ("events", json!({REVOKED: {}}))]
    {
        let mut claims = event(&scene.ada, "one", scene.stage.world.now());
        claims[name] = value;
        assert!(
            matches!(receive(&scene.stage, claims).await, Err(ProtectError::Unreadable(_))),
            "{name}"
        );
    }
    assert_eq!(scene.connector(), before);
}

#[tokio::test]
async fn an_event_that_met_a_failure_is_acted_on_when_it_comes_again() {
    for call in [Call::Membership, Call::ConnectorAt, Call::Commit, Call::NoteSeen] {
        let scene = Scene::new().await;
        let claims = event(&scene.ada, "one", scene.stage.world.now());
        scene.stage.world.fail(call, When::Before, 1);
        assert!(
            matches!(receive(&scene.stage, claims.clone()).await, Err(ProtectError::Store(_))),
            "{call}"
        );
        assert!(receive(&scene.stage, claims).await.is_ok(), "{call}");
        assert_eq!(scene.connector().reading.status, Status::NeedsReauth, "{call}");
        assert_eq!(scene.stage.notices(DetailType::ConnectorNeedsReauth).len(), 1, "{call}");
    }
}

#[tokio::test]
async fn a_connector_that_is_being_worked_on_is_suspended_all_the_same() {
    let scene = Scene::new().await;
    scene.stage.world.fail_with(Call::Commit, When::Before, 1, Failure::Conflict);
    let claims = event(&scene.ada, "one", scene.stage.world.now());
    assert_eq!(suspended(receive(&scene.stage, claims).await).len(), 1);
}

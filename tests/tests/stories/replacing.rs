//! A connect that replaces another account, or fails and leaves nothing behind.

use email_connectors::flows::connect::{ConnectError, ConnectRequest};
use email_connectors::ports::Store;
use tests::stage::{MINUTE, Scene, Stage, owner};
use tests::world::{Call, Consent, When};

fn without(scope: &str) -> Consent {
    let mut consent = Consent::default();
    consent.scopes.retain(|granted| !granted.ends_with(scope));
    consent
}

#[tokio::test]
async fn another_google_account_replaces_the_first_if_that_is_requested() {
    let scene = Scene::new().await;
    let bob = scene.stage.world.account("bob@example.com");
    let request = ConnectRequest {
        replace: true,
        ..scene.stage.request("owner", &bob.consent(Consent::default()))
    };
    let connected = scene.stage.connecting().run(&request, scene.stage.world.now()).await.unwrap();
    assert_ne!(connected.connector_id, scene.id);
    assert_eq!(
        (scene.ada.watched_until(), scene.ada.is_granted(), bob.is_granted()),
        (None, false, true)
    );
    let connectors = scene.stage.world.store().connectors(&owner("owner")).await.unwrap();
    assert_eq!(
        connectors.iter().map(|connector| connector.email_address.as_str()).collect::<Vec<_>>(),
        ["bob@example.com"]
    );
    assert_eq!(
        scene.stage.world.store().triggers(&owner("owner")).await.unwrap(),
        [],
        "triggers go with their connector"
    );
}

#[tokio::test]
async fn what_is_there_does_not_go_for_a_grant_that_connects_nothing() {
    let scene = Scene::new().await;
    let bob = scene.stage.world.account("bob@example.com");
    let code = bob.consent(Consent { refresh_token: false, ..Consent::default() });
    let request = ConnectRequest { replace: true, ..scene.stage.request("owner", &code) };
    let before = scene.connector();
    let refused = scene.stage.connecting().run(&request, scene.stage.world.now()).await;
    assert!(matches!(refused, Err(ConnectError::NoRefreshToken)), "{refused:?}");
    assert_eq!(scene.connector(), before);
    assert!(scene.ada.is_granted());
}

#[tokio::test]
async fn a_grant_that_led_to_no_connector_is_not_kept() {
    for call in [Call::Profile, Call::SealRefreshToken, Call::CreateConnector] {
        let stage = Stage::new();
        let ada = stage.world.account("ada@example.com");
        stage.world.fail(call, When::Before, 1);
        assert!(stage.connect_with("owner", &ada, Consent::default()).await.is_err(), "{call}");
        assert!(!ada.is_granted(), "{call}");
        stage.connect("owner", &ada).await;
        assert!(ada.is_granted(), "{call}");
    }
    // A grant that led to a connector is kept, even if the answer was lost.
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    stage.world.fail(Call::CreateConnector, When::After, 1);
    assert!(stage.connect_with("owner", &ada, Consent::default()).await.is_err());
    assert!(ada.is_granted());
}

#[tokio::test]
async fn an_account_that_cannot_be_disconnected_yet_is_not_replaced() {
    let scene = Scene::new().await;
    let bob = scene.stage.world.account("bob@example.com");
    scene.stage.world.fail(Call::Revoke, When::Before, 1);
    let request = ConnectRequest {
        replace: true,
        ..scene.stage.request("owner", &bob.consent(Consent::default()))
    };
    let refused = scene.stage.connecting().run(&request, scene.stage.world.now()).await;
    assert!(matches!(refused, Err(ConnectError::Closing)), "{refused:?}");
    scene.stage.world.pass(MINUTE);
    assert_eq!(scene.stage.sweep().await.closed, 1);
    scene.stage.connect_with("owner", &bob, Consent::default()).await.unwrap();
}

/// The user unticks a scope, then connects again at once with all of them.
#[tokio::test]
async fn a_connect_after_a_refused_one_has_a_living_grant() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    assert!(stage.connect_with("owner", &ada, without("gmail.modify")).await.is_err());
    stage.connect("owner", &ada).await;
    assert!(ada.is_granted());

    // While the refused grant is being revoked, no other connect joins the account.
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    let gate = stage.world.hold(Call::Revoke, When::Before, 1);
    let (refused, other) =
        tokio::join!(stage.connect_with("owner", &ada, without("gmail.modify")), async {
            let other = stage.connect_with("second-owner", &ada, Consent::default()).await;
            gate.open();
            other
        });
    assert!(matches!(refused, Err(ConnectError::MissingScopes(_))), "{refused:?}");
    assert!(matches!(other, Err(ConnectError::Closing)), "{other:?}");
}

//! A grant is used, refreshed, refused and granted again.

use email_connectors::domain::connector::Status;
use email_connectors::domain::event::DetailType;
use email_connectors::domain::wake_up::Kind;
use email_connectors::flows::access::Access;
use email_connectors::flows::process::{Outcome, Process};
use email_connectors::ports::Vault;
use secrecy::ExposeSecret;
use serde_json::json;
use tests::world::{ACCESS_TOKEN_LIFE, Call, Consent, Failure, When, World};

use tests::stage::{DAY, MINUTE, Scene, Stage, listed, subjects};

const REFRESH: [&str; 5] = [
    "vault.open_refresh_token con",
    "store.data_key",
    "gmail.refresh",
    "vault.seal_access_token con",
    "store.cache_access_token con",
];

#[tokio::test]
async fn the_first_refresh_of_all_makes_the_data_key() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    stage.connect_with("owner", &ada, Consent::default()).await.unwrap();
    stage.forget_calls();
    stage.work().await;
    let calls = [
        "store.mailbox ada@example.com",
        "vault.open_refresh_token con",
        "store.data_key",
        "gmail.refresh",
        "vault.new_data_key",
        "store.keep_data_key",
        "vault.seal_access_token con",
        "store.cache_access_token con",
        "gmail.history after 1000",
        "store.commit 0 events",
    ];
    assert_eq!(stage.calls(), calls);
    let bob = stage.world.account("bob@example.com");
    stage.connect_with("bobs-owner", &bob, Consent::default()).await.unwrap();
    stage.forget_calls();
    stage.work().await;
    assert!(stage.calls_of(&["vault.new_data_key"]).is_empty(), "one key serves all connectors");
}

#[tokio::test]
async fn an_access_token_is_refreshed_when_its_hour_ends() {
    let scene = Scene::new().await;
    scene.stage.world.pass(ACCESS_TOKEN_LIFE - 2 * MINUTE);
    scene.deliver(&["One"]);
    scene.stage.wake(&scene.push()).await.unwrap();
    let calls = scene.stage.calls_of(&["vault", "gmail", "store.data_key", "store.cache"]);
    assert_eq!(
        calls,
        [&REFRESH[..], &["gmail.history after 1000", "gmail.messages m1"]].concat(),
        "a minute before its end it is old"
    );

    scene.deliver(&["Two"]);
    scene.stage.wake(&scene.push()).await.unwrap();
    assert_eq!(
        scene.stage.calls_of(&["vault", "gmail.refresh"]),
        ["vault.open_access_token con"],
        "the new one is cached"
    );
    assert_eq!(subjects(&scene.stage.fired()), ["One", "Two"]);
}

/// The refresh token that is stored for the scene's connector.
async fn stored_refresh_token(scene: &Scene) -> String {
    let connector = scene.connector();
    let vault = scene.stage.world.vault();
    let token = vault.open_refresh_token(&connector.grant.refresh_token, &connector.id).await;
    token.unwrap().0.expose_secret().to_string()
}

#[tokio::test]
async fn a_refresh_token_that_is_replaced_is_stored_and_the_next_refresh_uses_it() {
    let scene = Scene::new().await;
    scene.ada.rotates_refresh_tokens();
    let before = stored_refresh_token(&scene).await;
    scene.ada.forget_access_tokens();
    scene.stage.forget_calls();
    scene.stage.wake(&scene.own(Kind::Due)).await.unwrap();
    assert_eq!(
        scene.stage.calls_of(&["vault.seal", "store.rotate", "store.cache", "gmail.refresh"]),
        [
            "gmail.refresh",
            "vault.seal_refresh_token con",
            "store.rotate_refresh_token con",
            "vault.seal_access_token con",
            "store.cache_access_token con",
        ]
    );
    let second = stored_refresh_token(&scene).await;
    assert_ne!(second, before);
    scene.stage.world.pass(ACCESS_TOKEN_LIFE);
    scene.deliver(&["One"]);
    scene.stage.wake(&scene.push()).await.unwrap();
    assert_ne!(stored_refresh_token(&scene).await, second);
    assert_eq!(subjects(&scene.stage.fired()), ["One"]);
}

#[tokio::test]
async fn a_replaced_refresh_token_that_is_lost_or_comes_second_costs_nothing() {
    let failures = [
        ("it is not stored", Call::RotateRefreshToken, Failure::Unavailable),
        ("it is not sealed", Call::SealRefreshToken, Failure::Unavailable),
        ("another session stored its own", Call::RotateRefreshToken, Failure::Conflict),
    ];
    for (case, call, failure) in failures {
        let scene = Scene::new().await;
        scene.ada.rotates_refresh_tokens();
        scene.ada.forget_access_tokens();
        let before = stored_refresh_token(&scene).await;
        scene.stage.world.fail_with(call, When::Before, 1, failure);
        scene.deliver(&["One"]);
        assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)], "{case}");
        assert_eq!(stored_refresh_token(&scene).await, before, "{case}");
        scene.stage.world.pass(ACCESS_TOKEN_LIFE);
        scene.deliver(&["Two"]);
        assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)], "{case}");
        assert_ne!(stored_refresh_token(&scene).await, before, "{case}, and the next one is");
    }
}

#[tokio::test]
async fn an_access_token_that_gmail_refuses_is_refreshed_once() {
    let scene = Scene::new().await;
    scene.deliver(&["One"]);
    scene.ada.forget_access_tokens();
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)]);
    let opened = ["vault.open_access_token con", "gmail.history after 1000"];
    let calls = scene.stage.calls_of(&["vault", "gmail", "store.data_key", "store.cache"]);
    assert_eq!(
        calls,
        [&opened[..], &REFRESH, &["gmail.history after 1000", "gmail.messages m1"]].concat()
    );
}

#[tokio::test]
async fn a_fresh_access_token_that_gmail_refuses_too_is_put_off_and_moves_nothing() {
    let scene = Scene::new().await;
    scene.deliver(&["One"]);
    for nth in [1, 2] {
        scene.stage.world.fail_with(Call::History, When::Before, nth, Failure::Unauthorized);
    }
    let before = scene.cursor();
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::PutOff]);
    assert_eq!(scene.stage.calls_of(&["gmail.refresh"]).len(), 1);
    assert_eq!((scene.cursor(), scene.connector().reading.status), (before, Status::Active));
    scene.stage.wake(&scene.push()).await.unwrap();
    assert_eq!(subjects(&scene.stage.fired()), ["One"]);
}

#[tokio::test]
async fn a_revoked_grant_asks_for_the_user_and_keeps_the_cursor() {
    let scene = Scene::new().await;
    let before = scene.cursor();
    scene.ada.revoke_grant();
    scene.deliver(&["Meanwhile"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::NotActive]);
    let connector = scene.connector();
    assert_eq!(
        (connector.reading.status, connector.reading.position.cursor),
        (Status::NeedsReauth, before)
    );
    assert!(connector.reading.last_error.is_some_and(|error| error.contains("connect again")));
    assert_eq!(
        scene.stage.world.store().next_sweep(&scene.connector().location()),
        None,
        "the renewer leaves it alone"
    );

    // Each further push costs one read.
    scene.stage.forget_calls();
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::NotActive]);
    assert_eq!(scene.stage.calls(), ["store.mailbox ada@example.com"]);

    scene.stage.world.pass(DAY);
    scene.deliver(&["And the next day"]);
    let connected =
        scene.stage.connect_with("owner", &scene.ada, Consent::default()).await.unwrap();
    assert_eq!(
        (connected.connector_id, scene.connector().reading.status),
        (scene.id.clone(), Status::Active)
    );
    assert_eq!(scene.connector().reading.last_error, None);
    scene.stage.work().await;
    assert_eq!(subjects(&scene.stage.fired()), ["Meanwhile", "And the next day"]);
    assert_eq!(scene.stage.notices(DetailType::ConnectorNeedsReauth)[0]["reason"], "invalid_grant");

    assert_eq!(
        scene.stage.notices(DetailType::ConnectorRecovered)[0]["connector"]["id"],
        json!(scene.id)
    );
}

#[tokio::test]
async fn one_owners_lost_grant_leaves_the_other_owner_working() {
    let scene = Scene::new().await;
    let second = scene.stage.connect("second-owner", &scene.ada).await;
    scene.stage.trigger(&second, json!({})).await;
    scene.stage.world.pass(ACCESS_TOKEN_LIFE);
    scene.deliver(&["For both"]);
    for nth in [1, 2] {
        scene.stage.world.fail_with(Call::Refresh, When::Before, nth, Failure::GrantRefused);
    }
    let outcomes = scene.stage.wake(&scene.push()).await.unwrap();
    assert!(
        outcomes.contains(&Outcome::NotActive) && outcomes.contains(&listed(1, 1)),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn our_own_clients_trouble_is_not_the_users() {
    let scene = Scene::new().await;
    scene.stage.world.pass(ACCESS_TOKEN_LIFE);
    scene.deliver(&["One"]);
    scene.stage.world.fail_with(Call::Refresh, When::Before, 1, Failure::ClientRefused);
    let before = scene.connector();
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::PutOff]);
    let after = scene.connector();
    assert_eq!(
        (after.reading.status, after.reading.position.cursor, after.reading.circuit),
        (Status::Active, before.reading.position.cursor, before.reading.circuit)
    );
    assert!(after.reading.last_error.is_some_and(|error| error.contains("invalid_client")));
    assert_eq!(scene.stage.fired(), [], "no user is bothered");

    scene.stage.world.pass(MINUTE);
    assert_eq!(scene.stage.sweep().await.woken, 1);
    assert_eq!(scene.stage.work().await, [listed(1, 1)]);
}

#[tokio::test]
async fn a_token_of_an_earlier_connect_is_neither_kept_nor_used() {
    let scene = Scene::new().await;
    scene.stage.world.pass(ACCESS_TOKEN_LIFE);
    scene.deliver(&["One"]);
    // The user reconnects after the refresh and before the worker stores its token.
    let (push, gate) = (scene.push(), scene.stage.world.hold(Call::Refresh, When::After, 1));
    let (outcomes, _) = tokio::join!(scene.stage.wake(&push), async {
        scene.stage.connect_with("owner", &scene.ada, Consent::default()).await.unwrap();
        gate.open();
    });
    assert_eq!(
        outcomes.unwrap(),
        [listed(1, 1)],
        "it is refused, reads again and works under the new grant"
    );
    let connector = scene.connector();
    let cached = connector.access_token.expect("a token is cached");
    assert!(scene.stage.world.vault().open_access_token(&cached, &scene.id, 2).await.is_ok());
    assert!(scene.stage.world.vault().open_access_token(&cached, &scene.id, 1).await.is_err());
    assert_eq!(scene.stage.calls_of(&["gmail.refresh"]).len(), 2);
}

#[tokio::test]
async fn a_late_refusal_of_the_old_grant_does_not_undo_a_reconnect() {
    // The user reconnects before the refusal is confirmed, or before it is stored.
    for gated in [Call::ConnectorAt, Call::Commit] {
        let scene = Scene::new().await;
        scene.stage.world.pass(ACCESS_TOKEN_LIFE);
        scene.deliver(&["One"]);
        for nth in 1..=(if gated == Call::Commit { 2 } else { 1 }) {
            scene.stage.world.fail_with(Call::Refresh, When::Before, nth, Failure::GrantRefused);
        }
        let (wake_up, gate) =
            (scene.own(Kind::Sync), scene.stage.world.hold(gated, When::Before, 1));
        let (outcomes, _) = tokio::join!(scene.stage.wake(&wake_up), async {
            scene.stage.connect_with("owner", &scene.ada, Consent::default()).await.unwrap();
            gate.open();
        });
        assert_eq!(outcomes.unwrap(), [listed(1, 1)], "gate at {gated}");
        assert_eq!(scene.connector().reading.status, Status::Active, "gate at {gated}");
        assert_eq!(
            scene.stage.notices(DetailType::ConnectorNeedsReauth).len(),
            0,
            "gate at {gated}"
        );
    }
}

#[tokio::test]
async fn a_refusal_is_confirmed_once_before_the_user_must_reconnect() {
    let scene = Scene::new().await;
    scene.stage.world.pass(ACCESS_TOKEN_LIFE);
    scene.deliver(&["One"]);
    scene.stage.world.fail_with(Call::Refresh, When::Before, 1, Failure::GrantRefused);
    assert_eq!(
        scene.stage.wake(&scene.push()).await.unwrap(),
        [listed(1, 1)],
        "Google may be wrong once"
    );
    let calls = scene.stage.calls_of(&["gmail.refresh", "store.connector_at"]);
    assert_eq!(calls, ["gmail.refresh", "store.connector_at con", "gmail.refresh"]);
}

#[tokio::test]
async fn two_who_need_a_token_at_once_request_one() {
    let scene = Scene::new().await;
    scene.stage.world.pass(ACCESS_TOKEN_LIFE);
    let processing = scene.stage.processing();
    let connector = scene.connector();
    let gate = scene.stage.world.hold(Call::Refresh, When::After, 1);
    let open = || {
        let Process { store, vault, provider, refreshes, .. } = &processing;
        Access::<World> { store, vault, provider, refreshes }
            .session(&connector, scene.stage.world.now())
    };
    let (first, second, ()) = tokio::join!(open(), open(), async { gate.open() });
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(scene.stage.calls_of(&["gmail.refresh"]).len(), 1);
}

/// The token is not in the row; the process caches one that Google no longer accepts.
#[tokio::test]
async fn a_remembered_token_is_not_the_last_word_of_google() {
    let scene = Scene::new().await;
    scene.stage.world.pass(ACCESS_TOKEN_LIFE);
    let processing = scene.stage.processing();
    let now = scene.stage.world.now();
    scene.deliver(&["Zero"]);
    scene.stage.world.fail(Call::CacheAccessToken, When::Before, 1);
    processing.run(&scene.push(), now).await.unwrap();
    scene.ada.revoke_grant();
    scene.deliver(&["One"]);
    assert_eq!(processing.run(&scene.push(), now).await.unwrap(), [Outcome::NotActive]);
    assert_eq!(scene.connector().reading.status, Status::NeedsReauth);
}

/// The row has an older token than the process, and the provider ended both before their time.
#[tokio::test]
async fn a_remembered_token_that_is_refused_as_well_is_no_refresh() {
    let scene = Scene::new().await;
    let processing = scene.stage.processing();
    scene.stage.world.pass(10 * MINUTE);
    scene.ada.forget_access_tokens();
    scene.stage.world.fail(Call::CacheAccessToken, When::Before, 1);
    processing.run(&scene.own(Kind::Due), scene.stage.world.now()).await.unwrap();
    scene.ada.forget_access_tokens();
    scene.deliver(&["One"]);
    processing.run(&scene.push(), scene.stage.world.now()).await.unwrap();
    assert_eq!(subjects(&scene.stage.fired()), ["One"]);
}

//! A mailbox is connected, connected again, or refused.

use std::slice::from_ref;

use email_connectors::domain::connector::{Status, Uniqueness};
use email_connectors::domain::identity::IdentityPolicy;
use email_connectors::domain::wake_up::{Kind, WakeUp};
use email_connectors::domain::watch::{Watch, WatchStatus};
use email_connectors::flows::connect::{Connect, ConnectError, ConnectRequest};
use email_connectors::ports::{ProviderError, Store, StoreError, Vault};
use secrecy::ExposeSecret;
use serde_json::json;
use tests::world::{ACCESS_TOKEN_LIFE, Account, Call, Consent, Failure, Mail, WATCH_LIFE, When};
use uuid::Uuid;

use tests::stage::{MINUTE, Scene, Stage, owner, subjects};

fn without(scope: &str) -> Consent {
    let mut consent = Consent::default();
    consent.scopes.retain(|granted| !granted.ends_with(scope));
    consent
}

fn without_refresh_token() -> Consent {
    Consent { refresh_token: false, ..Consent::default() }
}

#[tokio::test]
async fn a_mailbox_is_connected() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    ada.deliver(Mail::new("From before"));

    let connected = stage.connect_with("owner", &ada, Consent::default()).await.unwrap();

    let calls = [
        "gmail.exchange",
        // These three run concurrently.
        "gmail.profile",
        "store.in_slot email#gmail",
        "store.membership 100001",
        "vault.seal_refresh_token con",
        "store.create_connector con",
        // The watch and the publication run concurrently.
        "gmail.watch",
        "bus.publish 1",
        "store.mark_published 1",
        "store.record_watch con",
        "queue.send kick ada@example.com",
    ];
    assert_eq!(stage.calls(), calls);
    let (now, connector) = (stage.world.now(), stage.connector(&connected.connector_id));
    assert_eq!(connected.email_address, ada.address());
    assert_eq!(connected.watch, Watch::default().renewed(now.after(WATCH_LIFE), now));
    assert_eq!(connected.watch.status(now), WatchStatus::Active);
    assert_eq!(connector.watch, connected.watch);
    assert_eq!(
        (connector.owner_id, connector.account, connector.reading.status),
        (owner("owner"), ada.sub.clone(), Status::Active)
    );
    assert_eq!(
        connector.reading.position.cursor,
        ada.history_id(),
        "the first cursor is the profile's"
    );
    let queued = stage.world.wake_ups().queued();
    assert_eq!(
        queued.iter().map(|wake_up| (wake_up.kind, wake_up.mark)).collect::<Vec<_>>(),
        [(Kind::Kick, None)]
    );
}

#[tokio::test]
async fn the_refresh_token_is_sealed_to_its_connector() {
    let stage = Stage::new();
    let (ada, bob) =
        (stage.world.account("ada@example.com"), stage.world.account("bob@example.com"));
    let (ada, bob) = (stage.connect("owner-a", &ada).await, stage.connect("owner-b", &bob).await);
    let token =
        stage.world.vault().open_refresh_token(&ada.grant.refresh_token, &ada.id).await.unwrap();
    let clear = token.0.expose_secret().as_bytes();
    assert!(
        !ada.grant.refresh_token.0.windows(clear.len()).any(|window| window == clear),
        "it is not stored in the clear"
    );
    assert!(
        stage.world.vault().open_refresh_token(&ada.grant.refresh_token, &bob.id).await.is_err(),
        "nor opens for another connector"
    );
}

#[tokio::test]
async fn mail_that_comes_while_a_mailbox_is_being_connected_is_not_lost() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    // The watch's history id, or a later profile's, would already be past this mail.
    let arriving = ada.clone();
    stage.world.meanwhile(Call::Watch, When::Before, 1, move |_| {
        arriving.deliver(Mail::new("Just then"));
    });
    let connected = stage.connect_with("owner", &ada, Consent::default()).await.unwrap();
    let connector = stage.connector(&connected.connector_id);
    assert!(connector.reading.position.cursor < ada.history_id());
    stage.trigger(&connector, json!({})).await;
    stage.work().await;
    assert_eq!(subjects(&stage.fired()), ["Just then"]);
}

#[tokio::test]
async fn a_watch_that_fails_is_reported_as_failed_and_the_connector_stays() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    stage.world.fail(Call::Watch, When::Before, 1);
    let connected = stage.connect_with("owner", &ada, Consent::default()).await.unwrap();
    assert_eq!(connected.watch.status(stage.world.now()), WatchStatus::Failed);
    assert_eq!(stage.connector(&connected.connector_id).watch, connected.watch);
    assert_eq!(stage.world.wake_ups().queued().len(), 1, "the mailbox is looked at all the same");

    stage.world.pass(5 * MINUTE);
    assert_eq!(stage.sweep().await.renewed, 1, "the renewer tries again");
    assert_eq!(
        stage.connector(&connected.connector_id).watch.status(stage.world.now()),
        WatchStatus::Active
    );
}

#[tokio::test]
async fn a_connect_that_crashes_before_its_watch_is_finished_by_the_renewer() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    let request = stage.request("owner", &ada.consent(Consent::default()));
    stage.world.crash(Call::CreateConnector, When::After, 1);
    assert!(
        stage
            .world
            .until_crash(stage.connecting().run(&request, stage.world.now()))
            .await
            .is_none()
    );
    assert_eq!(ada.watched_until(), None);

    stage.world.pass(5 * MINUTE);
    assert_eq!(stage.sweep().await.renewed, 1);
    assert!(ada.watched_until().is_some());
    // The browser repeats the request: the code is used up, and the answer names the same
    // connector.
    let again = stage.connecting().run(&request, stage.world.now()).await.unwrap();
    assert_eq!(
        (again.connector_id, again.watch.status(stage.world.now())),
        (request.new_id, WatchStatus::Active)
    );
}

#[tokio::test]
async fn a_connect_without_a_needed_scope_changes_nothing() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    let refused = stage.connect_with("owner", &ada, without("gmail.modify")).await;
    let missing = "https://www.googleapis.com/auth/gmail.modify".to_string();
    assert!(
        matches!(&refused, Err(ConnectError::MissingScopes(scopes)) if *scopes == [missing]),
        "{refused:?}"
    );
    assert!(!ada.is_granted(), "the unused grant is revoked at Google");
    assert_eq!(stage.world.store().connectors(&owner("owner")).await.unwrap(), []);

    let connector = stage.connect("owner", &ada).await;
    for of in ["owner", "second-owner"] {
        assert!(stage.connect_with(of, &ada, without("gmail.modify")).await.is_err());
        assert_eq!(
            stage.connector(&connector.id),
            connector,
            "nor does it change an existing connector"
        );
        assert!(ada.is_granted(), "the existing connector uses the account's grant");
    }
}

#[tokio::test]
async fn a_first_connect_without_a_refresh_token_changes_nothing() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    let refused = stage.connect_with("owner", &ada, without_refresh_token()).await;
    assert!(matches!(refused, Err(ConnectError::NoRefreshToken)), "{refused:?}");
    assert_eq!(stage.world.store().connectors(&owner("owner")).await.unwrap(), []);
    assert_eq!(ada.watched_until(), None);
}

#[tokio::test]
async fn another_google_account_is_refused_and_changes_nothing() {
    let scene = Scene::new().await;
    let before = scene.connector();
    let bob = scene.stage.world.account("bob@example.com");
    let refused = scene.stage.connect_with("owner", &bob, Consent::default()).await;
    assert!(matches!(refused, Err(ConnectError::AccountMismatch)), "{refused:?}");
    assert_eq!(scene.connector(), before);
    assert_eq!(
        (bob.watched_until(), bob.is_granted(), scene.ada.is_granted()),
        (None, false, true)
    );
}

#[tokio::test]
async fn a_mailbox_under_a_new_address_is_moved_by_its_reconnect() {
    let scene = Scene::new().await;
    let before = scene.connector();
    scene.ada.rename("countess@example.com");
    scene.deliver(&["Under the new name"]);
    let connected =
        scene.stage.connect_with("owner", &scene.ada, Consent::default()).await.unwrap();
    assert_eq!(
        (connected.connector_id, connected.email_address.as_str()),
        (scene.id.clone(), "countess@example.com")
    );
    let after = scene.connector();
    assert_eq!(
        (after.email_address, after.reading.position, after.grant.generation),
        (scene.ada.address(), before.reading.position, before.grant.generation + 1)
    );
    assert_eq!(scene.triggers().await, from_ref(&scene.trigger), "its triggers came along");

    scene.stage.work().await;
    assert_eq!(subjects(&scene.stage.fired()), ["Under the new name"]);
    let old = WakeUp::own(Kind::Sync, before.email_address, scene.stage.world.now());
    assert_eq!(scene.stage.wake(&old).await.unwrap(), [], "nobody is found under the old one");
}

#[tokio::test]
async fn a_mailbox_is_not_moved_away_from_events_that_wait() {
    let scene = Scene::new().await;
    scene.deliver(&["One"]);
    scene.stage.world.fail(Call::Publish, When::Before, 1);
    scene.stage.wake(&scene.push()).await.unwrap();
    let before = scene.connector();
    scene.ada.rename("countess@example.com");
    let refused = scene.stage.connect_with("owner", &scene.ada, Consent::default()).await;
    assert!(matches!(refused, Err(ConnectError::Busy)), "{refused:?}");
    assert_eq!(scene.connector(), before);
    assert_eq!(scene.stage.world.wake_ups().queued(), []);
}

#[tokio::test]
async fn an_id_token_for_another_client_is_refused() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    let request = stage.request("owner", &ada.consent(Consent::default()));
    let mut connecting = stage.connecting();
    connecting.identity = IdentityPolicy::Google { client_id: "another-client".into() };
    let refused = connecting.run(&request, stage.world.now()).await;
    assert!(matches!(refused, Err(ConnectError::Identity(_))), "{refused:?}");
    assert_eq!(stage.calls(), ["gmail.exchange"]);
}

#[tokio::test]
async fn a_second_connect_keeps_cursor_and_triggers_and_renews_the_grant() {
    let scene = Scene::new().await;
    let before = scene.connector();
    scene.deliver(&["While away"]);
    let connected =
        scene.stage.connect_with("owner", &scene.ada, Consent::default()).await.unwrap();
    assert_eq!(connected.connector_id, scene.id);
    let after = scene.connector();
    assert_eq!(
        after.reading.position.cursor, before.reading.position.cursor,
        "the cursor is kept, not the profile's"
    );
    assert_eq!(after.grant.generation, before.grant.generation + 1);
    assert_eq!(after.connected_at, before.connected_at);
    assert_ne!(after.grant.refresh_token, before.grant.refresh_token);
    assert_eq!(after.access_token, None, "the cached token belongs to the earlier connect");
    assert_eq!(scene.triggers().await, from_ref(&scene.trigger));
    scene.stage.work().await;
    assert_eq!(subjects(&scene.stage.fired()), ["While away"]);
}

#[tokio::test]
async fn a_second_connect_without_a_refresh_token_keeps_the_stored_one() {
    let scene = Scene::new().await;
    let before = scene.connector();
    scene.stage.connect_with("owner", &scene.ada, without_refresh_token()).await.unwrap();
    assert_eq!(scene.connector().grant.refresh_token, before.grant.refresh_token);
    assert!(scene.stage.calls_of(&["vault"]).is_empty());
    scene.deliver(&["Still heard"]);
    scene.stage.work().await;
    assert_eq!(subjects(&scene.stage.fired()), ["Still heard"]);
}

#[tokio::test]
async fn two_connects_at_once_end_with_one_connector() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    // The first is overtaken just before it takes the slot.
    let gate = stage.world.hold(Call::CreateConnector, When::Before, 1);
    let (first, second) =
        tokio::join!(stage.connect_with("owner", &ada, Consent::default()), async {
            let connected = stage.connect_with("owner", &ada, Consent::default()).await;
            gate.open();
            connected
        });
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.connector_id, second.connector_id);
    let connector = stage.connector(&first.connector_id);
    assert_eq!(
        (connector.grant.generation, connector.version),
        (2, 2),
        "the first one became a reconnect"
    );
    assert_eq!(stage.calls_of(&["store.create", "store.reconnect"]).len(), 3);
    stage.work().await;
}

#[tokio::test]
async fn a_connect_that_never_comes_first_gives_up() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    for nth in 1..=3 {
        stage.world.fail_with(Call::CreateConnector, When::Before, nth, Failure::Conflict);
    }
    let refused = stage.connect_with("owner", &ada, Consent::default()).await;
    assert!(
        matches!(&refused, Err(ConnectError::ConsentAgain(why)) if matches!(**why, ConnectError::Store(StoreError::Conflict))),
        "{refused:?}"
    );
    assert_eq!(ada.watched_until(), None);
}

#[tokio::test]
async fn the_same_request_again_gets_the_same_answer() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    let request = stage.request("owner", &ada.consent(Consent::default()));
    let first = stage.connecting().run(&request, stage.world.now()).await.unwrap();
    stage.work().await;
    let before = stage.connector(&first.connector_id);
    stage.world.pass(9 * MINUTE);
    stage.forget_calls();
    assert_eq!(stage.connecting().run(&request, stage.world.now()).await.unwrap(), first);
    assert_eq!(stage.calls(), ["gmail.exchange", "store.exchanged owner", "store.connector con"]);
    assert_eq!(stage.connector(&first.connector_id), before);

    // Google refuses the used code to another request, to another owner with the same one, and to a
    // later repetition.
    let refused =
        |answer| matches!(answer, Err(ConnectError::Provider(ProviderError::GrantRefused(_))));
    let other = ConnectRequest { fingerprint: Uuid::nil(), ..stage.request("owner", "used") };
    assert!(refused(stage.connecting().run(&other, stage.world.now()).await));
    let thief = ConnectRequest { owner_id: owner("thief"), ..request };
    assert!(refused(stage.connecting().run(&thief, stage.world.now()).await));
    stage.world.pass(2 * MINUTE);
    let late = ConnectRequest { owner_id: owner("owner"), ..thief };
    assert!(refused(stage.connecting().run(&late, stage.world.now()).await));
}

#[tokio::test]
async fn whatever_fails_before_the_connector_is_stored_changes_nothing() {
    for call in [
        Call::Exchange,
        Call::InSlot,
        Call::Membership,
        Call::SealRefreshToken,
        Call::Profile,
        Call::CreateConnector,
    ] {
        let stage = Stage::new();
        let ada = stage.world.account("ada@example.com");
        stage.world.fail(call, When::Before, 1);
        let failed = stage.connect_with("owner", &ada, Consent::default()).await;
        match call {
            Call::Exchange => assert!(
                matches!(failed, Err(ConnectError::Provider(ProviderError::Unavailable { .. }))),
                "the code is good still: {failed:?}"
            ),
            _ => {
                assert!(matches!(failed, Err(ConnectError::ConsentAgain(_))), "{call}: {failed:?}")
            }
        }
        assert_eq!(stage.world.store().connectors(&owner("owner")).await.unwrap(), [], "{call}");
        assert_eq!(ada.watched_until(), None, "{call}");
        assert_eq!(stage.world.wake_ups().queued(), [], "{call}");
        assert!(stage.calls_of(&["store.record_watch"]).is_empty(), "{call}");
    }
}

#[tokio::test]
async fn a_code_that_may_be_spent_is_not_asked_for_again() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    stage.world.fail(Call::Exchange, When::After, 1);
    let request = stage.request("owner", &ada.consent(Consent::default()));
    let lost = stage.connecting().run(&request, stage.world.now()).await;
    assert!(
        matches!(&lost, Err(ConnectError::ConsentAgain(why)) if matches!(**why, ConnectError::Provider(ProviderError::OutcomeUnknown(_)))),
        "{lost:?}"
    );
    let again = stage.connecting().run(&request, stage.world.now()).await;
    assert!(
        matches!(again, Err(ConnectError::Provider(ProviderError::GrantRefused(_)))),
        "{again:?}"
    );
    // Whether there is an earlier answer may be found out by the same request later.
    stage.world.fail(Call::Exchanged, When::Before, 1);
    let again = stage.connecting().run(&request, stage.world.now()).await;
    assert!(matches!(again, Err(ConnectError::Store(_))), "{again:?}");
    assert!(stage.connect_with("owner", &ada, Consent::default()).await.is_ok());
}

#[tokio::test]
async fn a_reconnect_that_gmail_does_not_answer_keeps_its_grant_and_is_finished_by_the_renewer() {
    let scene = Scene::new().await;
    scene.ada.revoke_grant();
    scene.stage.world.pass(ACCESS_TOKEN_LIFE);
    scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap();
    let refused = scene.connector();
    assert_eq!(refused.reading.status, Status::NeedsReauth);
    scene.deliver(&["While away"]);

    scene.stage.world.fail(Call::Profile, When::Before, 1);
    scene.stage.world.fail(Call::Watch, When::Before, 1);
    let connected =
        scene.stage.connect_with("owner", &scene.ada, Consent::default()).await.unwrap();

    assert!(connected.watch.failure.is_some());
    let after = scene.connector();
    assert_eq!(
        (after.id, after.email_address, after.reading.status, after.grant.generation),
        (refused.id, refused.email_address, Status::Active, refused.grant.generation + 1)
    );
    assert_eq!(after.reading.position, refused.reading.position);
    assert!(scene.ada.is_granted());
    scene.stage.work().await;
    assert_eq!(subjects(&scene.stage.fired()), ["While away"]);
    scene.stage.world.pass(5 * MINUTE);
    assert_eq!(scene.stage.sweep().await.renewed, 1);
    assert_eq!(scene.connector().watch.status(scene.stage.world.now()), WatchStatus::Active);
}

#[tokio::test]
async fn another_account_is_not_disconnected_for_one_that_gmail_does_not_answer_for() {
    let scene = Scene::new().await;
    let before = scene.connector();
    let bob = scene.stage.world.account("bob@example.com");
    let request = scene.stage.request("owner", &bob.consent(Consent::default()));
    let request = ConnectRequest { replace: true, ..request };
    scene.stage.world.fail(Call::Profile, When::Before, 1);
    let failed = scene.stage.connecting().run(&request, scene.stage.world.now()).await;
    assert!(matches!(failed, Err(ConnectError::ConsentAgain(_))), "{failed:?}");
    assert_eq!(scene.connector(), before);
}

#[tokio::test]
async fn what_fails_once_the_connector_is_stored_is_made_up_for_by_the_renewer() {
    for call in [Call::RecordWatch, Call::Send, Call::Publish] {
        let stage = Stage::new();
        let ada = stage.world.account("ada@example.com");
        stage.world.fail(call, When::Before, 1);
        let connected = stage.connect_with("owner", &ada, Consent::default()).await;
        let id = connected.unwrap_or_else(|error| panic!("{call}: {error:?}")).connector_id;
        stage.trigger(&stage.connector(&id), json!({})).await;
        ada.deliver(Mail::new("Meanwhile"));
        for _ in 0..30 {
            stage.world.pass(MINUTE);
            stage.sweep().await;
            stage.work().await;
        }
        let connector = stage.connector(&id);
        assert_eq!(connector.watch.status(stage.world.now()), WatchStatus::Active, "{call}");
        assert_eq!(subjects(&stage.fired()), ["Meanwhile"], "{call}");
        assert_eq!(connector.outbox.unpublished.len(), 0, "{call}");
    }
}

#[tokio::test]
async fn a_reconnect_without_a_refresh_token_does_not_bring_a_refused_one_back() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    let connector = stage.connect("owner", &ada).await;
    ada.revoke_grant();
    stage.world.pass(ACCESS_TOKEN_LIFE);
    stage.wake(&WakeUp::own(Kind::Sync, ada.address(), stage.world.now())).await.unwrap();
    let refused = stage.connector(&connector.id);
    assert_eq!(refused.reading.status, Status::NeedsReauth);

    let answer = stage.connect_with("owner", &ada, without_refresh_token()).await;

    assert!(matches!(answer, Err(ConnectError::NoRefreshToken)), "{answer:?}");
    assert_eq!(stage.connector(&connector.id), refused);
}

#[tokio::test]
async fn with_one_connector_per_mailbox_an_owner_connects_several() {
    let stage = Stage::new();
    let (ada, work) =
        (stage.world.account("ada@example.com"), stage.world.account("ada@work.example"));
    let connecting = Connect { uniqueness: Uniqueness::PerMailbox, ..stage.connecting() };
    let connect = async |account: &Account| {
        let request = stage.request("owner", &account.consent(Consent::default()));
        connecting.run(&request, stage.world.now()).await.unwrap().connector_id
    };
    let (first, second, again) = (connect(&ada).await, connect(&work).await, connect(&ada).await);
    assert_ne!(first, second);
    assert_eq!(first, again, "the same mailbox is the same connector");
    assert_eq!(stage.world.store().connectors(&owner("owner")).await.unwrap().len(), 2);
}

//! A connector is taken away, from Google and from the store.

use std::slice::from_ref;

use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::wake_up::{Kind, WakeUp};
use email_connectors::flows::disconnect::{DisconnectError, Receipt};
use email_connectors::flows::process::Outcome;
use email_connectors::ports::Store;
use serde_json::json;
use tests::world::{Account, Call, Consent, Failure, Mail, When};

use tests::stage::{PROCESSOR_TIMEOUT, Scene, Stage, listed, owner, subjects};

const ALL: Receipt = Receipt { watch_stopped: true, grant_revoked: true, data_purged: true };

async fn disconnect(stage: &Stage, of: &str, id: &ConnectorId) -> Result<Receipt, DisconnectError> {
    stage.disconnecting().run(&owner(of), id, stage.world.now()).await
}

async fn is_gone(stage: &Stage, of: &str, id: &ConnectorId, account: &Account) -> bool {
    let store = stage.world.store();
    let members = store.mailbox(&account.address()).await.unwrap();
    let of_nobody = members.iter().all(|(member, _)| member.id != *id);
    store.connector(&owner(of), id).await.unwrap().is_none() && of_nobody && store.triggers(&owner(of)).await.unwrap().is_empty()
}

#[tokio::test]
async fn a_disconnect_stops_the_watch_revokes_the_grant_and_purges_in_that_order() {
    let scene = Scene::new().await;
    assert_eq!(disconnect(&scene.stage, "owner", &scene.id).await.unwrap(), ALL);
    let calls = [
        "store.connector con",
        "store.mailbox ada@example.com",
        "vault.open_access_token con",
        "gmail.stop",
        "vault.open_refresh_token con",
        "gmail.revoke",
        "store.triggers owner",
        "store.remove_connector con",
    ];
    assert_eq!(scene.stage.calls(), calls);
    assert_eq!((scene.ada.watched_until(), scene.ada.is_granted()), (None, false));
    assert!(is_gone(&scene.stage, "owner", &scene.id, &scene.ada).await);

    // Pushes that were on their way find nobody; a second request neither.
    scene.deliver(&["Too late"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), []);
    assert!(matches!(disconnect(&scene.stage, "owner", &scene.id).await, Err(DisconnectError::NotFound)));
}

#[tokio::test]
async fn only_the_mailboxs_last_connector_takes_watch_and_grant_with_it() {
    let scene = Scene::new().await;
    let second = scene.stage.connect("second-owner", &scene.ada).await;
    let purged = Receipt { watch_stopped: false, grant_revoked: false, data_purged: true };
    scene.stage.forget_calls();
    assert_eq!(disconnect(&scene.stage, "owner", &scene.id).await.unwrap(), purged);
    assert!(scene.stage.calls_of(&["gmail"]).is_empty());
    assert!(scene.ada.watched_until().is_some() && scene.ada.is_granted());

    scene.stage.trigger(&second, json!({})).await;
    scene.deliver(&["For the second"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)]);
    assert_eq!(disconnect(&scene.stage, "second-owner", &second.id).await.unwrap(), ALL);
    assert_eq!((scene.ada.watched_until(), scene.ada.is_granted()), (None, false));
}

#[tokio::test]
async fn a_dead_grant_does_not_hold_the_purge_up() {
    let scene = Scene::new().await;
    scene.ada.revoke_grant();
    let receipt = disconnect(&scene.stage, "owner", &scene.id).await.unwrap();
    assert_eq!(receipt, Receipt { watch_stopped: false, grant_revoked: true, data_purged: true });
    assert!(is_gone(&scene.stage, "owner", &scene.id, &scene.ada).await);
}

#[tokio::test]
async fn what_fails_at_google_purges_nothing_and_may_be_asked_again() {
    for call in [Call::Stop, Call::OpenRefreshToken, Call::Revoke] {
        let scene = Scene::new().await;
        scene.stage.world.fail(call, When::Before, 1);
        assert!(disconnect(&scene.stage, "owner", &scene.id).await.is_err(), "{call}");
        assert_eq!(scene.triggers().await, from_ref(&scene.trigger), "{call}");
        assert!(disconnect(&scene.stage, "owner", &scene.id).await.unwrap().grant_revoked, "{call}");
        assert!(is_gone(&scene.stage, "owner", &scene.id, &scene.ada).await, "{call}");
    }
}

#[tokio::test]
async fn a_disconnect_that_crashed_on_the_way_may_be_asked_again() {
    for call in [Call::Stop, Call::Revoke, Call::Triggers, Call::RemoveConnector] {
        let scene = Scene::new().await;
        scene.stage.world.crash(call, When::Before, 1);
        assert!(scene.stage.world.until_crash(disconnect(&scene.stage, "owner", &scene.id)).await.is_none(), "{call}");
        assert!(disconnect(&scene.stage, "owner", &scene.id).await.unwrap().data_purged, "{call}");
        assert!(is_gone(&scene.stage, "owner", &scene.id, &scene.ada).await, "{call}");
        assert_eq!((scene.ada.watched_until(), scene.ada.is_granted()), (None, false), "{call}");
    }
}

#[tokio::test]
async fn another_owners_connector_is_not_found_and_not_touched() {
    let scene = Scene::new().await;
    assert!(matches!(disconnect(&scene.stage, "thief", &scene.id).await, Err(DisconnectError::NotFound)));
    assert_eq!(scene.stage.calls(), ["store.connector con"]);
    assert!(scene.ada.is_granted());
}

#[tokio::test]
async fn a_trigger_made_in_the_meantime_is_purged_too() {
    let scene = Scene::new().await;
    let connector = scene.connector();
    let gate = scene.stage.world.hold(Call::RemoveConnector, When::Before, 1);
    let (receipt, _) = tokio::join!(disconnect(&scene.stage, "owner", &scene.id), async {
        scene.stage.trigger(&connector, json!({})).await;
        gate.open();
    });
    assert!(receipt.unwrap().data_purged);
    assert!(is_gone(&scene.stage, "owner", &scene.id, &scene.ada).await);
}

#[tokio::test]
async fn a_firing_that_is_owed_is_published_before_its_connector_goes() {
    let scene = Scene::new().await;
    scene.deliver(&["Decided already"]);
    let push = scene.push();
    scene.stage.world.crash(Call::Commit, When::After, 1);
    assert!(scene.stage.world.until_crash(scene.stage.wake(&push)).await.is_none());

    scene.stage.forget_calls();
    assert!(matches!(disconnect(&scene.stage, "owner", &scene.id).await, Err(DisconnectError::Busy)));
    assert_eq!(scene.stage.calls(), ["store.connector con"], "nothing is stopped or revoked that cannot be purged");
    scene.stage.world.pass(PROCESSOR_TIMEOUT);
    assert_eq!(scene.stage.wake(&push).await.unwrap(), [Outcome::Stale]);
    assert_eq!(subjects(&scene.stage.published()), ["Decided already"]);
    assert!(disconnect(&scene.stage, "owner", &scene.id).await.unwrap().data_purged);
    assert!(is_gone(&scene.stage, "owner", &scene.id, &scene.ada).await);
}

#[tokio::test]
async fn a_disconnect_between_a_workers_read_and_its_commit_ends_its_work() {
    let scene = Scene::new().await;
    scene.deliver(&["In flight"]);
    let (push, gate) = (scene.push(), scene.stage.world.hold(Call::Commit, When::Before, 1));
    let (outcomes, receipt) = tokio::join!(scene.stage.wake(&push), async {
        let receipt = disconnect(&scene.stage, "owner", &scene.id).await;
        gate.open();
        receipt
    });
    assert_eq!((outcomes.unwrap(), receipt.unwrap()), (vec![], ALL));
    assert!(scene.stage.published().is_empty() && scene.stage.world.store().ledger().is_empty());
}

#[tokio::test]
async fn a_mailbox_that_is_connected_again_begins_anew() {
    let scene = Scene::new().await;
    disconnect(&scene.stage, "owner", &scene.id).await.unwrap();
    scene.deliver(&["While nobody listened"]);
    scene.stage.world.pass(PROCESSOR_TIMEOUT);
    let connected = scene.stage.connect_with("owner", &scene.ada, Consent::default()).await.unwrap();
    assert_ne!(connected.connector_id, scene.id);
    scene.stage.work().await;
    let connector = scene.stage.connector(&connected.connector_id);
    assert_eq!((connector.generation, connector.position.cursor), (1, scene.ada.history_id()));
    scene.stage.trigger(&connector, json!({})).await;
    scene.ada.deliver(Mail::new("From now on"));
    scene.stage.wake(&WakeUp::own(Kind::Sync, scene.ada.address(), scene.stage.world.now())).await.unwrap();
    assert_eq!(subjects(&scene.stage.published()), ["From now on"]);
}

#[tokio::test]
async fn a_domain_that_refuses_the_app_can_still_be_left() {
    let scene = Scene::new().await;
    scene.stage.world.fail_with(Call::Stop, When::Before, 1, Failure::Refused(403));
    let receipt = disconnect(&scene.stage, "owner", &scene.id).await.unwrap();
    assert_eq!(receipt, Receipt { watch_stopped: false, ..ALL });
    assert!(is_gone(&scene.stage, "owner", &scene.id, &scene.ada).await);
}

//! A connector is disconnected, at Google and in the store.

use std::slice::from_ref;

use email_connectors::domain::connector_change::ConnectorChange;
use email_connectors::domain::event::DetailType;
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::wake_up::{Kind, WakeUp};
use email_connectors::flows::connect::ConnectError;
use email_connectors::flows::disconnect::{DisconnectError, Receipt};
use email_connectors::flows::process::Outcome;
use email_connectors::flows::subscribe::SubscribeError;
use email_connectors::flows::update_connector::{self, ChangeError};
use email_connectors::ports::Store;
use serde_json::json;
use tests::world::{Account, Call, Consent, Failure, Mail, When};

use tests::stage::{
    DAY, MINUTE, PROCESSOR_TIMEOUT, SWEEP_TIMES, Scene, Stage, listed, owner, subjects,
};

const ALL: Receipt = Receipt { watch_stopped: true, grant_revoked: true, data_purged: true };

const NOTHING_YET: Receipt =
    Receipt { watch_stopped: false, grant_revoked: false, data_purged: false };

async fn disconnect(stage: &Stage, of: &str, id: &ConnectorId) -> Result<Receipt, DisconnectError> {
    stage.disconnect(of, id).await
}

async fn is_gone(stage: &Stage, of: &str, id: &ConnectorId, account: &Account) -> bool {
    let store = stage.world.store();
    let members = store.mailbox(&account.address().into()).await.unwrap();
    let of_nobody = members.iter().all(|(member, _)| member.id != *id);
    store.connector(&owner(of), id).await.unwrap().is_none()
        && of_nobody
        && store.triggers(&owner(of)).await.unwrap().is_empty()
}

#[tokio::test]
async fn a_disconnect_stops_the_watch_revokes_the_grant_and_purges_in_that_order() {
    let scene = Scene::new().await;
    assert_eq!(disconnect(&scene.stage, "owner", &scene.id).await.unwrap(), ALL);
    let calls = [
        "store.connector con",
        "store.membership 100001",
        "store.begin_closing con last",
        "bus.publish 1",
        "store.mark_published 1",
        "store.connector con",
        "vault.open_access_token con",
        "gmail.stop",
        "store.record_closing con",
        "vault.open_refresh_token con",
        "gmail.revoke",
        "store.record_closing con",
        "store.delivery_records con",
        "store.forget 2",
        "store.delivery_records con",
        "store.forget 1",
        "store.triggers owner",
        "store.membership 100001",
        "store.remove_connector con",
    ];
    assert_eq!(scene.stage.calls(), calls);
    assert_eq!((scene.ada.watched_until(), scene.ada.is_granted()), (None, false));
    assert!(is_gone(&scene.stage, "owner", &scene.id, &scene.ada).await);

    // Pushes that were under way find no connector, and neither does a second request.
    scene.deliver(&["Too late"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), []);
    assert!(matches!(
        disconnect(&scene.stage, "owner", &scene.id).await,
        Err(DisconnectError::NotFound)
    ));
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
async fn a_dead_grant_does_not_delay_the_purge() {
    let scene = Scene::new().await;
    scene.ada.revoke_grant();
    let receipt = disconnect(&scene.stage, "owner", &scene.id).await.unwrap();
    assert_eq!(receipt, Receipt { watch_stopped: false, grant_revoked: true, data_purged: true });
    assert!(is_gone(&scene.stage, "owner", &scene.id, &scene.ada).await);
}

#[tokio::test]
async fn what_fails_at_google_is_tried_again_until_it_is_done() {
    for (call, stopped) in
        [(Call::Stop, false), (Call::OpenRefreshToken, true), (Call::Revoke, true)]
    {
        let scene = Scene::new().await;
        scene.stage.world.fail(call, When::Before, 1);
        let receipt = disconnect(&scene.stage, "owner", &scene.id).await.unwrap();
        assert_eq!(receipt, Receipt { watch_stopped: stopped, ..NOTHING_YET }, "{call}");
        assert_eq!(
            scene.triggers().await,
            from_ref(&scene.trigger),
            "{call}: nothing is purged before"
        );

        scene.stage.world.pass(MINUTE);
        assert_eq!(scene.stage.sweep().await.closed, 1, "{call}");
        assert!(is_gone(&scene.stage, "owner", &scene.id, &scene.ada).await, "{call}");
        assert_eq!((scene.ada.watched_until(), scene.ada.is_granted()), (None, false), "{call}");
    }
}

#[tokio::test]
async fn what_never_succeeds_at_google_keeps_the_data_for_a_week_and_no_longer() {
    let scene = Scene::new().await;
    let mut refused = 0;
    let mut refuse = || {
        refused += 1;
        scene.stage.world.fail_with(Call::Revoke, When::Before, 1, Failure::Unavailable);
    };
    refuse();
    assert_eq!(
        disconnect(&scene.stage, "owner", &scene.id).await.unwrap(),
        Receipt { watch_stopped: true, ..NOTHING_YET }
    );
    for day in 1..7 {
        scene.stage.world.pass(DAY);
        refuse();
        assert_eq!(scene.stage.sweep().await.closed, 0, "day {day}");
    }
    scene.stage.world.pass(DAY);
    refuse();
    assert_eq!(scene.stage.sweep().await.closed, 1);
    assert!(is_gone(&scene.stage, "owner", &scene.id, &scene.ada).await);
    assert_eq!((refused, scene.ada.is_granted()), (8, true));
}

#[tokio::test]
async fn an_end_that_crashed_on_the_way_is_brought_about_by_the_renewer() {
    for (call, when) in [
        (Call::BeginClosing, When::After),
        (Call::Publish, When::After),
        (Call::Stop, When::Before),
        (Call::Stop, When::After),
        (Call::RecordClosing, When::After),
        (Call::Revoke, When::After),
        (Call::Forget, When::After),
        (Call::Triggers, When::Before),
        (Call::RemoveConnector, When::Before),
    ] {
        let scene = Scene::new().await;
        scene.stage.world.crash(call, when, 1);
        assert!(
            scene
                .stage
                .world
                .until_crash(disconnect(&scene.stage, "owner", &scene.id))
                .await
                .is_none(),
            "{call}"
        );
        // A wake-up publishes pending events before the disconnect goes on.
        for _ in 0..3 {
            scene.stage.world.pass(MINUTE);
            scene.stage.sweep().await;
            scene.stage.work().await;
        }
        assert!(is_gone(&scene.stage, "owner", &scene.id, &scene.ada).await, "{call} {when:?}");
        assert_eq!(
            (scene.ada.watched_until(), scene.ada.is_granted()),
            (None, false),
            "{call} {when:?}"
        );
        assert!(
            !scene.stage.notices(DetailType::ConnectorDisconnected).is_empty(),
            "{call} {when:?}"
        );
    }
}

#[tokio::test]
async fn a_repeated_disconnect_continues_where_it_stopped() {
    let scene = Scene::new().await;
    scene.stage.world.fail(Call::Revoke, When::Before, 1);
    disconnect(&scene.stage, "owner", &scene.id).await.unwrap();
    scene.stage.forget_calls();
    assert_eq!(disconnect(&scene.stage, "owner", &scene.id).await.unwrap(), ALL);
    assert_eq!(
        scene.stage.calls_of(&["gmail", "store.begin"]),
        ["gmail.revoke"],
        "nothing is done twice"
    );
    assert_eq!(scene.stage.notices(DetailType::ConnectorDisconnected).len(), 1);
}

#[tokio::test]
async fn nothing_of_a_connector_that_is_ending_fires() {
    let scene = Scene::new().await;
    scene.stage.world.fail(Call::Stop, When::Before, 1);
    disconnect(&scene.stage, "owner", &scene.id).await.unwrap();
    scene.deliver(&["Too late"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::NotActive]);
    assert!(scene.stage.fired().is_empty());
    let connector = scene.connector();
    assert!(matches!(
        scene.stage.try_trigger(&connector, json!({})).await,
        Err(SubscribeError::NoSuchConnector)
    ));
    let paused = update_connector::apply(
        &scene.stage.world.store(),
        SWEEP_TIMES,
        &owner("owner"),
        &scene.id,
        &ConnectorChange::paused(true),
        scene.stage.world.now(),
    )
    .await;
    assert!(matches!(paused, Err(ChangeError::NotFound)));
}

#[tokio::test]
async fn delivery_records_are_deleted_with_their_connector() {
    let scene = Scene::new().await;
    let second = scene.stage.connect("second-owner", &scene.ada).await;
    scene.stage.trigger(&second, json!({})).await;
    scene.deliver(&["One", "Two"]);
    scene.stage.wake(&scene.push()).await.unwrap();
    let store = scene.stage.world.store();
    assert!(store.delivery_records(&scene.id, None, 100).await.unwrap().len() >= 2);
    disconnect(&scene.stage, "owner", &scene.id).await.unwrap();
    assert_eq!(store.delivery_records(&scene.id, None, 100).await.unwrap(), []);
    let kept = store.delivery_records(&second.id, None, 100).await.unwrap();
    assert_eq!(
        kept.iter().filter(|event| event.detail_type == DetailType::TriggerFired).count(),
        2,
        "another owner's records stay"
    );
}

#[tokio::test]
async fn of_two_last_owners_who_leave_at_once_one_takes_the_grant_with_it() {
    for call in [Call::BeginClosing, Call::Membership, Call::RemoveConnector] {
        let scene = Scene::new().await;
        let second = scene.stage.connect("second-owner", &scene.ada).await;
        let gate = scene.stage.world.hold(call, When::Before, 1);
        let (first, other) = tokio::join!(disconnect(&scene.stage, "owner", &scene.id), async {
            let receipt = disconnect(&scene.stage, "second-owner", &second.id).await;
            gate.open();
            receipt
        });
        let (first, other) = (first.unwrap(), other.unwrap());
        assert_eq!(
            [first.grant_revoked, other.grant_revoked]
                .into_iter()
                .filter(|revoked| *revoked)
                .count(),
            1,
            "{call}"
        );
        assert_eq!((scene.ada.watched_until(), scene.ada.is_granted()), (None, false), "{call}");
        assert!(is_gone(&scene.stage, "owner", &scene.id, &scene.ada).await);
        assert!(is_gone(&scene.stage, "second-owner", &second.id, &scene.ada).await);
    }
}

/// Another owner connects at any step of the last disconnect: if the connect succeeds, its grant is
/// alive.
#[tokio::test]
async fn a_connect_beside_the_last_disconnect_ends_with_a_living_grant_or_is_refused() {
    let mut connected = 0;
    for call in [
        Call::Membership,
        Call::BeginClosing,
        Call::Publish,
        Call::Stop,
        Call::Revoke,
        Call::RecordClosing,
        Call::RemoveConnector,
    ] {
        for when in [When::Before, When::After] {
            let scene = Scene::new().await;
            let gate = scene.stage.world.hold(call, when, 1);
            let (receipt, answer) =
                tokio::join!(disconnect(&scene.stage, "owner", &scene.id), async {
                    let answer = scene
                        .stage
                        .connect_with("second-owner", &scene.ada, Consent::default())
                        .await;
                    gate.open();
                    answer
                });
            assert!(receipt.unwrap().data_purged, "{call} {when:?}");
            match answer {
                Ok(_) => {
                    connected += 1;
                    assert!(
                        scene.ada.is_granted() && scene.ada.watched_until().is_some(),
                        "{call} {when:?}"
                    );
                }
                Err(refused) => {
                    assert!(
                        matches!(refused, ConnectError::Closing),
                        "{call} {when:?}: {refused:?}"
                    );
                    let again = scene
                        .stage
                        .connect_with("second-owner", &scene.ada, Consent::default())
                        .await;
                    assert!(again.is_ok() && scene.ada.is_granted(), "{call} {when:?}: {again:?}");
                }
            }
        }
    }
    assert!(connected > 0);
}

/// Google granted before the revocation, and the connect would store the grant after it.
#[tokio::test]
async fn a_grant_that_a_revocation_took_with_it_connects_nothing() {
    let scene = Scene::new().await;
    let gate = scene.stage.world.hold(Call::Profile, When::Before, 1);
    let (answer, _) = tokio::join!(
        scene.stage.connect_with("second-owner", &scene.ada, Consent::default()),
        async {
            disconnect(&scene.stage, "owner", &scene.id).await.unwrap();
            gate.open();
        }
    );
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(scene.stage.world.store().connectors(&owner("second-owner")).await.unwrap(), []);
    scene.stage.connect_with("second-owner", &scene.ada, Consent::default()).await.unwrap();
    assert!(scene.ada.is_granted());
}

#[tokio::test]
async fn another_owners_connector_is_not_found_and_not_touched() {
    let scene = Scene::new().await;
    assert!(matches!(
        disconnect(&scene.stage, "thief", &scene.id).await,
        Err(DisconnectError::NotFound)
    ));
    assert_eq!(scene.stage.calls(), ["store.connector con"]);
    assert!(scene.ada.is_granted());
}

#[tokio::test]
async fn a_trigger_made_in_the_meantime_is_purged_too() {
    let scene = Scene::new().await;
    let connector = scene.connector();
    let gate = scene.stage.world.hold(Call::BeginClosing, When::Before, 1);
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

    let receipt = disconnect(&scene.stage, "owner", &scene.id).await.unwrap();
    assert_eq!(receipt, Receipt { data_purged: false, ..ALL });
    scene.stage.world.pass(PROCESSOR_TIMEOUT);
    assert_eq!(scene.stage.wake(&push).await.unwrap(), [Outcome::NotActive]);
    assert_eq!(subjects(&scene.stage.fired()), ["Decided already"]);
    scene.stage.world.pass(MINUTE);
    assert_eq!(scene.stage.sweep().await.closed, 1);
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
    assert!(scene.stage.fired().is_empty());
}

#[tokio::test]
async fn a_mailbox_that_is_connected_again_begins_anew() {
    let scene = Scene::new().await;
    disconnect(&scene.stage, "owner", &scene.id).await.unwrap();
    scene.deliver(&["While nobody listened"]);
    scene.stage.world.pass(PROCESSOR_TIMEOUT);
    let connected =
        scene.stage.connect_with("owner", &scene.ada, Consent::default()).await.unwrap();
    assert_ne!(connected.connector_id, scene.id);
    scene.stage.work().await;
    let connector = scene.stage.connector(&connected.connector_id);
    assert_eq!(
        (connector.grant.generation, connector.reading.position.cursor),
        (1, scene.ada.history_id())
    );
    scene.stage.trigger(&connector, json!({})).await;
    scene.ada.deliver(Mail::new("From now on"));
    scene
        .stage
        .wake(&WakeUp::own(Kind::Sync, scene.ada.address(), scene.stage.world.now()))
        .await
        .unwrap();
    assert_eq!(subjects(&scene.stage.fired()), ["From now on"]);
}

#[tokio::test]
async fn a_domain_that_refuses_the_app_can_still_be_left() {
    let scene = Scene::new().await;
    scene.stage.world.fail_with(Call::Stop, When::Before, 1, Failure::Refused(403));
    let receipt = disconnect(&scene.stage, "owner", &scene.id).await.unwrap();
    assert_eq!(receipt, Receipt { watch_stopped: false, ..ALL });
    assert!(is_gone(&scene.stage, "owner", &scene.id, &scene.ada).await);
}

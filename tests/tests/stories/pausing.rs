//! A connector is paused: mail that arrives in between never fires, and nothing else is lost.

use email_connectors::domain::connector_change::ConnectorChange;
use email_connectors::domain::pause::is_paused;
use email_connectors::domain::wake_up::Kind;
use email_connectors::flows::update_connector::{self, ChangeError};
use tests::stage::{MINUTE, SWEEP_TIMES, Scene, listed, owner, subjects};
use tests::world::{Call, Consent, Mail, When};

async fn set(scene: &Scene, paused: bool) {
    let (store, now) = (scene.stage.world.store(), scene.stage.world.now());
    update_connector::apply(
        &store,
        SWEEP_TIMES,
        &owner("owner"),
        &scene.id,
        &ConnectorChange::paused(paused),
        now,
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn only_what_arrives_inside_a_pause_is_passed_over() {
    let scene = Scene::new().await;
    scene.deliver(&["Before, its push was lost"]);
    scene.stage.world.pass(MINUTE);
    set(&scene, true).await;
    scene.deliver(&["Inside"]);
    scene.stage.world.pass(MINUTE);
    set(&scene, false).await;
    scene.deliver(&["After"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(3, 2)]);
    assert_eq!(subjects(&scene.stage.fired()), ["Before, its push was lost", "After"]);
}

#[tokio::test]
async fn a_pause_ends_no_listening() {
    let scene = Scene::new().await;
    set(&scene, true).await;
    scene.deliver(&["Inside"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 0)]);
    assert_eq!(scene.cursor(), scene.ada.history_id(), "the cursor goes on");
    assert!(scene.ada.watched_until().is_some());
}

#[tokio::test]
async fn spam_from_before_a_pause_fires_when_it_is_rescued_after_it() {
    let scene = Scene::new().await;
    let spam = scene.ada.deliver(Mail::new("Before").labelled(&["SPAM"])).message;
    scene.stage.world.pass(MINUTE);
    set(&scene, true).await;
    let inside = scene.ada.deliver(Mail::new("Inside").labelled(&["SPAM"])).message;
    scene.stage.world.pass(MINUTE);
    set(&scene, false).await;
    for message in [&spam, &inside] {
        scene.ada.label(message, &["INBOX"], &["SPAM"]);
    }
    scene.stage.wake(&scene.push()).await.unwrap();
    assert_eq!(subjects(&scene.stage.fired()), ["Before"]);
}

#[tokio::test]
async fn a_pause_in_the_middle_of_a_wake_up_takes_nothing_that_came_before_it() {
    let scene = Scene::new().await;
    scene.deliver(&["Before"]);
    scene.stage.world.pass(MINUTE);
    let (push, gate) = (scene.push(), scene.stage.world.hold(Call::Commit, When::Before, 1));
    let (outcomes, ()) = tokio::join!(scene.stage.wake(&push), async {
        let (store, now) = (scene.stage.world.store(), scene.stage.world.now());
        // Its own commit is the second one.
        update_connector::apply(
            &store,
            SWEEP_TIMES,
            &owner("owner"),
            &scene.id,
            &ConnectorChange::paused(true),
            now,
        )
        .await
        .unwrap();
        gate.open();
    });
    assert_eq!(outcomes.unwrap(), [listed(1, 1)], "the wake-up reads again");
    assert!(is_paused(&scene.connector().reading.pauses));
}

#[tokio::test]
async fn a_reconnect_keeps_the_pause() {
    let scene = Scene::new().await;
    scene.deliver(&["While the grant was dead"]);
    scene.ada.revoke_grant();
    scene.stage.wake(&scene.push()).await.unwrap();
    scene.stage.world.pass(MINUTE);
    set(&scene, true).await;
    scene.deliver(&["Inside"]);
    scene.stage.connect_with("owner", &scene.ada, Consent::default()).await.unwrap();
    scene.stage.work().await;
    assert!(is_paused(&scene.connector().reading.pauses));
    scene.stage.world.pass(MINUTE);
    set(&scene, false).await;
    scene.deliver(&["After"]);
    scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap();
    assert_eq!(subjects(&scene.stage.fired()), ["While the grant was dead", "After"]);
}

#[tokio::test]
async fn a_pause_is_said_once_and_by_its_owner() {
    let scene = Scene::new().await;
    set(&scene, true).await;
    let paused = scene.connector();
    scene.stage.world.pass(MINUTE);
    set(&scene, true).await;
    assert_eq!(scene.connector(), paused, "to pause what is paused changes nothing");
    let (store, now) = (scene.stage.world.store(), scene.stage.world.now());
    let refused = update_connector::apply(
        &store,
        SWEEP_TIMES,
        &owner("thief"),
        &scene.id,
        &ConnectorChange::paused(false),
        now,
    )
    .await;
    assert!(matches!(refused, Err(ChangeError::NotFound)), "{refused:?}");
    assert_eq!(scene.connector(), paused);
}

//! A watch is made due, and the next sweep renews it.

use email_connectors::domain::connector::Location;
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::watch::WatchStatus;
use email_connectors::flows::watching::make_due;
use email_connectors::ports::StoreError;
use tests::stage::Scene;
use tests::world::{Call, Failure, When};

async fn due(scene: &Scene, location: &Location) -> Result<bool, StoreError> {
    let now = scene.stage.world.now();
    make_due(&scene.stage.world.store(), location, now, now).await
}

#[tokio::test]
async fn the_next_sweep_renews_what_was_made_due() {
    let scene = Scene::new().await;
    let (location, before) = (scene.connector().location(), scene.connector().watch);
    assert_eq!(scene.stage.sweep().await.renewed, 0, "a watch of a minute ago is not due");
    assert!(due(&scene, &location).await.unwrap());
    let now = scene.stage.world.now();
    assert_eq!(
        (scene.connector().watch.status(now), scene.connector().watch.expiration),
        (WatchStatus::Active, before.expiration)
    );
    assert_eq!(scene.stage.sweep().await.renewed, 1);
    assert_eq!(scene.connector().watch.renewed_at, Some(now));
}

#[tokio::test]
async fn a_conflict_is_retried_and_reported_if_it_never_ends() {
    let scene = Scene::new().await;
    let location = scene.connector().location();
    for nth in 1..=5 {
        scene.stage.world.fail_with(Call::Commit, When::Before, nth, Failure::Conflict);
        if nth < 5 {
            continue;
        }
        assert!(matches!(due(&scene, &location).await, Err(StoreError::Conflict)));
    }
    scene.stage.world.fail_with(Call::RecordWatch, When::Before, 1, Failure::Conflict);
    assert!(due(&scene, &location).await.unwrap());
    assert_eq!(scene.stage.sweep().await.renewed, 1);
}

#[tokio::test]
async fn what_is_not_there_or_waits_for_its_user_is_not_made_due() {
    let scene = Scene::new().await;
    let location = scene.connector().location();
    assert!(
        !due(&scene, &Location { connector: ConnectorId::new("con_other"), ..location.clone() })
            .await
            .unwrap()
    );
    scene.stage.disconnect("owner", &scene.id).await.unwrap();
    assert!(!due(&scene, &location).await.unwrap());
}

//! An operator withdraws grants: they are revoked at Google first, then their connectors need a
//! reconnect.

use email_connectors::domain::connector::Connector;
use email_connectors::domain::connector::Status;
use email_connectors::domain::event::DetailType;
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::wake_up::Kind;
use email_connectors::flows::process::Outcome;
use email_connectors::flows::withdraw::{WHY, Withdraw, WithdrawError, Withdrawn};
use email_connectors::ports::ProviderError;
use tests::stage::{Scene, Stage, listed};
use tests::world::{Call, Consent, When, World};

async fn withdraw_of(stage: &Stage, connector: &Connector) -> Result<Withdrawn, WithdrawError> {
    let world = &stage.world;
    let (store, vault, provider, bus) = (world.store(), world.vault(), world.gmail(), world.bus());
    let withdraw =
        Withdraw::<World> { store: &store, vault: &vault, provider: &provider, bus: &bus };
    withdraw.run(&connector.location(), world.now()).await
}

async fn withdraw(scene: &Scene) -> Result<Withdrawn, WithdrawError> {
    withdraw_of(&scene.stage, &scene.connector()).await
}

fn suspended(withdrawn: &Withdrawn) -> Vec<&ConnectorId> {
    assert!(withdrawn.failed.is_empty(), "{withdrawn:?}");
    withdrawn.suspended.iter().map(|suspended| &suspended.connector).collect()
}

/// The reasons of all CONNECTOR_NEEDS_REAUTH notices.
fn reasons(stage: &Stage) -> Vec<serde_json::Value> {
    stage
        .notices(DetailType::ConnectorNeedsReauth)
        .iter()
        .map(|notice| notice["reason"].clone())
        .collect()
}

#[tokio::test]
async fn nobody_can_use_the_grant_any_more_and_what_came_meanwhile_fires_after_the_reconnect() {
    let scene = Scene::new().await;
    assert_eq!(suspended(&withdraw(&scene).await.unwrap()), [&scene.id]);
    assert_eq!(scene.connector().reading.status, Status::NeedsReauth);
    assert_eq!(reasons(&scene.stage), [WHY]);
    scene.deliver(&["meanwhile"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::NotActive]);

    assert!(suspended(&withdraw(&scene).await.unwrap()).is_empty(), "once more does no harm");
    assert_eq!(reasons(&scene.stage).len(), 1);

    scene.stage.connect_with("owner", &scene.ada, Consent::default()).await.unwrap();
    assert!(scene.stage.work().await.contains(&listed(1, 1)));
}

#[tokio::test]
async fn what_google_did_not_revoke_is_not_called_withdrawn() {
    let scene = Scene::new().await;
    scene.stage.world.fail(Call::Revoke, When::Before, 1);
    assert!(matches!(
        withdraw(&scene).await,
        Err(WithdrawError::Provider(ProviderError::Unavailable { .. }))
    ));
    assert_eq!(
        scene.connector().reading.status,
        Status::Active,
        "it comes up again with the next run"
    );
}

#[tokio::test]
async fn whoever_shares_the_account_loses_the_grant_too_and_is_notified_once() {
    let scene = Scene::new().await;
    let other = scene.stage.connect("other", &scene.ada).await;
    let bob = scene.stage.world.account("bob@example.com");
    let stranger = scene.stage.connect("owner-of-bob", &bob).await;

    let withdrawn = withdraw(&scene).await.unwrap();
    assert_eq!(suspended(&withdrawn), [&scene.id, &other.id]);
    assert_eq!(withdrawn.suspended[1].owner, other.owner_id);
    let status = |connector: &Connector| scene.stage.connector(&connector.id).reading.status;
    assert_eq!(
        (scene.connector().reading.status, status(&other), status(&stranger)),
        (Status::NeedsReauth, Status::NeedsReauth, Status::Active)
    );
    assert_eq!(reasons(&scene.stage), [WHY, WHY]);

    assert!(
        suspended(&withdraw_of(&scene.stage, &other).await.unwrap()).is_empty(),
        "its turn in a run over all of them"
    );
    assert_eq!(reasons(&scene.stage).len(), 2);
}

#[tokio::test]
async fn a_grant_that_google_does_not_know_any_more_takes_nobody_else_with_it() {
    let scene = Scene::new().await;
    scene.ada.revoke_grant();
    let other = scene
        .stage
        .connect_with("other", &scene.ada, Consent::default())
        .await
        .unwrap()
        .connector_id;

    assert_eq!(suspended(&withdraw(&scene).await.unwrap()), [&scene.id]);
    assert_eq!(scene.stage.connector(&other).reading.status, Status::Active);
    let outcomes = scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap();
    assert!(
        outcomes.iter().any(|outcome| matches!(outcome, Outcome::Listed { .. })),
        "it lives by a newer grant: {outcomes:?}"
    );
}

#[tokio::test]
async fn a_member_that_connects_meanwhile_keeps_its_new_grant() {
    let scene = Scene::new().await;
    let other = scene.stage.connect("other", &scene.ada).await;
    let gate = scene.stage.world.hold(Call::Revoke, When::After, 1);
    let (withdrawn, _) = tokio::join!(withdraw(&scene), async {
        scene.stage.connect_with("other", &scene.ada, Consent::default()).await.unwrap();
        gate.open();
    });
    assert_eq!(suspended(&withdrawn.unwrap()), [&scene.id]);
    assert_eq!(scene.stage.connector(&other.id).reading.status, Status::Active);
}

#[tokio::test]
async fn a_member_whose_row_cannot_be_changed_is_named_and_the_others_wait_all_the_same() {
    let scene = Scene::new().await;
    let other = scene.stage.connect("other", &scene.ada).await;
    scene.stage.world.fail(Call::Commit, When::Before, 1);
    let withdrawn = withdraw(&scene).await.unwrap();
    assert_eq!(withdrawn.failed.iter().map(|(id, _)| id).collect::<Vec<_>>(), [&scene.id]);
    assert_eq!(
        withdrawn.suspended.iter().map(|suspended| &suspended.connector).collect::<Vec<_>>(),
        [&other.id]
    );
}

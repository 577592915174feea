//! An operator withdraws grants: revoked at Google first, then their connectors wait for their users.

use email_connectors::domain::connector::Status;
use email_connectors::domain::event::DetailType;
use email_connectors::flows::process::Outcome;
use email_connectors::flows::withdraw::{WHY, Withdraw, WithdrawError, Withdrawn};
use email_connectors::ports::ProviderError;
use tests::stage::{Scene, listed};
use tests::world::{Call, Consent, When};

async fn withdraw(scene: &Scene) -> Result<Withdrawn, WithdrawError> {
    let world = &scene.stage.world;
    let (store, vault, provider, bus) = (world.store(), world.vault(), world.gmail(), world.bus());
    let withdraw = Withdraw { store: &store, vault: &vault, provider: &provider, bus: &bus };
    withdraw.run(&scene.connector().location(), world.now()).await
}

#[tokio::test]
async fn nobody_can_use_the_grant_any_more_and_what_came_meanwhile_fires_after_the_reconnect() {
    let scene = Scene::new().await;
    assert_eq!(withdraw(&scene).await.unwrap(), Withdrawn::Revoked);
    assert_eq!(scene.connector().status, Status::NeedsReauth);
    assert_eq!(scene.stage.told(DetailType::ConnectorNeedsReauth).iter().map(|told| &told["reason"]).collect::<Vec<_>>(), [WHY]);
    scene.deliver(&["meanwhile"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::NotActive]);

    assert_eq!(withdraw(&scene).await.unwrap(), Withdrawn::WasIdle, "once more does no harm");
    assert_eq!(scene.stage.told(DetailType::ConnectorNeedsReauth).len(), 1);

    scene.stage.connect_with("owner", &scene.ada, Consent::default()).await.unwrap();
    assert!(scene.stage.work().await.contains(&listed(1, 1)));
}

#[tokio::test]
async fn what_google_did_not_revoke_is_not_called_withdrawn() {
    let scene = Scene::new().await;
    scene.stage.world.fail(Call::Revoke, When::Before, 1);
    assert!(matches!(withdraw(&scene).await, Err(WithdrawError::Provider(ProviderError::Unavailable { .. }))));
    assert_eq!(scene.connector().status, Status::Active, "it comes up again with the next run");
}

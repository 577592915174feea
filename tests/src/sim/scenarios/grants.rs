//! Grants that end, that seem to, and that come again.

use std::time::Duration;

use email_connectors::domain::wake_up::{Kind, WakeUp};

use crate::sim::{Dice, Sim};
use crate::stage::MINUTE;
use crate::world::{Call, Failure, Poison, When};

pub async fn a_grant_revoked_and_given_again(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    ada.revoke_grant();
    ada.forget_access_tokens();
    sim.mail(2);
    sim.push(&ada);
    sim.work().await;
    sim.mail(1);
    sim.pass(MINUTE);
    sim.connect("owner", &ada).await;
    sim.work().await;
    sim.expect_events("CONNECTOR_NEEDS_REAUTH", 1);
    sim.expect_events("CONNECTOR_RECOVERED", 1);
}

/// The token endpoint refuses once and not again: the connector does not need reauth.
pub async fn a_refusal_that_was_a_mistake(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.forget_access_tokens();
    sim.world.fail_with(Call::Refresh, When::Before, 1, Failure::GrantRefused);
    sim.begin();
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    sim.never("CONNECTOR_NEEDS_REAUTH");
}

/// Google refuses our OAuth client: no connector changes, and all continue when it is accepted
/// again.
pub async fn the_client_is_refused(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.forget_access_tokens();
    for nth in 1..=2 {
        sim.world.fail_with(Call::Refresh, When::Before, nth, Failure::ClientRefused);
    }
    sim.begin();
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    sim.minutes(3).await;
    sim.never("CONNECTOR_NEEDS_REAUTH");
}

pub async fn tokens_forgotten(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    sim.mail(1);
    ada.forget_access_tokens();
    sim.push(&ada);
    sim.work().await;
    sim.pass(Duration::from_secs(4000));
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
}

/// Both refresh; then the user connects again in the middle of a batch, and what the stale worker
/// writes must not land.
pub async fn a_double_refresh_and_a_stale_worker(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.forget_access_tokens();
    sim.mail(2);
    sim.begin();
    let now = sim.world.now();
    let push = WakeUp::push(ada.address(), ada.history_id(), Some("raced".into()), now);
    let own = WakeUp::own(Kind::Sync, ada.address(), now);
    let mut dice = Dice::new(7);
    sim.race(&push, &own, &mut dice).await;
    sim.world.meanwhile(Call::Messages, When::After, 1, |world| world.raise_generation("owner"));
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    sim.connect("owner", &ada).await;
    sim.work().await;
}

pub async fn parked_mail_after_a_reconnect(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.mail(3);
    let poison = ada.messages().into_iter().next().expect("a message");
    ada.poison(&poison, Poison::Fails);
    sim.push(&ada);
    sim.work().await;
    sim.minutes(4).await;
    sim.begin();
    sim.connect("owner", &ada).await;
    sim.work().await;
    ada.heal(&poison);
}

//! Refresh tokens that rotate, sessions that end, and consents that are withdrawn.

use std::time::Duration;

use email_connectors::domain::connector::Status;
use email_connectors::domain::wake_up::{Kind, WakeUp};

use crate::sim::{Dice, Sim};
use crate::stage::DAY;
use crate::world::{Call, Failure, When};

/// The client's secret is at its end for a while: no user must connect again for that.
pub async fn the_secret_is_expired(sim: &mut Sim) {
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

/// An administrator withdraws the consent, and gives it again two weeks later.
pub async fn consent_withdrawn_and_given_again(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.largest_page(2);
    sim.begin();
    ada.revoke_grant();
    ada.forget_access_tokens();
    sim.mail(2);
    sim.push(&ada);
    sim.work().await;
    for _ in 0..2 {
        sim.pass(DAY * 7);
        sim.mail(2);
    }
    sim.connect("owner", &ada).await;
    sim.work().await;
    sim.expect_events("CONNECTOR_NEEDS_REAUTH", 1);
    sim.expect_events("CONNECTOR_RECOVERED", 1);
}

/// A token that is never replaced ends after ninety days; each refresh gives another one.
pub async fn a_hundred_days_of_rotated_tokens(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    // Without a sweep between two looks; so seldom that two lost ones are not too old for the ledger.
    for _ in 0..11 {
        sim.pass(DAY * 9);
        sim.mail(1);
        sim.own(&ada, Kind::Sync);
        sim.work().await;
    }
    sim.never("CONNECTOR_NEEDS_REAUTH");
}

/// The one before stays valid, and the next refresh gives another one.
pub async fn a_lost_write_of_a_rotated_token(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.forget_access_tokens();
    sim.world.fail(Call::RotateRefreshToken, When::Before, 1);
    sim.world.fail(Call::RotateRefreshToken, When::After, 2);
    sim.begin();
    for _ in 0..3 {
        sim.mail(1);
        sim.push(&ada);
        sim.work().await;
        sim.pass(Duration::from_secs(4000));
    }
    sim.never("CONNECTOR_NEEDS_REAUTH");
}

/// Both get another one, and one of them is stored.
pub async fn two_workers_refresh(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    for seed in 0..4 {
        sim.mail(1);
        ada.forget_access_tokens();
        let (push, now) = (sim.notification(&ada), sim.world.now());
        let own = WakeUp::own(Kind::Sync, ada.key(), now);
        sim.race(&push, &own, &mut Dice::new(seed)).await;
        sim.work().await;
    }
    sim.never("CONNECTOR_NEEDS_REAUTH");
}

/// The user ends all sessions and connects again, while a worker still has to store a token of the
/// old ones.
pub async fn a_rotated_token_beside_a_reconnect(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    for seed in 0..8 {
        sim.mail(1);
        ada.forget_access_tokens();
        let ends = ada.clone();
        let end = move |_: &crate::world::World| ends.revoke_refresh_tokens();
        sim.world.meanwhile(Call::Exchange, When::Before, 1, end);
        let push = sim.notification(&ada);
        sim.reconnect_beside(&push, &mut Dice::new(seed)).await;
        sim.world.forget_scripts();
        if sim.world.struck().is_empty() {
            ada.forget_access_tokens();
            sim.work().await;
            let first = sim.first();
            let status = sim.stage.connector(&first).reading.status;
            if status == Status::NeedsReauth {
                sim.violate("a token of ended sessions took the place of the new one");
            }
        }
        sim.answer_calls_for_reauth().await;
    }
}

/// The user connects again while a worker still has to store its token, whose session then ends.
pub async fn a_rotated_token_of_an_ended_session(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.forget_access_tokens();
    sim.mail(1);
    let ends = ada.clone();
    sim.world.meanwhile(Call::RotateRefreshToken, When::Before, 1, move |world| {
        world.raise_generation("owner");
        ends.end_newest_session();
    });
    sim.begin();
    sim.push(&ada);
    sim.work().await;
    ada.forget_access_tokens();
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    sim.never("CONNECTOR_NEEDS_REAUTH");
}

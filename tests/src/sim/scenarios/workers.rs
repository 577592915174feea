//! Two workers on one mailbox, and changes in the middle of a worker's step.

use std::time::Duration;

use email_connectors::domain::wake_up::{Kind, WakeUp};
use serde_json::json;

use crate::sim::{Dice, Sim};
use crate::stage::MINUTE;
use crate::world::{Call, Failure, Mail, When};

/// The trigger is made, and its mail comes, between two parts of a worker's read.
pub async fn a_trigger_made_during_the_read(sim: &mut Sim) {
    let (ada, first) = (sim.ada.clone(), sim.first());
    sim.mail(1);
    sim.world.meanwhile(Call::Mailbox, When::After, 1, |world| world.raise_version("owner"));
    sim.begin();
    sim.push(&ada);
    sim.work().await;
    sim.trigger(&first, json!({})).await;
    sim.pass(Duration::from_secs(2));
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
}

/// Mail for a new trigger comes while a worker is between its listing and its commit.
pub async fn a_trigger_made_before_the_commit(sim: &mut Sim) {
    let (ada, first) = (sim.ada.clone(), sim.first());
    sim.mail(1);
    let late = ada.clone();
    sim.world.meanwhile(Call::Commit, When::Before, 1, move |world| {
        world.raise_version("owner");
        drop(late.deliver(Mail::new("While the commit is under way")));
    });
    sim.begin();
    sim.trigger(&first, json!({})).await;
    sim.pass(Duration::from_secs(2));
    sim.push(&ada);
    sim.work().await;
    sim.push(&ada);
    sim.work().await;
    sim.owe_all(&ada);
}

/// The client repeats a commit whose answer was lost, and is told of a conflict with what it wrote.
pub async fn a_commit_that_meets_itself(sim: &mut Sim) {
    let ada = sim.ada.clone();
    for nth in [1, 2] {
        sim.mail(1);
        sim.world.fail_with(Call::Commit, When::After, nth, Failure::Conflict);
        sim.push(&ada);
        sim.work().await;
    }
    sim.begin();
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
}

/// Without any fault: the second must leave alone what the first is publishing.
pub async fn two_workers_publish(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    for seed in 0..6 {
        sim.mail(2);
        let now = sim.world.now();
        let push =
            WakeUp::push(ada.address(), ada.history_id(), Some(format!("raced-{seed}")), now);
        let own = WakeUp::own(Kind::Due, ada.address(), now);
        sim.race(&push, &own, &mut Dice::new(seed)).await;
    }
}

pub async fn two_workers_on_one_push(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    sim.mail(3);
    let push = WakeUp::push(ada.address(), ada.history_id(), Some("raced".into()), sim.world.now());
    sim.race(&push, &push.clone(), &mut Dice::new(11)).await;
    sim.work().await;
}

/// The user connects again while a worker runs: the old grant must not overwrite the new one.
pub async fn a_reconnect_beside_a_worker(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    for seed in 0..4 {
        sim.mail(2);
        ada.revoke_refresh_tokens();
        let push = WakeUp::push(
            ada.address(),
            ada.history_id(),
            Some(format!("beside-{seed}")),
            sim.world.now(),
        );
        sim.reconnect_beside(&push, &mut Dice::new(seed)).await;
        ada.forget_access_tokens();
        sim.mail(1);
        sim.push(&ada);
        sim.work().await;
    }
    sim.expect_events("CONNECTOR_NEEDS_REAUTH", 0);
}

/// The first copy fails, and the second one must not be dropped as a repeat of it.
pub async fn a_wake_up_of_our_own_repeated(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.mail(1);
    sim.begin();
    sim.pass(MINUTE * 11);
    sim.sweep().await;
    sim.work().await;
    sim.mail(1);
    sim.pass(MINUTE * 11);
    sim.sweep().await;
    sim.work().await;
    let _ = ada;
}

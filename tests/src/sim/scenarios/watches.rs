//! Watches that end, watches of other topics, and mailboxes without pushes.

use std::time::Duration;

use crate::sim::Sim;
use crate::stage::{DAY, MINUTE, RENEWAL};
use crate::world::{Call, Mail, When};

pub async fn a_watch_renewed(sim: &mut Sim) {
    sim.pass(RENEWAL);
    sim.begin();
    sim.mail(1);
    sim.sweep().await;
    sim.push(&sim.ada.clone());
    sim.work().await;
}

/// The renewal of a watch must not move the cursor over mail that arrives meanwhile.
pub async fn mail_during_a_renewal(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.pass(RENEWAL);
    for call in [Call::Watch, Call::RecordWatch] {
        let comes = ada.clone();
        sim.world.meanwhile(call, When::Before, 1, move |_| {
            drop(comes.deliver(Mail::new("During the renewal")))
        });
    }
    sim.begin();
    sim.sweep().await;
    sim.owe_all(&ada);
    sim.push(&ada);
    sim.work().await;
}

pub async fn a_watch_that_lapses(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.pass(RENEWAL);
    for nth in 1..=3 {
        sim.world.fail(Call::Watch, When::Before, nth);
    }
    sim.sweep().await;
    sim.pass(DAY * 4 + MINUTE * 3);
    sim.begin();
    sim.mail(1);
    sim.sweep().await;
    sim.minutes(2).await;
    sim.pass(MINUTE * 5);
    sim.minutes(1).await;
    sim.expect_events("WATCH_LAPSED", 1);
    let _ = ada;
}

pub async fn another_watch_in_the_way(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.pass(RENEWAL);
    ada.watch_is_taken();
    sim.begin();
    sim.sweep().await;
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
}

/// The push was dropped: only the check of silent mailboxes finds the mail.
pub async fn a_silent_mailbox(sim: &mut Sim) {
    sim.begin();
    sim.mail(1);
    for _ in 0..3 {
        sim.pass(MINUTE * 6);
        sim.sweep().await;
        sim.work().await;
    }
}

pub async fn pushes_doubled_and_reordered(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    let mut ids = Vec::new();
    for _ in 0..3 {
        sim.mail(1);
        ids.push(ada.history_id());
        sim.pass(Duration::from_secs(1));
    }
    for index in [2, 0, 1, 2, 0] {
        sim.push_of(&ada, ids[index]);
    }
    sim.work().await;
}

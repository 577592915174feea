//! A subscription is made by one, and replaced or ended by another at the same time.

use email_connectors::domain::wake_up::WakeUp;
use email_connectors::domain::watch::RETRY_AFTER;

use crate::sim::{Dice, Sim};
use crate::stage::RENEWAL;
use crate::world::{Account, Call, Failure, When};

/// Sweeps overlap when one of them is slow.
pub async fn two_renewals_at_once(sim: &mut Sim) {
    race_of_renewals(sim, [0, 1, 2, 3], Sim::expect_watched).await;
}

/// A crash between the end of the one and the record of the other leaves none until the next look at
/// the silent mailbox.
pub async fn two_renewals_of_the_only_subscription(sim: &mut Sim) {
    sim.ada.only_one_subscription();
    // In the last two orders each ends what the other has made.
    race_of_renewals(sim, [0, 1, 7, 31], |sim, ada| {
        if sim.world.struck().is_empty() {
            sim.expect_watched(ada);
        }
    })
    .await;
}

async fn race_of_renewals(sim: &mut Sim, seeds: [u64; 4], expect: fn(&mut Sim, &Account)) {
    let ada = sim.ada.clone();
    sim.begin();
    for seed in seeds {
        sim.pass(RENEWAL);
        ada.remove_subscriptions();
        sim.sweep_twice(&mut Dice::new(seed)).await;
        settled(sim).await;
        expect(sim, &ada);
        mail_is_told(sim).await;
    }
}

/// In good weather a minute or two are enough; what failed is tried again after some.
async fn settled(sim: &mut Sim) {
    sim.minutes(3).await;
    for _ in 0..3 * sim.world.struck().len() {
        sim.pass(RETRY_AFTER * 2);
        sim.minutes(1).await;
    }
}

async fn mail_is_told(sim: &mut Sim) {
    sim.mail(1);
    sim.push(&sim.ada.clone());
    sim.work().await;
}

/// `subscriptionRemoved` is handled while the renewer has found it out by itself.
pub async fn a_removal_told_while_it_is_renewed(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    for seed in 0..4 {
        sim.pass(RENEWAL);
        ada.remove_subscriptions();
        let told = WakeUp::notified(ada.key(), true, sim.world.now());
        sim.sweep_beside(&told, &mut Dice::new(seed)).await;
        settled(sim).await;
        sim.expect_watched(&ada);
        mail_is_told(sim).await;
    }
}

/// The user connects again while the renewer finds the subscription gone.
pub async fn a_reconnect_beside_a_renewal(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    for seed in 0..4 {
        sim.pass(RENEWAL);
        ada.remove_subscriptions();
        sim.reconnect_beside_a_sweep(&mut Dice::new(seed)).await;
        settled(sim).await;
        sim.expect_watched(&ada);
        mail_is_told(sim).await;
    }
}

/// Nothing may go on telling of a mailbox that was let go.
pub async fn a_disconnect_beside_a_renewal(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    for seed in 0..4 {
        let first = sim.first();
        sim.pass(RENEWAL);
        ada.remove_subscriptions();
        sim.leave_beside_a_sweep(("owner", &first), &mut Dice::new(seed)).await;
        sim.minutes(2).await;
        sim.expect_unwatched(&ada);
        sim.connect("owner", &ada).await;
        sim.work().await;
    }
}

/// The process ended between making it and recording it.
pub async fn a_subscription_that_nobody_recorded(sim: &mut Sim) {
    let (ada, first) = (sim.ada.clone(), sim.first());
    sim.pass(RENEWAL);
    ada.remove_subscriptions();
    for _ in 0..2 {
        sim.world.fail(Call::RecordWatch, When::Before, 1);
        sim.sweep().await;
        sim.pass(RETRY_AFTER * 2);
    }
    sim.begin();
    sim.sweep().await;
    settled(sim).await;
    sim.expect_watched(&ada);
    sim.pass(RENEWAL);
    ada.remove_subscriptions();
    sim.world.fail(Call::RecordWatch, When::Before, 1);
    sim.sweep().await;
    sim.disconnect("owner", &first).await;
    sim.minutes(2).await;
    sim.expect_unwatched(&ada);
}

/// The client repeats a write whose answer was lost, and meets what it wrote itself.
pub async fn a_record_that_meets_itself(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.pass(RENEWAL);
    ada.remove_subscriptions();
    sim.world.fail_with(Call::RecordWatch, When::After, 1, Failure::Conflict);
    sim.begin();
    sim.sweep().await;
    if sim.world.struck().is_empty() {
        sim.expect_watched(&ada);
    }
    settled(sim).await;
    sim.expect_watched(&ada);
    mail_is_told(sim).await;
}

//! Outages, rate limits and spent quotas: nothing is lost, and no wake-up waits in the queue for
//! them to end.

use std::time::Duration;

use crate::sim::Sim;
use crate::stage::MINUTE;
use crate::world::{Call, Failure, When};

pub async fn gmail_is_down_for_minutes(sim: &mut Sim) {
    let ada = sim.ada.clone();
    for nth in 1..=7 {
        sim.world.fail(Call::History, When::Before, nth);
    }
    sim.begin();
    for _ in 0..5 {
        sim.mail(1);
        sim.push(&ada);
        sim.work().await;
    }
    sim.minutes(3).await;
}

pub async fn rate_limits_with_a_time(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.mail(1);
    sim.world.fail_with(
        Call::Messages,
        When::Before,
        1,
        Failure::RateLimited(Duration::from_secs(150)),
    );
    sim.begin();
    sim.push(&ada);
    sim.work().await;
    sim.minutes(1).await;
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    sim.minutes(3).await;
}

pub async fn a_spent_quota(sim: &mut Sim) {
    sim.stage.limits.units_per_minute = 200;
    sim.mail(12);
    sim.begin();
    sim.push(&sim.ada.clone());
    sim.work().await;
    sim.minutes(2).await;
}

pub async fn the_bus_is_down(sim: &mut Sim) {
    let ada = sim.ada.clone();
    for nth in 1..=3 {
        sim.world.fail(Call::Publish, When::Before, nth);
    }
    sim.begin();
    for _ in 0..3 {
        sim.mail(1);
        sim.push(&ada);
        sim.work().await;
    }
    sim.minutes(2).await;
}

pub async fn the_bus_takes_some(sim: &mut Sim) {
    sim.world.bus().take_only(2);
    sim.begin();
    sim.mail(5);
    sim.push(&sim.ada.clone());
    sim.work().await;
}

pub async fn the_keys_are_away(sim: &mut Sim) {
    let ada = sim.ada.clone();
    for nth in 1..=2 {
        sim.world.fail(Call::OpenAccessToken, When::Before, nth);
    }
    sim.begin();
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    sim.pass(MINUTE);
    sim.push(&ada);
    sim.work().await;
}

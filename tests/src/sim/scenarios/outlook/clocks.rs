//! Servers' clocks, and changes that show late.

use std::time::Duration;

use crate::sim::Sim;
use crate::stage::MINUTE;
use crate::world::{Folder, Mail};

const SECOND: Duration = Duration::from_secs(1);

/// One server's clock is a minute ahead and another's is a minute behind: what the second one notes
/// lies before what the first one noted, and shows when that is settled.
pub async fn the_clock_is_two_minutes_off(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.pass(MINUTE * 3);
    sim.begin();
    ada.clock_is_off(60);
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    sim.pass(MINUTE);
    ada.clock_is_off(-59);
    sim.deliver(&ada, Mail::new("Late").late(SECOND * 590));
    sim.push(&ada);
    sim.work().await;
    sim.decided_within(14).await;
}

/// All the servers' clocks are two minutes behind ours, or before it.
pub async fn all_clocks_are_two_minutes_behind(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.clock_is_off(-120);
    sim.pass(MINUTE * 3);
    sim.begin();
    sim.deliver(&ada, Mail::new("Late").late(SECOND * 590));
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    sim.pass(MINUTE);
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
}

pub async fn all_clocks_are_two_minutes_ahead(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.clock_is_off(120);
    sim.begin();
    sim.deliver(&ada, Mail::new("Late").late(SECOND * 590));
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    sim.pass(MINUTE);
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
}

/// Its notification comes in time, and nothing else does.
pub async fn shows_nine_minutes_late(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    sim.deliver(&ada, Mail::new("Late").late(SECOND * 590));
    sim.push(&ada);
    sim.work().await;
    sim.decided_within(12).await;
}

/// Later mail shows at once, and its listings end beyond the late one.
pub async fn late_behind_its_successors(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    sim.deliver(&ada, Mail::new("Late").late(SECOND * 590));
    for _ in 0..3 {
        sim.mail(1);
        sim.push(&ada);
        sim.work().await;
        sim.pass(MINUTE * 3);
    }
}

/// The rescue shows when the listing that its notification woke is long over.
pub async fn a_move_that_shows_late(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let junk = ada.deliver(Mail::new("Not junk").labelled(&["SPAM"])).message;
    sim.push(&ada);
    sim.work().await;
    sim.minutes(12).await;
    sim.begin();
    ada.move_to(&junk, Folder::Inbox, SECOND * 550);
    sim.owe(&ada, &junk);
    sim.push(&ada);
    sim.work().await;
    sim.pass(MINUTE * 5);
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    sim.decided_within(12).await;
}

/// Two notifications, and the second one waits while a look goes on: what it tells of shows after
/// both.
pub async fn a_notification_that_waited(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    sim.mail(1);
    sim.push(&ada);
    sim.deliver(&ada, Mail::new("Late").late(SECOND * 400));
    sim.push(&ada);
    sim.work().await;
    sim.decided_within(12).await;
}

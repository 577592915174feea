//! Records and messages that show later than they happened.

use std::time::Duration;

use serde_json::json;

use crate::sim::Sim;
use crate::stage::MINUTE;
use crate::world::{Call, Mail, When};

const LATE: Duration = Duration::from_secs(90);

pub async fn a_late_record_behind_its_successor(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    sim.deliver(&ada, Mail::new("Late").late(LATE));
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
}

/// One step back is not the previous cursor: two commits a second apart both lie after the late
/// record.
pub async fn a_late_record_behind_two_commits(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    sim.deliver(&ada, Mail::new("Late").late(LATE));
    for _ in 0..2 {
        sim.mail(1);
        sim.push(&ada);
        sim.work().await;
        sim.pass(Duration::from_secs(1));
    }
}

/// The same message in two records: the arrival, and a label 15 seconds later that only then
/// matches.
pub async fn a_label_just_after_the_arrival(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let first = sim.first();
    let waits_for_label = sim.trigger(&first, json!({"label_include": ["Label_7"]})).await;
    sim.pass(MINUTE);
    sim.begin();
    let mail = sim.deliver(&ada, Mail::new("Labelled by a filter"));
    sim.push(&ada);
    sim.work().await;
    sim.pass(Duration::from_secs(15));
    ada.label(&mail.message, &["Label_7"], &[]);
    if let Some(trigger) = waits_for_label {
        sim.owe_to(&ada, &mail.message, &trigger);
    }
    sim.push(&ada);
    sim.work().await;
}

/// The record of the arrival shows after that of the label.
pub async fn a_late_arrival_behind_its_own_label(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let first = sim.first();
    let waits_for_label = sim.trigger(&first, json!({"label_include": ["Label_7"]})).await;
    sim.pass(MINUTE);
    sim.begin();
    let mail = sim.deliver(&ada, Mail::new("Late").late(LATE));
    ada.label(&mail.message, &["Label_7"], &[]);
    if let Some(trigger) = waits_for_label {
        sim.owe_to(&ada, &mail.message, &trigger);
    }
    sim.push(&ada);
    sim.work().await;
}

/// What was committed while a listing ran is too young for it to settle: its start counts, not its
/// end.
pub async fn a_listing_that_takes_minutes(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    sim.deliver(&ada, Mail::new("Late").late(Duration::from_secs(590)));
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    sim.pass(Duration::from_secs(500));
    sim.mail(1);
    sim.world
        .meanwhile(Call::History, When::After, 1, |world| world.pass(Duration::from_secs(115)));
    sim.push(&ada);
    sim.work().await;
}

pub async fn a_lagging_replica(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    sim.mail(2);
    sim.push(&ada);
    sim.work().await;
    sim.mail(1);
    ada.lag(2);
    sim.push(&ada);
    sim.work().await;
    sim.minutes(2).await;
    ada.lag(0);
}

pub async fn a_message_that_shows_late(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    sim.deliver(&ada, Mail::new("Listed, and not to be had yet").fetched_late(LATE));
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
}

/// The push knows more than the listing shows; no other push will come.
pub async fn a_push_ahead_of_the_listing(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    sim.mail(1);
    ada.lag(1);
    sim.push(&ada);
    sim.work().await;
    ada.lag(0);
    sim.minutes(2).await;
}

/// Beyond the settle time a record is lost unless another record names its message: the documented
/// limit.
pub async fn later_than_settled(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    let late = ada.deliver(Mail::new("An hour late").late(Duration::from_secs(3600)));
    sim.allow(&ada, &late.message);
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    sim.minutes(3).await;
}

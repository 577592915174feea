//! Notifications that are lost, doubled or late, and subscriptions that end.

use std::time::Duration;

use crate::sim::Sim;
use crate::stage::{DAY, MINUTE, RENEWAL};
use crate::world::{Call, Mail, When};

const SECOND: Duration = Duration::from_secs(1);

/// <https://github.com/microsoftgraph/microsoft-graph-docs/issues/6462>
pub async fn a_day_without_a_notification(sim: &mut Sim) {
    sim.begin();
    for _ in 0..3 {
        sim.mail(1);
        sim.pass(DAY / 3);
        sim.sweep().await;
        sim.work().await;
    }
}

/// <https://github.com/microsoftgraph/microsoft-graph-docs/issues/14914>
pub async fn seventeen_of_twenty_arrive(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.largest_page(8);
    sim.begin();
    for number in 0..20 {
        sim.mail(1);
        if ![3, 11, 19].contains(&number) {
            sim.push(&ada);
        }
        if number % 5 == 4 {
            sim.work().await;
        }
        sim.pass(SECOND);
    }
    sim.work().await;
}

/// <https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/6159>
pub async fn one_mail_two_notifications(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    sim.mail(1);
    let notification = sim.notification(&ada);
    for wait in [0, 3, 300] {
        sim.world.wake_ups().put(&notification);
        sim.work().await;
        sim.pass(SECOND * wait);
    }
}

/// Mail comes for four weeks, and nothing looks.
pub async fn a_month_of_outage(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.largest_page(2);
    for _ in 0..4 {
        sim.mail(2);
        sim.pass(DAY * 7);
    }
    sim.begin();
    sim.sweep().await;
    sim.work().await;
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
}

pub async fn a_subscription_renewed(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.pass(RENEWAL);
    sim.begin();
    sim.mail(1);
    sim.sweep().await;
    sim.push(&ada);
    sim.work().await;
}

/// Nothing renewed it for two weeks.
pub async fn a_subscription_that_expired(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.pass(DAY * 14);
    sim.begin();
    sim.mail(1);
    sim.sweep().await;
    sim.work().await;
    sim.minutes(2).await;
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    let subscriptions = ada.subscriptions();
    if sim.world.struck().is_empty() && subscriptions != 1 {
        sim.violate(format!("{subscriptions} subscriptions live, and not one"));
    }
}

/// Mail that comes while its subscription is renewed.
pub async fn mail_while_a_subscription_is_renewed(sim: &mut Sim) {
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
    sim.pass(MINUTE);
}

/// The subscription is taken away between two pages; `subscriptionRemoved` comes after.
pub async fn a_subscription_removed_in_the_middle_of_a_listing(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.largest_page(2);
    for _ in 0..5 {
        sim.mail(1);
        sim.pass(SECOND);
    }
    let loses = ada.clone();
    sim.world.meanwhile(Call::History, When::After, 2, move |_| {
        loses.remove_subscriptions();
        drop(loses.deliver(Mail::new("Without a notification")));
    });
    sim.begin();
    sim.push(&ada);
    sim.work().await;
    sim.pass(MINUTE);
    sim.mail(1);
    sim.minutes(2).await;
    sim.owe_all(&ada);
}

/// `missed` comes before the mail that it is about shows.
pub async fn missed_before_its_mail_shows(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    for late in [0, 200, 590] {
        sim.deliver(&ada, Mail::new("Not told of").late(SECOND * late));
    }
    let missed = sim.notification(&ada);
    sim.world.wake_ups().put(&missed);
    sim.work().await;
    sim.decided_within(12).await;
}

/// <https://github.com/microsoftgraph/microsoft-graph-docs/issues/16899>
pub async fn a_storm_of_reauthorizations(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    ada.require_reauthorization(MINUTE * 60);
    for _ in 0..3 {
        let storm = sim.notification(&ada);
        (0..8).for_each(|_| sim.world.wake_ups().put(&storm));
        sim.mail(1);
        sim.work().await;
        sim.pass(SECOND * 20);
    }
    sim.minutes(3).await;
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
}

//! Many changes of one second, which only the server's `$skip` pages through.

use std::time::Duration;

use email_connectors::domain::id::MessageId;
use email_connectors::domain::wake_up::Kind;

use crate::sim::Sim;
use crate::stage::MINUTE;
use crate::world::{Call, Folder, Mail, When};

const AT_ONCE: Duration = Duration::ZERO;
const SECOND: Duration = Duration::from_secs(1);

/// As many as users had, in smaller pages.
pub async fn hundreds_of_mails_in_one_second(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.largest_page(8);
    sim.stage.limits.units_per_minute = 100_000;
    sim.mail(33);
    sim.pass(SECOND);
    sim.mail(3);
    sim.begin();
    sim.push(&ada);
    sim.work().await;
}

/// One leaves the second between two pages of it, and the page after that passes over another one
/// (<https://github.com/microsoftgraph/microsoft-graph-docs/issues/7569>).
pub async fn skip_loses_one(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.largest_page(3);
    sim.mail(9);
    let leaves = ada.clone();
    sim.world.meanwhile(Call::History, When::After, 1, move |world| {
        world.pass(SECOND * 2);
        // The first in the server's order.
        let first = leaves.messages().into_iter().min().expect("a message");
        leaves.flag(&first, AT_ONCE);
    });
    sim.begin();
    sim.push(&ada);
    sim.work().await;
}

/// It leaves during every pass over its second, and comes back into view elsewhere.
pub async fn skip_loses_one_again(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.largest_page(2);
    sim.mail(7);
    for nth in [2, 6, 10] {
        let leaves = ada.clone();
        sim.world.meanwhile(Call::History, When::After, nth, move |world| {
            world.pass(SECOND * 2);
            let mut inbox = leaves.within(Folder::Inbox);
            inbox.sort();
            if let Some(first) = inbox.first() {
                leaves.move_to(first, Folder::Work, AT_ONCE);
            }
        });
    }
    sim.begin();
    sim.push(&ada);
    sim.work().await;
}

/// The second is still under way while it is listed: it grows between its pages.
pub async fn a_second_that_grows(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.largest_page(2);
    sim.world.set_tick(AT_ONCE);
    sim.mail(4);
    for nth in [1, 2, 4] {
        let grows = ada.clone();
        sim.world.meanwhile(Call::History, When::After, nth, move |_| {
            drop(grows.deliver(Mail::new("In the same second")))
        });
    }
    sim.begin();
    sim.push(&ada);
    sim.work().await;
    sim.owe_all(&ada);
    sim.world.set_tick(Duration::from_millis(40));
}

/// A rule never stops moving what was imported: the listing is put off, and ends when it does.
pub async fn a_second_that_never_rests(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.largest_page(2);
    sim.mail(40);
    for nth in 1..=30 {
        let leaves = ada.clone();
        sim.world.meanwhile(Call::History, When::After, nth, move |world| {
            world.pass(SECOND);
            if let Some(first) = leaves.within(Folder::Inbox).into_iter().min() {
                leaves.move_to(&first, Folder::Work, AT_ONCE);
            }
        });
    }
    sim.begin();
    sim.push(&ada);
    sim.work().await;
    sim.pass(MINUTE);
    sim.push(&ada);
    sim.work().await;
}

/// Two listings of which each could pass over the same message: one now, and one a settle time
/// later, after which nothing looks so far back any more. Between both another message is touched.
async fn lose_twice(sim: &mut Sim, seen: (u32, u32)) {
    let ada = sim.ada.clone();
    let mut mails = ada.messages();
    mails.sort_by_key(|mail| (ada.changed_at(mail), mail.clone()));
    let leaves_after = |sim: &Sim, nth: u32, mail: &MessageId| {
        let (ada, mail) = (ada.clone(), mail.clone());
        sim.world.meanwhile(Call::History, When::After, nth, move |_| ada.flag(&mail, AT_ONCE));
    };
    sim.pass(MINUTE * 3);
    leaves_after(sim, seen.0, &mails[0]);
    sim.begin();
    sim.own(&ada, Kind::Sync);
    sim.work().await;
    sim.pass(MINUTE * 11);
    ada.flag(&mails[1], AT_ONCE);
    leaves_after(sim, seen.1, &mails[2]);
    sim.own(&ada, Kind::Due);
    sim.work().await;
}

/// <https://github.com/microsoftgraph/microsoft-graph-docs/issues/2153>
pub async fn skip_loses_the_same_one_twice(sim: &mut Sim) {
    sim.ada.largest_page(2);
    for _ in 0..6 {
        sim.mail(1);
        sim.pass(MINUTE * 3);
    }
    lose_twice(sim, (2, 1)).await;
}

pub async fn skip_loses_the_same_one_of_a_second_twice(sim: &mut Sim) {
    sim.ada.largest_page(2);
    sim.mail(6);
    lose_twice(sim, (3, 2)).await;
}

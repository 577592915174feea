//! Expired history: replayed by date, resumed where it stopped, and reported as an event.

use std::time::Duration;

use email_connectors::domain::wake_up::Kind;
use serde_json::json;

use crate::sim::Sim;
use crate::stage::{DAY, MINUTE};
use crate::world::{Call, Mail, When};

/// Mail arrives while no listing runs, and then its history expires.
async fn lose_a_day(sim: &mut Sim, mails: usize) {
    for _ in 0..mails {
        sim.mail(1);
        sim.pass(DAY / u32::try_from(mails).unwrap_or(1));
    }
    sim.ada.expire_history();
}

pub async fn a_lost_day(sim: &mut Sim) {
    lose_a_day(sim, 3).await;
    sim.begin();
    sim.push(&sim.ada.clone());
    sim.work().await;
}

/// It arrives ten seconds before the pin and shows a minute after it: too late for its slice, below
/// the pin.
pub async fn late_mail_at_the_pin(sim: &mut Sim) {
    let ada = sim.ada.clone();
    lose_a_day(sim, 1).await;
    sim.deliver(&ada, Mail::new("Late at the pin").late(Duration::from_secs(70)));
    sim.pass(Duration::from_secs(10));
    ada.expire_history();
    sim.begin();
    sim.own(&ada, Kind::Sync);
    sim.work().await;
}

/// A record is late, its successor commits, the grant dies; eight days later all up to the cursor
/// is pruned.
pub async fn settled_expired_and_the_cursor_not(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.deliver(&ada, Mail::new("Late").late(Duration::from_secs(60)));
    sim.mail(1);
    let cursor = ada.history_id();
    sim.push(&ada);
    sim.work().await;
    ada.revoke_grant();
    ada.forget_access_tokens();
    sim.own(&ada, Kind::Due);
    sim.work().await;
    sim.pass(DAY * 8);
    ada.expire_history_up_to(cursor);
    sim.begin();
    sim.connect("owner", &ada).await;
    sim.work().await;
}

pub async fn mail_between_profile_and_replay(sim: &mut Sim) {
    let ada = sim.ada.clone();
    lose_a_day(sim, 1).await;
    let comes = ada.clone();
    sim.world.meanwhile(Call::Profile, When::After, 1, move |_| {
        drop(comes.deliver(Mail::new("Just after the pin")))
    });
    let comes = ada.clone();
    sim.world.meanwhile(Call::List, When::After, 1, move |_| {
        drop(comes.deliver(Mail::new("During the replay")))
    });
    sim.begin();
    sim.push(&ada);
    sim.work().await;
    sim.owe_all(&ada);
}

/// Several pages, so that a crash falls inside the replay; it goes on from what was written and
/// never pins again.
pub async fn a_long_replay_in_pages(sim: &mut Sim) {
    sim.ada.list_page_size(2);
    lose_a_day(sim, 9).await;
    sim.begin();
    sim.push(&sim.ada.clone());
    sim.work().await;
}

pub async fn pages_that_are_lost(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.list_page_size(2);
    ada.page_size(2);
    sim.mail(5);
    for call in [Call::History, Call::List] {
        let loses = ada.clone();
        sim.world.meanwhile(call, When::After, 1, move |_| loses.lose_page_tokens());
    }
    sim.begin();
    sim.push(&ada);
    sim.work().await;
    sim.mail(5);
    ada.expire_history();
    sim.push(&ada);
    sim.work().await;
}

/// The grant dies during the replay for so long that what was pinned is gone as well.
pub async fn a_pin_that_expires(sim: &mut Sim) {
    let ada = sim.ada.clone();
    lose_a_day(sim, 2).await;
    sim.begin();
    sim.push(&ada);
    sim.work().await;
    ada.revoke_grant();
    ada.forget_access_tokens();
    sim.pass(MINUTE);
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    sim.pass(DAY * 9);
    sim.mail(1);
    ada.expire_history();
    sim.connect("owner", &ada).await;
    sim.work().await;
}

/// The history expires again before the second look of the first replay.
pub async fn a_second_gap_before_the_first_is_closed(sim: &mut Sim) {
    let ada = sim.ada.clone();
    lose_a_day(sim, 1).await;
    sim.deliver(&ada, Mail::new("To be had late").fetched_late(Duration::from_secs(300)));
    sim.pass(Duration::from_secs(2));
    ada.expire_history();
    sim.begin();
    sim.push(&ada);
    sim.work().await;
    // Listings go well and searches do not, so that the gap stays open while the last listing is
    // young.
    sim.pass(Duration::from_secs(3 * 3600));
    sim.world.fail(Call::List, When::Before, 1);
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    sim.mail(1);
    ada.expire_history();
    sim.push(&ada);
    sim.work().await;
}

pub async fn a_gap_of_weeks(sim: &mut Sim) {
    for _ in 0..3 {
        sim.mail(1);
        sim.pass(DAY * 7);
    }
    sim.ada.expire_history();
    sim.begin();
    sim.push(&sim.ada.clone());
    sim.work().await;
}

pub async fn a_gap_for_two_owners(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let second = sim.connect("second-owner", &ada).await;
    sim.trigger(&second, json!({})).await;
    sim.work().await;
    sim.pass(MINUTE);
    lose_a_day(sim, 2).await;
    sim.begin();
    sim.push(&ada);
    sim.work().await;
}

/// A label on mail from before the gap is lost with its history record: the event says so.
pub async fn labels_inside_a_gap(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let spam = ada.deliver(Mail::new("Rescued inside the gap").labelled(&["SPAM"]));
    sim.push(&ada);
    sim.work().await;
    sim.pass(DAY);
    ada.label(&spam.message, &["INBOX"], &["SPAM"]);
    sim.allow(&ada, &spam.message);
    lose_a_day(sim, 1).await;
    sim.begin();
    sim.push(&ada);
    sim.work().await;
}

pub async fn a_poison_message_in_a_gap(sim: &mut Sim) {
    let ada = sim.ada.clone();
    lose_a_day(sim, 3).await;
    let poison = ada.messages().into_iter().next().expect("a message");
    ada.poison(&poison, crate::world::Poison::Fails);
    sim.begin();
    sim.push(&ada);
    sim.work().await;
    sim.minutes(4).await;
    ada.heal(&poison);
}

/// Its date differs from its arrival: no replay by date finds it.
pub async fn an_import_inside_a_gap(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let old = ada.deliver(
        Mail::new("Imported").received_at(sim.world.now().before(Duration::from_secs(30))),
    );
    sim.allow(&ada, &old.message);
    lose_a_day(sim, 1).await;
    sim.begin();
    sim.push(&ada);
    sim.work().await;
}

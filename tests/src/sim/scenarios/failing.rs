//! Messages that fail, alone or among others, for a moment or for good.

use email_connectors::domain::wake_up::Kind;

use crate::sim::Sim;
use crate::stage::DAY;
use crate::world::Poison;

/// No other message succeeds beside it, so it is set aside by time.
pub async fn a_lone_poison_message(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.mail(1);
    let poison = ada.messages().into_iter().next().expect("a message");
    ada.poison(&poison, Poison::Fails);
    sim.begin();
    sim.push(&ada);
    sim.work().await;
    sim.pass(DAY);
    sim.own(&ada, Kind::Due);
    sim.work().await;
    sim.own(&ada, Kind::Due);
    sim.work().await;
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    ada.heal(&poison);
    sim.expect_events("MESSAGE_PARKED", 1);
}

pub async fn a_poison_message_among_others(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.mail(3);
    let poison = ada.messages().into_iter().next().expect("a message");
    ada.poison(&poison, Poison::Fails);
    sim.begin();
    for _ in 0..5 {
        sim.push(&ada);
        sim.work().await;
        sim.mail(1);
    }
    sim.expect_parked(1);
    sim.push(&ada);
    sim.work().await;
    ada.heal(&poison);
}

/// Every message keeps failing: that is an outage, so none is set aside.
pub async fn an_outage_of_messages(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.mail(3);
    let all = ada.messages();
    all.iter().for_each(|message| ada.poison(message, Poison::Fails));
    sim.begin();
    for _ in 0..5 {
        sim.push(&ada);
        sim.work().await;
    }
    sim.expect_parked(0);
    all.iter().for_each(|message| ada.heal(message));
    sim.never("MESSAGE_PARKED");
}

pub async fn a_deleted_message(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let gone = ada.deliver(crate::world::Mail::new("Deleted at once"));
    sim.mail(1);
    ada.delete(&gone.message);
    sim.begin();
    sim.push(&ada);
    sim.work().await;
}

pub async fn a_throttled_part(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.mail(3);
    let throttled = ada.messages().into_iter().next().expect("a message");
    ada.poison(&throttled, Poison::Throttled);
    sim.begin();
    sim.push(&ada);
    sim.work().await;
    sim.minutes(2).await;
    ada.heal(&throttled);
    sim.never("MESSAGE_PARKED");
}

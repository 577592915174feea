//! A pause is an interval of arrival times: mail from before it fires, whenever it is read.

use std::time::Duration;

use crate::sim::Sim;
use crate::stage::MINUTE;
use crate::world::{Call, Mail, When};

const MOMENT: Duration = Duration::from_secs(2);

pub async fn paused_after_a_lost_push(sim: &mut Sim) {
    let (ada, first) = (sim.ada.clone(), sim.first());
    sim.begin();
    sim.mail(1);
    sim.pass(MOMENT);
    sim.pause("owner", &first, true).await;
    sim.pass(MOMENT);
    ada.deliver(Mail::new("Inside the pause"));
    sim.pass(MOMENT);
    sim.pause("owner", &first, false).await;
    sim.pass(MOMENT);
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
}

pub async fn paused_while_processing(sim: &mut Sim) {
    let (ada, first) = (sim.ada.clone(), sim.first());
    sim.mail(2);
    sim.world.meanwhile(Call::Messages, When::After, 1, |world| world.raise_version("owner"));
    sim.begin();
    sim.push(&ada);
    sim.pass(MOMENT);
    sim.pause("owner", &first, true).await;
    sim.work().await;
    sim.pause("owner", &first, false).await;
}

pub async fn spam_rescued_after_a_pause(sim: &mut Sim) {
    let (ada, first) = (sim.ada.clone(), sim.first());
    let before = ada.deliver(Mail::new("Spam from before the pause").labelled(&["SPAM"]));
    sim.pass(MOMENT);
    sim.begin();
    sim.pause("owner", &first, true).await;
    sim.pass(MOMENT);
    let inside = ada.deliver(Mail::new("Spam from inside it").labelled(&["SPAM"]));
    sim.pass(MOMENT);
    sim.pause("owner", &first, false).await;
    sim.pass(MINUTE);
    for spam in [&before, &inside] {
        ada.label(&spam.message, &["INBOX"], &["SPAM"]);
    }
    sim.owe(&ada, &before.message);
    sim.push(&ada);
    sim.work().await;
}

/// A reconnect keeps the pause, and the mail from before it.
pub async fn paused_without_a_grant(sim: &mut Sim) {
    let (ada, first) = (sim.ada.clone(), sim.first());
    ada.revoke_grant();
    ada.forget_access_tokens();
    sim.begin();
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    sim.pass(MOMENT);
    sim.pause("owner", &first, true).await;
    sim.pass(MOMENT);
    ada.deliver(Mail::new("Inside the pause"));
    sim.pass(MOMENT);
    sim.connect("owner", &ada).await;
    sim.work().await;
    sim.pause("owner", &first, false).await;
}

//! What fires: arrivals and labels, decided by what the message is when it is fetched.

use std::time::Duration;

use serde_json::json;

use crate::sim::Sim;
use crate::stage::{DAY, MINUTE};
use crate::world::{Call, Mail, When};

pub async fn spam_that_is_rescued(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let spam = ada.deliver(Mail::new("Not spam").labelled(&["SPAM"]));
    sim.push(&ada);
    sim.work().await;
    sim.begin();
    ada.label(&spam.message, &["INBOX"], &["SPAM"]);
    sim.owe(&ada, &spam.message);
    sim.push(&ada);
    sim.work().await;
}

/// INBOX is added before SPAM is removed, and the fetch falls in between.
pub async fn a_rescue_in_two_steps(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let spam = ada.deliver(Mail::new("Not spam").labelled(&["SPAM"]));
    sim.push(&ada);
    sim.work().await;
    sim.begin();
    ada.label(&spam.message, &["INBOX"], &[]);
    let (again, message) = (ada.clone(), spam.message.clone());
    sim.world
        .meanwhile(Call::Messages, When::After, 1, move |_| again.relabel(&message, &["INBOX"]));
    sim.owe(&ada, &spam.message);
    sim.push(&ada);
    sim.work().await;
    ada.relabel(&spam.message, &["INBOX"]);
}

pub async fn a_label_that_a_trigger_names(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let first = sim.first();
    let trigger = sim.trigger(&first, json!({"label_include": ["Label_7"]})).await;
    sim.pass(MINUTE);
    let mail = sim.deliver(&ada, Mail::new("To be labelled"));
    sim.push(&ada);
    sim.work().await;
    sim.pass(DAY);
    sim.begin();
    ada.label(&mail.message, &["Label_7"], &[]);
    if let Some(trigger) = trigger {
        sim.owe_to(&ada, &mail.message, &trigger);
    }
    sim.push(&ada);
    sim.work().await;
}

/// History records carry no date: only the fetched message says that it is older than trigger and
/// connect.
pub async fn old_mail_that_is_labelled(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let old = ada.deliver(
        Mail::new("Of last year")
            .labelled(&["SPAM"])
            .received_at(sim.world.now().before(DAY * 300)),
    );
    sim.begin();
    ada.label(&old.message, &["INBOX"], &["SPAM"]);
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
}

pub async fn what_is_not_received(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    for labels in [&["DRAFT"][..], &["SPAM"], &["TRASH"], &["CHAT"], &["SENT"]] {
        ada.deliver(Mail::new("Not received").labelled(labels));
    }
    sim.deliver(&ada, Mail::new("To oneself").labelled(&["SENT", "INBOX"]));
    sim.push(&ada);
    sim.work().await;
    sim.pass(Duration::from_secs(5));
}

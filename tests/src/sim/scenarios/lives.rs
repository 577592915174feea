//! The life of a connector: connected, connected again, renamed, shared, taken away.

use std::time::Duration;

use serde_json::json;

use crate::sim::{Dice, Sim};
use crate::stage::MINUTE;
use crate::world::{Call, Mail, When};

pub async fn one_mail(sim: &mut Sim) {
    sim.begin();
    sim.mail(1);
    sim.push(&sim.ada.clone());
    sim.work().await;
}

pub async fn a_burst_in_pages(sim: &mut Sim) {
    sim.ada.page_size(3);
    sim.begin();
    sim.mail(7);
    sim.push(&sim.ada.clone());
    sim.work().await;
}

pub async fn a_push_through_the_webhook(sim: &mut Sim) {
    sim.begin();
    sim.mail(1);
    sim.push_through_webhook(&sim.ada.clone()).await;
    sim.work().await;
}

pub async fn a_connect(sim: &mut Sim) {
    sim.begin();
    let bob = sim.world.account("bob@example.com");
    let connector = sim.connect("second-owner", &bob).await;
    sim.trigger(&connector, json!({})).await;
    sim.pass(Duration::from_secs(2));
    sim.deliver(&bob, Mail::new("After the trigger"));
    sim.push(&bob);
    sim.work().await;
}

pub async fn a_reconnect_during_processing(sim: &mut Sim) {
    let (ada, world) = (sim.ada.clone(), sim.world.clone());
    sim.mail(2);
    world.meanwhile(Call::Messages, When::After, 1, |world| world.raise_generation("owner"));
    sim.begin();
    sim.push(&ada);
    sim.work().await;
    sim.connect("owner", &ada).await;
    sim.mail(1);
    sim.work().await;
}

pub async fn a_disconnect_during_processing(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let first = sim.first();
    let second = sim.connect("second-owner", &ada).await;
    sim.trigger(&second, json!({})).await;
    sim.pass(MINUTE);
    sim.never("CONNECTOR_NEEDS_REAUTH");
    sim.begin();
    sim.mail(2);
    sim.push(&ada);
    sim.disconnect("owner", &first).await;
    sim.work().await;
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
}

pub async fn two_owners_of_one_mailbox(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let second = sim.connect("second-owner", &ada).await;
    sim.trigger(&second, json!({})).await;
    sim.trigger(&second, json!({})).await;
    sim.pass(MINUTE);
    sim.begin();
    sim.mail(2);
    sim.push(&ada);
    sim.work().await;
}

/// The slot is free again; late writes for the old account must not touch the new one.
pub async fn another_account_after_a_disconnect(sim: &mut Sim) {
    let (ada, bob) = (sim.ada.clone(), sim.world.account("bob@example.com"));
    let spam = bob.deliver(Mail::new("Old spam").labelled(&["SPAM"]));
    sim.mail(1);
    sim.push(&ada);
    sim.pass(MINUTE);
    sim.begin();
    let first = sim.first();
    sim.disconnect("owner", &first).await;
    let connector = sim.connect("owner", &bob).await;
    sim.trigger(&connector, json!({})).await;
    sim.pass(Duration::from_secs(2));
    // Older than the connect of this account: it does not fire, even if it is rescued now.
    bob.label(&spam.message, &["INBOX"], &["SPAM"]);
    sim.deliver(&bob, Mail::new("To the new account"));
    sim.push(&bob);
    sim.push(&ada);
    sim.work().await;
}

pub async fn a_trigger_is_deleted(sim: &mut Sim) {
    let first = sim.first();
    let more = sim.trigger(&first, json!({})).await;
    sim.pass(MINUTE);
    sim.begin();
    sim.mail(2);
    sim.push(&sim.ada.clone());
    if let Some(trigger) = more {
        sim.delete_trigger(&trigger, "owner").await;
    }
    sim.work().await;
    sim.mail(1);
    sim.push(&sim.ada.clone());
    sim.work().await;
}

/// Pushes name the new address, which is unknown until the renewer checks the silent mailbox.
pub async fn a_renamed_mailbox(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.rename("ada.new@example.com");
    sim.begin();
    sim.mail(2);
    sim.push(&ada);
    sim.work().await;
    for _ in 0..3 {
        sim.minutes(7).await;
    }
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
}

pub async fn a_renamed_mailbox_reconnects(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.mail(1);
    ada.rename("ada.new@example.com");
    sim.begin();
    sim.connect("owner", &ada).await;
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
}

/// Two disconnects at once each see the other connector; one of them must still end watch and
/// grant.
pub async fn two_owners_leave_at_once(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let first = sim.first();
    let second = sim.connect("second-owner", &ada).await;
    sim.trigger(&second, json!({})).await;
    sim.pass(MINUTE);
    sim.begin();
    sim.mail(1);
    sim.leave_at_once(("owner", &first), ("second-owner", &second), &mut Dice::new(7)).await;
    sim.minutes(4).await;
    sim.expect_left(&ada);
}

/// A connect during the last disconnect ends with a living grant or with an error, and never needs
/// reauth.
pub async fn a_connect_beside_the_last_disconnect(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.never("CONNECTOR_NEEDS_REAUTH");
    sim.begin();
    let mut leaving = (String::from("owner"), sim.first());
    for seed in 0..8 {
        let joining = format!("owner-{seed}");
        let joined =
            sim.connect_beside((&leaving.0, &leaving.1), &joining, &mut Dice::new(seed)).await;
        // The first wake-up of the new connector needs its grant.
        sim.work().await;
        leaving = (joining, joined);
        sim.pass(MINUTE);
    }
    sim.trigger(&leaving.1, json!({})).await;
    sim.pass(Duration::from_secs(2));
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
}

/// The revocation arrives as a security event: the user connects again, and the mail of the
/// meantime fires.
pub async fn google_tells_that_access_ended(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    ada.revoke_grant();
    sim.send_revocation(&ada).await;
    sim.mail(2);
    sim.push(&ada);
    sim.work().await;
    sim.expect_events("CONNECTOR_NEEDS_REAUTH", 1);
    sim.expect_events("CONNECTOR_RECOVERED", 1);
}

//! One message under several ids and in several folders: it fires once.

use std::time::Duration;

use email_connectors::domain::wake_up::Kind;

use crate::sim::Sim;
use crate::stage::{DAY, MINUTE};
use crate::world::{Folder, Mail};

const AT_ONCE: Duration = Duration::ZERO;
const SECOND: Duration = Duration::from_secs(1);

/// <https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/6432>
pub async fn two_ids_that_differ_in_case(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.mail(2);
    let ids: Vec<String> = ada.messages().iter().map(|id| id.to_string()).collect();
    assert!(ids[0] != ids[1] && ids[0].eq_ignore_ascii_case(&ids[1]));
    for _ in 0..2 {
        let mail = ada.deliver(Mail::new("Without a Message-ID")).message;
        ada.without_message_id(&mail);
        sim.owe(&ada, &mail);
    }
    sim.begin();
    sim.push(&ada);
    sim.work().await;
}

/// <https://github.com/microsoftgraph/nodejs-webhooks-sample/issues/512>
pub async fn restored_is_told_as_created(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let mail = sim.deliver(&ada, Mail::new("Thrown away and restored")).message;
    sim.push(&ada);
    sim.work().await;
    sim.pass(MINUTE);
    sim.begin();
    ada.move_to(&mail, Folder::Deleted, AT_ONCE);
    sim.push(&ada);
    sim.work().await;
    sim.pass(MINUTE * 20);
    ada.restore(&mail);
    sim.push(&ada);
    sim.work().await;
}

/// Gone for good before anything was listed, and restored from what the server still keeps.
pub async fn restored_before_it_was_seen(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    let mail = sim.deliver(&ada, Mail::new("Deleted at once")).message;
    ada.delete(&mail);
    sim.push(&ada);
    sim.work().await;
    sim.pass(MINUTE * 20);
    ada.restore(&mail);
    sim.push(&ada);
    sim.work().await;
}

/// <https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/1208>
pub async fn the_id_changes_on_a_drag(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let seen = sim.deliver(&ada, Mail::new("Dragged after it was seen")).message;
    sim.push(&ada);
    sim.work().await;
    sim.pass(SECOND * 5);
    let unseen = sim.deliver(&ada, Mail::new("Dragged before")).message;
    sim.begin();
    for _ in 0..2 {
        ada.drag_to(&unseen, Folder::Work);
        ada.drag_to(&seen, Folder::Work);
        sim.push(&ada);
        sim.work().await;
        sim.pass(SECOND);
    }
}

pub async fn there_and_back_again(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    let mail = sim.deliver(&ada, Mail::new("Moved there and back")).message;
    sim.push(&ada);
    sim.work().await;
    // The way back is told in time, and shows before the way there does.
    sim.pass(SECOND);
    ada.move_to(&mail, Folder::Work, SECOND * 90);
    sim.pass(SECOND);
    ada.move_to(&mail, Folder::Inbox, SECOND * 30);
    for wait in [0, 40, 60] {
        sim.pass(SECOND * wait);
        sim.push(&ada);
        sim.work().await;
    }
}

pub async fn twenty_five_moves_at_once(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.largest_page(8);
    sim.mail(13);
    sim.push(&ada);
    sim.work().await;
    sim.pass(SECOND * 5);
    sim.mail(12);
    sim.begin();
    for mail in ada.messages() {
        ada.move_to(&mail, Folder::Work, AT_ONCE);
    }
    sim.push(&ada);
    sim.work().await;
}

pub async fn rescued_from_junk(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let junk = ada.deliver(Mail::new("Not junk").labelled(&["SPAM"])).message;
    let late = ada.deliver(Mail::new("Not junk either").labelled(&["SPAM"])).message;
    sim.push(&ada);
    sim.work().await;
    sim.pass(MINUTE * 30);
    sim.begin();
    ada.move_to(&junk, Folder::Inbox, AT_ONCE);
    ada.move_to(&late, Folder::Inbox, SECOND * 590);
    sim.owe(&ada, &junk);
    sim.owe(&ada, &late);
    sim.push(&ada);
    sim.work().await;
}

/// Junk that is rescued within the second of its coming: the time of its last change stays, and
/// its change key does not.
pub async fn rescued_within_its_second(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.world.set_tick(AT_ONCE);
    sim.begin();
    sim.mail(1);
    let junk = ada.deliver(Mail::new("Not junk").labelled(&["SPAM"])).message;
    sim.push(&ada);
    sim.work().await;
    ada.move_to(&junk, Folder::Inbox, AT_ONCE);
    sim.owe(&ada, &junk);
    sim.push(&ada);
    sim.work().await;
}

/// A category that a trigger names, within the second of the mail's coming.
pub async fn a_category_within_its_second(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let first = sim.first();
    let filter = serde_json::json!({"label_include": ["category:Receipts"]});
    let waits = sim.trigger(&first, filter).await;
    sim.pass(MINUTE);
    sim.world.set_tick(AT_ONCE);
    sim.begin();
    let mail = sim.deliver(&ada, Mail::new("Put into a category by a rule")).message;
    sim.push(&ada);
    sim.work().await;
    ada.categorize(&mail, "Receipts");
    if let Some(trigger) = waits {
        sim.owe_to(&ada, &mail, &trigger);
    }
    sim.push(&ada);
    sim.work().await;
}

/// The ledger forgets after thirty days: what is flagged then has fired long ago.
pub async fn flagged_when_the_ledger_has_forgotten(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let mail = sim.deliver(&ada, Mail::new("Of last month")).message;
    sim.push(&ada);
    sim.work().await;
    sim.minutes(15).await;
    sim.pass(DAY * 31);
    sim.world.expire_ledger();
    sim.begin();
    ada.flag(&mail, AT_ONCE);
    sim.own(&ada, Kind::Sync);
    sim.work().await;
}

/// As above, and nobody touched it: a listing begins a margin before what is settled.
pub async fn a_quiet_month(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    sim.minutes(15).await;
    sim.pass(DAY * 31);
    sim.world.expire_ledger();
    sim.begin();
    sim.mail(1);
    sim.own(&ada, Kind::Sync);
    sim.work().await;
}

/// Its id is all that tells it apart.
pub async fn mail_without_a_message_id(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    let mail = ada.deliver(Mail::new("Without a Message-ID")).message;
    ada.without_message_id(&mail);
    sim.owe(&ada, &mail);
    sim.push(&ada);
    sim.work().await;
    sim.pass(SECOND);
    ada.move_to(&mail, Folder::Work, AT_ONCE);
    sim.push(&ada);
    sim.work().await;
}

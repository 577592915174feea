//! What a listing by time meets: mail that comes, changes and leaves while it is paged.

use std::time::Duration;

use serde_json::json;

use crate::sim::Sim;
use crate::stage::MINUTE;
use crate::world::{Call, Folder, Mail, When};

const AT_ONCE: Duration = Duration::ZERO;
const SECOND: Duration = Duration::from_secs(1);

pub async fn one_mail_at_outlook(sim: &mut Sim) {
    sim.begin();
    sim.mail(1);
    sim.push(&sim.ada.clone());
    sim.work().await;
}

pub async fn a_burst_in_pages_by_key(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.largest_page(3);
    sim.begin();
    for _ in 0..7 {
        sim.mail(1);
        sim.pass(SECOND);
    }
    sim.push(&ada);
    sim.work().await;
}

/// Each page is followed by a change of a message that was listed, and of one that was not.
pub async fn changes_while_it_is_paged(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.largest_page(2);
    for _ in 0..6 {
        sim.mail(1);
        sim.pass(SECOND);
    }
    let mails = ada.messages();
    for (page, (one, other)) in [(0, 5), (3, 4), (1, 2)].into_iter().enumerate() {
        let (ada, one, other) = (ada.clone(), mails[one].clone(), mails[other].clone());
        let nth = u32::try_from(page).unwrap_or(0) + 1;
        sim.world.meanwhile(Call::History, When::After, nth, move |world| {
            world.pass(SECOND);
            ada.flag(&one, AT_ONCE);
            ada.move_to(&other, Folder::Work, AT_ONCE);
            drop(ada.deliver(Mail::new("While it was paged")));
        });
    }
    sim.begin();
    sim.push(&ada);
    sim.work().await;
    sim.owe_all(&ada);
}

/// The listing takes several runs, and the mailbox changes between them.
pub async fn a_listing_in_several_runs(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.largest_page(3);
    for _ in 0..24 {
        sim.mail(1);
        sim.pass(SECOND);
    }
    let first = ada.messages().into_iter().next().expect("a message");
    let changes = ada.clone();
    sim.world.meanwhile(Call::Commit, When::After, 2, move |_| changes.flag(&first, AT_ONCE));
    sim.world.set_tick(Duration::from_secs(3));
    sim.begin();
    sim.push(&ada);
    sim.work().await;
    sim.world.set_tick(Duration::from_millis(40));
}

pub async fn what_outlook_has_not_received(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    for labels in [&["DRAFT"][..], &["SPAM"], &["TRASH"], &["SENT"]] {
        ada.deliver(Mail::new("Not received").labelled(labels));
    }
    let filed = ada.deliver(Mail::new("Filed below the deleted items").labelled(&["TRASH"]));
    ada.move_to(&filed.message, Folder::OldWork, AT_ONCE);
    sim.mail(1);
    sim.push(&ada);
    sim.work().await;
    sim.pass(Duration::from_secs(5));
}

/// A draft is saved again and again, and sent in the end.
pub async fn a_draft_that_is_sent(sim: &mut Sim) {
    let ada = sim.ada.clone();
    sim.begin();
    let draft = ada.deliver(Mail::new("A draft").labelled(&["DRAFT"])).message;
    for _ in 0..3 {
        sim.pass(SECOND);
        ada.flag(&draft, AT_ONCE);
        sim.push(&ada);
        sim.work().await;
    }
    ada.move_to(&draft, Folder::Sent, AT_ONCE);
    sim.push(&ada);
    sim.work().await;
}

/// Its date differs from its coming: it never fires, and hides nothing of its second.
pub async fn an_import_with_an_old_date(sim: &mut Sim) {
    let ada = sim.ada.clone();
    ada.largest_page(2);
    sim.begin();
    for _ in 0..3 {
        let old = sim.world.now().before(MINUTE * 60 * 24 * 300);
        ada.deliver(Mail::new("Imported").received_at(old));
        sim.mail(1);
    }
    sim.push(&ada);
    sim.work().await;
}

/// The category comes later than the mail, and only then does it match.
pub async fn a_category_that_a_trigger_names(sim: &mut Sim) {
    let ada = sim.ada.clone();
    let first = sim.first();
    let waits = sim.trigger(&first, json!({"label_include": ["category:Receipts"]})).await;
    sim.pass(MINUTE);
    let mail = sim.deliver(&ada, Mail::new("To be put into a category"));
    sim.push(&ada);
    sim.work().await;
    sim.pass(MINUTE * 60);
    sim.begin();
    ada.categorize(&mail.message, "Receipts");
    if let Some(trigger) = waits {
        sim.owe_to(&ada, &mail.message, &trigger);
    }
    sim.push(&ada);
    sim.work().await;
}

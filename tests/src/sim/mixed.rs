//! Whatever happens in whatever order to two mailboxes of one stack: Ada's at Microsoft, with two
//! owners, and Bob's at Google.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use email_connectors::domain::id::MessageId;
use email_connectors::domain::wake_up::{Kind, WakeUp};
use serde_json::json;

use super::chance::storm;
use super::plan::{Plan, Ran};
use super::scenarios::At;
use super::{Dice, Sim};
use crate::stage::{DAY, MINUTE};
use crate::world::{Account, Call, Failure, Folder, Mail, When};

/// How much happens.
const STEPS: u64 = 28;
const SECOND: Duration = Duration::from_secs(1);

/// Mail that came while a call was under way.
type InBetween = Arc<Mutex<Vec<MessageId>>>;

pub async fn run(seed: u64) -> Ran {
    let mut dice = Dice::new(seed);
    let stormy = !dice.one_in(4);
    let mut sim = Sim::at(At::Microsoft, if stormy { storm(&mut dice) } else { Plan::new() }).await;
    let (ada, bob) = (sim.ada.clone(), sim.world.account("bob@example.com"));
    for (of, account) in [("second-owner", &ada), ("third-owner", &bob)] {
        let connector = sim.connect(of, account).await;
        sim.trigger(&connector, json!({})).await;
    }
    sim.work().await;
    sim.pass(MINUTE * 3);
    ada.largest_page(usize::try_from(2 + dice.below(7)).unwrap_or(2));
    bob.page_size(usize::try_from(2 + dice.below(6)).unwrap_or(2));
    sim.begin();
    let in_between = InBetween::default();
    for _ in 0..6 + dice.below(STEPS) {
        step(&mut sim, &mut dice, &bob, &in_between).await;
    }
    let calls = sim.world.armed_calls();
    sim.world.forget_scripts();
    let came = in_between.lock().map(|mut came| std::mem::take(&mut *came)).unwrap_or_default();
    for message in came {
        if ada.folder_of(&message).is_received() {
            sim.owe_by_date(&ada, &message);
        } else {
            sim.allow(&ada, &message);
        }
    }
    sim.catch_up().await;
    Ran { calls, verdict: sim.verdict() }
}

async fn step(sim: &mut Sim, dice: &mut Dice, bob: &Account, in_between: &InBetween) {
    let ada = sim.ada.clone();
    match dice.below(30) {
        0..=2 => {
            sim.deliver(&ada, Mail::new("Some mail").late(late(dice)));
            told(sim, dice, &ada);
        }
        3 => bulk(sim, dice),
        4 => drop(ada.deliver(Mail::new("Junk").labelled(&["SPAM"]))),
        5 => drop(ada.deliver(Mail::new("Draft").labelled(&["DRAFT"]))),
        6 => {
            let old = sim.world.now().before(DAY * 300);
            drop(ada.deliver(Mail::new("Imported").received_at(old)));
        }
        7..=13 => {
            change(sim, dice);
            told(sim, dice, &ada);
        }
        14 | 15 => told(sim, dice, &ada),
        16 | 17 => sim.work_once().await,
        18 => race(sim, dice).await,
        19 => {
            sim.pass(Duration::from_secs(dice.below(700)));
            sim.sweep().await;
            sim.work().await;
        }
        20 => sim.pass(MINUTE * u32::try_from(dice.below(30)).unwrap_or(0)),
        21 => sim.pass(DAY * u32::try_from(dice.below(3)).unwrap_or(0)),
        // The servers' clocks differ by two minutes at most.
        22 => ada.clock_is_off(i64::try_from(dice.below(120)).unwrap_or(0) - 60),
        23 => meanwhile(sim, dice, in_between),
        24 => {
            if dice.one_in(2) {
                ada.remove_subscriptions();
            } else {
                ada.forget_access_tokens();
            }
        }
        25 => {
            ada.revoke_grant();
            sim.work_once().await;
            sim.answer_calls_for_reauth().await;
        }
        26 => fail(sim, dice),
        27 => {
            sim.pass(MINUTE * 2);
            let connector = sim.first();
            sim.trigger(&connector, json!({})).await;
            sim.pass(MINUTE * 2);
        }
        _ => {
            sim.deliver(bob, Mail::new("To Bob").late(late(dice)));
            sim.push(bob);
        }
    }
}

/// Most changes show at once.
fn late(dice: &mut Dice) -> Duration {
    SECOND * *dice.pick(&[0, 0, 0, 0, 5, 60, 590])
}

/// Of four notifications one is lost, and one comes twice.
fn told(sim: &mut Sim, dice: &mut Dice, account: &Account) {
    for _ in 0..*dice.pick(&[0, 1, 1, 2]) {
        sim.push(account);
    }
}

fn bulk(sim: &mut Sim, dice: &mut Dice) {
    let count = *dice.pick(&[5, 9, 20]);
    sim.mail(count);
}

/// A change of one of Ada's messages.
fn change(sim: &mut Sim, dice: &mut Dice) {
    let ada = sim.ada.clone();
    let messages = ada.messages();
    if messages.is_empty() {
        return;
    }
    let message = dice.pick(&messages).clone();
    let folder = ada.folder_of(&message);
    match (dice.below(6), folder) {
        (0, _) => ada.flag(&message, late(dice)),
        (1, Folder::Inbox) => ada.move_to(&message, Folder::Work, late(dice)),
        (1, Folder::Work) => ada.move_to(&message, Folder::Inbox, late(dice)),
        (1 | 2, Folder::Junk) => {
            ada.move_to(&message, Folder::Inbox, late(dice));
            sim.owe_by_date(&ada, &message);
            // A rescue within a second of a trigger's making may fire it or not.
            sim.allow(&ada, &message);
        }
        (3, _) => ada.drag_to(&message, folder),
        (4, Folder::Inbox | Folder::Work) => {
            sim.pardon(&ada, &message);
            ada.move_to(&message, Folder::Deleted, late(dice));
        }
        (4 | 5, Folder::Deleted) => {
            ada.restore(&message);
            sim.owe_by_date(&ada, &message);
        }
        _ => ada.categorize(&message, "Receipts"),
    }
}

async fn race(sim: &mut Sim, dice: &mut Dice) {
    let ada = sim.ada.clone();
    let kind = if dice.one_in(2) { Kind::Due } else { Kind::Sync };
    let own = WakeUp::own(kind, ada.key(), sim.world.now());
    let push = sim.notification(&ada);
    sim.race(&own, &push, dice).await;
}

/// Something happens to Ada's mailbox during a call.
fn meanwhile(sim: &Sim, dice: &mut Dice, in_between: &InBetween) {
    let (ada, came) = (sim.ada.clone(), in_between.clone());
    let call = *dice.pick(&[Call::Mailbox, Call::History, Call::Commit, Call::Watch]);
    let when = if dice.one_in(2) { When::Before } else { When::After };
    let nth = u32::try_from(1 + dice.below(4)).unwrap_or(1);
    let (choice, which, wait) = (dice.below(4), dice.throw(), dice.below(3));
    sim.world.meanwhile(call, when, nth, move |world| {
        world.pass(SECOND * u32::try_from(wait).unwrap_or(0));
        let received = [ada.within(Folder::Inbox), ada.within(Folder::Work)].concat();
        let index = usize::try_from(which % (received.len() as u64).max(1)).unwrap_or(0);
        match (choice, received.get(index)) {
            (1, Some(message)) => ada.flag(message, Duration::ZERO),
            (2, Some(message)) => ada.drag_to(message, Folder::Work),
            (3, Some(message)) => ada.move_to(message, Folder::Inbox, Duration::ZERO),
            _ => {
                let message = ada.deliver(Mail::new("In between")).message;
                if let Ok(mut came) = came.lock() {
                    came.push(message);
                }
            }
        }
    });
}

fn fail(sim: &Sim, dice: &mut Dice) {
    let call =
        *dice.pick(&[Call::History, Call::Refresh, Call::Profile, Call::Watch, Call::Publish]);
    let failure = if call != Call::Publish && dice.one_in(3) {
        Failure::RateLimited(Duration::from_secs(dice.below(300)))
    } else {
        Failure::Unavailable
    };
    sim.world.fail_with(call, When::Before, 1, failure);
}

//! Whatever happens in whatever order: one seed, one history of a mailbox with two owners and two
//! workers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use email_connectors::domain::id::MessageId;
use email_connectors::domain::mark::Mark;
use email_connectors::domain::wake_up::{Kind, WakeUp};
use serde_json::json;

use super::plan::{Plan, Ran};
use super::{Dice, Sim};
use crate::stage::{DAY, MINUTE};
use crate::world::{Call, Failure, Fault, Mail, Poison, When};

/// How much happens.
const STEPS: u64 = 24;
/// Of so many calls one goes wrong.
const FAULT_EVERY: u64 = 40;
/// Enough calls for every fault of a run.
const CALLS: usize = 4000;

pub async fn run(seed: u64) -> Ran {
    let mut dice = Dice::new(seed);
    let stormy = !dice.one_in(4);
    let mut sim = Sim::new(if stormy { storm(&mut dice) } else { Plan::new() }).await;
    let ada = sim.ada.clone();
    let second = sim.connect("second-owner", &ada).await;
    sim.trigger(&second, json!({})).await;
    sim.work().await;
    sim.pass(MINUTE);
    ada.page_size(usize::try_from(2 + dice.below(6)).unwrap_or(2));
    ada.list_page_size(usize::try_from(2 + dice.below(6)).unwrap_or(2));
    sim.begin();
    let in_between = InBetween::default();
    for _ in 0..4 + dice.below(STEPS) {
        step(&mut sim, &mut dice, &in_between).await;
    }
    let calls = sim.world.armed_calls();
    sim.world.forget_scripts();
    for message in in_between.lock().map(|mut came| std::mem::take(&mut *came)).unwrap_or_default()
    {
        sim.owe_by_date(&ada, &message);
    }
    sim.catch_up().await;
    Ran { calls, verdict: sim.verdict() }
}

pub(super) fn storm(dice: &mut Dice) -> Plan {
    (0..CALLS)
        .filter(|_| dice.one_in(FAULT_EVERY))
        .map(|call| (call, Fault::CrashBefore))
        .collect::<Plan>()
        .into_keys()
        .map(|call| (call, *dice.pick(&Fault::ALL)))
        .collect()
}

/// Mail that came while a call was under way.
type InBetween = Arc<Mutex<Vec<MessageId>>>;

async fn step(sim: &mut Sim, dice: &mut Dice, in_between: &InBetween) {
    let ada = sim.ada.clone();
    match dice.below(27) {
        0..=3 => sim.mail(1 + usize::try_from(dice.below(3)).unwrap_or(0)),
        4 => drop(sim.deliver(&ada, Mail::new("Late").late(Duration::from_secs(dice.below(550))))),
        5 => drop(sim.deliver(
            &ada,
            Mail::new("To be fetched late").fetched_late(Duration::from_secs(dice.below(550))),
        )),
        6 => drop(ada.deliver(Mail::new("Spam").labelled(&["SPAM"]))),
        7 => rescue(sim, dice),
        8 | 9 => sim.push(&ada),
        10 => {
            let off = dice.below(60);
            let history_id = Mark::new(ada.history_id().value().saturating_sub(30) + off);
            sim.push_of(&ada, history_id);
            sim.push_of(&ada, history_id);
        }
        11..=13 => sim.work_once().await,
        14 => {
            let now = sim.world.now();
            let own = WakeUp::own(
                if dice.one_in(2) { Kind::Due } else { Kind::Sync },
                ada.address(),
                now,
            );
            let push = WakeUp::push(
                ada.address(),
                ada.history_id(),
                Some(format!("raced-{}", dice.throw())),
                now,
            );
            sim.race(&own, &push, dice).await;
        }
        15 => {
            sim.pass(Duration::from_secs(dice.below(700)));
            sim.sweep().await;
        }
        16 => sim.pass(MINUTE * u32::try_from(dice.below(30)).unwrap_or(0)),
        17 => sim.pass(DAY * u32::try_from(dice.below(3)).unwrap_or(0)),
        18 => match dice.below(3) {
            0 => ada.expire_history(),
            1 => ada.lose_page_tokens(),
            _ => ada.lag(usize::try_from(dice.below(4)).unwrap_or(0)),
        },
        19 => {
            ada.revoke_grant();
            if dice.one_in(2) {
                ada.forget_access_tokens();
            }
        }
        24 => {
            let (ada, came) = (ada.clone(), in_between.clone());
            let call = *dice.pick(&[
                Call::Mailbox,
                Call::History,
                Call::Messages,
                Call::Commit,
                Call::Profile,
                Call::List,
                Call::Watch,
            ]);
            let when = if dice.one_in(2) { When::Before } else { When::After };
            sim.world.meanwhile(call, when, 1, move |_| {
                if let Ok(mut came) = came.lock() {
                    came.push(ada.deliver(Mail::new("In between")).message);
                }
            });
        }
        25 => {
            let push = WakeUp::push(
                ada.address(),
                ada.history_id(),
                Some(format!("beside-{}", dice.throw())),
                sim.world.now(),
            );
            sim.reconnect_beside(&push, dice).await;
        }
        26 => ada.revoke_refresh_tokens(),
        20 => sim.answer_calls_for_reauth().await,
        21 => poison(sim, dice),
        22 => {
            let call = *dice.pick(&[
                Call::History,
                Call::Messages,
                Call::List,
                Call::Refresh,
                Call::Profile,
                Call::Publish,
            ]);
            let failure = if call != Call::Publish && dice.one_in(3) {
                Failure::RateLimited(Duration::from_secs(dice.below(300)))
            } else {
                Failure::Unavailable
            };
            sim.world.fail_with(call, When::Before, 1, failure);
        }
        _ => {
            // Mail of the same second may fire it or not.
            sim.pass(Duration::from_secs(2));
            let connector = sim.first();
            sim.trigger(&connector, json!({})).await;
            sim.pass(Duration::from_secs(2));
        }
    }
}

fn rescue(sim: &mut Sim, dice: &mut Dice) {
    let ada = sim.ada.clone();
    let spam: Vec<MessageId> = ada.labelled("SPAM");
    if !spam.is_empty() {
        let message = dice.pick(&spam).clone();
        ada.label(&message, &["INBOX"], &["SPAM"]);
        // If the history of the rescue is lost, or the trigger is younger than the mail, it need
        // not fire.
        sim.allow(&ada, &message);
    }
}

fn poison(sim: &mut Sim, dice: &mut Dice) {
    let ada = sim.ada.clone();
    let messages = ada.messages();
    if !messages.is_empty() {
        let message = dice.pick(&messages).clone();
        let poison = if dice.one_in(2) { Poison::Fails } else { Poison::Throttled };
        if dice.one_in(2) {
            ada.poison(&message, poison)
        } else {
            ada.heal(&message)
        };
    }
}

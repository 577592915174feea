//! Workers, the schedule, and how everything comes to rest when the faults end.

use std::collections::BTreeSet;
use std::time::Duration;

use email_connectors::domain::id::EventId;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::wake_up::WakeUp;

use super::{Cost, Dice, Sim};
use crate::stage::{DAY, MINUTE, SWEEP_TIMES};
use crate::world::{Consent, InFlight};

/// How long a wake-up stays hidden after its worker failed.
const VISIBILITY: Duration = Duration::from_secs(270);
/// After this many receives a wake-up becomes a dead letter.
const MOST_RECEIVES: u32 = 10;
/// A run that takes more steps than this counts as endless.
const PATIENT_STEPS: usize = 2000;

impl Sim {
    /// Workers take what the queue gives, until it is empty; what failed shows again after a while.
    pub async fn work(&mut self) {
        for _ in 0..PATIENT_STEPS {
            match self.world.wake_ups().receive() {
                Some(received) => self.handle(received).await,
                None if self.hidden.is_empty() => return,
                None => self.show_hidden(),
            }
        }
        self.violate("the queue never empties");
    }

    /// One worker takes one wake-up, if there is one.
    pub async fn work_once(&mut self) {
        if let Some(received) = self.world.wake_ups().receive() {
            self.handle(received).await;
        }
    }

    fn show_hidden(&mut self) {
        self.hidden.sort_by_key(|(at, _)| *at);
        let (at, received) = self.hidden.remove(0);
        let now = self.world.now();
        if at > now {
            self.world.pass(Duration::from_millis(
                u64::try_from(at.millis() - now.millis()).unwrap_or(0),
            ));
        }
        self.world.wake_ups().give_back(&received);
    }

    async fn handle(&mut self, received: InFlight) {
        let began = self.world.now();
        self.world.trace(
            &format!("-- a worker takes {:?} {:?}", received.wake_up.kind, received.wake_up.mark),
            None,
        );
        let _ = (self.world.take_units(), self.world.take_calls());
        let ended = self.world.until_crash(self.stage.wake(&received.wake_up)).await;
        let well = matches!(ended, Some(Ok(_)));
        if well {
            let (calls, units) = (self.world.take_calls().len(), self.world.take_units());
            let mailbox =
                self.world.accounts().iter().map(|account| account.messages().len()).sum();
            let connectors = self.begun.len();
            self.costs.push(Cost { calls, units, mailbox, connectors });
        }
        self.ended(well, received, began);
        self.check_cursors();
    }

    fn ended(&mut self, well: bool, received: InFlight, began: Timestamp) {
        if well {
            self.world.wake_ups().delete(&received);
        } else if received.receives >= MOST_RECEIVES {
            self.dead_letters += 1;
            self.world.wake_ups().delete(&received);
        } else {
            self.hidden.push((began.after(VISIBILITY), received));
        }
    }

    /// Two workers on one mailbox at once, in an order that the dice decide.
    pub async fn race(&mut self, one: &WakeUp, other: &WakeUp, dice: &mut Dice) {
        self.world.trace("-- two workers", None);
        self.world.set_gives_way(true);
        let (first, second) = (self.stage.wake(one), self.stage.wake(other));
        let (first, second) = dice.interleave(&self.world, first, second).await;
        self.world.set_gives_way(false);
        for (ended, wake_up) in [(first, one), (second, other)] {
            if !matches!(ended, Some(Ok(_))) {
                self.world.wake_ups().put(wake_up);
            }
        }
        self.check_cursors();
    }

    /// The first owner connects Ada's mailbox again while a worker handles a wake-up.
    pub async fn reconnect_beside(&mut self, wake_up: &WakeUp, dice: &mut Dice) {
        self.world.trace("-- a worker and a connect", None);
        let handled = self.beside_a_connect(self.stage.wake(wake_up), dice).await;
        if !matches!(handled, Some(Ok(_))) {
            self.world.wake_ups().put(wake_up);
        }
        self.check_cursors();
    }

    pub async fn reconnect_beside_a_sweep(&mut self, dice: &mut Dice) {
        self.world.trace("-- a sweep and a connect", None);
        let _ = self.beside_a_connect(self.stage.sweep(), dice).await;
        self.check_cursors();
    }

    async fn beside_a_connect<F: Future>(&self, other: F, dice: &mut Dice) -> Option<F::Output> {
        let request = self.stage.request("owner", &self.ada.consent(Consent::default()));
        let (connecting, now) = (self.stage.connecting_at(self.ada.provider()), self.world.now());
        self.world.set_gives_way(true);
        let (ended, _) = dice.interleave(&self.world, other, connecting.run(&request, now)).await;
        self.world.set_gives_way(false);
        ended
    }

    /// The renewer runs.
    pub async fn sweep(&mut self) {
        self.world.trace("-- a sweep", None);
        let _ = self.world.until_crash(self.stage.sweep()).await;
        self.check_cursors();
    }

    /// Two sweeps at once, in an order that the dice decide.
    pub async fn sweep_twice(&mut self, dice: &mut Dice) {
        self.world.trace("-- two sweeps", None);
        self.world.set_gives_way(true);
        let _ = dice.interleave(&self.world, self.stage.sweep(), self.stage.sweep()).await;
        self.world.set_gives_way(false);
        self.check_cursors();
    }

    /// A sweep while a worker handles a wake-up.
    pub async fn sweep_beside(&mut self, wake_up: &WakeUp, dice: &mut Dice) {
        self.world.trace("-- a worker and a sweep", None);
        self.world.set_gives_way(true);
        let (handled, _) =
            dice.interleave(&self.world, self.stage.wake(wake_up), self.stage.sweep()).await;
        self.world.set_gives_way(false);
        if !matches!(handled, Some(Ok(_))) {
            self.world.wake_ups().put(wake_up);
        }
        self.check_cursors();
    }

    /// Minutes pass, each with a sweep and what comes of it.
    pub async fn minutes(&mut self, minutes: u32) {
        for _ in 0..minutes {
            self.world.pass(MINUTE);
            self.sweep().await;
            self.work().await;
        }
    }

    /// The faults end. The system catches up by itself: the schedule ticks, the queue delivers, and
    /// time goes on to the next thing that is due.
    pub async fn catch_up(&mut self) {
        self.world.trace("-- calm", None);
        self.world.disarm();
        self.world.calm();
        let calm = self.world.now();
        for _ in 0..PATIENT_STEPS {
            self.work().await;
            self.answer_calls_for_reauth().await;
            // Mail without a push is found by the daily check of silent mailboxes.
            let settled = self.is_decided() || self.world.now() > calm.after(DAY + MINUTE * 2);
            if (self.is_at_rest() && settled) || !self.violations.is_empty() {
                return;
            }
            let now = self.world.now();
            let Some(due) = self.world.store().next_due() else { break };
            // The schedule ticks once a minute.
            let wait =
                Duration::from_millis(u64::try_from(due.millis() - now.millis()).unwrap_or(0))
                    .max(Duration::from_secs(1));
            self.world.pass(Duration::from_secs(wait.as_secs().div_ceil(60) * 60));
            let swept = self.stage.sweep().await;
            for failure in swept.failures {
                self.violations.push(format!("a sweep fails in good weather: {failure:?}"));
            }
            self.check_cursors();
        }
        self.violate(format!(
            "the system never comes to rest: {:?}",
            self.world.store().owing(SWEEP_TIMES.settle)
        ));
    }

    /// What a notification told of is decided within so many minutes, whenever it shows; the daily
    /// check of silent mailboxes is not needed for it. Under faults only in the end.
    pub async fn decided_within(&mut self, minutes: u32) {
        self.minutes(minutes).await;
        if self.world.struck().is_empty() && !self.is_decided() {
            self.violate("a notification told of mail, and it waits for the daily check");
        }
    }

    fn is_decided(&self) -> bool {
        let decided: BTreeSet<EventId> =
            self.world.store().ledger().into_iter().map(|event| event.event_id).collect();
        self.owed.keys().all(|event| decided.contains(event))
    }

    fn is_at_rest(&self) -> bool {
        self.hidden.is_empty()
            && self.world.wake_ups().queued().is_empty()
            && self.world.store().owing(SWEEP_TIMES.settle).is_empty()
    }
}

//! Faults by number: whatever the n-th call is, it may be refused, time out after its effect, or
//! end the process.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use email_connectors::domain::id::EventId;

use super::World;
use super::script::{Call, Failure};

/// The four ways in which a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The process ends before the call.
    CrashBefore,
    /// The process ends after the call.
    CrashAfter,
    /// The call takes effect, but the caller gets no answer.
    Timeout,
    /// The call takes no effect, and the caller gets an error.
    Refused,
}

impl Fault {
    pub const ALL: [Self; 4] = [Self::CrashBefore, Self::CrashAfter, Self::Timeout, Self::Refused];
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Whether calls are counted, and go wrong.
    armed: bool,
    calls: usize,
    plan: BTreeMap<usize, Fault>,
    struck: Vec<(Call, Fault)>,
    /// Events that were published and not marked when something went wrong: only these may be
    /// published again.
    excused: BTreeSet<EventId>,
    /// How long a call takes.
    pub tick: Duration,
    /// Whether a call gives way to others on both sides of its effect.
    pub gives_way: bool,
    /// Whether calls are printed as they happen.
    pub traced: bool,
}

impl World {
    /// Counts calls from 0 from now on, and injects the faults of the plan by number.
    pub fn arm(&self, plan: BTreeMap<usize, Fault>) {
        let mut state = self.lock();
        state.faults.armed = true;
        state.faults.calls = 0;
        state.faults.plan = plan;
    }

    pub fn disarm(&self) {
        self.lock().faults.armed = false;
    }

    /// How many calls there were since `arm`, until `disarm`.
    pub fn armed_calls(&self) -> usize {
        self.lock().faults.calls
    }

    /// What went wrong since `arm`.
    pub fn struck(&self) -> Vec<(Call, Fault)> {
        self.lock().faults.struck.clone()
    }

    /// Every call takes this long from now on.
    pub fn set_tick(&self, tick: Duration) {
        self.lock().faults.tick = tick;
    }

    /// Whether calls give way to others, as those of two workers do.
    pub fn set_gives_way(&self, gives_way: bool) {
        self.lock().faults.gives_way = gives_way;
    }

    pub fn set_traced(&self, traced: bool) {
        self.lock().faults.traced = traced;
    }

    /// Prints the line to stderr if tracing is on, to find a violation's cause.
    pub fn trace(&self, line: &str, fault: Option<Fault>) {
        let (traced, now) = {
            let state = self.lock();
            (state.faults.traced, state.now)
        };
        if traced {
            let fault = fault.map(|fault| format!(" [{fault:?}]")).unwrap_or_default();
            eprintln!("{now} {line}{fault}");
        }
    }

    /// Whether a flow has just reached its end by a crash.
    pub(crate) fn take_crashed(&self) -> bool {
        let crashed = std::mem::take(&mut self.lock().crashed);
        if crashed {
            // Whatever ran beside it ends here as well.
            self.excuse();
        }
        crashed
    }

    /// The faults end: nothing that was scripted is still to come, the bus takes all, Gmail knows
    /// and shows everything.
    pub fn calm(&self) {
        self.forget_scripts();
        let mut state = self.lock();
        state.bus.calm();
        state.google.calm();
    }

    pub fn excused(&self) -> BTreeSet<EventId> {
        self.lock().faults.excused.clone()
    }

    fn excuse(&self) {
        let mut guard = self.lock();
        let state = &mut *guard;
        let published: BTreeSet<EventId> =
            state.bus.published().iter().map(|event| event.event_id.clone()).collect();
        let unmarked = state
            .tables
            .ledger
            .iter()
            .filter(|(_, entry)| entry.published_at.is_none())
            .map(|(event, _)| event);
        state.faults.excused.extend(unmarked.filter(|event| published.contains(event)).cloned());
    }

    /// The fault of the call that is made now.
    pub(crate) fn fault(&self, call: Call) -> Option<Fault> {
        let mut state = self.lock();
        state.now = state.now.after(state.faults.tick);
        if !state.faults.armed {
            return None;
        }
        let number = state.faults.calls;
        state.faults.calls += 1;
        let fault = state.faults.plan.get(&number).copied()?;
        state.faults.struck.push((call, fault));
        Some(fault)
    }

    pub(crate) async fn struck_before(&self, fault: Option<Fault>) -> Result<(), Failure> {
        self.give_way().await;
        if fault.is_some() {
            self.excuse();
        }
        match fault {
            Some(Fault::Refused) => Err(Failure::Unavailable),
            Some(Fault::CrashBefore) => self.end().await,
            _ => Ok(()),
        }
    }

    pub(crate) async fn struck_after(&self, fault: Option<Fault>) -> Result<(), Failure> {
        self.give_way().await;
        if fault.is_some() {
            self.excuse();
        }
        match fault {
            Some(Fault::Timeout) => Err(Failure::Unavailable),
            Some(Fault::CrashAfter) => self.end().await,
            _ => Ok(()),
        }
    }

    async fn end(&self) -> Result<(), Failure> {
        self.lock().crashed = true;
        std::future::pending().await
    }

    async fn give_way(&self) {
        let mut given = !self.lock().faults.gives_way;
        poll_fn(|context| {
            if std::mem::replace(&mut given, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

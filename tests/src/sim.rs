//! The simulation: the real flows in a world where anything may go wrong at any call, and what must
//! be true all the same.

pub mod chance;
mod check;
pub mod dice;
mod expecting;
pub mod mixed;
mod outside;
pub mod plan;
pub mod runner;
mod running;
pub mod scenarios;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use email_connectors::domain::id::{ConnectorId, EventId, MessageId, TriggerId};
use email_connectors::domain::mark::Mark;
use email_connectors::domain::timestamp::Timestamp;
use serde_json::json;

pub use self::check::INVARIANTS;
pub use self::dice::Dice;
use self::scenarios::At;
use crate::stage::{MINUTE, Stage};
use crate::world::{Account, Fault, InFlight, World};

/// A call takes this long.
const TICK: Duration = Duration::from_millis(40);

/// Whether runs print their calls as they happen.
pub static TRACED: AtomicBool = AtomicBool::new(false);

/// One run of one scenario.
pub struct Sim {
    pub stage: Stage,
    pub world: World,
    pub ada: Account,
    plan: BTreeMap<usize, Fault>,
    /// The firings that must have been decided in the end, and those that may.
    owed: BTreeMap<EventId, (MessageId, TriggerId)>,
    allowed: BTreeSet<EventId>,
    /// Wake-ups whose worker failed, and when they show again.
    hidden: Vec<(Timestamp, InFlight)>,
    cursors: BTreeMap<ConnectorId, Mark>,
    /// Where each connector began, by its connect.
    begun: BTreeMap<ConnectorId, Mark>,
    pushes: u64,
    pub dead_letters: usize,
    expected: Vec<(&'static str, usize)>,
    forbidden: Vec<&'static str>,
    /// The violations so far.
    violations: Vec<String>,
    /// Of each wake-up that went well: calls, quota units, messages that came of it.
    pub costs: Vec<Cost>,
}

#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub calls: usize,
    pub units: u64,
    /// How many messages and connectors there are.
    pub mailbox: usize,
    pub connectors: usize,
}

impl Sim {
    /// Ada's mailbox, connected a minute ago by one owner with one trigger for all mail. Nothing
    /// goes wrong before `begin`.
    pub async fn new(plan: BTreeMap<usize, Fault>) -> Self {
        Self::at(At::Google, plan).await
    }

    /// As `new`, with Ada's mailbox at this provider.
    pub async fn at(at: At, plan: BTreeMap<usize, Fault>) -> Self {
        let mut stage = Stage::new();
        // Every mailbox counts as busy, so that the rules of busy mailboxes are tried too.
        stage.limits.history_page = BUSY;
        let world = stage.world.clone();
        world.set_traced(TRACED.load(Ordering::Relaxed));
        let ada = match at {
            At::Google => world.account("ada@example.com"),
            At::Microsoft => world.outlook_account("ada@example.com"),
        };
        if at == At::Google {
            ada.history_begins_at(HIGH);
        }
        world.set_tick(TICK);
        let mut sim = Self {
            ada: ada.clone(),
            stage,
            plan,
            owed: BTreeMap::new(),
            allowed: BTreeSet::new(),
            hidden: Vec::new(),
            cursors: BTreeMap::new(),
            begun: BTreeMap::new(),
            pushes: 0,
            dead_letters: 0,
            expected: Vec::new(),
            forbidden: Vec::new(),
            violations: Vec::new(),
            costs: Vec::new(),
            world,
        };
        let first = sim.connect("owner", &ada).await;
        sim.work().await;
        sim.trigger(&first, json!({})).await;
        sim.world.pass(MINUTE);
        sim.costs.clear();
        sim
    }

    /// From here on calls go wrong as planned.
    pub fn begin(&mut self) {
        self.world.arm(self.plan.clone());
    }

    pub fn pass(&self, span: Duration) {
        self.world.pass(span);
    }

    pub(crate) fn violate(&mut self, what: impl Into<String>) {
        self.violations.push(what.into());
    }
}

/// With so many handled records a mailbox counts as busy.
const BUSY: usize = 3;

/// Where Ada's history begins: no float holds what follows.
const HIGH: u64 = (1 << 60) + 1;

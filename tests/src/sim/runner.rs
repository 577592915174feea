//! Runs scenarios under every single fault, every pair of faults where that is few enough, and a
//! sample of pairs elsewhere.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::runtime::{Builder, Runtime};

use super::plan::{Plan, Ran};
use super::scenarios::Scenario;
use super::{Dice, Sim, chance, mixed};
use crate::world::Fault;

/// A scenario of at most so many calls is run under every pair of faults.
pub const EXHAUSTIVE_CALLS: usize = 15;

/// What to run of a scenario.
#[derive(Debug, Clone, Copy)]
pub struct Depth {
    /// Every n-th pair of faults of a short scenario; 1 is all of them, 0 none.
    pub pairs_step: usize,
    /// Pairs of a longer scenario.
    pub sampled_pairs: usize,
}

pub fn runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime of one thread")
}

pub fn run(runtime: &Runtime, scenario: &Scenario, plan: &Plan) -> Ran {
    to_its_end(runtime, async {
        let mut sim = Sim::at(scenario.at, plan.clone()).await;
        (scenario.act)(&mut sim).await;
        let calls = sim.world.armed_calls();
        sim.catch_up().await;
        Ran { calls, verdict: sim.verdict() }
    })
}

/// One random history.
pub fn run_seed(runtime: &Runtime, seed: u64) -> Ran {
    to_its_end(runtime, chance::run(seed))
}

/// One random history of mailboxes at both providers.
pub fn run_mixed_seed(runtime: &Runtime, seed: u64) -> Ran {
    to_its_end(runtime, mixed::run(seed))
}

/// A panic in a run is a violation as well.
fn to_its_end(runtime: &Runtime, run: impl Future<Output = Ran>) -> Ran {
    let ran = catch_unwind(AssertUnwindSafe(|| runtime.block_on(run)));
    ran.unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
        Ran { calls: 0, verdict: Err(format!("panic: {}", message.unwrap_or_default())) }
    })
}

/// The plans for a scenario that makes so many calls in good weather: all single faults, then
/// pairs.
pub fn plans(scenario: &Scenario, calls: usize, depth: Depth) -> Vec<Plan> {
    let single = |call: usize| Fault::ALL.into_iter().map(move |fault| Plan::from([(call, fault)]));
    let mut plans: Vec<Plan> = (0..calls).flat_map(single).collect();
    // What comes after the first fault is longer than the good weather: recovery makes calls as
    // well.
    let reach = calls + calls / 2 + 4;
    if calls <= EXHAUSTIVE_CALLS && depth.pairs_step > 0 {
        let pairs =
            (0..calls).flat_map(|first| (first + 1..reach).map(move |second| (first, second)));
        let faults = Fault::ALL
            .into_iter()
            .flat_map(|one| Fault::ALL.into_iter().map(move |other| (one, other)));
        let faults: Vec<(Fault, Fault)> = faults.collect();
        let all = pairs.flat_map(|(first, second)| {
            faults.iter().map(move |(one, other)| Plan::from([(first, *one), (second, *other)]))
        });
        plans.extend(all.step_by(depth.pairs_step));
    } else {
        let mut dice = Dice::new(scenario.seed());
        for _ in 0..depth.sampled_pairs {
            let (first, second) = (dice.below(calls as u64), dice.below(reach as u64));
            let mut fault = || *dice.pick(&Fault::ALL);
            let plan = [(first, fault()), (second, fault())]
                .map(|(call, fault)| (usize::try_from(call).unwrap_or(0), fault));
            plans.push(Plan::from(plan));
        }
    }
    plans
}

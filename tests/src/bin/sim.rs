//! The simulation at the command line: all scenarios under single and double faults, or any number
//! of random seeds.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use clap::Parser;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tests::sim::plan::{self, Plan};
use tests::sim::runner::{self, Depth, EXHAUSTIVE_CALLS};
use tests::sim::scenarios::{self, Scenario};
use tests::sim::{INVARIANTS, TRACED};

/// Runs the flows in a simulated world, with something going wrong at every call.
#[derive(Parser)]
struct Arguments {
    /// Only scenarios whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// The faults of one run, as a violation prints them: 3:CrashAfter,7:Refused.
    #[arg(long, value_parser = plan::parse)]
    faults: Option<Plan>,
    /// Every n-th pair of faults of a short scenario; 0 for none.
    #[arg(long, default_value_t = 1)]
    pairs_step: usize,
    /// Pairs of faults of a longer scenario.
    #[arg(long, default_value_t = 300)]
    sampled_pairs: usize,
    /// So many random histories, after the scenarios.
    #[arg(long, default_value_t = 0)]
    seeds: u64,
    /// The first of the seeds.
    #[arg(long, default_value_t = 0)]
    from_seed: u64,
    /// No scenarios, only seeds.
    #[arg(long)]
    only_seeds: bool,
    /// Of the random histories only those with mailboxes at both providers.
    #[arg(long)]
    mixed: bool,
    /// End at the first violation.
    #[arg(long)]
    first: bool,
    /// Every call as it happens, for a single run.
    #[arg(long)]
    trace: bool,
    /// A line for each scenario.
    #[arg(long)]
    table: bool,
}

/// What went wrong, and how to see it again.
struct Violation {
    of: String,
    again: String,
    what: String,
}

/// After so many violations there is no more to learn from another one.
const ENOUGH: usize = 20;

struct Report {
    runs: AtomicU64,
    violations: Mutex<Vec<Violation>>,
    most: usize,
}

impl Report {
    fn new(arguments: &Arguments) -> Self {
        Self {
            runs: AtomicU64::new(0),
            violations: Mutex::default(),
            most: if arguments.first { 1 } else { ENOUGH },
        }
    }

    fn is_full(&self) -> bool {
        self.violations.lock().is_ok_and(|violations| violations.len() >= self.most)
    }

    fn add(&self, verdict: Result<(), String>, describe: impl FnOnce(String) -> Violation) {
        self.runs.fetch_add(1, Ordering::Relaxed);
        if let Err(what) = verdict
            && let Ok(mut violations) = self.violations.lock()
        {
            violations.push(describe(what));
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // A panic inside a run is reported as a violation.
    std::panic::set_hook(Box::new(|_| {}));
    TRACED.store(arguments.trace, Ordering::Relaxed);
    let report = Report::new(&arguments);
    let chosen: Vec<Scenario> =
        scenarios::all().into_iter().filter(|scenario| is_chosen(scenario, &arguments)).collect();
    if chosen.is_empty() {
        eprintln!(
            "no scenario's name contains {:?}",
            arguments.only.as_deref().unwrap_or_default()
        );
        return ExitCode::FAILURE;
    }
    if let Some(plan) = &arguments.faults {
        one_plan(&chosen, plan, &report);
    } else if !arguments.only_seeds {
        all_plans(&chosen, &arguments, &report);
    }
    if arguments.seeds > 0 {
        all_seeds(&arguments, &report);
    }
    conclude(&report, &chosen)
}

fn is_chosen(scenario: &Scenario, arguments: &Arguments) -> bool {
    arguments.only.as_ref().is_none_or(|part| scenario.name.contains(part.as_str()))
}

fn one_plan(chosen: &[Scenario], plan: &Plan, report: &Report) {
    let runtime = runner::runtime();
    for scenario in chosen {
        let ran = runner::run(&runtime, scenario, plan);
        report.add(ran.verdict, |what| violation(scenario, plan, what));
    }
}

fn violation(scenario: &Scenario, plan: &Plan, what: String) -> Violation {
    let faults = plan::describe(plan);
    Violation {
        of: scenario.name.into(),
        again: format!("--only {} --faults {faults}", scenario.name),
        what,
    }
}

/// First without faults, which counts the calls; then every plan.
fn all_plans(chosen: &[Scenario], arguments: &Arguments, report: &Report) {
    let depth = Depth { pairs_step: arguments.pairs_step, sampled_pairs: arguments.sampled_pairs };
    let mut work: Vec<(usize, Plan)> = Vec::new();
    let runtime = runner::runtime();
    let mut calls = Vec::new();
    for (index, scenario) in chosen.iter().enumerate().take_while(|_| !report.is_full()) {
        let ran = runner::run(&runtime, scenario, &Plan::new());
        report.add(ran.verdict, |what| violation(scenario, &Plan::new(), what));
        work.extend(
            runner::plans(scenario, ran.calls, depth).into_iter().map(|plan| (index, plan)),
        );
        calls.push(ran.calls);
    }
    let progress = Progress::of(work.len() as u64, "runs");
    let (next, counts): (AtomicUsize, Vec<(AtomicU64, AtomicU64)>) =
        (AtomicUsize::new(0), chosen.iter().map(|_| Default::default()).collect());
    side_by_side(|| {
        let runtime = runner::runtime();
        while let Some((index, plan)) =
            work.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !report.is_full())
        {
            let scenario = &chosen[*index];
            let ran = runner::run(&runtime, scenario, plan);
            counts[*index].0.fetch_add(1, Ordering::Relaxed);
            counts[*index].1.fetch_add(u64::from(ran.verdict.is_err()), Ordering::Relaxed);
            report.add(ran.verdict, |what| violation(scenario, plan, what));
            progress.step();
        }
    });
    progress.bar.finish_and_clear();
    if arguments.table {
        println!(
            "| scenario | sequence | calls | faults | runs | violations |\n|---|---|---|---|---|---|"
        );
        for ((scenario, calls), (runs, violations)) in chosen.iter().zip(calls).zip(&counts) {
            let sequence = scenario.sequence.map(|number| number.to_string()).unwrap_or_default();
            let faults = if calls <= EXHAUSTIVE_CALLS {
                "all single, all pairs"
            } else {
                "all single, sampled pairs"
            };
            let (runs, violations) =
                (runs.load(Ordering::Relaxed) + 1, violations.load(Ordering::Relaxed));
            println!(
                "| {} | {sequence} | {calls} | {faults} | {runs} | {violations} |",
                scenario.name
            );
        }
    }
}

fn all_seeds(arguments: &Arguments, report: &Report) {
    let progress = Progress::of(arguments.seeds, "seeds");
    let next = AtomicU64::new(0);
    side_by_side(|| {
        let runtime = runner::runtime();
        while !report.is_full() {
            let count = next.fetch_add(1, Ordering::Relaxed);
            if count >= arguments.seeds {
                break;
            }
            let seed = arguments.from_seed + count;
            if !arguments.mixed {
                let ran = runner::run_seed(&runtime, seed);
                report.add(ran.verdict, |what| history("", seed, what));
            }
            let ran = runner::run_mixed_seed(&runtime, seed);
            report.add(ran.verdict, |what| history(" --mixed", seed, what));
            progress.step();
        }
    });
    progress.bar.finish_and_clear();
}

fn history(flag: &str, seed: u64, what: String) -> Violation {
    let again = format!("--only-seeds{flag} --from-seed {seed} --seeds 1");
    Violation { of: format!("seed {seed}{flag}"), again, what }
}

fn side_by_side(work: impl Fn() + Sync) {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(&work);
        }
    });
}

/// On a terminal a bar, elsewhere a line now and then.
struct Progress {
    bar: ProgressBar,
    what: &'static str,
    on_terminal: bool,
}

impl Progress {
    fn of(length: u64, what: &'static str) -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        let bar = ProgressBar::new(length).with_message(what);
        let bar = match ProgressStyle::with_template(
            "{bar:30} {pos}/{len} {msg}, {per_sec}, {eta} to go",
        ) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        if !on_terminal {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self { bar, what, on_terminal }
    }

    fn step(&self) {
        self.bar.inc(1);
        let (done, length) = (self.bar.position(), self.bar.length().unwrap_or(0));
        if !self.on_terminal && done.is_multiple_of((length / 20).clamp(1000, 2000)) {
            eprintln!(
                "  {done} of {length} {}, {:.0} s to go",
                self.what,
                self.bar.eta().as_secs_f64()
            );
        }
    }
}

fn conclude(report: &Report, chosen: &[Scenario]) -> ExitCode {
    let violations = report
        .violations
        .lock()
        .map(|mut violations| std::mem::take(&mut *violations))
        .unwrap_or_default();
    for violation in violations.iter().take(report.most) {
        println!(
            "VIOLATION in {}: {}\n  again: make sim ARGS=\"{}\"",
            violation.of, violation.what, violation.again
        );
    }
    let runs = report.runs.load(Ordering::Relaxed);
    println!(
        "{runs} runs, {} scenarios, {} invariants, {} violations",
        chosen.len(),
        INVARIANTS.len(),
        violations.len()
    );
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

//! The bounded part of the simulation: every scenario under some of its single faults, and some random histories.

use tests::sim::plan::{Plan, describe};
use tests::sim::runner::{self, Depth};
use tests::sim::scenarios::{self, At};

/// The seeds of the random histories of each run.
const SEEDS: std::ops::Range<u64> = 0..400;
/// The seeds of the histories of mailboxes at both providers.
const MIXED_SEEDS: std::ops::Range<u64> = 0..200;
/// Seeds that once failed.
const ONCE_FAILED: [u64; 7] = [614, 807, 1213, 1467, 14_332, 16_551, 31_262];

/// The number of tests among which scenarios and histories are divided, to run in parallel.
const PARTS: usize = 4;

fn of_part<T>(part: usize) -> impl Fn(&(usize, T)) -> bool {
    move |(index, _)| index % PARTS == part
}

/// Every second fault, of Outlook's scenarios every third: what commits, publishes and puts off is the
/// same for both providers. `make sim` has them all.
fn step(at: At) -> usize {
    match at {
        At::Google => 2,
        At::Microsoft => 3,
    }
}

fn single_faults(part: usize) {
    let runtime = runner::runtime();
    for (_, scenario) in scenarios::all().into_iter().enumerate().filter(of_part(part)) {
        let good = runner::run(&runtime, &scenario, &Plan::new());
        assert_eq!(good.verdict, Ok(()), "{} in good weather", scenario.name);
        let plans = runner::plans(&scenario, good.calls, Depth { pairs_step: 0, sampled_pairs: 0 });
        for plan in plans.into_iter().step_by(step(scenario.at)) {
            let ran = runner::run(&runtime, &scenario, &plan);
            assert_eq!(ran.verdict, Ok(()), "{} with {}", scenario.name, describe(&plan));
        }
    }
}

fn histories(part: usize) {
    let runtime = runner::runtime();
    for (_, seed) in SEEDS.chain(ONCE_FAILED).enumerate().filter(of_part(part)) {
        assert_eq!(runner::run_seed(&runtime, seed).verdict, Ok(()), "seed {seed}");
    }
    for (_, seed) in MIXED_SEEDS.enumerate().filter(of_part(part)) {
        let ran = runner::run_mixed_seed(&runtime, seed);
        assert_eq!(ran.verdict, Ok(()), "seed {seed} of both providers");
    }
}

macro_rules! parts {
    ($($part:literal: $faults:ident, $histories:ident;)+) => {
        $(#[test]
        fn $faults() {
            single_faults($part);
        }

        #[test]
        fn $histories() {
            histories($part);
        })+
    };
}

parts! {
    0: single_faults_of_the_first_quarter, a_hundred_histories;
    1: single_faults_of_the_second_quarter, another_hundred_histories;
    2: single_faults_of_the_third_quarter, a_third_hundred_histories;
    3: single_faults_of_the_last_quarter, a_last_hundred_histories;
}

#[test]
fn every_known_sequence_has_a_scenario() {
    let numbers: std::collections::BTreeSet<u8> =
        scenarios::all().iter().filter_map(|scenario| scenario.sequence).collect();
    assert_eq!(
        numbers,
        (1..=22).collect(),
        "by the numbers of the known sequences that break a careless reading"
    );
    assert!(scenarios::all().len() >= 40);
}

#[test]
fn a_seed_repeats_itself() {
    let runtime = runner::runtime();
    let (first, second) = (runner::run_seed(&runtime, 7), runner::run_seed(&runtime, 7));
    assert_eq!((first.calls, first.verdict), (second.calls, second.verdict));
}

//! Replays the fuzz targets on the stored inputs and on mutations of them. `make fuzz` searches for
//! new inputs.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use tests::fuzz::mutation::mutated;
use tests::fuzz::{TARGETS, Target};
use tests::sim::dice::Dice;

/// Mutations of an input of ordinary length; a longer one gets fewer, since each takes longer.
const MUTATIONS: u64 = 1000;
const ORDINARY_LENGTH: u64 = 1024;

fn in_fuzz(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

/// The entries of a folder, sorted by path.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The hand-made inputs, and those that once failed.
fn inputs(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let (corpus, found) = (in_fuzz("corpus").join(target), in_fuzz("found").join(target));
    let found = if found.exists() { entries(&found) } else { Vec::new() };
    let paths = entries(&corpus).into_iter().chain(found);
    paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn run(target: Target, input: &[u8], name: impl Fn() -> String) {
    if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
        panic!("a promise is broken by {}: {}", name(), input.escape_ascii());
    }
}

fn replay(name: &str) {
    let (_, target) = *TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let inputs = inputs(name);
    for (number, (path, input)) in inputs.iter().enumerate() {
        run(target, input, || path.display().to_string());
        for seed in 0..MUTATIONS * ORDINARY_LENGTH / ORDINARY_LENGTH.max(input.len() as u64) {
            let mut dice = Dice::new((number as u64) << 32 | seed);
            let (_, other) = dice.pick(&inputs);
            let near = mutated(input, other, &mut dice);
            run(target, &near, || format!("mutation {seed} of {}", path.display()));
        }
    }
}

macro_rules! each_target {
    ($($name:ident),+) => {
        $(mod $name {
            #[test]
            fn keeps_its_promises_on_its_inputs_and_near_them() {
                super::replay(stringify!($name));
            }
        })+

        const REPLAYED: &[&str] = &[$(stringify!($name)),+];
    };
}

each_target!(batch, callback, claims, errors, history, keys, mail, push, token, webhook);

#[test]
fn every_target_is_replayed_has_inputs_and_is_known_to_cargo_fuzz() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| name.to_string()).collect();
    let names = |paths: Vec<PathBuf>| {
        paths.iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_string()).collect()
    };
    assert_eq!(targets, REPLAYED.iter().map(|name| name.to_string()).collect::<BTreeSet<_>>());
    assert_eq!(targets, names(entries(&in_fuzz("corpus"))));
    assert_eq!(targets, names(entries(&in_fuzz("fuzz_targets"))));
    let manifest = fs::read_to_string(in_fuzz("Cargo.toml")).unwrap();
    for target in &targets {
        assert!(inputs(target).len() >= 8, "{target} has few inputs");
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")),
            "{target} has no binary"
        );
        let driver = fs::read_to_string(in_fuzz(&format!("fuzz_targets/{target}.rs"))).unwrap();
        assert!(
            driver.contains(&format!("tests::fuzz::{target}(data)")),
            "{target} does not drive its own target"
        );
    }
    for found in entries(&in_fuzz(""))
        .into_iter()
        .filter(|path| path.ends_with("found"))
        .flat_map(|path| entries(&path))
    {
        assert!(
            targets.contains(found.file_name().unwrap().to_str().unwrap()),
            "{} is of no target",
            found.display()
        );
    }
}

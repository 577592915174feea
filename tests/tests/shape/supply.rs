//! Dependencies are pinned: the tools' packages by hash, the crates by Cargo.lock, the Terraform
//! provider by bounds.

use std::collections::BTreeSet;

use crate::documents::{files, read};

const TOOLS: &str = "tests/local/requirements-";

/// The requirements of a file, one per line, without comments.
fn requirements(path: &str) -> Vec<String> {
    let joined = read(path).replace("\\\n", " ");
    let lines = joined.lines().map(|line| {
        line.split('#').next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    });
    lines.filter(|line| !line.is_empty()).collect()
}

/// A package with its version, its name normalized as pip does.
fn pinned(requirement: &str) -> String {
    let package = requirement.split(' ').next().unwrap();
    assert!(package.contains("=="), "{requirement} is not one version");
    package.to_lowercase().replace('_', "-")
}

fn has_a_hash(requirement: &str) -> bool {
    let hashes: Vec<&str> = requirement.split("--hash=sha256:").skip(1).collect();
    !hashes.is_empty()
        && hashes.iter().all(|hash| {
            hash.trim().len() == 64 && hash.trim().chars().all(|digit| digit.is_ascii_hexdigit())
        })
}

#[test]
fn every_package_of_a_tool_has_its_hash() {
    let purposes = |kind: &str| -> BTreeSet<String> {
        let found = files(&[kind])
            .into_iter()
            .filter_map(|path| Some(path.strip_prefix(TOOLS)?.strip_suffix(kind)?.to_string()));
        found.collect()
    };
    assert!(purposes(".txt").len() >= 6, "{:?}", purposes(".txt"));
    assert_eq!(purposes(".txt"), purposes(".lock"), "`make locks` makes a lock for each purpose");
    for purpose in purposes(".txt") {
        let locked = requirements(&format!("{TOOLS}{purpose}.lock"));
        for requirement in &locked {
            assert!(has_a_hash(requirement), "{purpose}: {requirement} has no hash");
            assert!(!requirement.contains("://"), "{purpose}: {requirement} names a URL");
        }
        let locked: BTreeSet<String> =
            locked.iter().map(|requirement| pinned(requirement)).collect();
        for wanted in requirements(&format!("{TOOLS}{purpose}.txt")) {
            assert!(
                locked.contains(&pinned(&wanted)),
                "{purpose}: {wanted} is not in its lock: `make locks`"
            );
        }
    }
}

#[test]
fn the_linker_of_what_is_deployed_is_locked() {
    let locked = requirements(&format!("{TOOLS}build.lock"));
    for package in ["cargo-lambda==", "ziglang=="] {
        assert!(
            locked.iter().any(|requirement| requirement.starts_with(package)),
            "the build's lock lacks {package}"
        );
    }
}

/// The words of a line that is a command, or that lists the words of one.
fn words(line: &str) -> Vec<&str> {
    line.split(|letter: char| letter.is_whitespace() || "\"',()[]`".contains(letter))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Whether the words are a cargo command that reads Cargo.lock; it has options, which prose does
/// not.
fn reads_the_lock(words: &[&str]) -> bool {
    let commands = [
        "build", "run", "test", "bench", "check", "clippy", "doc", "fetch", "install", "metadata",
        "nextest", "tree",
    ];
    let called = words.iter().position(|word| word.trim_start_matches('@') == "cargo");
    called.is_some_and(|index| {
        let rest = &words[index + 1..];
        rest.first().is_some_and(|command| commands.contains(command))
            && rest.iter().any(|word| word.starts_with(['-', '*']))
    })
}

#[test]
fn everything_is_built_from_the_lock() {
    let mut calls = 0;
    for path in files(&[".py", ".sh", ".md", "Makefile"]).into_iter().chain([".ci/run".to_string()])
    {
        for line in read(&path).lines() {
            let words = words(line);
            // Binaries that are already built run without cargo.
            let built_already = words.contains(&"*known");
            if reads_the_lock(&words) && !built_already {
                assert!(
                    words.contains(&"--locked"),
                    "{path} calls cargo without --locked: {}",
                    line.trim()
                );
                calls += 1;
            }
        }
    }
    assert!(calls >= 15, "only {calls} calls were found");
}

#[test]
fn what_sam_builds_is_built_from_the_lock() {
    let options = read("Cargo.toml")
        .split("\n[workspace.metadata.lambda.build]\n")
        .nth(1)
        .map(|rest| rest.split("\n[").next().unwrap().to_string());
    assert!(
        options.is_some_and(|options| options.lines().any(|line| line == "locked = true")),
        "cargo-lambda takes --locked only from here"
    );
}

#[test]
fn the_terraform_provider_is_bounded() {
    let versions = read("docs/google/terraform/versions.tf");
    let provider = versions.split("required_providers").nth(1).unwrap();
    let bounds = provider.lines().find(|line| line.trim().starts_with("version")).unwrap();
    assert!(bounds.contains(">=") && bounds.contains(", <"), "{bounds} has no upper bound");
}

/// `make deny` compares everything; this notices a changed lock without calling cargo.
#[test]
fn the_notices_name_crates_of_the_lock() {
    let lock = read("Cargo.lock");
    let notices = read("THIRD-PARTY-NOTICES");
    let list = notices.split("\n\n").nth(2).unwrap();
    for line in list.lines() {
        let (name, version) = line.split(": ").next().unwrap().split_once(' ').unwrap();
        let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
        assert!(
            lock.contains(&entry),
            "THIRD-PARTY-NOTICES names {name} {version}, which Cargo.lock lacks: `make notices`"
        );
    }
    assert!(list.lines().count() > 100, "only {} are named", list.lines().count());
}

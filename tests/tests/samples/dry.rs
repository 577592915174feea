//! Every sample event in a dry run, in one world, as documented in docs/dry-run.md: its answers are
//! those with Google.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::emulator::{Emulator, World};
use crate::{holds, invoke, read, samples};

/// A dry run has no Outlook.
const WITHOUT_OUTLOOK: [&str; 3] = [
    "oauth-connect.outlook-start",
    "oauth-connect.outlook-admin-consent",
    "connectors-api.system-info",
];

/// Each file of `events/` in the document, with the JSON that its answer must contain.
fn documented() -> Vec<(String, Value)> {
    let document =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/dry-run.md"))
            .unwrap();
    let row = |line: &str| {
        let (file, answer) = line.strip_prefix("| `")?.split_once(".json` | `")?;
        let answer = answer.split_once('`').unwrap_or_else(|| panic!("{line}")).0;
        Some((
            format!("{file}.json"),
            serde_json::from_str(answer).unwrap_or_else(|error| panic!("{line}: {error}")),
        ))
    };
    document.lines().filter_map(row).collect()
}

fn event(file: &str) -> String {
    std::fs::read_to_string(format!("{}/../events/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn every_sample_has_one_documented_answer_in_a_dry_run() {
    let documented = documented();
    let files: BTreeSet<String> =
        samples().iter().map(|sample| format!("{}.json", sample.name)).collect();
    assert_eq!(documented.iter().map(|(file, _)| file.clone()).collect::<BTreeSet<_>>(), files);
    assert_eq!(documented.len(), files.len(), "one row for each");
    for sample in samples().iter().filter(|sample| !WITHOUT_OUTLOOK.contains(&sample.name.as_str()))
    {
        let (_, answer) =
            documented.iter().find(|(file, _)| *file == format!("{}.json", sample.name)).unwrap();
        assert!(
            holds(&sample.answer, answer),
            "{}: docs/dry-run.md has {answer}, and {} is expected",
            sample.name,
            sample.answer
        );
    }
}

#[tokio::test]
async fn every_sample_answers_as_documented_and_google_is_never_called() {
    let (world, trap) = World::start().await.with_trap(true).await;
    let mut documented: BTreeMap<String, Value> = documented().into_iter().collect();
    let mut samples = samples();
    for sample in &mut samples {
        sample.answer = documented.remove(&format!("{}.json", sample.name)).unwrap();
    }
    let wrong = invoke(&samples, &world).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(trap.calls(), 0);
}

#[tokio::test]
async fn without_a_dry_run_the_same_sample_calls_google() {
    let (world, trap) = World::start().await.with_trap(false).await;
    let emulator = Emulator::start("oauth-connect", &world).await;
    let answer = read(emulator.invoke(event("oauth-connect.popup.json")).await);
    assert_eq!(answer["body"]["code"], "consent_again", "{answer}");
    assert!(trap.calls() > 0);
}

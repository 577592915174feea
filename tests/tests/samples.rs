//! Every sample event, invoked on the built function through AWS's Runtime Interface Emulator, with
//! the environment that the template declares for it: the function does not start without a
//! variable that the template lacks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test lives in the world, and ends at the first surprise"
)]

#[path = "support/aws.rs"]
mod aws;
#[path = "samples/dry.rs"]
mod dry;
#[path = "samples/emulator.rs"]
mod emulator;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::emulator::{Emulator, QUEUES, World};

const FUNCTIONS: [&str; 7] = [
    "oauth-connect",
    "connectors-api",
    "pubsub-webhook",
    "history-processor",
    "watch-renewer",
    "audit-keeper",
    "console",
];

/// A sample event and its expected effects; `make sam-local` expects the same
/// (tests/local/sam_local.py).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    name: String,
    /// What the answer must contain.
    answer: Value,
    /// The expected messages in the queues and on the bus, by the variables that name them; all
    /// others stay empty.
    #[serde(default)]
    leaves: BTreeMap<String, Value>,
    /// Samples that must be invoked before, in the same world.
    #[serde(default)]
    after: BTreeSet<String>,
}

impl Sample {
    fn function(&self) -> &str {
        self.name.split_once('.').unwrap().0
    }
}

/// All samples, in the order in which they are invoked.
fn samples() -> Vec<Sample> {
    serde_json::from_str(include_str!("samples/answers.json")).unwrap()
}

/// Whether an answer contains what is expected: objects may have more keys, lists and other values
/// must be equal.
fn holds(answer: &Value, expected: &Value) -> bool {
    match (answer, expected) {
        (Value::Object(answer), Value::Object(expected)) => expected
            .iter()
            .all(|(key, expected)| answer.get(key).is_some_and(|answer| holds(answer, expected))),
        (Value::Array(answer), Value::Array(expected)) => {
            answer.len() == expected.len()
                && answer.iter().zip(expected).all(|(answer, expected)| holds(answer, expected))
        }
        (answer, expected) => answer == expected,
    }
}

/// A function's HTTP answer with its body parsed, or as text; other answers unchanged.
fn read(answer: Value) -> Value {
    match answer.get("statusCode") {
        Some(status) => {
            let body = answer["body"].as_str().unwrap_or_default();
            let location = &answer["headers"]["location"];
            match serde_json::from_str::<Value>(body) {
                Ok(body) => json!({"status": status, "body": body, "location": location}),
                Err(_) => json!({"status": status, "text": body, "location": location}),
            }
        }
        None => answer,
    }
}

/// Invokes samples one after the other in one world; returns the differences.
async fn invoke(chosen: &[Sample], world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    for of_one in chosen.chunk_by(|one, next| one.function() == next.function()) {
        let emulator = Emulator::start(of_one[0].function(), world).await;
        for Sample { name, answer: expected, leaves, .. } in of_one {
            let event = std::fs::read_to_string(format!(
                "{}/../events/{name}.json",
                env!("CARGO_MANIFEST_DIR")
            ))
            .unwrap();
            let answer = read(emulator.invoke(event).await);
            if !holds(&answer, expected) {
                wrong.push(format!("{name}: {answer} instead of {expected}"));
            }
            for queue in QUEUES {
                let expected = leaves.get(queue).cloned().unwrap_or(json!([]));
                let left =
                    Value::from(world.taken(queue, expected.as_array().unwrap().len()).await);
                if !holds(&left, &expected) {
                    wrong.push(format!("{name} left {left} in {queue} instead of {expected}"));
                }
            }
        }
    }
    wrong
}

/// All samples of a function, after those that they need, in their own world.
async fn as_expected(function: &str) {
    let needed: BTreeSet<String> = samples()
        .into_iter()
        .filter(|sample| sample.function() == function)
        .flat_map(|sample| sample.after)
        .collect();
    let chosen: Vec<Sample> = samples()
        .into_iter()
        .filter(|sample| sample.function() == function || needed.contains(&sample.name))
        .collect();
    assert!(chosen.iter().any(|sample| sample.function() == function), "{function} has no sample");
    let wrong = invoke(&chosen, &World::start().await).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_sample_has_one_expected_answer_and_belongs_to_a_function() {
    let samples = samples();
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../events")).unwrap();
    let files = folder.filter_map(|entry| {
        entry.unwrap().file_name().into_string().unwrap().strip_suffix(".json").map(String::from)
    });
    let files: BTreeSet<String> = files.collect();
    assert_eq!(samples.iter().map(|sample| sample.name.clone()).collect::<BTreeSet<_>>(), files);
    assert_eq!(samples.len(), files.len(), "one answer for each");
    for (at, Sample { name, answer, leaves, after }) in samples.iter().enumerate() {
        assert!(FUNCTIONS.contains(&samples[at].function()), "{name} belongs to no function");
        assert!(
            answer.as_object().is_some_and(|answer| !answer.is_empty()),
            "{name} may answer anything"
        );
        assert!(
            leaves.keys().all(|queue| QUEUES.contains(&queue.as_str())),
            "{name} leaves something in an unknown queue"
        );
        let before: BTreeSet<String> =
            samples[..at].iter().map(|sample| sample.name.clone()).collect();
        assert!(after.is_subset(&before), "{name} comes before what it needs");
    }
}

/// The table of samples in the documents: file, function and answer of each row.
fn table() -> Vec<(String, String, String)> {
    let documents = ["events/README.md", "README.md"]
        .map(|path| format!("{}/../{path}", env!("CARGO_MANIFEST_DIR")));
    let text: Vec<String> =
        documents.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let file = cells[0].strip_prefix('`')?.strip_suffix(".json`")?;
        let function = cells.get(1)?.trim_matches('`');
        function
            .ends_with("Function")
            .then(|| (file.to_string(), function.to_string(), cells[cells.len() - 1].to_string()))
    };
    text.iter()
        .flat_map(|text| text.lines())
        .filter(|line| line.starts_with("| `"))
        .filter_map(row)
        .collect()
}

#[test]
fn the_table_of_samples_shows_what_is_expected() {
    let table = table();
    assert_eq!(table.len(), samples().len(), "one row for each");
    for sample in samples() {
        let Some((_, function, documented)) = table.iter().find(|(file, ..)| *file == sample.name)
        else {
            panic!("the table of samples has no {}", sample.name);
        };
        assert_eq!(*function, emulator::logical_id(sample.function()), "{}", sample.name);
        if let Some(status) = sample.answer.get("status") {
            assert!(
                documented.starts_with(&status.to_string()),
                "{}: the table has {documented}, and {status} is expected",
                sample.name
            );
        }
        // Code in the table is literal; it may leave parts out (…) and name fields without their
        // values.
        let expected = format!("{} {}", sample.answer, json!(sample.leaves));
        for code in documented.split('`').skip(1).step_by(2) {
            for word in code
                .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                .filter(|word| !word.is_empty())
            {
                assert!(
                    expected.contains(word),
                    "{}: the table has {word}, and {expected} is expected",
                    sample.name
                );
            }
        }
    }
}

#[test]
fn the_runner_of_sam_local_finds_what_differs() {
    python("sam_local_test");
}

#[test]
fn the_local_gateway_and_its_functions_have_the_limits_of_aws() {
    python("gateway_test");
}

#[test]
fn what_a_function_wrote_is_read_whole() {
    python("function_output_test");
}

#[test]
fn an_event_that_comes_twice_has_a_reason() {
    python("once_test");
}

/// Runs the tests of a module of the local stack.
fn python(module: &str) {
    let mut command = std::process::Command::new("python3");
    command.args(["-B", "-W", "ignore::ResourceWarning", "-m", "unittest", module]);
    let output =
        command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/local")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("\nOK") && !said.contains("Ran 0 tests"),
        "{said}"
    );
}

#[tokio::test]
async fn oauth_connect_answers_its_samples() {
    as_expected("oauth-connect").await;
}

#[tokio::test]
async fn connectors_api_answers_its_samples() {
    as_expected("connectors-api").await;
}

#[tokio::test]
async fn pubsub_webhook_answers_its_samples() {
    as_expected("pubsub-webhook").await;
}

#[tokio::test]
async fn history_processor_answers_its_samples() {
    as_expected("history-processor").await;
}

#[tokio::test]
async fn watch_renewer_answers_its_samples() {
    as_expected("watch-renewer").await;
}

#[tokio::test]
async fn audit_keeper_answers_its_samples() {
    as_expected("audit-keeper").await;
}

#[tokio::test]
async fn console_answers_its_samples() {
    as_expected("console").await;
}

#[tokio::test]
async fn a_missing_setting_stops_each_function_with_its_name() {
    for (function, setting) in [
        ("oauth-connect", "GOOGLE_SCOPES"),
        ("connectors-api", "AUTH_AUDIENCE"),
        ("pubsub-webhook", "PUBSUB_AUDIENCE"),
        ("history-processor", "PROCESSOR_TIMEOUT_SECONDS"),
        ("watch-renewer", "PUBSUB_TOPIC"),
        ("console", "CONSOLE_CLIENT_ID"),
    ] {
        let world = World::start().await;
        let said = emulator::start_without(function, setting, &world).await;
        assert!(said.contains(setting), "{function} without {setting} said: {said}");
    }
}

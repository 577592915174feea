//! The calls that were recorded on the deployed stack, with the template's names for what they name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::statement::AwsRequest;

#[derive(Deserialize)]
struct Recorded {
    function: String,
    service: String,
    action: String,
    allowed_by: Vec<Asking>,
}

#[derive(Deserialize)]
struct Asking {
    action: String,
    resource: String,
    keys: BTreeMap<String, BTreeSet<String>>,
}

/// What each function asked for, and the calls of which nobody can say what they ask for.
#[derive(Default)]
pub struct Calls {
    pub asked: BTreeMap<String, BTreeMap<AwsRequest, usize>>,
    pub unreadable: BTreeSet<String>,
}

/// On every stack whose stack.json is named.
pub fn recorded() -> Calls {
    let mut calls = Calls::default();
    for file in stack_jsons() {
        calls.add(&file);
    }
    calls
}

impl Calls {
    fn add(&mut self, stack_json: &Path) {
        let stack: Value = serde_json::from_str(&read(stack_json)).unwrap();
        let names = names(&stack);
        for line in read(&stack_json.with_file_name("aws-calls.jsonl")).lines() {
            let call: Recorded = serde_json::from_str(line).unwrap();
            if call.function.is_empty() || call.allowed_by.is_empty() {
                self.unreadable.insert(format!("{} {} {}", call.function, call.service, call.action));
            }
            let of_function = self.asked.entry(call.function).or_default();
            for Asking { action, resource, keys } in call.allowed_by {
                let (of, part) = resource.split_once('/').map_or((resource.as_str(), ""), |(of, part)| (of, part));
                let known = names.get(of).cloned().unwrap_or_else(|| format!("unknown: {of}"));
                let resource = if part.is_empty() { known } else { format!("{known}/{part}") };
                *of_function.entry(AwsRequest { action, resource, keys }).or_default() += 1;
            }
        }
    }
}

/// What is deployed, by its name in AWS.
fn names(stack: &Value) -> BTreeMap<String, String> {
    let deployed = [
        ("table", "ConnectorsTable"),
        ("secrets_key_id", "SecretsKey"),
        ("event_bus", "EventBus"),
        ("notification_queue_url", "NotificationQueue"),
        ("dead_letter_queue_url", "NotificationDeadLetterQueue"),
        ("quarantine_queue_url", "QuarantineQueue"),
        ("agent_run_queue_url", "AgentRunQueue"),
        ("agent_run_dead_letter_queue_url", "AgentRunDeadLetterQueue"),
    ];
    // Of a queue's URL the last part is its name.
    let last = |text: &str| text.rsplit('/').next().unwrap().to_string();
    deployed.into_iter().map(|(field, name)| (last(stack[field].as_str().unwrap()), name.to_string())).collect()
}

/// The variable STACK_JSON, with a colon between several.
#[expect(clippy::disallowed_methods, reason = "where the stacks run is the environment's to say")]
fn stack_jsons() -> Vec<PathBuf> {
    let given = std::env::var("STACK_JSON").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../.local/stack.json").into());
    std::env::split_paths(&given).collect()
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}: no stack whose calls are recorded runs", file.display()))
}

//! The calls that were recorded on the deployed stack, with resources under their names in the
//! template.

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
    allowed_by: Vec<NeededRight>,
}

#[derive(Deserialize)]
struct NeededRight {
    action: String,
    resource: String,
    keys: BTreeMap<String, BTreeSet<String>>,
}

/// The AWS requests of each function, and the calls that cannot be read.
#[derive(Default)]
pub struct Calls {
    pub requests: BTreeMap<String, BTreeMap<AwsRequest, usize>>,
    pub unreadable: BTreeSet<String>,
}

/// The calls of every stack that STACK_JSON names.
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
                self.unreadable
                    .insert(format!("{} {} {}", call.function, call.service, call.action));
            }
            let of_function = self.requests.entry(call.function).or_default();
            for NeededRight { action, resource, keys } in call.allowed_by {
                let (of, part) = resource
                    .split_once('/')
                    .map_or((resource.as_str(), ""), |(of, part)| (of, part));
                let known = names.get(of).cloned().unwrap_or_else(|| format!("unknown: {of}"));
                let resource = if part.is_empty() { known } else { format!("{known}/{part}") };
                *of_function.entry(AwsRequest { action, resource, keys }).or_default() += 1;
            }
        }
    }
}

/// The template's names of deployed resources, by their names in AWS.
fn names(stack: &Value) -> BTreeMap<String, String> {
    let deployed = [
        ("table", "ConnectorsTable"),
        ("mail_bucket", "MailBucket"),
        ("secrets_key_id", "SecretsKey"),
        ("event_bus", "EventBus"),
        ("notification_queue_url", "NotificationQueue"),
        ("dead_letter_queue_url", "NotificationDeadLetterQueue"),
        ("quarantine_queue_url", "QuarantineQueue"),
        ("agent_run_queue_url", "AgentRunQueue"),
        ("agent_run_dead_letter_queue_url", "AgentRunDeadLetterQueue"),
    ];
    // The last part of a queue's URL is its name.
    let last = |text: &str| text.rsplit('/').next().unwrap().to_string();
    deployed
        .into_iter()
        .map(|(field, name)| (last(stack[field].as_str().unwrap()), name.to_string()))
        .collect()
}

/// The files in the variable STACK_JSON, separated by colons.
#[expect(clippy::disallowed_methods, reason = "where the stacks run is the environment's to say")]
fn stack_jsons() -> Vec<PathBuf> {
    let given = std::env::var("STACK_JSON")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../.local/stack.json").into());
    std::env::split_paths(&given).collect()
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| {
        panic!("{}: {error}: no stack whose calls are recorded runs", file.display())
    })
}

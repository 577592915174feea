//! What is known of a deployed stack and of what it needs at its providers, as it was answered.

use std::collections::BTreeMap;

use serde_json::Value;

use email_connectors::domain::timestamp::Timestamp;

use super::fact::Fact;

/// The path that Pub/Sub pushes to.
pub const PUSH_PATH: &str = "/api/email/webhook/google/pubsub";

#[derive(Debug, Clone)]
pub struct Facts {
    pub stack_name: String,
    pub status: String,
    pub parameters: BTreeMap<String, String>,
    pub outputs: BTreeMap<String, String>,
    /// Where the API is, by which each of its paths is reached.
    pub bases: Vec<String>,
    pub functions: BTreeMap<&'static str, Fact<Function>>,
    /// Whether the processor takes from its queue, and the renewer is woken.
    pub wake_ups: Fact<Mapping>,
    /// As AWS names its state.
    pub sweeps: Fact<String>,
    pub bus: Fact<()>,
    pub key: Fact<Key>,
    pub table: Fact<Table>,
    pub queues: BTreeMap<&'static str, Fact<Queue>>,
    pub client: Fact<Answer>,
    pub user_keys: Fact<Value>,
    pub push_keys: Fact<Value>,
    pub topic: Fact<Value>,
    pub policy: Fact<Value>,
    pub subscription: Fact<Value>,
    pub api: Fact<Answer>,
    /// The webhook's answer to a push without a token.
    pub webhook: Fact<Answer>,
    /// This machine's clock before (+) or behind (-) another's, in seconds.
    pub skews: BTreeMap<&'static str, Fact<i64>>,
    pub connectors: Fact<Vec<Value>>,
    pub push: Fact<Push>,
    /// `None` if the stack connects no Outlook.
    pub microsoft: Option<Microsoft>,
}

/// What is known of the app registration, and of what Graph needs.
#[derive(Debug, Clone)]
pub struct Microsoft {
    pub client: Fact<Answer>,
    /// What the notification URL answers to a validation.
    pub handshake: Fact<Handshake>,
    /// The app registration, as Graph describes it.
    pub application: Fact<Value>,
    /// What users of the operator's own organization may consent to.
    pub policy: Fact<Value>,
    /// When these were read.
    pub now: Timestamp,
    /// What was tried on a mailbox; `None` if nothing was to be.
    pub tried: Option<Fact<Vec<Tried>>>,
}

#[derive(Debug, Clone, Default)]
pub struct Handshake {
    pub status: u16,
    pub content_type: String,
    /// Whether the token came back as it was sent.
    pub is_same: bool,
}

/// One of the assumptions that Outlook's connectors build on.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The check's name.
    pub id: &'static str,
    pub holds: bool,
    pub found: String,
}

#[derive(Debug, Clone, Default)]
pub struct Function {
    pub state: String,
    pub last_update: String,
    pub reason: String,
    /// What it would say at its start about a wrong setting.
    pub refused: Option<String>,
}

/// What hands wake-ups to the processor.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub uuid: String,
    pub state: String,
}

#[derive(Debug, Clone)]
pub struct Key {
    pub state: String,
    pub rotates: Fact<bool>,
}

#[derive(Debug, Clone)]
pub struct Table {
    pub status: String,
    pub protected: bool,
    /// Their states; empty if AWS reports none.
    pub indexes: BTreeMap<String, String>,
    pub restores: Fact<bool>,
    /// The attribute that lets rows expire.
    pub expires_by: Fact<Option<String>>,
}

#[derive(Debug, Clone, Default)]
pub struct Queue {
    pub url: String,
    pub waiting: u64,
    pub hidden_seconds: u64,
    /// The ARN of the queue for what is given up.
    pub gives_up_to: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

/// A notification that was published, and what came of it.
#[derive(Debug, Clone)]
pub struct Push {
    pub connector: String,
    /// Milliseconds until the mailbox was looked at; `None` if it was not.
    pub looked_after: Option<u64>,
    pub waited_seconds: u64,
}

impl Facts {
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// Without Google's client nothing of Google's is looked at.
    pub fn connects_gmail(&self) -> bool {
        !self.parameter("GoogleClientId").is_empty()
    }

    pub fn number(&self, name: &str) -> Option<u64> {
        self.parameter(name).parse().ok()
    }

    /// The command that deploys with another parameter.
    pub fn redeploy(&self, parameter: &str, value: &str) -> String {
        format!(
            "sam deploy --stack-name {} --parameter-overrides {parameter}=\"{value}\"",
            self.stack_name
        )
    }

    /// Where Pub/Sub may push to: the stack's own output, or the address by which the API is called
    /// here.
    pub fn push_endpoints(&self) -> Vec<String> {
        let of_stack = self.outputs.get("PubSubPushEndpoint").cloned();
        of_stack
            .into_iter()
            .chain(self.bases.iter().map(|base| format!("{base}{PUSH_PATH}")))
            .collect()
    }
}

//! Queries of the collected queues: the events of owners, and quarantined messages.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use email_connectors::adapters::system::System;
use email_connectors::domain::event::DetailType;
use email_connectors::ports::{Clock, Entropy};
use serde_json::{Value, json};

use super::Stack;
use super::collected::{Collected, Message};
use crate::schemas;

const AGENT_RUNS: &str = "agent_run_queue";
const QUARANTINE: &str = "quarantine_queue";

impl Stack {
    /// Waits for `expected` different events of the owner; returns those that were not returned
    /// before.
    pub async fn events(&self, owner: &str, expected: usize) -> Vec<Value> {
        let mut events = Vec::new();
        self.until(&format!("{expected} events of {owner}"), async || {
            self.has_come(&mut events, owner, expected).then_some(())
        })
        .await;
        events
    }

    /// The same for events that only a sweep publishes.
    pub async fn events_swept(&self, owner: &str, expected: usize) -> Vec<Value> {
        let mut events = Vec::new();
        self.until_swept(&format!("{expected} events of {owner}"), async || {
            self.has_come(&mut events, owner, expected).then_some(())
        })
        .await;
        events
    }

    fn has_come(&self, events: &mut Vec<Value>, owner: &str, expected: usize) -> bool {
        events.extend(self.events_so_far(|event| event["owner_id"] == owner));
        events.iter().map(|event| event["event_id"].to_string()).collect::<BTreeSet<_>>().len()
            >= expected
    }

    /// Waits until all queues are empty: nothing fires after that. For a test that runs alone on
    /// the stack.
    pub async fn quiet(&self) {
        self.idle().await;
        self.brought(AGENT_RUNS, &self.agent_run_queue_url).await;
    }

    /// The events that were not returned before; repeats of the same bytes are returned once.
    /// `each-event-once` judges repeats after all tests, as it knows how many answers of the bus
    /// came too late.
    pub fn events_so_far(&self, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut events = Vec::new();
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        self.collected().take(|message| {
            let event = (message.of == AGENT_RUNS)
                .then(|| serde_json::from_str::<Value>(&message.body).unwrap())
                .filter(&wanted);
            let Some(event) = event else { return false };
            let times = given.entry(message.body.clone()).or_default();
            *times += 1;
            if *times == 1 {
                events.push(event);
            }
            true
        });
        events.iter().for_each(|event| schemas::hold(DetailType::TriggerFired.as_str(), event));
        events
    }

    /// How often an event has come.
    pub fn times(&self, event_id: &str) -> usize {
        self.events_so_far(|event| event["event_id"] == event_id);
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.iter().filter(|(body, _)| body.contains(event_id)).map(|(_, times)| times).sum()
    }

    /// Waits for a quarantined message that contains the text.
    pub async fn quarantined(&self, text: &str) -> String {
        let holds = |message: &mut Message| message.of == QUARANTINE && message.body.contains(text);
        self.until("what was set aside", async || self.collected().take(holds).pop()).await.body
    }

    /// All quarantined messages that were not returned before.
    pub async fn all_quarantined(&self) -> Vec<String> {
        self.brought(QUARANTINE, &self.quarantine_queue_url).await;
        self.collected()
            .take(|message| message.of == QUARANTINE)
            .into_iter()
            .map(|message| message.body)
            .collect()
    }

    /// Waits until the collector received all earlier messages of the queue, by sending a marker
    /// behind them.
    async fn brought(&self, name: &str, queue: &str) {
        let marker = format!("marker-{}", System.uuid(System.now()));
        self.sqs()
            .await
            .send_message()
            .queue_url(queue)
            .message_body(json!(marker).to_string())
            .send()
            .await
            .unwrap();
        let is_marker =
            |message: &mut Message| message.of == name && message.body.contains(&marker);
        self.until("what lies in the queue", async || self.collected().take(is_marker).pop()).await;
    }

    fn collected(&self) -> &Collected {
        self.collected.as_ref().expect("a deployed stack")
    }
}

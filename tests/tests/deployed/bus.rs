//! Notices on the bus, beside fired triggers: no rule of the stack matches them, so a test adds its
//! own.

use std::collections::BTreeMap;

use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::QueueAttributeName;
use email_connectors::adapters::system::System;
use email_connectors::ports::{Clock, Entropy};
use serde_json::{Value, json};

use tests::deployed::Stack;
use tests::schemas;

/// A rule and a queue for one connector's notices.
pub struct Notices {
    sqs: aws_sdk_sqs::Client,
    queue: String,
}

impl Notices {
    /// Collects all events of a connector from now on, except its fired triggers.
    pub async fn of(stack: &Stack, connector: &str) -> Self {
        let (sqs, events) =
            (stack.sqs().await, aws_sdk_eventbridge::Client::new(&stack.config().await));
        let name = format!("notices-{}", System.uuid(System.now()).simple());
        let queue = sqs.create_queue().queue_name(&name).send().await.unwrap().queue_url.unwrap();
        let attributes = sqs
            .get_queue_attributes()
            .queue_url(&queue)
            .attribute_names(QueueAttributeName::QueueArn)
            .send()
            .await
            .unwrap();
        let arn = attributes.attributes().unwrap()[&QueueAttributeName::QueueArn].clone();
        let pattern = json!({
            "source": ["email.connectors"],
            "detail-type": [{"anything-but": ["TRIGGER_FIRED"]}],
            "detail": {"connector": {"id": [connector]}},
        });
        events
            .put_rule()
            .name(&name)
            .event_bus_name(&stack.event_bus)
            .event_pattern(pattern.to_string())
            .send()
            .await
            .unwrap();
        let target = Target::builder().id("queue").arn(arn).build().unwrap();
        events
            .put_targets()
            .rule(&name)
            .event_bus_name(&stack.event_bus)
            .targets(target)
            .send()
            .await
            .unwrap();
        Self { sqs, queue }
    }

    /// Waits for notices of these types; returns all received notices by type, each once.
    pub async fn heard(&self, stack: &Stack, awaited: &[&str]) -> BTreeMap<String, Vec<Value>> {
        let mut heard: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        while !awaited.iter().all(|kind| heard.contains_key(*kind)) {
            let events = stack
                .until(&format!("one of {awaited:?} beside {heard:?}"), async || {
                    self.received().await
                })
                .await;
            for event in events {
                schemas::hold(event["detail-type"].as_str().unwrap(), &event["detail"]);
                let notices =
                    heard.entry(event["detail-type"].as_str().unwrap().into()).or_default();
                if !notices.contains(&event["detail"]) {
                    notices.push(event["detail"].clone());
                }
            }
        }
        heard
    }

    async fn received(&self) -> Option<Vec<Value>> {
        let request = self
            .sqs
            .receive_message()
            .queue_url(&self.queue)
            .max_number_of_messages(10)
            .wait_time_seconds(1);
        let messages = request.send().await.unwrap().messages?;
        for message in &messages {
            let receipt = message.receipt_handle().unwrap();
            self.sqs
                .delete_message()
                .queue_url(&self.queue)
                .receipt_handle(receipt)
                .send()
                .await
                .unwrap();
        }
        Some(
            messages
                .iter()
                .map(|message| serde_json::from_str(message.body().unwrap()).unwrap())
                .collect(),
        )
    }
}

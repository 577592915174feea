//! The queue of wake-ups and the quarantine, on SQS, and the number of messages in them.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName};
use uuid::Uuid;

use crate::domain::id::fingerprint;
use crate::domain::wake_up::WakeUp;
use crate::ports::{Cause, Counted, Depths, Quarantine, Unavailable, WakeUps};

/// SQS takes a mebibyte; what is quarantined is for a human, who needs less.
const LONGEST_QUARANTINED: usize = 200_000;

pub struct SqsWakeUps {
    client: Client,
    queue_url: String,
}

pub struct SqsQuarantine {
    client: Client,
    queue_url: String,
}

pub struct SqsDepths {
    client: Client,
    urls: QueueUrls,
}

/// Of the queues that are counted.
#[derive(Debug, Clone)]
pub struct QueueUrls {
    pub wake_ups: String,
    pub dead_letters: String,
    pub quarantine: String,
}

impl SqsDepths {
    pub fn new(config: &aws_config::SdkConfig, urls: QueueUrls) -> Self {
        Self { client: Client::new(config), urls }
    }
}

impl SqsWakeUps {
    pub fn new(config: &aws_config::SdkConfig, queue_url: impl Into<String>) -> Self {
        Self { client: Client::new(config), queue_url: queue_url.into() }
    }
}

impl SqsQuarantine {
    pub fn new(config: &aws_config::SdkConfig, queue_url: impl Into<String>) -> Self {
        Self { client: Client::new(config), queue_url: queue_url.into() }
    }
}

impl WakeUps for SqsWakeUps {
    async fn send(
        &self,
        wake_up: &WakeUp,
        deduplication_id: Option<&str>,
    ) -> Result<(), Unavailable> {
        let body = serde_json::to_string(wake_up)
            .map_err(|error| unavailable("the wake-up queue", error))?;
        let deduplication_id = deduplication_id.map_or_else(unique, accepted);
        let request = self.client.send_message().queue_url(&self.queue_url).message_body(body);
        let request =
            request.message_group_id(wake_up.group()).message_deduplication_id(deduplication_id);
        request.send().await.map_err(|error| unavailable("the wake-up queue", error))?;
        Ok(())
    }
}

impl Quarantine for SqsQuarantine {
    async fn keep(&self, body: &str, reason: &str) -> Result<(), Unavailable> {
        let text = |text: &str| {
            MessageAttributeValue::builder().data_type("String").string_value(text).build()
        };
        let reason = text(reason).map_err(|error| unavailable("the quarantine queue", error))?;
        let request =
            self.client.send_message().queue_url(&self.queue_url).message_body(bounded(body));
        request
            .message_attributes("reason", reason)
            .send()
            .await
            .map_err(|error| unavailable("the quarantine queue", error))?;
        Ok(())
    }
}

impl Depths for SqsDepths {
    async fn depth(&self, queue: Counted) -> Result<u64, Unavailable> {
        let (url, what) = match queue {
            Counted::WakeUps => (&self.urls.wake_ups, "the wake-up queue"),
            Counted::DeadLetters => (&self.urls.dead_letters, "the dead-letter queue"),
            Counted::Quarantine => (&self.urls.quarantine, "the quarantine queue"),
        };
        let counted = QueueAttributeName::ApproximateNumberOfMessages;
        let request =
            self.client.get_queue_attributes().queue_url(url).attribute_names(counted.clone());
        let answer = request.send().await.map_err(|error| unavailable(what, error))?;
        let count = answer.attributes.as_ref().and_then(|attributes| attributes.get(&counted));
        count
            .ok_or_else(|| unavailable(what, "it did not say how much it holds"))?
            .parse()
            .map_err(|error| unavailable(what, error))
    }
}

/// Random: a wake-up of our own must not be dropped as a repetition of an earlier one whose
/// handling failed.
#[expect(
    clippy::disallowed_methods,
    reason = "uniqueness is this adapter's own promise to the queue"
)]
fn unique() -> String {
    Uuid::now_v7().simple().to_string()
}

/// SQS takes 128 letters, digits and punctuation marks; anything else is known by its fingerprint.
fn accepted(id: &str) -> String {
    let plain = !id.is_empty()
        && id.len() <= 128
        && id.chars().all(|character| character.is_ascii_graphic());
    if plain { id.to_string() } else { fingerprint(&[id]).simple().to_string() }
}

/// SQS refuses an empty body, control characters and what is too long.
fn bounded(body: &str) -> String {
    let allowed = |character: &char| {
        matches!(character, '\t' | '\n' | '\r')
            || (*character >= ' ' && !matches!(character, '\u{fffe}' | '\u{ffff}'))
    };
    let mut kept: String = body.chars().filter(allowed).collect();
    let end = (0..=LONGEST_QUARANTINED.min(kept.len()))
        .rev()
        .find(|at| kept.is_char_boundary(*at))
        .unwrap_or(0);
    kept.truncate(end);
    if kept.is_empty() { "(empty)".into() } else { kept }
}

fn unavailable(what: &'static str, cause: impl Into<Cause>) -> Unavailable {
    Unavailable { what, cause: cause.into() }
}

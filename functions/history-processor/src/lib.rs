//! A batch of wake-ups from the queue to the flow `process`, and back as a partial batch response.

use std::collections::BTreeMap;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use email_connectors::domain::audit::plain;
use email_connectors::domain::mailbox_key::MailboxKey;
use email_connectors::domain::metric::{PROVIDER, WAKE_UPS, WAKE_UPS_COALESCED};
use email_connectors::domain::provider::{Provider, provider_of};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::wake_up::{WakeUp, coalesce};
use email_connectors::flows::process::Process;
use email_connectors::panics::caught;
use email_connectors::ports::{Cause, Ports, Quarantine};
use email_connectors::web::causes;
use futures_util::future::join_all;
use tokio::time::timeout;
use tracing::Instrument;

/// One mailbox's wake-ups in this batch, and the ids of their messages, which fail together.
#[derive(Default)]
struct Group {
    wake_ups: Vec<WakeUp>,
    message_ids: Vec<String>,
}

/// Handles a batch. A failed message is reported with all others of its mailbox, so that SQS
/// redelivers the FIFO group in order. An unreadable message is quarantined and not redelivered.
pub async fn handle<P: Ports>(
    process: &Process<P>,
    quarantine: &P::Quarantine,
    event: SqsEvent,
    now: Timestamp,
) -> SqsBatchResponse {
    let mut groups: BTreeMap<MailboxKey, Group> = BTreeMap::new();
    let mut failed = Vec::new();
    for message in event.records {
        let id = message.message_id.clone().unwrap_or_default();
        match read(&message) {
            Ok(wake_up) => {
                let group = groups.entry(wake_up.mailbox.clone()).or_default();
                group.wake_ups.push(wake_up);
                group.message_ids.push(id);
            }
            Err(reason) => {
                if !set_aside(quarantine, &message, &reason).await {
                    failed.push(id);
                }
            }
        }
    }
    let handled = groups.into_values().map(|group| handle_group(process, group, now));
    failed.extend(join_all(handled).await.into_iter().flatten());
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed.into_iter().map(failure).collect();
    response
}

fn failure(id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = id;
    failure
}

/// The reason may quote the body and becomes an attribute, so `plain` drops control characters and
/// bounds its length.
fn read(message: &SqsMessage) -> Result<WakeUp, String> {
    serde_json::from_str(message.body.as_deref().unwrap_or_default())
        .map_err(|error| plain(&error.to_string()))
}

async fn set_aside(quarantine: &impl Quarantine, message: &SqsMessage, reason: &str) -> bool {
    metrics::counter!(WAKE_UPS, "Outcome" => "unreadable").increment(1);
    tracing::warn!(reason, "wake-up quarantined");
    match quarantine.keep(message.body.as_deref().unwrap_or_default(), reason).await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(error = %causes(&error), "an unreadable wake-up could not be quarantined");
            false
        }
    }
}

/// Answers the messages to deliver again.
async fn handle_group<P: Ports>(process: &Process<P>, group: Group, now: Timestamp) -> Vec<String> {
    metrics::counter!(WAKE_UPS_COALESCED).increment(group.wake_ups.len().saturating_sub(1) as u64);
    let Some(wake_up) = coalesce(group.wake_ups) else { return Vec::new() };
    let provider = provider_of(&wake_up.mailbox);
    let (kind, pubsub_message_id) =
        (wake_up.kind.as_str(), wake_up.correlation.pubsub_message_id.as_deref());
    let span =
        tracing::info_span!("wake_up", kind, pubsub_message_id, mailbox_group = wake_up.group());
    // One slow mailbox must not use up the time of the others in the batch.
    let most = process.limits.processor_timeout - process.limits.processor_timeout / 10;
    let Ok(ended) =
        timeout(most, caught(process.run(&wake_up, now)).instrument(span.clone())).await
    else {
        came(provider, "failed");
        tracing::error!(parent: &span, "wake-up took too long, it will come again");
        return group.message_ids;
    };
    match ended.map_err(Cause::from).and_then(|ended| ended.map_err(Cause::from)) {
        Ok(outcomes) if outcomes.is_empty() => {
            came(provider, "unknown_mailbox");
            tracing::info!(parent: &span, "nobody connected this mailbox");
            Vec::new()
        }
        Ok(outcomes) => {
            outcomes.iter().for_each(|outcome| came(provider, outcome.as_str()));
            Vec::new()
        }
        Err(error) => {
            came(provider, "failed");
            tracing::error!(parent: &span, error = %causes(&*error), "wake-up failed, it will come again");
            group.message_ids
        }
    }
}

fn came(provider: Provider, outcome: &'static str) {
    metrics::counter!(WAKE_UPS, "Outcome" => outcome, PROVIDER => provider.as_str()).increment(1);
}

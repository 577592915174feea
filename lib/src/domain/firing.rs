//! A firing: one trigger, one message, decided once, with the very bytes that will be published.

use serde::Serialize;

use crate::domain::connector::{Connector, Provider};
use crate::domain::email_address::EmailAddress;
use crate::domain::history::is_received;
use crate::domain::history_id::HistoryId;
use crate::domain::id::{ConnectorId, EventId, MessageId, OwnerId, TriggerId};
use crate::domain::message::Message;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::{Trigger, TriggerType};
use crate::domain::wake_up::WakeUp;

pub const EVENT_SOURCE: &str = "email.connectors";
pub const TRIGGER_FIRED: &str = "TRIGGER_FIRED";
const SCHEMA_VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firing {
    pub event_id: EventId,
    pub trigger_id: TriggerId,
    pub message_id: MessageId,
    pub decided_at: Timestamp,
    /// The event's detail. A republication sends these bytes, not a fresh rendering.
    pub detail: String,
}

/// The detail of `TRIGGER_FIRED`.
#[derive(Debug, Serialize)]
struct TriggerFired<'a> {
    schema_version: u32,
    event_id: &'a EventId,
    fired_at: Timestamp,
    owner_id: &'a OwnerId,
    trigger: FiredTrigger<'a>,
    connector: FiredConnector<'a>,
    message: &'a Message,
    correlation: FiredCorrelation<'a>,
}

#[derive(Debug, Serialize)]
struct FiredTrigger<'a> {
    id: &'a TriggerId,
    #[serde(rename = "type")]
    kind: TriggerType,
    agent_id: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct FiredConnector<'a> {
    id: &'a ConnectorId,
    provider: Provider,
    email_address: &'a EmailAddress,
}

#[derive(Debug, Serialize)]
struct FiredCorrelation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pubsub_message_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history_id: Option<HistoryId>,
}

/// Every event id that these messages and triggers could have: what the ledger is asked about.
pub fn possible(connector: &Connector, triggers: &[Trigger], messages: &[MessageId]) -> Vec<EventId> {
    let of = |message| triggers.iter().map(move |trigger| EventId::derive(&connector.google_sub, message, &trigger.id));
    messages.iter().flat_map(of).collect()
}

/// Which of the triggers fire for this message. Mail from before the trigger, or from before the account was connected,
/// is nobody's news.
pub fn decide(connector: &Connector, triggers: &[Trigger], message: &Message, wake_up: &WakeUp, now: Timestamp) -> Vec<Firing> {
    // Gmail's internalDate may be cut to whole seconds, so moments compare by the second.
    let arrived_by = |moment: Timestamp| message.timestamp.seconds() < moment.seconds();
    if !is_received(&message.label_ids) || arrived_by(connector.connected_at) {
        return Vec::new();
    }
    let fires = |trigger: &&Trigger| !arrived_by(trigger.created_at) && trigger.config.filters.matches(message);
    triggers.iter().filter(fires).map(|trigger| fire(connector, trigger, message, wake_up, now)).collect()
}

fn fire(connector: &Connector, trigger: &Trigger, message: &Message, wake_up: &WakeUp, now: Timestamp) -> Firing {
    let event_id = EventId::derive(&connector.google_sub, &message.id, &trigger.id);
    let message = &message.bounded();
    let detail = TriggerFired {
        schema_version: SCHEMA_VERSION,
        event_id: &event_id,
        fired_at: now,
        owner_id: &connector.owner_id,
        trigger: FiredTrigger { id: &trigger.id, kind: trigger.kind, agent_id: trigger.agent_id.as_deref() },
        connector: FiredConnector { id: &connector.id, provider: connector.provider, email_address: &connector.email_address },
        message,
        correlation: FiredCorrelation {
            pubsub_message_id: wake_up.correlation.pubsub_message_id.as_deref(),
            history_id: wake_up.history_id,
        },
    };
    // Strings, numbers and lists of them: rendering them cannot fail.
    let detail = serde_json::to_string(&detail).unwrap_or_default();
    Firing { trigger_id: trigger.id.clone(), message_id: message.id.clone(), decided_at: now, detail, event_id }
}

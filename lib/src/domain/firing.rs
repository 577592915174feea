//! A firing: one trigger, one message, decided once.

use serde::Serialize;

use crate::domain::connector::{Connector, Provider};
use crate::domain::email_address::EmailAddress;
use crate::domain::event::{DetailType, Event, SCHEMA_VERSION};
use crate::domain::id::{ConnectorId, EventId, MessageIdentity, OwnerId, TriggerId};
use crate::domain::mark::Mark;
use crate::domain::message::{Bounds, Message};
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::{Trigger, TriggerType};
use crate::domain::wake_up::WakeUp;
use crate::domain::why_not_fired::{of_date, reasons_not_to_fire};

/// In bytes. No sender may make mail that is matched and can then be neither stored nor published:
/// 98 such firings fit into one DynamoDB transaction (4 MB), and one into EventBridge many times
/// over.
pub const LONGEST_DETAIL: usize = 32 * 1024;
/// The first bounds of a message in an event; they are halved while the event is too long.
const BOUNDS: Bounds = Bounds { entries: 50, text: 2000 };

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
    history_id: Option<Mark>,
}

/// Every event id that these messages and triggers could have; the ledger is queried for them.
pub fn possible<'m>(
    connector: &Connector,
    triggers: &[Trigger],
    messages: impl IntoIterator<Item = &'m MessageIdentity>,
) -> Vec<EventId> {
    let of = |message: &'m MessageIdentity| {
        triggers
            .iter()
            .map(move |trigger| EventId::derive(&connector.account, message, &trigger.id))
    };
    messages.into_iter().flat_map(of).collect()
}

/// The events of the triggers that fire for this message: those for which `why_not_fired.rs` has no
/// reason.
pub fn decide(
    connector: &Connector,
    triggers: &[Trigger],
    message: &Message,
    arrived: bool,
    wake_up: &WakeUp,
    now: Timestamp,
) -> Vec<Event> {
    let fires = |trigger: &&Trigger| {
        reasons_not_to_fire(connector, trigger, message, arrived, now).next().is_none()
    };
    triggers
        .iter()
        .filter(fires)
        .map(|trigger| fire(connector, trigger, message, wake_up, now))
        .collect()
}

/// Whether its date alone keeps a message from ever firing.
pub fn can_never_fire(
    connector: &Connector,
    triggers: &[Trigger],
    message: &Message,
    arrived: bool,
    now: Timestamp,
) -> bool {
    triggers
        .iter()
        .all(|trigger| of_date(connector, trigger, message, arrived, now).next().is_some())
}

fn fire(
    connector: &Connector,
    trigger: &Trigger,
    message: &Message,
    wake_up: &WakeUp,
    now: Timestamp,
) -> Event {
    let event_id = EventId::derive(&connector.account, &message.identity, &trigger.id);
    let mut bounds = BOUNDS;
    // A message that is too long is shortened further until it fits.
    let detail = loop {
        let detail = render(connector, trigger, &event_id, &message.bounded(bounds), wake_up, now);
        if detail.len() <= LONGEST_DETAIL || bounds.text == 0 {
            break detail;
        }
        bounds = bounds.half();
    };
    let (trigger_id, message_id) = (Some(trigger.id.clone()), Some(message.id.clone()));
    Event {
        event_id,
        detail_type: DetailType::TriggerFired,
        trigger_id,
        message_id,
        decided_at: now,
        detail,
    }
}

fn render(
    connector: &Connector,
    trigger: &Trigger,
    event_id: &EventId,
    message: &Message,
    wake_up: &WakeUp,
    now: Timestamp,
) -> String {
    let fired = TriggerFired {
        schema_version: SCHEMA_VERSION,
        event_id,
        fired_at: now,
        owner_id: &connector.owner_id,
        trigger: FiredTrigger {
            id: &trigger.id,
            kind: trigger.kind,
            agent_id: trigger.agent_id.as_deref(),
        },
        connector: FiredConnector {
            id: &connector.id,
            provider: connector.provider,
            email_address: &connector.email_address,
        },
        message,
        correlation: FiredCorrelation {
            pubsub_message_id: wake_up.correlation.pubsub_message_id.as_deref(),
            history_id: wake_up.mark,
        },
    };
    // Strings, numbers and lists of them: rendering them cannot fail.
    serde_json::to_string(&fired).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    use crate::domain::id::MessageId;
    use crate::domain::message::ProviderMessage;

    use crate::domain::trigger::{Filters, TriggerConfig};
    use crate::domain::wake_up::Kind;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn fired(headers: &[(&str, &str)]) -> (Message, Value, usize) {
        let connector = Connector::sample(NOW);
        let trigger = Trigger {
            id: TriggerId::new("trg_1"),
            owner_id: connector.owner_id.clone(),
            kind: TriggerType::Email,
            agent_id: Some("a".repeat(200)),
            config: TriggerConfig {
                connector_id: connector.id.clone(),
                filters: Filters::default(),
            },
            created_at: NOW,
            updated_at: NOW,
        };
        let message = ProviderMessage {
            id: MessageId::new("m"),
            identity: None,
            thread_id: "t".into(),
            label_ids: vec![],
            history_id: None,
            received_at: NOW,
            snippet: String::new(),
            size_estimate: 0,
            has_attachments: false,
            attachments_unknown: false,
            bounce: None,
            headers: headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
        }
        .normalize();
        let wake_up = WakeUp::own(Kind::Sync, connector.email_address.clone(), NOW);
        let [firing] =
            decide(&connector, &[trigger], &message, true, &wake_up, NOW).try_into().unwrap();
        (message, serde_json::from_str(&firing.detail).unwrap(), firing.detail.len())
    }

    #[test]
    fn whatever_is_sent_the_event_stays_short() {
        // An encoded word may hold control characters, each of which JSON writes as six bytes.
        let name = format!("=?utf-8?q?{}?=", "=01".repeat(300));
        let everyone = vec![format!("{name} <{}@example.com>", "a".repeat(300)); 400].join(", ");
        let long = "\"".repeat(100_000);
        let headers = [
            ("From", everyone.as_str()),
            ("To", &everyone),
            ("Cc", &everyone),
            ("Reply-To", &everyone),
            ("Subject", &long),
            ("References", &long),
        ];
        let (_, detail, length) = fired(&headers);
        assert!(length <= LONGEST_DETAIL, "{length}");
        assert_eq!(detail["message"]["id"], "m");
    }

    #[test]
    fn an_ordinary_message_is_published_whole() {
        let (message, detail, _) = fired(&[
            ("From", "Bo <bo@example.com>"),
            ("To", "ada@example.com, bo@example.com"),
            ("Subject", "Hello"),
        ]);
        assert_eq!(detail["message"], serde_json::to_value(message).unwrap());
    }
}

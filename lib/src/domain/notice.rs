//! The events about a connector itself, beside `TRIGGER_FIRED`; each id is derived from its
//! occasion, so that it is published once.

use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::connector::{Connector, Provider};
use crate::domain::email_address::EmailAddress;
use crate::domain::event::{DetailType, Event, SCHEMA_VERSION};
use crate::domain::gap::Gap;
use crate::domain::id::{ConnectorId, EventId, MessageId, OwnerId};
use crate::domain::timestamp::Timestamp;

#[derive(Serialize)]
struct Notice<'a> {
    schema_version: u32,
    event_id: &'a EventId,
    occurred_at: Timestamp,
    owner_id: &'a OwnerId,
    connector: NoticeConnector<'a>,
    #[serde(flatten)]
    about: Value,
}

#[derive(Serialize)]
struct NoticeConnector<'a> {
    id: &'a ConnectorId,
    provider: Provider,
    email_address: &'a EmailAddress,
}

/// `occasion` identifies what happened: to report it again yields the same event id.
fn notice(
    connector: &Connector,
    detail_type: DetailType,
    occasion: &str,
    about: Value,
    now: Timestamp,
) -> Event {
    let event_id = EventId::of_notice(&connector.id, detail_type.as_str(), occasion);
    let notice = Notice {
        schema_version: SCHEMA_VERSION,
        event_id: &event_id,
        occurred_at: now,
        owner_id: &connector.owner_id,
        connector: NoticeConnector {
            id: &connector.id,
            provider: connector.provider,
            email_address: &connector.email_address,
        },
        about,
    };
    // Strings, numbers and maps of them: rendering them cannot fail.
    let detail = serde_json::to_string(&notice).unwrap_or_default();
    Event { event_id, detail_type, trigger_id: None, message_id: None, decided_at: now, detail }
}

/// Once for each connector.
pub fn connected(connector: &Connector, now: Timestamp) -> Event {
    notice(
        connector,
        DetailType::ConnectorConnected,
        "",
        json!({ "granted_scopes": connector.grant.scopes }),
        now,
    )
}

/// Once for each connector.
pub fn disconnected(connector: &Connector, now: Timestamp) -> Event {
    notice(connector, DetailType::ConnectorDisconnected, "", json!({}), now)
}

pub fn id_of_disconnected(connector: &ConnectorId) -> EventId {
    EventId::of_notice(connector, DetailType::ConnectorDisconnected.as_str(), "")
}

/// Once for each connect whose grant ends.
pub fn needs_reauth(connector: &Connector, reason: &str, now: Timestamp) -> Event {
    let generation = connector.grant.generation.to_string();
    notice(
        connector,
        DetailType::ConnectorNeedsReauth,
        &generation,
        json!({ "reason": reason }),
        now,
    )
}

/// Once for each reconnect of a connector that needed it.
pub fn recovered(connector: &Connector, now: Timestamp) -> Event {
    notice(
        connector,
        DetailType::ConnectorRecovered,
        &connector.grant.generation.to_string(),
        json!({}),
        now,
    )
}

/// Once for each watch that ends before it was renewed.
pub fn watch_lapsed(connector: &Connector, lapsed_at: Timestamp, now: Timestamp) -> Event {
    let reason = connector.watch.failure.as_ref().map(|failure| &failure.reason);
    let about = json!({ "lapsed_at": lapsed_at, "reason": reason });
    notice(connector, DetailType::WatchLapsed, &lapsed_at.to_string(), about, now)
}

/// Once for each gap. Names what a replay by date cannot bring back.
pub fn gap_recovered(connector: &Connector, gap: &Gap, now: Timestamp) -> Event {
    let about = json!({
        "after": gap.since,
        "before": gap.pinned_at,
        "messages": gap.messages,
        "fired": gap.fired,
        "not_recovered": ["labels added in this time to mail from before it", "mail imported in this time under an older date"],
    });
    // A quiet mailbox may be pinned at the same id twice.
    notice(
        connector,
        DetailType::HistoryGapRecovered,
        &format!("{}@{}", gap.pinned, gap.pinned_at),
        about,
        now,
    )
}

/// Once for each time that a message is parked.
pub fn message_parked(
    connector: &Connector,
    message: &MessageId,
    reason: &str,
    now: Timestamp,
) -> Event {
    let about = json!({ "message": { "id": message }, "reason": reason });
    let occasion = format!("{message}@{now}");
    Event {
        message_id: Some(message.clone()),
        ..notice(connector, DetailType::MessageParked, &occasion, about, now)
    }
}

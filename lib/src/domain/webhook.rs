//! A `webhook` trigger: who may fire it, and the event that a payload becomes.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::domain::connector::Connector;
use crate::domain::event::{DetailType, Event, SCHEMA_VERSION};
use crate::domain::id::{EventId, fingerprint};
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::Trigger;

/// How far a signature's timestamp may be from now, either way.
pub const TOLERANCE: Duration = Duration::from_secs(300);
/// How long a secret stays valid after it was replaced.
pub const PREVIOUS_SECRET_LIFE: Duration = Duration::from_secs(24 * 3600);
/// A payload becomes part of an event twice: parsed and raw.
pub const LONGEST_PAYLOAD: usize = 16 * 1024;
/// Numbers may be rendered longer than they were sent. A page of an export has room for a hundred
/// of these in one answer.
const LONGEST_DETAIL: usize = 48 * 1024;
const LONGEST_NAME: usize = 200;

/// What a sender proves itself with: `X-Signature: t=<seconds>,v1=<hex of HMAC-SHA256 over
/// "<seconds>.<body>">`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub at: Timestamp,
    seconds: i64,
    pub mac: Vec<u8>,
}

impl Signature {
    /// `None` if it has another form.
    pub fn parse(header: &str) -> Option<Self> {
        let (at, mac) = header.split_once(',')?;
        let seconds: i64 = at
            .strip_prefix("t=")
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?
            .parse()
            .ok()?;
        let hex = mac
            .strip_prefix("v1=")
            .filter(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        let bytes = (0..32).map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok());
        Some(Self {
            at: Timestamp::from_seconds(seconds),
            seconds,
            mac: bytes.collect::<Option<_>>()?,
        })
    }

    /// What was signed.
    pub fn over(&self, body: &[u8]) -> Vec<u8> {
        [format!("{}.", self.seconds).as_bytes(), body].concat()
    }

    /// The same for all spellings of one signature.
    pub fn identity(&self) -> String {
        let mac: String = self.mac.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}.{mac}", self.seconds)
    }

    pub fn is_timely(&self, now: Timestamp) -> bool {
        self.at.after(TOLERANCE) > now && self.at < now.after(TOLERANCE)
    }
}

/// The normalized form of a payload.
#[derive(Debug, Serialize)]
struct Payload<'a> {
    connector_type: &'static str,
    event_type: &'a str,
    resource_type: Option<&'a str>,
    resource_id: Option<&'a str>,
    timestamp: Timestamp,
    data: &'a Value,
    raw_payload: &'a str,
}

#[derive(Debug, Serialize)]
struct TriggerFired<'a> {
    schema_version: u32,
    event_id: &'a EventId,
    fired_at: Timestamp,
    owner_id: &'a str,
    trigger: Value,
    connector: Value,
    event: Payload<'a>,
    correlation: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnusablePayload {
    #[error("must be a JSON object of at most {LONGEST_PAYLOAD} bytes")]
    NoObject,
    #[error("becomes too long an event; send less")]
    TooLong,
}

/// The event; its id is derived from the delivery, so that a repeated delivery is the same event.
pub fn fired(
    connector: &Connector,
    trigger: &Trigger,
    delivery: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<Event, UnusablePayload> {
    let text = std::str::from_utf8(body)
        .ok()
        .filter(|text| text.len() <= LONGEST_PAYLOAD)
        .ok_or(UnusablePayload::NoObject)?;
    let json: Value = serde_json::from_str(text).map_err(|_| UnusablePayload::NoObject)?;
    if !json.is_object() {
        return Err(UnusablePayload::NoObject);
    }
    let event_id = EventId::new(format!(
        "evt_{}",
        fingerprint(&["webhook", trigger.id.as_str(), delivery]).simple()
    ));
    let named = |name: &str| {
        json.get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty() && text.len() <= LONGEST_NAME)
    };
    let content = TriggerFired {
        schema_version: SCHEMA_VERSION,
        event_id: &event_id,
        fired_at: now,
        owner_id: connector.owner_id.as_str(),
        trigger: serde_json::json!({"id": trigger.id, "type": trigger.kind, "agent_id": trigger.agent_id}),
        connector: serde_json::json!({"id": connector.id, "provider": connector.provider, "email_address": connector.email_address}),
        event: Payload {
            connector_type: "webhook",
            event_type: named("event_type").unwrap_or("custom"),
            resource_type: named("resource_type"),
            resource_id: named("resource_id"),
            timestamp: now,
            data: json.get("data").unwrap_or(&json),
            raw_payload: text,
        },
        correlation: serde_json::json!({}),
    };
    // Strings, numbers and what came as JSON: rendering them cannot fail.
    let detail = serde_json::to_string(&content).unwrap_or_default();
    if detail.len() > LONGEST_DETAIL {
        return Err(UnusablePayload::TooLong);
    }
    let trigger_id = Some(trigger.id.clone());
    Ok(Event {
        event_id,
        detail_type: DetailType::TriggerFired,
        trigger_id,
        message_id: None,
        decided_at: now,
        detail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_has_one_form() {
        let mac = "0f".repeat(32);
        let signature = Signature::parse(&format!("t=1000,v1={mac}")).unwrap();
        assert_eq!(
            (signature.at, signature.mac.as_slice()),
            (Timestamp::from_seconds(1000), [15; 32].as_slice())
        );
        assert_eq!(signature.over(b"{}"), b"1000.{}");
        assert_eq!(
            Signature::parse(&format!("t=01000,v1={}", mac.to_uppercase())).unwrap().identity(),
            signature.identity()
        );
        for other in [
            String::new(),
            "t=1000".into(),
            format!("v1={mac},t=1000"),
            format!("t=+1000,v1={mac}"),
            format!("t=-1,v1={mac}"),
            format!("t=99999999999999999999,v1={mac}"),
            format!("t=1000,v1={mac}0"),
            format!("t=1000,v1={}é", &mac[2..]),
            format!("t=1000,v1={}zz", &mac[2..]),
            format!("t=1000,v1={}+f", &mac[2..]),
        ] {
            assert_eq!(Signature::parse(&other), None, "{other}");
        }
    }

    #[test]
    fn a_signature_is_good_for_five_minutes() {
        let signature = Signature { at: Timestamp::from_seconds(1000), seconds: 1000, mac: vec![] };
        for (now, timely) in [(700, false), (701, true), (1000, true), (1299, true), (1300, false)]
        {
            assert_eq!(signature.is_timely(Timestamp::from_seconds(now)), timely, "{now}");
        }
    }
}

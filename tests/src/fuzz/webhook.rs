//! The request that fires a `webhook` trigger. The first line is the signature's header; the rest
//! is the body.

use email_connectors::domain::webhook::{LONGEST_PAYLOAD, Signature, fired};
use serde_json::Value;

use super::plain::{self, NOW};
use crate::contract::cast::Cast;

/// The payload stands in the detail twice, and numbers may be written longer than they came; the
/// bus takes as much.
const LONGEST_DETAIL: usize = 8 * LONGEST_PAYLOAD;

pub fn webhook(data: &[u8]) {
    let (header, body) = plain::line(data);
    if let Some(signature) = Signature::parse(&header) {
        check_signature(&header, &signature, body);
    }
    check_event(body);
}

fn check_signature(header: &str, signature: &Signature, body: &[u8]) {
    let (seconds, mac) = header
        .strip_prefix("t=")
        .and_then(|rest| rest.split_once(",v1="))
        .expect("a signature has one form");
    assert!(seconds.bytes().all(|byte| byte.is_ascii_digit()), "{header}");
    assert!(mac.len() == 64 && mac.bytes().all(|byte| byte.is_ascii_hexdigit()), "{header}");
    let identity = signature.identity();
    let (at, hex) = identity.split_once('.').expect("an identity has two parts");
    assert_eq!(Signature::parse(&format!("t={at},v1={hex}")).as_ref(), Some(signature));
    assert_eq!(
        (at, hex),
        (
            plain::digits(&Value::from(seconds)).unwrap_or_default().as_str(),
            mac.to_ascii_lowercase().as_str()
        )
    );
    assert_eq!(signature.over(body), [at.as_bytes(), b".", body].concat());
    let off = (i128::from(signature.at.millis()) - i128::from(NOW.millis())).abs();
    assert_eq!(signature.is_timely(NOW), off < 300_000, "{header}");
}

fn check_event(body: &[u8]) {
    let cast = Cast::new("fuzz", "webhook");
    let connector = cast.connector(1);
    let trigger = cast.trigger(&connector, 1);
    let event = fired(&connector, &trigger, "delivery", body, NOW);
    let json = plain::json(body).filter(Value::is_object).filter(|_| body.len() <= LONGEST_PAYLOAD);
    assert_eq!(event.is_ok(), json.is_some());
    let (Ok(event), Some(json)) = (event, json) else { return };
    assert!(event.detail.len() <= LONGEST_DETAIL, "{} bytes", event.detail.len());
    let detail: Value = serde_json::from_str(&event.detail).expect("a detail is JSON");
    assert_eq!(detail["event"]["raw_payload"].as_str().map(str::as_bytes), Some(body));
    // Reading rounds a number with many digits, and does so at each reading.
    let data: Value = serde_json::from_str(&json.get("data").unwrap_or(&json).to_string())
        .expect("what was read is JSON");
    assert_eq!(detail["event"]["data"], data);
    assert_eq!(detail["trigger"]["id"], trigger.id.as_str());
    assert!(
        detail["event"]["event_type"].as_str().is_some_and(|text| (1..=200).contains(&text.len()))
    );
    let again = fired(&connector, &trigger, "delivery", body, NOW).map(|event| event.event_id);
    assert_eq!(again.ok(), Some(event.event_id));
}

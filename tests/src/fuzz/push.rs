//! A push's body: how deep it is nested, the envelope, and the notification in it.

use base64::Engine;
use base64::prelude::{
    BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD,
};
use email_connectors::domain::body::depth;
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::provider::gmail::push::{Envelope, Notification};
use email_connectors::domain::wake_up::WakeUp;
use serde_json::{Value, json};

use super::plain::{self, NOW};

pub fn push(data: &[u8]) {
    let value = plain::json(data);
    if let Some(value) = &value {
        assert!(
            nesting(value) <= depth(data),
            "nested {} deep, and counted as {}",
            nesting(value),
            depth(data)
        );
    }
    if let Ok(legacy) = serde_json::from_slice::<Notification>(data) {
        check_address(&legacy.email_address);
    }
    let Ok(envelope) = Envelope::parse(data) else { return };
    let id = envelope.message.id().map(String::from);
    assert!(!matches!(&id, Ok(id) if id.is_empty()));
    let Ok(notification) = envelope.message.notification() else { return };
    check_address(&notification.email_address);
    if let Some(data) = value.as_ref().and_then(|value| value["message"]["data"].as_str()) {
        check_against(data, &notification);
    }
    check_spellings(&notification);
    let published_at =
        envelope.message.published_at().map_or(NOW, |published_at| published_at.min(NOW));
    let wake_up =
        WakeUp::push(notification.email_address, notification.history_id, id.ok(), published_at);
    let sent = serde_json::to_string(&wake_up).expect("a wake-up is JSON");
    assert_eq!(
        serde_json::from_str::<WakeUp>(&sent).ok(),
        Some(wake_up),
        "what is queued cannot be read: {sent}"
    );
}

fn nesting(value: &Value) -> usize {
    match value {
        Value::Array(several) => 1 + several.iter().map(nesting).max().unwrap_or(0),
        Value::Object(named) => 1 + named.values().map(nesting).max().unwrap_or(0),
        _ => 0,
    }
}

fn check_address(address: &EmailAddress) {
    let text = address.as_str();
    assert_eq!(EmailAddress::parse(text).as_ref(), Ok(address), "a spelling that is not the one");
    assert!(
        text.len() <= 254
            && text.matches('@').count() == 1
            && !text.contains(char::is_whitespace)
            && !plain::has_control(text),
        "{text}"
    );
}

/// Compares the notification with the same JSON read without a schema.
fn check_against(data: &str, notification: &Notification) {
    let decoded = plain::base64(data).expect("what is not base64 is no notification");
    // Serde also reads an array of the two fields, which has no names to compare by.
    let Some(json) = plain::json(&decoded).filter(Value::is_object) else { return };
    let address = json["emailAddress"].as_str().map(|address| address.trim().to_lowercase());
    assert_eq!(address.as_deref(), Some(notification.email_address.as_str()));
    assert_eq!(
        plain::digits(&json["historyId"]),
        Some(notification.history_id.to_string()),
        "{}",
        json["historyId"]
    );
}

fn check_spellings(notification: &Notification) {
    let (address, history_id) = (notification.email_address.as_str(), notification.history_id);
    for id in [json!(history_id.value()), json!(history_id.to_string())] {
        let notice = json!({"emailAddress": address, "historyId": id}).to_string();
        for data in [
            BASE64_STANDARD.encode(&notice),
            BASE64_STANDARD_NO_PAD.encode(&notice),
            BASE64_URL_SAFE.encode(&notice),
            BASE64_URL_SAFE_NO_PAD.encode(&notice),
        ] {
            let body = json!({"message": {"data": data, "messageId": "1"}, "subscription": "s"})
                .to_string();
            let again = Envelope::parse(body.as_bytes())
                .and_then(|envelope| envelope.message.notification());
            assert_eq!(again.as_ref(), Ok(notification), "{body}");
        }
    }
}

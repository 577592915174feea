//! What Pub/Sub pushes: an envelope around Gmail's notification.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use crate::domain::audit::plain;
use crate::domain::body::{DEEPEST_BODY, LONGEST_BODY, is_too_deep};
use crate::domain::email_address::EmailAddress;
use crate::domain::mark::Mark;
use crate::domain::timestamp::Timestamp;

/// In bytes, of an unreadable push.
const LONGEST_KEPT: usize = 64 * 1024;

/// A wrapped push (<https://cloud.google.com/pubsub/docs/push>). Pub/Sub sends each name in two
/// spellings; either will do.
#[derive(Debug, Deserialize)]
pub struct Envelope {
    pub message: PubsubMessage,
    pub subscription: String,
    /// Present for a subscription with a dead-letter topic; only informative, so any value is
    /// accepted.
    #[serde(default, rename = "deliveryAttempt")]
    delivery_attempt: serde_json::Value,
}

#[derive(Debug, Deserialize)]
pub struct PubsubMessage {
    data: Option<String>,
    #[serde(rename = "messageId")]
    message_id: Option<String>,
    #[serde(rename = "message_id")]
    message_id_snake: Option<String>,
    #[serde(rename = "publishTime")]
    publish_time: Option<String>,
}

/// Gmail's notification: something changed in this mailbox, up to about here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    pub email_address: EmailAddress,
    pub history_id: Mark,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("the body is {0} bytes long, of {LONGEST_BODY} that are read")]
    TooLong(usize),
    #[error("the body is nested deeper than {DEEPEST_BODY}")]
    TooDeep,
    #[error("the body is not a Pub/Sub push: {0}")]
    NotAnEnvelope(String),
    #[error("message.messageId is missing or empty")]
    NoMessageId,
    #[error("message.data is missing")]
    NoData,
    #[error("message.data is not base64")]
    NotBase64,
    #[error("message.data is not a Gmail notification: {0}")]
    NotANotification(String),
}

impl Envelope {
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        if body.len() > LONGEST_BODY {
            return Err(Malformed::TooLong(body.len()));
        }
        if is_too_deep(body) {
            return Err(Malformed::TooDeep);
        }
        serde_json::from_slice(body)
            .map_err(|error| Malformed::NotAnEnvelope(plain(&error.to_string())))
    }

    /// Whether Pub/Sub says that it delivered this before.
    pub fn is_repeated(&self) -> bool {
        self.delivery_attempt.as_u64().is_some_and(|attempt| attempt > 1)
    }
}

impl PubsubMessage {
    pub fn id(&self) -> Result<&str, Malformed> {
        let id = self.message_id.as_deref().or(self.message_id_snake.as_deref());
        id.filter(|id| !id.is_empty()).ok_or(Malformed::NoMessageId)
    }

    /// When Pub/Sub took it from Gmail, if that can be read.
    pub fn published_at(&self) -> Option<Timestamp> {
        Timestamp::parse(self.publish_time.as_deref()?)
    }

    pub fn notification(&self) -> Result<Notification, Malformed> {
        let json = decode(self.data.as_deref().ok_or(Malformed::NoData)?)?;
        serde_json::from_slice(&json)
            .map_err(|error| Malformed::NotANotification(plain(&error.to_string())))
    }
}

/// What of an unreadable push is kept for a human: its beginning, if it is long. A push of Gmail's
/// is a few hundred bytes.
pub fn kept(body: &[u8]) -> String {
    match body.split_at_checked(LONGEST_KEPT) {
        Some((beginning, rest)) if !rest.is_empty() => {
            let (beginning, all) = (String::from_utf8_lossy(beginning), body.len());
            format!("{beginning}\n(cut off: the first {LONGEST_KEPT} bytes of {all})")
        }
        _ => String::from_utf8_lossy(body).into_owned(),
    }
}

/// Gmail's guide says base64url, Pub/Sub's reference base64: both alphabets, padded or not.
fn decode(data: &str) -> Result<Vec<u8>, Malformed> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);
    STANDARD.decode(data).or_else(|_| URL_SAFE.decode(data)).map_err(|_| Malformed::NotBase64)
}

#[cfg(test)]
mod tests {
    use base64::prelude::{
        BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD,
    };

    use super::*;

    fn push(data: &str) -> Vec<u8> {
        serde_json::json!({"message": {"data": data, "messageId": "7"}, "subscription": "s"})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn reads_every_spelling_of_a_notification() {
        // The `>` and `?` make the two alphabets differ.
        let numbers = [
            r#"{"emailAddress":"a>>?~@b.c","historyId":18446744073709551615}"#,
            r#"{"emailAddress":"a>>?~@b.c","historyId":"18446744073709551615"}"#,
        ];
        for json in numbers {
            for data in [
                BASE64_STANDARD.encode(json),
                BASE64_STANDARD_NO_PAD.encode(json),
                BASE64_URL_SAFE.encode(json),
                BASE64_URL_SAFE_NO_PAD.encode(json),
            ] {
                let envelope = Envelope::parse(&push(&data)).unwrap();
                assert_eq!(
                    envelope.message.notification().unwrap().history_id,
                    Mark::new(u64::MAX),
                    "{data}"
                );
            }
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_malformed_push() {
        assert!(matches!(Envelope::parse(b"no json"), Err(Malformed::NotAnEnvelope(_))));
        assert!(matches!(Envelope::parse(b"{}"), Err(Malformed::NotAnEnvelope(_))));
        let table = [
            ("%%%", Malformed::NotBase64),
            (
                &BASE64_STANDARD.encode("{}"),
                Malformed::NotANotification(
                    "missing field `emailAddress` at line 1 column 2".into(),
                ),
            ),
        ];
        for (data, expected) in table {
            assert_eq!(Envelope::parse(&push(data)).unwrap().message.notification(), Err(expected));
        }
        for id in ["-1", "1.5", "\"\"", "18446744073709551616"] {
            let data =
                BASE64_STANDARD.encode(format!(r#"{{"emailAddress":"a@b.c","historyId":{id}}}"#));
            let refused = Envelope::parse(&push(&data)).unwrap().message.notification();
            assert!(matches!(refused, Err(Malformed::NotANotification(_))), "{id}");
        }
        let unnamed =
            Envelope::parse(br#"{"message":{"messageId":""},"subscription":"s"}"#).unwrap();
        assert_eq!(unnamed.message.id(), Err(Malformed::NoMessageId));
        assert_eq!(unnamed.message.notification(), Err(Malformed::NoData));
    }

    #[test]
    fn what_is_too_long_or_too_deep_is_not_parsed() {
        let good = String::from_utf8(push("")).unwrap();
        let long = good + &" ".repeat(LONGEST_BODY);
        assert_eq!(Envelope::parse(long.as_bytes()).err(), Some(Malformed::TooLong(long.len())));
        let nested = format!(
            r#"{{"deep":{}{},"message":{{"messageId":"7"}},"subscription":"s"}}"#,
            "[".repeat(DEEPEST_BODY),
            "]".repeat(DEEPEST_BODY)
        );
        assert_eq!(Envelope::parse(nested.as_bytes()).err(), Some(Malformed::TooDeep));
    }

    #[test]
    fn of_a_long_push_the_beginning_is_kept_and_it_says_so() {
        assert_eq!(kept(b"a\xffb"), "a\u{fffd}b");
        let just = "a".repeat(LONGEST_KEPT);
        assert_eq!(kept(just.as_bytes()), just);
        let cut = kept(format!("{just}b").as_bytes());
        assert_eq!(cut, format!("{just}\n(cut off: the first 65536 bytes of 65537)"));
    }
}

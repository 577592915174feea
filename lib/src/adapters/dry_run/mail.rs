//! Mail as RFC 5322 that is sent nowhere.

use mail_parser::{Message, MessageParser};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::domain::id::fingerprint;
use crate::domain::timestamp::Timestamp;

/// The mail with a sender, a date and an id where they are missing; `None` if it cannot be read.
pub fn completed(raw: Vec<u8>, own: &str, now: Timestamp) -> Option<Vec<u8>> {
    let missing = missing_headers(&MessageParser::default().parse(&raw)?, &raw, own, now);
    Some([missing.into_bytes(), raw].concat())
}

fn missing_headers(message: &Message<'_>, raw: &[u8], own: &str, now: Timestamp) -> String {
    let mut missing = String::new();
    if message.from().is_none() {
        missing += &format!("From: {own}\r\n");
    }
    if message.date().is_none()
        && let Some(date) = OffsetDateTime::from_unix_timestamp(now.seconds())
            .ok()
            .and_then(|date| date.format(&Rfc2822).ok())
    {
        missing += &format!("Date: {date}\r\n");
    }
    if message.message_id().is_none() {
        let content = String::from_utf8_lossy(raw);
        missing += &format!(
            "Message-ID: <{}@dry-run.invalid>\r\n",
            fingerprint(&["mail", &now.to_string(), &content]).simple()
        );
    }
    missing
}

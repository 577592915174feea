//! The unified message: one shape for every provider's mail.

use mail_parser::{HeaderValue, MessageParser};
use serde::Serialize;

use crate::domain::history_id::HistoryId;
use crate::domain::id::MessageId;
use crate::domain::mail::{Attachment, Body, Part, encoded_word};
use crate::domain::timestamp::Timestamp;

/// A message as events and the API tell it. A header that the mail lacks is absent, not empty.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    pub id: MessageId,
    pub thread_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Address>,
    pub to: Vec<Address>,
    pub cc: Vec<Address>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bcc: Vec<Address>,
    pub reply_to: Vec<Address>,
    /// When the provider received it (Gmail's internalDate), not what its Date header claims.
    pub timestamp: Timestamp,
    pub snippet: String,
    /// Where the whole message was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    pub label_ids: Vec<String>,
    pub has_attachments: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachments: Option<Vec<Attachment>>,
    pub headers: ThreadingHeaders,
    pub metadata: Metadata,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Address {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub address: String,
}

/// What a reply needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ThreadingHeaders {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub references: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_id: Option<HistoryId>,
    /// In bytes.
    pub size_estimate: u64,
}

/// A message as the provider gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderMessage {
    pub id: MessageId,
    pub thread_id: String,
    pub label_ids: Vec<String>,
    pub history_id: Option<HistoryId>,
    pub received_at: Timestamp,
    pub snippet: String,
    pub size_estimate: u64,
    pub has_attachments: bool,
    /// Names in any letter case, in the order of the mail.
    pub headers: Vec<(String, String)>,
}

impl ProviderMessage {
    /// With its bodies and attachments, and whom it went to unseen, where the provider tells.
    pub fn normalize_whole(self, root: &Part) -> Message {
        let bcc = root.header("bcc").map(parse_addresses).unwrap_or_default();
        let (body, attachments) = (Some(root.body()), Some(root.attachments()));
        Message { bcc, body, attachments, ..self.normalize() }
    }

    pub fn normalize(self) -> Message {
        let header = |name: &str| self.headers.iter().find(|(held, _)| held.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
        let addresses = |name: &str| header(name).map(parse_addresses).unwrap_or_default();
        Message {
            subject: header("subject").map(decode_text),
            from: addresses("from").into_iter().next(),
            to: addresses("to"),
            cc: addresses("cc"),
            bcc: Vec::new(),
            body: None,
            attachments: None,
            reply_to: addresses("reply-to"),
            headers: ThreadingHeaders {
                message_id: header("message-id").map(String::from),
                in_reply_to: header("in-reply-to").map(String::from),
                references: header("references").map(String::from),
            },
            metadata: Metadata { history_id: self.history_id, size_estimate: self.size_estimate },
            timestamp: self.received_at,
            id: self.id,
            thread_id: self.thread_id,
            snippet: self.snippet,
            label_ids: self.label_ids,
            has_attachments: self.has_attachments,
        }
    }
}

/// How much of a message is told.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Of each list.
    pub entries: usize,
    /// Characters of each text.
    pub text: usize,
}

impl Bounds {
    pub fn half(self) -> Self {
        Self { entries: self.entries / 2, text: self.text / 2 }
    }
}

impl Message {
    /// The message with long lists and texts cut short.
    pub fn bounded(&self, bounds: Bounds) -> Self {
        let text = |text: &str| cut(text, bounds.text);
        let addresses = |all: &[Address]| all.iter().take(bounds.entries).map(|address| address.bounded(bounds)).collect();
        Self {
            subject: self.subject.as_deref().map(text),
            from: self.from.as_ref().map(|from| from.bounded(bounds)),
            to: addresses(&self.to),
            cc: addresses(&self.cc),
            reply_to: addresses(&self.reply_to),
            snippet: text(&self.snippet),
            label_ids: self.label_ids.iter().take(bounds.entries).cloned().collect(),
            headers: ThreadingHeaders {
                message_id: self.headers.message_id.as_deref().map(text),
                in_reply_to: self.headers.in_reply_to.as_deref().map(text),
                references: self.headers.references.as_deref().map(text),
            },
            ..self.clone()
        }
    }
}

fn cut(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

impl Address {
    fn bounded(&self, bounds: Bounds) -> Self {
        Self { name: self.name.as_deref().map(|name| cut(name, bounds.text)), address: cut(&self.address, bounds.text) }
    }

    /// Whether `part`, without letter case, occurs in the name or the address.
    pub fn contains(&self, part: &str) -> bool {
        self.name.as_ref().is_some_and(|name| without_case(name).contains(part)) || without_case(&self.address).contains(part)
    }
}

/// The text for comparing. A sigma at the end of a word is another letter in lower case, and yet the same.
pub fn without_case(text: &str) -> String {
    text.to_lowercase().replace('ς', "σ")
}

/// Header values come one line long, and encoded words may stand in them.
fn as_mail(name: &str, value: &str) -> Vec<u8> {
    format!("{name}: {}\r\n\r\n", encoded_word::joined(&one_line(value))).into_bytes()
}

/// What an encoded word holds is its sender's: line ends and escapes among it.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

fn decode_text(value: &str) -> String {
    let mail = as_mail("Subject", value);
    let parsed = MessageParser::default().parse_headers(mail.as_slice());
    parsed.and_then(|mail| mail.subject().map(one_line)).unwrap_or_else(|| one_line(value))
}

fn parse_addresses(value: &str) -> Vec<Address> {
    let mail = as_mail("To", value);
    let Some(parsed) = MessageParser::default().parse_headers(mail.as_slice()) else { return Vec::new() };
    let Some(HeaderValue::Address(addresses)) = parsed.header("To") else { return Vec::new() };
    let whole = |address: &mail_parser::Addr<'_>| {
        let held = address.address().filter(|held| !held.trim().is_empty() && !held.chars().any(char::is_control))?;
        Some(Address { name: address.name().map(one_line), address: held.to_string() })
    };
    addresses.iter().filter_map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(headers: &[(&str, &str)]) -> Message {
        ProviderMessage {
            id: MessageId::new("m"),
            thread_id: "t".into(),
            label_ids: vec![],
            history_id: None,
            received_at: Timestamp::from_seconds(0),
            snippet: String::new(),
            size_estimate: 0,
            has_attachments: false,
            headers: headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        }
        .normalize()
    }

    fn address(name: Option<&str>, address: &str) -> Address {
        Address { name: name.map(String::from), address: address.into() }
    }

    #[test]
    fn an_encoded_word_is_no_address_if_nothing_readable_is_in_it() {
        assert_eq!(parse_addresses("=?utf-8?b?Gy?=(x), =?utf-8?b?AQ==?=(x), bob@example.com"), [address(None, "bob@example.com")]);
    }

    #[test]
    fn what_an_encoded_word_holds_stays_on_its_line() {
        assert_eq!(decode_text("=?utf-8?q?a=0D=0ABcc:_b=1B[31m?="), "a  Bcc: b [31m");
        let named = parse_addresses("=?utf-8?q?Ada=0D=0AX:_y?= <ada@example.com>");
        assert_eq!(named, [Address { name: Some("Ada  X: y".into()), address: "ada@example.com".into() }]);
        assert!(parse_addresses("=?iso-2022=22-jp?B?GyRCJCIbKEI=?=(<b@example.com").iter().all(|held| !held.address.contains('\u{1b}')));
    }

    #[test]
    fn reads_headers_whatever_their_letter_case_and_encoding() {
        let message = message(&[
            ("SUBJECT", "=?utf-8?q?Rechnung_f=C3=BCr?= Mai"),
            ("from", "=?utf-8?b?SsO8cmdlbg==?= <jurgen@example.com>"),
            ("To", "\"Lovelace, Ada\" <ada@example.com>, bob@example.com"),
            ("Message-Id", "<1@example.com>"),
        ]);
        assert_eq!(message.subject.as_deref(), Some("Rechnung für Mai"));
        assert_eq!(message.from, Some(address(Some("Jürgen"), "jurgen@example.com")));
        assert_eq!(message.to, [address(Some("Lovelace, Ada"), "ada@example.com"), address(None, "bob@example.com")]);
        assert_eq!(message.headers.message_id.as_deref(), Some("<1@example.com>"));
    }

    #[test]
    fn a_missing_header_is_absent() {
        let message = message(&[]);
        assert_eq!((message.subject, message.from, message.to), (None, None, vec![]));
    }

    #[test]
    fn a_header_cannot_smuggle_in_another() {
        assert_eq!(message(&[("Subject", "a\r\nTo: b@example.com")]).to, vec![]);
    }
}

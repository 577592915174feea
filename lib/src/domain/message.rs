//! The unified message: one shape for every provider's mail.

use mail_parser::MessageParser;
use serde::Serialize;

use crate::domain::comparable::comparable;
use crate::domain::id::{MessageId, MessageIdentity};
use crate::domain::mail::authentication::Authentication;
use crate::domain::mail::automatic::{Automatic, Bounce};
use crate::domain::mail::mailbox::{Mailbox, mailboxes, shown_name, unreadable};
use crate::domain::mail::message_id::message_ids;
use crate::domain::mail::{Attachment, Body, Files, Part, encoded_word, one_line};
use crate::domain::mail_domain::MailDomain;
use crate::domain::mark::Mark;
use crate::domain::provider::gmail::receiver::RECEIVER;
use crate::domain::timestamp::Timestamp;

/// A message in events and in the API. A header that the mail lacks is absent, not empty.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    pub id: MessageId,
    /// By which the ledger knows it.
    #[serde(skip)]
    pub identity: MessageIdentity,
    pub thread_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The first mailbox of From, or what From shows if it has none: a name, and an empty address.
    /// Whoever sends a mail can write anything there: see `authentication`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Address>,
    /// The other mailboxes of From. Few mails have any; and Gmail decodes headers, so that what was
    /// written as part of one name may look like two mailboxes.
    #[serde(skip)]
    pub other_authors: Vec<Address>,
    /// Those of To, Cc and Reply-To that have no valid address: the header, and what it shows.
    #[serde(skip)]
    pub unreadable: Vec<(&'static str, String)>,
    /// What the receiving server found out about the sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
    /// That no person wrote it, as its own headers say; absent of a person's mail. Do not answer
    /// automatic mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automatic: Option<Automatic>,
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
    /// Whether `attachments` of the whole message has any.
    pub has_attachments: bool,
    /// Only headers could be read, and they leave it open: `has_attachments` says whether the mail
    /// is mixed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub attachments_unknown: bool,
    /// Every part that is no body and is not in `embedded`, also of mails within the mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachments: Option<Vec<Attachment>>,
    /// What the HTML shows by its Content-ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedded: Option<Vec<Attachment>>,
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
    pub history_id: Option<Mark>,
    /// In bytes.
    pub size_estimate: u64,
}

/// A message as the provider gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderMessage {
    pub id: MessageId,
    /// `None`: its id.
    pub identity: Option<MessageIdentity>,
    pub thread_id: String,
    pub label_ids: Vec<String>,
    pub history_id: Option<Mark>,
    pub received_at: Timestamp,
    pub snippet: String,
    pub size_estimate: u64,
    pub has_attachments: bool,
    /// `has_attachments` is a guess from the headers.
    pub attachments_unknown: bool,
    /// What a bounce is about, where its parts were read.
    pub bounce: Option<Bounce>,
    /// Names in any letter case, in the order of the mail.
    pub headers: Vec<(String, String)>,
}

impl ProviderMessage {
    pub fn identity(&self) -> MessageIdentity {
        self.identity.clone().unwrap_or_else(|| MessageIdentity::of(&self.id))
    }

    /// With its bodies and attachments, and its Bcc if the provider reports it.
    pub fn normalize_whole(self, root: &Part) -> Message {
        let bcc = root.header("bcc").map(parse_addresses).unwrap_or_default();
        let Files { attachments, embedded } = root.files();
        let automatic = Automatic::read(&self.headers, Some(root));
        let bounce = automatic.and_then(|automatic| automatic.bounce);
        Message {
            bcc,
            body: Some(root.body()),
            has_attachments: !attachments.is_empty(),
            attachments: Some(attachments),
            embedded: (!embedded.is_empty()).then_some(embedded),
            ..Self { bounce, ..self }.normalize()
        }
    }

    pub fn normalize(self) -> Message {
        let identity = self.identity();
        let header = |name: &str| {
            self.headers
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str())
        };
        // Some mailers write a header for each recipient.
        let addresses = |name: &str| -> Vec<Address> {
            let named = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            named.flat_map(|(_, value)| parse_addresses(value)).collect()
        };
        let unreadable = ["To", "Cc", "Reply-To"].into_iter().flat_map(|name| {
            let named = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            let lost = named.flat_map(|(_, value)| unreadable(&one_line(value)));
            lost.map(|shown| (name, decode_text(&shown))).collect::<Vec<_>>()
        });
        let authors = header("from").map(parse_addresses).unwrap_or_default();
        let from = authors.first().cloned().or_else(|| header("from").and_then(only_name));
        let domain = from.as_ref().and_then(Address::domain);
        Message {
            subject: header("subject").map(decode_text),
            from,
            other_authors: authors.into_iter().skip(1).collect(),
            unreadable: unreadable.collect(),
            authentication: Authentication::read(&self.headers, &RECEIVER, domain.as_ref()),
            automatic: Automatic::read(&self.headers, None)
                .map(|automatic| Automatic { bounce: self.bounce, ..automatic }),
            to: addresses("to"),
            cc: addresses("cc"),
            bcc: Vec::new(),
            body: None,
            attachments: None,
            embedded: None,
            reply_to: addresses("reply-to"),
            headers: ThreadingHeaders {
                message_id: header("message-id").and_then(message_ids),
                in_reply_to: header("in-reply-to").and_then(message_ids),
                references: header("references").and_then(message_ids),
            },
            metadata: Metadata { history_id: self.history_id, size_estimate: self.size_estimate },
            timestamp: self.received_at,
            identity,
            id: self.id,
            thread_id: self.thread_id,
            snippet: self.snippet,
            label_ids: self.label_ids,
            has_attachments: self.has_attachments,
            attachments_unknown: self.attachments_unknown,
        }
    }
}

/// How much of a message is kept.
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
    /// Whether the domain of `from` stands behind the mail, as the receiving server found.
    pub fn is_authenticated(&self) -> bool {
        self.authentication.is_some_and(|authentication| authentication.is_passed())
    }

    /// All mailboxes of From.
    pub fn authors(&self) -> impl Iterator<Item = &Address> {
        self.from.iter().chain(&self.other_authors)
    }

    /// The message with long lists and texts cut short.
    pub fn bounded(&self, bounds: Bounds) -> Self {
        let text = |text: &str| cut(text, bounds.text);
        let addresses = |all: &[Address]| {
            all.iter().take(bounds.entries).map(|address| address.bounded(bounds)).collect()
        };
        Self {
            subject: self.subject.as_deref().map(text),
            from: self.from.as_ref().map(|from| from.bounded(bounds)),
            automatic: self.automatic.as_ref().map(|found| found.cut(bounds.entries, text)),
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
        Self {
            name: self.name.as_deref().map(|name| cut(name, bounds.text)),
            address: cut(&self.address, bounds.text),
        }
    }

    /// `None` if it is no DNS name.
    pub fn domain(&self) -> Option<MailDomain> {
        let (_, domain) = self.address.rsplit_once('@')?;
        MailDomain::parse(domain).ok()
    }

    /// Whether a `comparable` part occurs in the address. An `@` in it is the one before the domain:
    /// a quoted local part may have others, and in either part there are characters that only look
    /// like one.
    pub fn contains(&self, part: &str) -> bool {
        let without_at = |text: &str| comparable(text).replace('@', "\n");
        match self.address.rsplit_once('@') {
            Some((local, domain)) => {
                format!("{}@{}", without_at(local), without_at(domain)).contains(part)
            }
            None => without_at(&self.address).contains(part),
        }
    }

    /// Whether a `comparable` part occurs in the name or the address, as people see them.
    pub fn shows(&self, part: &str) -> bool {
        self.name.as_ref().is_some_and(|name| comparable(name).contains(part))
            || comparable(&self.address).contains(part)
    }
}

/// Header values are one line long, and may contain encoded words.
fn decode_text(value: &str) -> String {
    let value = encoded_word::with_marked(&encoded_word::joined(&one_line(value)));
    let mail = format!("Subject: {value}\r\n\r\n");
    let parsed = MessageParser::default().parse_headers(mail.as_bytes());
    let decoded = parsed.and_then(|mail| mail.subject().map(one_line));
    encoded_word::without_marks(&decoded.unwrap_or(value))
}

/// A From without a mailbox that can be read shows its name all the same, with an empty address: no
/// filter on senders and no reply takes that for one.
fn only_name(value: &str) -> Option<Address> {
    let name = decode_text(&shown_name(&one_line(value))?);
    (!name.trim().is_empty()).then(|| Address { name: Some(name), address: String::new() })
}

/// The first mailbox of a header's value.
pub fn first_address(value: &str) -> Option<Address> {
    parse_addresses(value).into_iter().next()
}

fn parse_addresses(value: &str) -> Vec<Address> {
    let whole =
        |Mailbox { name, address }| Address { name: name.as_deref().map(decode_text), address };
    mailboxes(&one_line(value)).into_iter().map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mail::authentication::Verdict;

    fn message(headers: &[(&str, &str)]) -> Message {
        ProviderMessage {
            id: MessageId::new("m"),
            identity: None,
            thread_id: "t".into(),
            label_ids: vec![],
            history_id: None,
            received_at: Timestamp::from_seconds(0),
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
        .normalize()
    }

    fn address(name: Option<&str>, address: &str) -> Address {
        Address { name: name.map(String::from), address: address.into() }
    }

    #[test]
    fn an_encoded_word_is_no_address() {
        assert_eq!(
            parse_addresses("=?utf-8?q?a=40b?=(x), =?utf-8?b?AQ==?=(x), bob@example.com"),
            [address(None, "bob@example.com")]
        );
    }

    #[test]
    fn an_at_sign_in_a_quoted_local_part_is_not_the_addresss_own() {
        let sender = &parse_addresses("\"pay@trusted.example\"@evil.example")[0];
        assert_eq!(sender.domain().unwrap().as_str(), "evil.example");
        for (part, expected) in [
            ("@trusted.example", false),
            ("pay@trusted", false),
            ("trusted.example", true),
            ("\"@evil.example", true),
        ] {
            assert_eq!(sender.contains(part), expected, "{part}");
        }
    }

    #[test]
    fn what_an_encoded_word_holds_stays_on_its_line() {
        assert_eq!(decode_text("=?utf-8?q?a=0D=0ABcc:_b=1B[31m?="), "a  Bcc: b [31m");
        let named = parse_addresses("=?utf-8?q?Ada=0D=0AX:_y?= <ada@example.com>");
        assert_eq!(
            named,
            [Address { name: Some("Ada  X: y".into()), address: "ada@example.com".into() }]
        );
        assert!(
            parse_addresses("=?iso-2022=22-jp?B?GyRCJCIbKEI=?=(<b@example.com")
                .iter()
                .all(|found| !found.address.contains('\u{1b}'))
        );
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
        assert_eq!(
            message.to,
            [address(Some("Lovelace, Ada"), "ada@example.com"), address(None, "bob@example.com")]
        );
        assert_eq!(message.headers.message_id.as_deref(), Some("<1@example.com>"));
    }

    #[test]
    fn a_from_without_an_address_keeps_its_name_and_is_nobodys() {
        let table = [
            ("Only A Name", Some(address(Some("Only A Name"), ""))),
            ("=?utf-8?q?J=C3=BCrgen?=", Some(address(Some("Jürgen"), ""))),
            ("=?utf-8?q?pay=40trusted.example?=", Some(address(Some("pay@trusted.example"), ""))),
            ("=?utf-8?q?=20?=", None),
            ("<>", None),
        ];
        for (from, expected) in table {
            let from = message(&[("From", from)]).from;
            assert_eq!(from, expected);
            if let Some(from) = from {
                assert!(!from.contains("@") && !from.contains("pay") && from.domain().is_none());
            }
        }
    }

    /// What Python's email (policy.default) reads, where what is written is well-formed; where it
    /// is not (a character in two words, bytes without an encoding), what was meant.
    #[test]
    fn names_are_decoded_as_they_were_meant() {
        let table = [
            ("=?utf-8?q?J=C3=BCrgen?= Smith", "Jürgen Smith"),
            ("Dr. =?utf-8?q?J=C3=BCrgen?= M. Smith", "Dr. Jürgen M. Smith"),
            ("=?utf-8?q?J=C3=BCrgen_?= =?utf-8?q?Smith?=", "Jürgen Smith"),
            ("=?utf-8?q?J=C3=BCrgen?= Smith =?utf-8?q?=26?= Co", "Jürgen Smith & Co"),
            ("=?iso-8859-1?q?J=FCrgen?= =?utf-8?q?_M=C3=BCller?=", "Jürgen Müller"),
            ("=?utf-8*de?q?J=C3=BCrgen?=", "Jürgen"),
            (r#""=?utf-8?q?J=C3=BCrgen?=""#, "Jürgen"),
            ("Jürgen", "Jürgen"),
            ("Jürgen =?utf-8?q?M=C3=BCller?=", "Jürgen Müller"),
            // A character in two words.
            ("=?utf-8?q?J=C3?= =?utf-8?q?=BCrgen?=", "Jürgen"),
            ("=?utf-8?b?SsM=?= =?utf-8?b?vHJnZW4=?=", "Jürgen"),
            ("=?utf-8?b?SsM=?= =?utf-8?q?=BCrgen?=", "Jürgen"),
            ("=?utf-8?q?J=C3?=\t =?UTF-8?Q?=BCrgen?= Smith", "Jürgen Smith"),
            ("=?iso-2022-jp?b?GyRCRnxLXA==?= =?iso-2022-jp?b?OGwbKEI=?=", "日本語"),
            ("=?iso-2022-jp?b?GyRCRnxLXBsoQg==?= =?iso-2022-jp?b?GyRCOGwbKEI=?=", "日本語"),
        ];
        for (written, expected) in table {
            let message =
                message(&[("From", &format!("{written} <a@x.example>")), ("Subject", written)]);
            assert_eq!(message.from, Some(address(Some(expected), "a@x.example")), "{written}");
            if !written.starts_with('"') {
                assert_eq!(message.subject.as_deref(), Some(expected), "{written}");
            }
        }
    }

    #[test]
    fn a_missing_header_is_absent() {
        let message = message(&[]);
        assert_eq!((message.subject, message.from, message.to), (None, None, vec![]));
    }

    #[test]
    fn what_the_receiving_server_said_is_about_the_first_from() {
        let said = (
            "Authentication-Results",
            "mx.google.com; spf=pass; dmarc=pass header.from=xn--bcher-kva.example",
        );
        let verdicts = |headers: &[(&str, &str)]| {
            message(headers).authentication.map(|read| (read.spf, read.dmarc))
        };
        assert_eq!(
            verdicts(&[said, ("From", "a@BÜCHER.example, b@x.example")]),
            Some((Some(Verdict::Pass), Some(Verdict::Pass)))
        );
        assert_eq!(
            verdicts(&[said, ("From", "b@x.example"), ("From", "a@bücher.example")]),
            Some((Some(Verdict::Pass), None))
        );
        assert_eq!(verdicts(&[("From", "a@bücher.example")]), None);
    }

    #[test]
    fn a_header_cannot_smuggle_in_another() {
        assert_eq!(message(&[("Subject", "a\r\nTo: b@example.com")]).to, vec![]);
    }
}

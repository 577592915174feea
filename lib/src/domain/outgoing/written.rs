//! A mail as RFC 5322 and MIME.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::MimePart;

use super::encoded::{extended_parameter, looks_encoded, words};
use super::{Outgoing, OutgoingAttachment, Recipient};
use crate::domain::email_address::EmailAddress;
use crate::domain::timestamp::Timestamp;

impl Outgoing {
    /// The same arguments make the same bytes. `unique` must not occur in the mail: boundaries and
    /// Message-ID are made of it. The result contains Bcc, which the delivering server reads and
    /// removes.
    pub fn to_rfc5322(&self, from: &EmailAddress, now: Timestamp, unique: &str) -> Vec<u8> {
        let domain = from.as_str().rsplit('@').next().unwrap_or_default();
        let mut mail = MessageBuilder::new()
            .from(from.as_str())
            .date(now.seconds())
            .message_id(format!("{unique}@{domain}"))
            .body(self.body(unique));
        for (list, header) in
            [(&self.to, "To"), (&self.cc, "Cc"), (&self.bcc, "Bcc"), (&self.reply_to, "Reply-To")]
        {
            if !list.is_empty() {
                mail = match list.iter().filter_map(Recipient::name).any(looks_encoded) {
                    true => mail.header(header, Raw::new(encoded_addresses(list))),
                    false => mail.header(header, addresses(list)),
                };
            }
        }
        if let Some(subject) = self.subject.as_deref().filter(|subject| !subject.is_empty()) {
            mail = match looks_encoded(subject) {
                true => mail.header("Subject", Raw::new(words(subject))),
                false => mail.subject(subject),
            };
        }
        for (ids, header) in [(&self.in_reply_to, "In-Reply-To"), (&self.references, "References")]
        {
            if let Some(ids) = ids {
                let ids: Vec<&str> =
                    ids.split_whitespace().map(|id| id.trim_matches(['<', '>'])).collect();
                mail = mail.header(header, MessageId::new_list(ids.into_iter()));
            }
        }
        let mut bytes = Vec::new();
        mail.serialize(&mut bytes);
        bytes
    }

    /// A `mixed` part of body and attachments; the body is an `alternative` of text and HTML, the
    /// HTML is `related` to its inline attachments.
    fn body(&self, unique: &str) -> MimePart<'_> {
        let (shown, attached): (Vec<_>, Vec<_>) = self
            .attachments
            .iter()
            .partition(|attachment| attachment.inline && self.html.is_some());
        let html = self.html.as_deref().map(|html| MimePart::new("text/html", html));
        let html = html.map(|html| joined("related", unique, html, shown.into_iter().map(inlined)));
        let text = self.text.as_deref().map(|text| MimePart::new("text/plain", text));
        let body = match (text, html) {
            (Some(text), Some(html)) => joined("alternative", unique, text, [html]),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => MimePart::new("text/plain", ""),
        };
        joined("mixed", unique, body, attached.into_iter().map(attachment))
    }
}

/// A single part needs no multipart around it.
fn joined<'a>(
    how: &str,
    unique: &str,
    first: MimePart<'a>,
    rest: impl IntoIterator<Item = MimePart<'a>>,
) -> MimePart<'a> {
    let parts: Vec<_> = [first].into_iter().chain(rest).collect();
    match <[MimePart<'a>; 1]>::try_from(parts) {
        Ok([alone]) => alone,
        Err(parts) => {
            let kind = ContentType::new(format!("multipart/{how}"))
                .attribute("boundary", format!("{how}-{unique}"));
            MimePart::new(kind, parts)
        }
    }
}

fn attachment(attachment: &OutgoingAttachment) -> MimePart<'_> {
    let part = disposed(encoded(attachment), "attachment", &attachment.filename);
    match attachment.content_id.as_deref() {
        Some(id) => part.cid(id),
        None => part,
    }
}

fn inlined(attachment: &OutgoingAttachment) -> MimePart<'_> {
    // An inline attachment has an id, as `Outgoing::parse` checks.
    disposed(encoded(attachment), "inline", &attachment.filename)
        .cid(attachment.content_id.as_deref().unwrap_or_default())
}

fn disposed<'a>(part: MimePart<'a>, how: &'static str, filename: &'a str) -> MimePart<'a> {
    match looks_encoded(filename) {
        true => part.header(
            "Content-Disposition",
            Raw::new(format!("{how}; {}", extended_parameter("filename", filename))),
        ),
        false => part
            .header("Content-Disposition", ContentType::new(how).attribute("filename", filename)),
    }
}

/// In base64, even if its type is text, so that a file stays the same byte for byte.
fn encoded(attachment: &OutgoingAttachment) -> MimePart<'_> {
    let text = BASE64_STANDARD.encode(&attachment.content);
    let lines: Vec<&str> =
        text.as_bytes().chunks(76).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let kind = ContentType::new(attachment.mime_type.to_ascii_lowercase());
    MimePart::new(kind, lines.join("\r\n").into_bytes()).transfer_encoding("base64")
}

fn encoded_addresses(list: &[Recipient]) -> String {
    let written = |recipient: &Recipient| match recipient.name() {
        Some(name) => format!("{} <{}>", words(name), recipient.address()),
        None => format!("<{}>", recipient.address()),
    };
    list.iter().map(written).collect::<Vec<_>>().join(", ")
}

fn addresses(list: &[Recipient]) -> Address<'_> {
    Address::new_list(
        list.iter()
            .map(|recipient| Address::new_address(recipient.name(), recipient.address()))
            .collect(),
    )
}

//! A mail as RFC 5322 and MIME.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::headers::{Header, HeaderType};
use mail_builder::mime::{BodyPart, MimePart};

use super::encoded::{extended_parameter, looks_encoded, words};
use super::media_type::MediaType;
use super::streamed::place;
use super::{Outgoing, OutgoingAttachment, Recipient};
use crate::domain::email_address::EmailAddress;
use crate::domain::timestamp::Timestamp;

impl Outgoing {
    /// The same arguments make the same bytes. `unique` must not occur in the mail: boundaries and
    /// Message-ID are made of it. The result contains Bcc, which the delivering server reads and
    /// removes. `own` writes it, unless the mail says otherwise.
    pub fn to_rfc5322(&self, own: &EmailAddress, now: Timestamp, unique: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, value) in self.headers(own, now, unique) {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            value.write_header(&mut bytes, name.len() + 2);
        }
        let fields = self.kept.iter().flat_map(|kept| &kept.fields);
        fields.for_each(|field| bytes.extend_from_slice(&field.lines));
        bytes.extend_from_slice(b"MIME-Version: 1.0\r\n");
        match self.kept.as_ref().and_then(|kept| kept.body.as_ref()) {
            Some(body) => bytes.extend_from_slice(body),
            None => self.body(unique).write_part(&mut bytes),
        }
        bytes
    }

    /// All that is not kept from a draft.
    fn headers(
        &self,
        own: &EmailAddress,
        now: Timestamp,
        unique: &str,
    ) -> Vec<(&'static str, HeaderType<'_>)> {
        let kept = |name: &str| self.kept.as_ref().is_some_and(|kept| kept.has(name));
        let author = self.from.as_ref();
        let address =
            author.and_then(|from| from.address.clone()).unwrap_or_else(|| own.to_string());
        let mut headers: Vec<(&str, HeaderType<'_>)> = Vec::new();
        if !kept("message-id") {
            let domain = address.rsplit('@').next().unwrap_or_default();
            headers.push(("Message-ID", MessageId::new(format!("{unique}@{domain}")).into()));
        }
        if !kept("from") {
            let name = author.and_then(|from| from.name.as_deref()).filter(|name| !name.is_empty());
            headers.push(("From", mailbox(name, address)));
        }
        headers.push(("Date", Date::new(now.seconds()).into()));
        for (list, header) in
            [(&self.to, "To"), (&self.cc, "Cc"), (&self.bcc, "Bcc"), (&self.reply_to, "Reply-To")]
        {
            if !list.is_empty() {
                headers.push((
                    header,
                    match list.iter().filter_map(Recipient::name).any(looks_encoded) {
                        true => Raw::new(encoded_addresses(list)).into(),
                        false => addresses(list).into(),
                    },
                ));
            }
        }
        if let Some(subject) = self.subject.as_deref().filter(|subject| !subject.is_empty()) {
            headers.push((
                "Subject",
                match looks_encoded(subject) {
                    true => Raw::new(words(subject)).into(),
                    false => Text::new(subject).into(),
                },
            ));
        }
        headers.extend(
            self.auto_submitted.map(|how| ("Auto-Submitted", Raw::new(how.as_str()).into())),
        );
        for (ids, header) in [(&self.in_reply_to, "In-Reply-To"), (&self.references, "References")]
        {
            let ids: Vec<&str> = ids.iter().flat_map(|ids| ids.split_whitespace()).collect();
            if !ids.is_empty() {
                let ids = ids.into_iter().map(|id| id.trim_matches(['<', '>']));
                headers.push((header, MessageId::new_list(ids).into()));
            }
        }
        headers
    }

    /// A `mixed` part of body and attachments; the body is an `alternative` of text and HTML, the
    /// HTML is `related` to the inline attachments that it can name.
    fn body(&self, unique: &str) -> MimePart<'_> {
        let (shown, attached): (Vec<_>, Vec<_>) =
            self.attachments.iter().enumerate().partition(|(_, attachment)| {
                attachment.inline && attachment.content_id.is_some() && self.html.is_some()
            });
        let html = self.html.as_deref().map(|html| body_text("text/html", html));
        let html = html.map(|html| joined("related", unique, html, attachments(shown, unique)));
        let text = self.text.as_deref().map(|text| body_text("text/plain", text));
        let body = match (text, html) {
            (Some(text), Some(html)) => joined("alternative", unique, text, [html]),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => MimePart::new("text/plain", ""),
        };
        joined("mixed", unique, body, attachments(attached, unique))
    }
}

/// A carriage return by itself and a NUL may not stand in a mail as they are (RFC 5322, section
/// 2.2): a text with one is written in base64, where they arrive.
fn body_text<'a>(kind: &'static str, text: &'a str) -> MimePart<'a> {
    let without_breaks = text.replace("\r\n", "\n");
    if !without_breaks.contains(['\r', '\0']) {
        return MimePart::new(kind, text);
    }
    let kind = ContentType::new(kind).attribute("charset", "utf-8");
    in_base64(kind, without_breaks.replace('\n', "\r\n").as_bytes())
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
            // What holds 8-bit lines says so itself (RFC 2045, section 6.4).
            let eight_bit = parts.iter().any(is_eight_bit);
            let whole = MimePart::new(kind, parts);
            if eight_bit { whole.transfer_encoding("8bit") } else { whole }
        }
    }
}

fn is_eight_bit(part: &MimePart<'_>) -> bool {
    part.headers.iter().any(|(name, value)| {
        name == "Content-Transfer-Encoding"
            && matches!(value, HeaderType::Raw(encoding) if encoding.raw == "8bit")
    })
}

fn attachments<'a>(
    files: Vec<(usize, &'a OutgoingAttachment)>,
    unique: &str,
) -> impl Iterator<Item = MimePart<'a>> {
    files
        .into_iter()
        .map(move |(at, file)| attachment(file, file.upload_id.map(|id| place(unique, id, at))))
}

/// With this text in place of its bytes, if there is one.
fn attachment(attachment: &OutgoingAttachment, place: Option<String>) -> MimePart<'_> {
    let how = if attachment.inline { "inline" } else { "attachment" };
    let content = match place {
        Some(place) => part(content_type(&attachment.mime_type), place.into_bytes())
            .transfer_encoding("base64"),
        None => encoded(attachment),
    };
    let part = disposed(content, how, &attachment.filename);
    match attachment.content_id.as_deref() {
        Some(id) => part.cid(id),
        None => part,
    }
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

/// A mail in its own lines; all else in base64, even if its type is text, so that a file stays the
/// same byte for byte.
fn encoded(attachment: &OutgoingAttachment) -> MimePart<'_> {
    let lines = attachment.mime_type.is_message().then(|| attachment.as_message()).flatten();
    match lines {
        Some(lines) => {
            let encoding = if lines.is_ascii() { "7bit" } else { "8bit" };
            part(content_type(&attachment.mime_type), lines).transfer_encoding(encoding)
        }
        None => in_base64(content_type(&attachment.mime_type), attachment.bytes()),
    }
}

fn in_base64<'a>(kind: impl Into<HeaderType<'a>>, bytes: &[u8]) -> MimePart<'a> {
    let text = BASE64_STANDARD.encode(bytes);
    let lines: Vec<&str> =
        text.as_bytes().chunks(76).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    part(kind, lines.join("\r\n").into_bytes()).transfer_encoding("base64")
}

fn part<'a>(kind: impl Into<HeaderType<'a>>, bytes: Vec<u8>) -> MimePart<'a> {
    MimePart {
        headers: vec![("Content-Type".into(), kind.into())],
        contents: BodyPart::Binary(bytes.into()),
    }
}

fn content_type(kind: &MediaType) -> HeaderType<'_> {
    match kind.parameters().any(|(_, value)| looks_encoded(value)) {
        true => {
            let parameters = kind.parameters().map(|(name, value)| extended_parameter(name, value));
            let pieces: Vec<String> =
                [kind.essence().to_string()].into_iter().chain(parameters).collect();
            Raw::new(pieces.join("; ")).into()
        }
        false => {
            let bare = ContentType::new(kind.essence());
            let whole =
                kind.parameters().fold(bare, |whole, (name, value)| whole.attribute(name, value));
            whole.into()
        }
    }
}

fn mailbox<'a>(name: Option<&'a str>, address: String) -> HeaderType<'a> {
    match name {
        Some(name) if looks_encoded(name) => {
            Raw::new(format!("{} <{address}>", words(name))).into()
        }
        name => Address::new_address(name, address).into(),
    }
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

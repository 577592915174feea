//! A mail in RFC 5322 form, parsed as Gmail does.

use mail_parser::{MessageParser, MessagePart, MimeHeaders, PartType};

use crate::mime::{Headers, Part};
use crate::receiving;

/// A mail that was sent, drafted, or delivered as a file.
pub(crate) struct Parsed {
    /// Of the mail itself, without those of its content.
    pub headers: Headers,
    pub body: Part,
    pub snippet: String,
}

impl Parsed {
    /// Adds the header of the receiving server; returns the stored bytes.
    pub fn received(&mut self, raw: Vec<u8>, said: Option<&str>) -> Vec<u8> {
        let written = self.headers.len();
        receiving::stamp(&mut self.headers, said);
        if self.headers.len() > written { receiving::stamped(raw, &self.headers) } else { raw }
    }
}

/// `None` if it cannot be parsed as a mail.
pub(crate) fn parse(raw: &[u8]) -> Option<Parsed> {
    let mail = MessageParser::default().parse(raw)?;
    let all = headers(&mail, mail.parts.first()?);
    let (own, top): (Headers, Headers) =
        all.into_iter().partition(|(name, _)| name.to_ascii_lowercase().starts_with("content-"));
    let text = mail
        .body_preview(200)
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .unwrap_or_default();
    let body = part(&mail, 0).with_headers(own);
    Some(Parsed { headers: top, body, snippet: crate::mime::escaped(&text) })
}

/// Every address that a mail goes to.
pub(crate) fn recipients(headers: &Headers) -> Vec<String> {
    let named = headers
        .iter()
        .filter(|(name, _)| ["to", "cc", "bcc"].contains(&name.to_ascii_lowercase().as_str()));
    let text: String = named.map(|(_, value)| format!("To: {value}\r\n")).collect();
    let whole = format!("{text}\r\n");
    let Some(parsed) = MessageParser::default().parse_headers(whole.as_bytes()) else {
        return Vec::new();
    };
    let lists = parsed.headers().iter().filter_map(|header| header.value.as_address());
    lists
        .flat_map(|list| {
            list.iter().filter_map(|one| one.address().map(str::to_lowercase)).collect::<Vec<_>>()
        })
        .collect()
}

fn part(mail: &mail_parser::Message<'_>, at: usize) -> Part {
    let Some(own) = mail.parts.get(at) else { return Part::leaf("text/plain", "", Vec::new()) };
    let whole = !matches!(own.body, PartType::Multipart(_));
    let named =
        own.content_type().filter(|kind| !(whole && kind.c_type.eq_ignore_ascii_case("multipart")));
    let mime_type = named.map(|kind| match &kind.c_subtype {
        Some(subtype) => format!("{}/{subtype}", kind.c_type).to_ascii_lowercase(),
        None => kind.c_type.to_ascii_lowercase(),
    });
    let filename = own.attachment_name().unwrap_or_default();
    let leaf = |usual: &str, bytes: &[u8]| {
        Part::leaf(mime_type.as_deref().unwrap_or(usual), filename, bytes.to_vec())
    };
    let part = match &own.body {
        PartType::Text(text) => {
            leaf("text/plain", &undecoded(mail, own).unwrap_or_else(|| text.as_bytes().to_vec()))
        }
        PartType::Html(text) => {
            leaf("text/html", &undecoded(mail, own).unwrap_or_else(|| text.as_bytes().to_vec()))
        }
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            leaf("application/octet-stream", bytes)
        }
        PartType::Message(_) => leaf("message/rfc822", &undecoded(mail, own).unwrap_or_default()),
        PartType::Multipart(children) => {
            let parts = children.iter().map(|child| self::part(mail, *child as usize)).collect();
            Part::multipart(mime_type.as_deref().unwrap_or("multipart/mixed"), parts)
        }
    };
    if at == 0 { part } else { part.with_headers(headers(mail, own)) }
}

/// The bytes of a text, without their transfer encoding.
fn undecoded(mail: &mail_parser::Message<'_>, part: &MessagePart<'_>) -> Option<Vec<u8>> {
    use mail_parser::Encoding;
    use mail_parser::decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode};
    let raw = mail.raw_message.get(part.offset_body as usize..part.offset_end as usize)?;
    match part.encoding {
        Encoding::None => Some(raw.to_vec()),
        Encoding::Base64 => base64_decode(raw),
        Encoding::QuotedPrintable => quoted_printable_decode(raw),
    }
}

fn headers(mail: &mail_parser::Message<'_>, part: &MessagePart<'_>) -> Headers {
    let value = |from: u32, to: u32| {
        let raw = mail.raw_message.get(from as usize..to as usize).unwrap_or_default();
        let text = String::from_utf8(raw.to_vec())
            .unwrap_or_else(|_| raw.iter().map(|byte| char::from(*byte)).collect());
        text.split(['\r', '\n'])
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    part.headers
        .iter()
        .map(|header| (header.name().to_string(), value(header.offset_start, header.offset_end)))
        .collect()
}

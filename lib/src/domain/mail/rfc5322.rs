//! Parses a mail (RFC 5322).

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, MessageParser, MessagePart, MimeHeaders, PartType};

use super::{Content, Part, one_line};

/// Deeper nesting is not read: no real mail has it.
const DEEPEST: usize = 100;
/// Each mail within a mail is copied as a whole; below so many levels only its parts are.
const DEEPEST_COPY: usize = 8;

impl Part {
    /// `None` if not even a header can be read.
    pub fn read(raw: &[u8]) -> Option<Self> {
        let mail = MessageParser::default().parse(raw)?;
        Some(part(&mail, 0, "", 0))
    }
}

fn part(mail: &mail_parser::Message<'_>, at: usize, id: &str, depth: usize) -> Part {
    let Some(own) = mail.parts.get(at) else { return Part::default() };
    let child =
        |number: usize| if id.is_empty() { number.to_string() } else { format!("{id}.{number}") };
    let (content, parts) = match &own.body {
        PartType::Text(text) | PartType::Html(text) => (
            Content::Bytes(undecoded(mail, own).unwrap_or_else(|| text.as_bytes().to_vec())),
            Vec::new(),
        ),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            (Content::Bytes(bytes.to_vec()), Vec::new())
        }
        PartType::Message(inner) => {
            let within = if depth < DEEPEST {
                vec![part(inner, 0, &child(0), depth + 1)]
            } else {
                Vec::new()
            };
            let bytes = undecoded(mail, own).filter(|_| depth < DEEPEST_COPY);
            (bytes.map_or(Content::None, Content::Bytes), within)
        }
        PartType::Multipart(children) if depth < DEEPEST => {
            let parts = children
                .iter()
                .enumerate()
                .map(|(number, at)| part(mail, *at as usize, &child(number), depth + 1));
            (Content::None, parts.collect())
        }
        PartType::Multipart(_) => (Content::None, Vec::new()),
    };
    let size = match &content {
        Content::Bytes(bytes) => bytes.len() as u64,
        Content::None | Content::Elsewhere { .. } => 0,
    };
    let filename = own.attachment_name().map(one_line).unwrap_or_default();
    Part {
        part_id: id.into(),
        mime_type: mime_type(own),
        filename,
        headers: headers(mail, own),
        content,
        size,
        parts,
    }
}

/// The bytes of a text without its transfer encoding: an attachment must stay as it is.
fn undecoded(mail: &mail_parser::Message<'_>, part: &MessagePart<'_>) -> Option<Vec<u8>> {
    let raw = mail.raw_message.get(part.offset_body as usize..part.offset_end as usize)?;
    match part.encoding {
        Encoding::None => Some(raw.to_vec()),
        Encoding::Base64 => base64_decode(raw),
        Encoding::QuotedPrintable => quoted_printable_decode(raw),
    }
}

/// A missing type follows from the content (RFC 2045, section 5.2).
fn mime_type(part: &MessagePart<'_>) -> String {
    // Where no boundary was found there are no parts, and what is there is text.
    let whole = !matches!(part.body, PartType::Multipart(_));
    let named = part
        .content_type()
        .filter(|kind| !(whole && kind.c_type.eq_ignore_ascii_case("multipart")));
    let kind = match named {
        Some(kind) => match &kind.c_subtype {
            Some(subtype) => format!("{}/{subtype}", kind.c_type),
            None => kind.c_type.to_string(),
        },
        None => match &part.body {
            PartType::Multipart(_) => "multipart/mixed".into(),
            PartType::Message(_) => "message/rfc822".into(),
            PartType::Html(_) => "text/html".into(),
            PartType::Text(_) => "text/plain".into(),
            PartType::Binary(_) | PartType::InlineBinary(_) => "application/octet-stream".into(),
        },
    };
    one_line(&kind.to_ascii_lowercase())
}

/// As in the mail, each on one line; bytes that are not UTF-8 are read as Latin-1.
fn headers(mail: &mail_parser::Message<'_>, part: &MessagePart<'_>) -> Vec<(String, String)> {
    let raw =
        |from: u32, to: u32| mail.raw_message.get(from as usize..to as usize).unwrap_or_default();
    let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => text.to_string(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    let unfolded = |text: String| {
        text.split(['\r', '\n'])
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    part.headers
        .iter()
        .map(|header| {
            (header.name().to_string(), unfolded(text(raw(header.offset_start, header.offset_end))))
        })
        .collect()
}

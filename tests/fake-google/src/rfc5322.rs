//! A mail in RFC 5322 form, taken apart as Gmail does.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use charset::Charset;
use mailparse::body::Body;
use mailparse::{ParsedContentType, parse_content_disposition, parse_content_type};

use crate::headers::{self, Field};
use crate::mime::{Kind, Part};
use crate::{multipart, snippet};

/// What is nested deeper is not taken apart.
const MOST_LEVELS: usize = 200;

/// Those that hold a mail (RFC 2046, 5.2.1; RFC 6532, 3.7).
const MAILS: [&str; 2] = ["message/rfc822", "message/global"];

/// Those that hold groups of headers (RFC 3464, 8098, 5965, and 6533 for the global ones).
const HEADER_GROUPS: [&str; 5] = [
    "message/delivery-status",
    "message/disposition-notification",
    "message/feedback-report",
    "message/global-delivery-status",
    "message/global-disposition-notification",
];

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A mail that was sent, drafted, or delivered.
pub(crate) struct Parsed {
    pub root: Part,
    pub snippet: String,
}

/// Whatever the bytes are: what is no mail is the text of one without headers.
pub(crate) fn parse(raw: &[u8]) -> Parsed {
    let root = entity(raw, 0, false);
    let snippet = snippet::of(&root);
    Parsed { root, snippet }
}

/// Every address that a mail goes to.
pub(crate) fn recipients(raw: &[u8]) -> Vec<String> {
    let (fields, _) = headers::block(raw);
    let named = fields.iter().filter(|field| ["to", "cc", "bcc"].iter().any(|name| field.is(name)));
    named.flat_map(Field::addresses).map(|address| address.to_lowercase()).collect()
}

/// A mail or one of its parts, from its headers on.
fn entity(raw: &[u8], level: usize, in_digest: bool) -> Part {
    let (fields, start) = headers::block(raw);
    let body = &raw[start..];
    let content_type = content_type(&fields, in_digest);
    let mime_type = content_type.mimetype.as_str();
    let empty = Part {
        mime_type: mime_type.into(),
        filename: filename(&fields, &content_type),
        headers: fields.iter().map(Field::decoded).collect(),
        ..Part::default()
    };
    let decoded = || without_transfer_encoding(&fields, body, &content_type);
    if level == MOST_LEVELS {
        return Part { mime_type: "text/plain".into(), bytes: decoded(), ..empty };
    }
    if mime_type.starts_with("multipart/") {
        return match bodies(body, &content_type) {
            Some(bodies) => {
                let in_digest = mime_type == "multipart/digest";
                let parts = bodies.into_iter().map(|part| entity(part, level + 1, in_digest));
                Part { kind: Kind::Multipart, parts: parts.collect(), ..empty }
            }
            None => Part { mime_type: "text/plain".into(), bytes: decoded(), ..empty },
        };
    }
    let bytes = decoded();
    if MAILS.contains(&mime_type) {
        let parts = vec![entity(&bytes, level + 1, false)];
        return Part { kind: Kind::Mail, bytes, parts, ..empty };
    }
    if HEADER_GROUPS.contains(&mime_type) {
        return Part { kind: Kind::HeaderGroups, parts: groups(&bytes), bytes, ..empty };
    }
    let text = mime_type.starts_with("text/").then(|| text(&bytes, &content_type));
    Part { utf8: text.filter(|text| text.as_bytes() != bytes), bytes, ..empty }
}

fn value(fields: &[Field], name: &str) -> Option<String> {
    fields.iter().find(|field| field.is(name)).map(Field::encoded)
}

/// What is no type is plain text, as if nothing had been said (RFC 2045, 5.2); a part of a digest
/// is a mail unless it says otherwise (RFC 2046, 5.1.5).
fn content_type(fields: &[Field], in_digest: bool) -> ParsedContentType {
    let said = value(fields, "Content-Type").map(|value| parse_content_type(&value));
    let mut content_type = match said {
        Some(said) if said.mimetype.split('/').filter(|word| !word.is_empty()).count() == 2 => said,
        Some(said) => ParsedContentType { mimetype: "text/plain".into(), ..said },
        None if in_digest => ParsedContentType { mimetype: MAILS[0].into(), ..Default::default() },
        None => ParsedContentType::default(),
    };
    content_type.mimetype.retain(|letter| !letter.is_whitespace());
    content_type
}

fn filename(fields: &[Field], content_type: &ParsedContentType) -> String {
    let disposition = value(fields, "Content-Disposition")
        .map(|value| parse_content_disposition(&value).params)
        .unwrap_or_default();
    // Where its charset is unknown, mailparse leaves a value under its extended name.
    let names = ["filename", "filename*"].iter().filter_map(|name| disposition.get(*name));
    let or_else = ["name", "name*"].iter().filter_map(|name| content_type.params.get(*name));
    let name = names.chain(or_else).find(|name| !name.is_empty());
    name.map(|name| headers::decoded(name.as_bytes())).unwrap_or_default()
}

fn bodies<'a>(body: &'a [u8], content_type: &ParsedContentType) -> Option<Vec<&'a [u8]>> {
    let boundary = content_type.params.get("boundary").filter(|boundary| !boundary.is_empty())?;
    multipart::parts(body, boundary)
}

fn without_transfer_encoding(
    fields: &[Field],
    body: &[u8],
    content_type: &ParsedContentType,
) -> Vec<u8> {
    let encoding = value(fields, "Content-Transfer-Encoding")
        .map(|encoding| encoding.trim().to_ascii_lowercase());
    match Body::new(body, content_type, &encoding) {
        Body::Base64(encoded) => encoded.get_decoded().unwrap_or_else(|_| what_is_base64(body)),
        Body::QuotedPrintable(encoded) => encoded.get_decoded().unwrap_or_else(|_| body.to_vec()),
        Body::SevenBit(_) | Body::EightBit(_) | Body::Binary(_) => body.to_vec(),
    }
}

/// Broken base64, without the letters that are none and without a last one that is too few.
fn what_is_base64(body: &[u8]) -> Vec<u8> {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut letters: Vec<u8> = body.iter().copied().filter(is_letter).collect();
    if letters.len() % 4 == 1 {
        letters.pop();
    }
    LENIENT.decode(letters).unwrap_or_default()
}

/// Gmail converts texts to UTF-8. Of an unknown charset, or none, they are UTF-8 if they can be.
fn text(bytes: &[u8], content_type: &ParsedContentType) -> String {
    let named = content_type.params.get("charset");
    let known = named.and_then(|name| Charset::for_label_no_replacement(name.as_bytes()));
    match (known, std::str::from_utf8(bytes)) {
        (Some(charset), _) => charset.decode(bytes).0.into_owned(),
        (None, Ok(text)) => text.into(),
        (None, Err(_)) => charset::decode_latin1(bytes).into_owned(),
    }
}

/// One part for each group of headers, with no content of its own.
fn groups(mut bytes: &[u8]) -> Vec<Part> {
    let mut groups = Vec::new();
    while !bytes.is_empty() {
        let (fields, length) = headers::block(bytes);
        let headers = fields.iter().map(Field::decoded).collect();
        if !fields.is_empty() {
            groups.push(Part { mime_type: "text/plain".into(), headers, ..Part::default() });
        }
        // A line that is no header is passed over.
        let line = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
        bytes = &bytes[if length == 0 { line } else { length }..];
    }
    groups
}

//! Mail as RFC 5322, and as Gmail shows it: a tree of parts, the attachments by id.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};
use serde_json::{Value, json};

use super::call::Refusal;
use crate::adapters::dry_run::completed;
use crate::domain::id::fingerprint;
use crate::domain::timestamp::Timestamp;

const SNIPPET: usize = 200;

pub struct Parsed {
    pub raw: Vec<u8>,
    pub payload: Value,
    pub snippet: String,
    /// By id, in base64url.
    pub attachments: BTreeMap<String, String>,
    pub recipients: Vec<String>,
}

/// The mail as Gmail would store it: with a sender, a date and an id where they are missing.
pub fn parsed(raw: Vec<u8>, own: &str, now: Timestamp) -> Result<Parsed, Refusal> {
    let unreadable = || Refusal::invalid("Invalid mail".into());
    let raw = completed(raw, own, now).ok_or_else(unreadable)?;
    let message = MessageParser::default().parse(&raw).ok_or_else(unreadable)?;
    let recipients = [message.to(), message.cc(), message.bcc()].into_iter().flatten();
    let recipients = recipients
        .flat_map(|list| list.iter())
        .filter_map(|one| one.address().map(String::from))
        .collect();
    let mut attachments = BTreeMap::new();
    let payload = part(&message, 0, "", &mut attachments);
    Ok(Parsed { snippet: snippet(&text(&payload)), payload, attachments, recipients, raw })
}

/// `number` is Gmail's part id: empty for the whole mail, else the indices on the way to the part.
fn part(
    message: &Message<'_>,
    position: usize,
    number: &str,
    attachments: &mut BTreeMap<String, String>,
) -> Value {
    let Some(part_of) = message.parts.get(position) else { return Value::Null };
    let filename = part_of.attachment_name().unwrap_or_default();
    let mut answer = json!({
        "partId": number, "mimeType": mime_type(part_of), "filename": filename, "headers": headers(message, part_of), "body": {"size": 0},
    });
    match &part_of.body {
        PartType::Multipart(children) => {
            let separator = if number.is_empty() { "" } else { "." };
            let numbered = children.iter().enumerate();
            let parts: Vec<Value> = numbered
                .map(|(index, child)| {
                    let child = usize::try_from(*child).unwrap_or(usize::MAX);
                    self::part(message, child, &format!("{number}{separator}{index}"), attachments)
                })
                .collect();
            answer["parts"] = parts.into();
        }
        PartType::Text(text) | PartType::Html(text) if filename.is_empty() => {
            answer["body"] =
                json!({"size": text.len(), "data": BASE64_URL_SAFE.encode(text.as_bytes())});
        }
        other => {
            let bytes = match other {
                PartType::Binary(bytes) | PartType::InlineBinary(bytes) => bytes.as_ref(),
                PartType::Text(text) | PartType::Html(text) => text.as_bytes(),
                PartType::Message(inner) => inner.raw_message(),
                PartType::Multipart(_) => &[],
            };
            let whole = String::from_utf8_lossy(&message.raw_message);
            let id = format!("ANG{}", fingerprint(&["attachment", &whole, number]).simple());
            answer["body"] = json!({"size": bytes.len(), "attachmentId": id});
            attachments.insert(id, BASE64_URL_SAFE.encode(bytes));
        }
    }
    answer
}

fn mime_type(part: &MessagePart<'_>) -> String {
    let Some(declared) = part.content_type() else { return "text/plain".into() };
    format!("{}/{}", declared.c_type, declared.c_subtype.as_deref().unwrap_or("plain"))
        .to_ascii_lowercase()
}

/// As they were written, each on one line.
fn headers(message: &Message<'_>, part: &MessagePart<'_>) -> Vec<Value> {
    let value = |from: u32, to: u32| {
        let bytes = usize::try_from(from)
            .ok()
            .zip(usize::try_from(to).ok())
            .and_then(|(from, to)| message.raw_message.get(from..to));
        String::from_utf8_lossy(bytes.unwrap_or_default())
            .replace(['\r', '\n'], "")
            .trim()
            .to_string()
    };
    let view = |header: &mail_parser::Header<'_>| json!({"name": header.name.as_str(), "value": value(header.offset_start, header.offset_end)});
    part.headers.iter().map(view).collect()
}

/// A recorded message as mail again.
pub fn written(part: &Value, attachments: &BTreeMap<String, String>) -> Result<Vec<u8>, String> {
    let mut mail = Vec::new();
    for header in part["headers"].as_array().into_iter().flatten() {
        let line = format!(
            "{}: {}\r\n",
            header["name"].as_str().unwrap_or_default(),
            header["value"].as_str().unwrap_or_default()
        );
        mail.extend_from_slice(line.as_bytes());
    }
    mail.extend_from_slice(b"\r\n");
    if let Some(parts) = part["parts"].as_array() {
        let (_, boundary) = header(part, "Content-Type")
            .split_once("boundary=")
            .ok_or("a part of several without a boundary")?;
        let boundary = boundary.trim_matches('"');
        for part in parts {
            mail.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            mail.extend(written(part, attachments)?);
            mail.extend_from_slice(b"\r\n");
        }
        mail.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        return Ok(mail);
    }
    let data = part["body"]["data"]
        .as_str()
        .or_else(|| attachments.get(part["body"]["attachmentId"].as_str()?).map(String::as_str));
    let content = decoded(data.unwrap_or_default()).ok_or("a body that is not base64url")?;
    match header(part, "Content-Transfer-Encoding").eq_ignore_ascii_case("base64") {
        true => {
            let encoded = BASE64_STANDARD.encode(content).into_bytes();
            mail.extend(encoded.chunks(76).collect::<Vec<_>>().join(&b"\r\n"[..]));
        }
        false => mail.extend(content),
    }
    Ok(mail)
}

fn header<'a>(part: &'a Value, name: &str) -> &'a str {
    let headers = part["headers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is =
        |header: &&Value| header["name"].as_str().is_some_and(|key| key.eq_ignore_ascii_case(name));
    headers.iter().find(is).and_then(|header| header["value"].as_str()).unwrap_or_default()
}

fn decoded(data: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(data.trim_end_matches('=')).ok()
}

/// Whether a part's content is known by this attachment id.
pub fn holds(part: &Value, attachment_id: &str) -> bool {
    let here = part["body"]["attachmentId"] == attachment_id;
    here || part["parts"]
        .as_array()
        .is_some_and(|parts| parts.iter().any(|part| holds(part, attachment_id)))
}

pub fn has_attachment(part: &Value) -> bool {
    let here = part["filename"].as_str().is_some_and(|name| !name.is_empty());
    here || part["parts"].as_array().is_some_and(|parts| parts.iter().any(has_attachment))
}

/// The readable text: the plain text, or the HTML without its markup.
pub fn text(part: &Value) -> String {
    let plain = text_of(part, "text/plain");
    if plain.is_empty() { without_markup(&text_of(part, "text/html")) } else { plain }
}

fn text_of(part: &Value, mime_type: &str) -> String {
    let own = if part["mimeType"] == mime_type {
        part["body"]["data"].as_str().and_then(decoded).unwrap_or_default()
    } else {
        Vec::new()
    };
    let parts = part["parts"].as_array().into_iter().flatten().map(|part| text_of(part, mime_type));
    std::iter::once(String::from_utf8_lossy(&own).into_owned())
        .chain(parts)
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn without_markup(html: &str) -> String {
    let mut inside = false;
    let visible = |character: char| {
        let shown = !inside && character != '<';
        inside = match character {
            '<' => true,
            '>' => false,
            _ => inside,
        };
        if shown { character } else { ' ' }
    };
    html.chars().map(visible).collect()
}

fn snippet(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = line.chars().take(SNIPPET).collect();
    short
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

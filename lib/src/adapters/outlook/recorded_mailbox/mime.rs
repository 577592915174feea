//! Mail as RFC 5322, and as Graph shows it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mail_parser::{Address, MessageParser};
use serde_json::{Value, json};

use crate::domain::mail::Part;

/// Characters of `bodyPreview`.
const PREVIEW: usize = 255;
/// Of the mails to which files were put.
const BOUNDARY: &str = "dry-run-files";

/// What Graph reads of a mail; `None` if it cannot be read.
pub fn shown(mime: &[u8]) -> Option<Value> {
    let mail = MessageParser::default().parse(mime)?;
    let root = Part::read(mime)?;
    let headers = root.headers.iter().map(|(name, value)| json!({"name": name, "value": value}));
    let from = people(mail.from()).into_iter().next();
    let message_id = mail.message_id().map(|id| format!("<{id}>"));
    Some(json!({
        "subject": mail.subject(), "from": from, "sender": from,
        "toRecipients": people(mail.to()), "ccRecipients": people(mail.cc()),
        "bccRecipients": people(mail.bcc()), "replyTo": people(mail.reply_to()),
        "internetMessageId": message_id, "importance": "normal", "bodyPreview": preview(mime),
        // Those that are shown within the body do not count.
        "hasAttachments": root.files().attachments.iter().any(|file| !file.inline),
        "internetMessageHeaders": headers.collect::<Vec<_>>(),
    }))
}

fn people(list: Option<&Address<'_>>) -> Vec<Value> {
    let person = |one: &mail_parser::Addr<'_>| {
        let address = one.address().unwrap_or_default();
        let name = one.name().unwrap_or(address);
        json!({"emailAddress": {"name": name, "address": address}})
    };
    list.into_iter().flat_map(Address::iter).map(person).collect()
}

/// The Message-IDs that it answers.
pub fn answered(shown: &Value) -> String {
    let headers = shown["internetMessageHeaders"].as_array().map(Vec::as_slice);
    let answers = |header: &&Value| {
        let name = header["name"].as_str().unwrap_or_default();
        ["references", "in-reply-to"].iter().any(|one| name.eq_ignore_ascii_case(one))
    };
    let values = headers.unwrap_or_default().iter().filter(answers);
    values.filter_map(|header| header["value"].as_str()).collect::<Vec<_>>().join(" ")
}

/// What there is to read, in one line.
pub fn text(mime: &[u8]) -> String {
    let mail = MessageParser::default().parse(mime);
    let text = mail.as_ref().and_then(|mail| mail.body_text(0)).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn preview(mime: &[u8]) -> String {
    text(mime).chars().take(PREVIEW).collect()
}

/// The mail with one more file, which `item` describes as Graph's `fileAttachment` does.
pub fn with_file(mime: &[u8], item: &Value, bytes: &[u8]) -> Vec<u8> {
    let text = |name: &str| item[name].as_str().unwrap_or_default();
    let plain = |name: &str| text(name).replace(['\r', '\n', '"', '\\'], "_");
    let placed = if item["isInline"] == true { "inline" } else { "attachment" };
    let mut file = format!(
        "--{BOUNDARY}\r\nContent-Type: {}\r\nContent-Disposition: {placed}; filename=\"{}\"\r\n",
        plain("contentType"),
        plain("name"),
    );
    if !text("contentId").is_empty() {
        file += &format!("Content-ID: <{}>\r\n", plain("contentId"));
    }
    file += "Content-Transfer-Encoding: base64\r\n\r\n";
    let encoded = BASE64_STANDARD.encode(bytes).into_bytes();
    let lines = encoded.chunks(76).collect::<Vec<_>>().join(&b"\r\n"[..]);
    let end = format!("--{BOUNDARY}--\r\n").into_bytes();
    let begun = mime.strip_suffix(&end[..]).map_or_else(|| within(mime), <[u8]>::to_vec);
    [&begun[..], file.as_bytes(), &lines[..], b"\r\n", &end[..]].concat()
}

/// The mail as the first part of one that has room for files.
fn within(mime: &[u8]) -> Vec<u8> {
    let ends = mime.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap_or(mime.len());
    let (head, body) = mime.split_at(ends);
    let head = String::from_utf8_lossy(head);
    let (mut outer, mut inner, mut is_inner) = (String::new(), String::new(), false);
    for line in head.split("\r\n").filter(|line| !line.is_empty()) {
        // A folded line belongs to the header before it.
        if !line.starts_with([' ', '\t']) {
            is_inner = line.to_ascii_lowercase().starts_with("content-");
        }
        let part = if is_inner { &mut inner } else { &mut outer };
        part.push_str(line);
        part.push_str("\r\n");
    }
    let around = format!("Content-Type: multipart/mixed; boundary=\"{BOUNDARY}\"\r\n\r\n");
    let body = body.strip_prefix(b"\r\n").unwrap_or(body);
    let first = format!("{outer}{around}--{BOUNDARY}\r\n{inner}");
    [first.as_bytes(), body, b"\r\n"].concat()
}

//! A message's parts, as Gmail parses them and as they crossed the wire.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::receiving;
use crate::values::{base64, base64url_padded};

/// The properties of a mail that a test sets; all others get plausible values.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewMessage {
    pub from: Option<String>,
    pub to: Option<String>,
    pub cc: Option<String>,
    pub subject: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
    /// `INBOX` and `UNREAD` if absent.
    pub label_ids: Option<Vec<String>>,
    /// Milliseconds; now if absent.
    pub internal_date: Option<i64>,
    /// Override the default headers: the sender's, below those of the receiving server.
    pub headers: BTreeMap<String, String>,
    /// The receiving server's `Authentication-Results`. If absent, mail from outside passes all
    /// methods; if empty, there is no such header.
    pub authentication_results: Option<String>,
    pub attachment: Option<NewAttachment>,
    /// The whole mail as RFC 5322, in base64: everything above but labels is taken from it.
    pub raw: Option<String>,
    /// A thread of its own if absent.
    pub thread_id: Option<String>,
    /// No push for it.
    pub silent: bool,
    pub raw_no_from: bool,
    /// The message answers 404 before `reveal`; its history record shows and the push goes out.
    pub hidden: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAttachment {
    pub filename: String,
    pub mime_type: String,
    pub size: usize,
}

pub(crate) type Headers = Vec<(String, String)>;

pub(crate) struct Part {
    pub mime_type: String,
    pub filename: String,
    /// Of the part alone: `Content-Type` and the like.
    headers: Headers,
    content: Content,
}

enum Content {
    Leaf(Vec<u8>),
    Parts(Vec<Part>),
}

impl NewMessage {
    pub(crate) fn top_headers(&self, mailbox: &str, id: &str, internal_date: i64) -> Headers {
        let date = OffsetDateTime::from_unix_timestamp(internal_date / 1000).ok();
        let mut headers: Headers = vec![
            ("Delivered-To".into(), mailbox.into()),
            ("Date".into(), date.and_then(|date| date.format(&Rfc2822).ok()).unwrap_or_default()),
            ("Message-ID".into(), format!("<{id}@mail.example.com>")),
            ("Subject".into(), self.subject.clone().unwrap_or_else(|| "Hello".into())),
        ];
        if !self.raw_no_from {
            headers.push((
                "From".into(),
                self.from.clone().unwrap_or_else(|| "Sender <sender@example.com>".into()),
            ));
        }
        headers.push(("To".into(), self.to.clone().unwrap_or_else(|| mailbox.into())));
        headers.extend(self.cc.clone().map(|cc| ("Cc".into(), cc)));
        for (name, value) in &self.headers {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            headers.push((name.clone(), value.clone()));
        }
        headers.push(("MIME-Version".into(), "1.0".into()));
        if !self.label_ids.as_deref().is_some_and(receiving::is_own) {
            receiving::stamp(&mut headers, self.authentication_results.as_deref());
        }
        headers
    }

    pub(crate) fn body(&self) -> Part {
        let text = self.text.as_deref().map(|text| Part::text("text/plain", text));
        let html = self.html.as_deref().map(|html| Part::text("text/html", html));
        let readable = match (text, html) {
            (Some(text), Some(html)) => Part::multipart("multipart/alternative", vec![text, html]),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => Part::text("text/plain", "Hello"),
        };
        match &self.attachment {
            Some(attachment) => {
                Part::multipart("multipart/mixed", vec![readable, Part::attachment(attachment)])
            }
            None => readable,
        }
    }

    pub(crate) fn snippet(&self) -> String {
        let text = match (&self.text, &self.html) {
            (Some(text), _) => text.clone(),
            (None, Some(html)) => without_tags(html),
            (None, None) => "Hello".into(),
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        escaped(&words.join(" ").chars().take(200).collect::<String>())
    }
}

impl Part {
    pub fn leaf(mime_type: &str, filename: &str, bytes: Vec<u8>) -> Self {
        Self {
            mime_type: mime_type.into(),
            filename: filename.into(),
            headers: Vec::new(),
            content: Content::Leaf(bytes),
        }
    }

    pub fn with_headers(self, headers: Headers) -> Self {
        Self { headers, ..self }
    }

    /// Gmail returns unnamed text parts inline, and everything else by an attachment id.
    fn is_handed_out(&self) -> bool {
        self.filename.is_empty() && self.mime_type.starts_with("text/")
    }

    fn text(mime_type: &str, text: &str) -> Self {
        let headers = vec![("Content-Type".into(), format!("{mime_type}; charset=\"UTF-8\""))];
        Self {
            mime_type: mime_type.into(),
            filename: String::new(),
            headers,
            content: Content::Leaf(text.as_bytes().to_vec()),
        }
    }

    pub fn multipart(mime_type: &str, parts: Vec<Part>) -> Self {
        let boundary = mime_type.replace('/', "-");
        let headers =
            vec![("Content-Type".into(), format!("{mime_type}; boundary=\"{boundary}\""))];
        Self {
            mime_type: mime_type.into(),
            filename: String::new(),
            headers,
            content: Content::Parts(parts),
        }
    }

    fn attachment(new: &NewAttachment) -> Self {
        let headers = vec![
            ("Content-Type".into(), format!("{}; name=\"{}\"", new.mime_type, new.filename)),
            ("Content-Disposition".into(), format!("attachment; filename=\"{}\"", new.filename)),
        ];
        let bytes = (0..new.size).map(|index| b'a' + (index % 26) as u8).collect();
        Self {
            mime_type: new.mime_type.clone(),
            filename: new.filename.clone(),
            headers,
            content: Content::Leaf(bytes),
        }
    }

    pub fn own_headers(&self) -> &[(String, String)] {
        &self.headers
    }

    pub fn has_attachment(&self) -> bool {
        match &self.content {
            Content::Leaf(_) => !self.filename.is_empty(),
            Content::Parts(parts) => parts.iter().any(Self::has_attachment),
        }
    }

    /// As `MessagePart`, with the message's own headers at the top.
    pub fn parsed(&self, part_id: &str, top: &[(String, String)], reads: u64) -> Value {
        let headers: Vec<Value> = top.iter().chain(&self.headers).map(header_json).collect();
        let mut parsed =
            json!({ "partId": part_id, "mimeType": self.mime_type, "filename": self.filename });
        if !headers.is_empty() {
            parsed["headers"] = headers.into();
        }
        match &self.content {
            Content::Leaf(bytes) if bytes.is_empty() => parsed["body"] = json!({ "size": 0 }),
            Content::Leaf(bytes) if self.is_handed_out() => {
                parsed["body"] = json!({ "size": bytes.len(), "data": base64url_padded(bytes) });
            }
            Content::Leaf(bytes) => {
                parsed["body"] =
                    json!({ "attachmentId": attachment_id(part_id, reads), "size": bytes.len() });
            }
            Content::Parts(parts) => {
                parsed["body"] = json!({ "size": 0 });
                parsed["parts"] = parts
                    .iter()
                    .enumerate()
                    .map(|(index, part)| part.parsed(&child_id(part_id, index), &[], reads))
                    .collect();
            }
        }
        parsed
    }

    /// The bytes of an attachment, by any id that was returned so far.
    pub fn attachment_bytes(&self, part_id: &str, wanted: &str, reads: u64) -> Option<&[u8]> {
        match &self.content {
            Content::Leaf(bytes) => {
                let (part, read) = wanted.strip_prefix("ANGjdJ")?.split_once('-')?;
                let known = read.parse().is_ok_and(|read: u64| (1..=reads).contains(&read));
                (!self.is_handed_out() && known && part == part_id.replace('.', "_"))
                    .then_some(bytes.as_slice())
            }
            Content::Parts(parts) => parts.iter().enumerate().find_map(|(index, part)| {
                part.attachment_bytes(&child_id(part_id, index), wanted, reads)
            }),
        }
    }

    pub fn names_file(&self, wanted: &str) -> bool {
        match &self.content {
            Content::Leaf(_) => self.filename.to_lowercase().contains(wanted),
            Content::Parts(parts) => parts.iter().any(|part| part.names_file(wanted)),
        }
    }

    /// The RFC 5322 text, with the message's own headers at the top.
    pub fn raw(&self, top: &[(String, String)]) -> String {
        let mut raw = String::new();
        for (name, value) in top.iter().chain(&self.headers) {
            raw.push_str(&format!("{name}: {value}\r\n"));
        }
        match &self.content {
            Content::Leaf(bytes) => {
                raw.push_str(&format!(
                    "Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
                    folded(&base64(bytes))
                ));
            }
            Content::Parts(parts) => {
                let boundary = self.mime_type.replace('/', "-");
                raw.push_str("\r\n");
                for part in parts {
                    raw.push_str(&format!("--{boundary}\r\n{}", part.raw(&[])));
                }
                raw.push_str(&format!("--{boundary}--\r\n"));
            }
        }
        raw
    }
}

pub(crate) fn header_json((name, value): &(String, String)) -> Value {
    json!({ "name": name, "value": value })
}

fn child_id(parent: &str, index: usize) -> String {
    if parent.is_empty() { index.to_string() } else { format!("{parent}.{index}") }
}

/// Gmail changes the id at each reading of the message.
fn attachment_id(part_id: &str, reads: u64) -> String {
    format!("ANGjdJ{}-{reads}", part_id.replace('.', "_"))
}

/// RFC 2045 wants lines of at most 76 letters.
fn folded(encoded: &str) -> String {
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(76).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    lines.join("\r\n")
}

fn without_tags(html: &str) -> String {
    let mut inside = false;
    html.chars()
        .map(|letter| {
            let hidden = inside || letter == '<';
            inside = hidden && letter != '>';
            if hidden { ' ' } else { letter }
        })
        .collect()
}

/// Gmail escapes snippets for HTML.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

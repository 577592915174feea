//! A mail that a test describes, written down as its sender would.

use std::collections::BTreeMap;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::values::base64;

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

/// Answered with this name and type to the letter, even if no mail can have them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAttachment {
    pub filename: String,
    pub mime_type: String,
    pub size: usize,
}

impl NewMessage {
    pub(crate) fn labels(&self) -> Vec<String> {
        self.label_ids.clone().unwrap_or_else(|| vec!["INBOX".into(), "UNREAD".into()])
    }

    /// As RFC 5322, without what the receiving server adds. `internal_date` is in milliseconds.
    pub(crate) fn written(&self, mailbox: &str, id: &str, internal_date: i64) -> Vec<u8> {
        let headers = self.top_headers(mailbox, id, internal_date);
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{headers}MIME-Version: 1.0\r\n{}", self.body()).into_bytes()
    }

    fn top_headers(&self, mailbox: &str, id: &str, internal_date: i64) -> Vec<(String, String)> {
        let date = OffsetDateTime::from_unix_timestamp(internal_date / 1000).ok();
        let mut headers: Vec<(String, String)> = vec![
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
        headers
    }

    /// The content with its headers.
    fn body(&self) -> String {
        let text = self.text.as_deref().map(|text| readable("text/plain", text));
        let html = self.html.as_deref().map(|html| readable("text/html", html));
        let readable = match (text, html) {
            (Some(text), Some(html)) => multipart("alternative", &[text, html]),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => readable("text/plain", "Hello"),
        };
        match &self.attachment {
            Some(attachment) => multipart("mixed", &[readable, attachment.written()]),
            None => readable,
        }
    }
}

impl NewAttachment {
    fn written(&self) -> String {
        let bytes: Vec<u8> = (0..self.size).map(|index| b'a' + (index % 26) as u8).collect();
        let headers = format!(
            "Content-Type: {}; {}\r\nContent-Disposition: attachment; {}\r\n",
            self.mime_type.replace(char::is_control, " "),
            parameter("name", &self.filename),
            parameter("filename", &self.filename)
        );
        leaf(&headers, &bytes)
    }
}

fn readable(mime_type: &str, text: &str) -> String {
    leaf(&format!("Content-Type: {mime_type}; charset=\"UTF-8\"\r\n"), text.as_bytes())
}

fn leaf(headers: &str, bytes: &[u8]) -> String {
    format!("{headers}Content-Transfer-Encoding: base64\r\n\r\n{}\r\n", folded(&base64(bytes)))
}

fn multipart(subtype: &str, parts: &[String]) -> String {
    let boundary = format!("multipart-{subtype}");
    let parts: String = parts.iter().map(|part| format!("--{boundary}\r\n{part}")).collect();
    format!(
        "Content-Type: multipart/{subtype}; boundary=\"{boundary}\"\r\n\r\n{parts}--{boundary}--\r\n"
    )
}

/// RFC 2045, 5.1, or RFC 2231 if there are other letters than ASCII.
fn parameter(name: &str, value: &str) -> String {
    if value.bytes().all(|letter| (b' '..=b'~').contains(&letter)) {
        return format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
    }
    let octet = |octet: u8| match octet {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(octet).into(),
        _ => format!("%{octet:02X}"),
    };
    format!("{name}*=UTF-8''{}", value.bytes().map(octet).collect::<String>())
}

/// RFC 2045 wants lines of at most 76 letters.
fn folded(encoded: &str) -> String {
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(76).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    lines.join("\r\n")
}

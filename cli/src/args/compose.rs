//! Arguments of mail that is sent or drafted, and the body that they make.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::request::{Id, id};

#[derive(Clone, Copy, ValueEnum)]
pub enum ForwardAs {
    Inline,
    Attachment,
}

#[derive(Args, Default)]
pub struct Outgoing {
    /// Who writes: a name, an address that Gmail lets the mailbox send as, or both as `Name <a@b>`.
    #[arg(long, value_name = "WHO")]
    pub from: Option<String>,
    /// A recipient, `a@b` or `Name <a@b>` (repeat for several).
    #[arg(long, value_name = "ADDRESS")]
    pub to: Vec<String>,
    #[arg(long, value_name = "ADDRESS")]
    pub cc: Vec<String>,
    #[arg(long, value_name = "ADDRESS")]
    pub bcc: Vec<String>,
    /// Where answers are to go.
    #[arg(long, value_name = "ADDRESS")]
    pub reply_to: Vec<String>,
    #[arg(long)]
    pub subject: Option<String>,
    /// The text.
    #[arg(long, conflicts_with = "text_file")]
    pub text: Option<String>,
    /// A file that holds the text.
    #[arg(long, value_name = "FILE")]
    pub text_file: Option<PathBuf>,
    /// A file that holds the same as HTML.
    #[arg(long, value_name = "FILE")]
    pub html_file: Option<PathBuf>,
    /// A file to attach (repeat for several).
    #[arg(long, value_name = "FILE")]
    pub attach: Vec<PathBuf>,
    /// A message of this mailbox that is answered: sets thread and references, and if absent
    /// recipient and subject.
    #[arg(long, value_name = "MESSAGE", value_parser = id)]
    pub reply_to_message: Option<Id>,
    /// Answers everybody of the original, not its writer alone.
    #[arg(long)]
    pub reply_all: bool,
    /// A message of this mailbox that is forwarded.
    #[arg(long, value_name = "MESSAGE", value_parser = id, conflicts_with = "reply_to_message")]
    pub forward_message: Option<Id>,
    /// How it is forwarded: quoted in the body with its files, or as a file.
    #[arg(long, value_enum, requires = "forward_message")]
    pub forward_as: Option<ForwardAs>,
    /// Says that a machine wrote it, so that no other machine answers.
    #[arg(long, value_name = "HOW", value_parser = ["auto-replied", "auto-generated"])]
    pub auto_submitted: Option<String>,
    /// The thread to put it into; its last message is answered unless another is named.
    #[arg(long, value_name = "THREAD", value_parser = id)]
    pub thread: Option<Id>,
}

impl Outgoing {
    /// As the API takes it.
    pub fn json(&self) -> Result<Value, Failure> {
        let mut mail = Map::new();
        for (name, addresses) in
            [("to", &self.to), ("cc", &self.cc), ("bcc", &self.bcc), ("reply_to", &self.reply_to)]
        {
            if !addresses.is_empty() {
                mail.insert(name.into(), addresses.iter().map(|text| address(text)).collect());
            }
        }
        let read_text = |file: &PathBuf| {
            String::from_utf8(read(file)?)
                .map_err(|_| Failure::here(format!("{} is not UTF-8", file.display())))
        };
        let text = self
            .text
            .clone()
            .map(Ok)
            .or_else(|| self.text_file.as_ref().map(read_text))
            .transpose()?;
        let html = self.html_file.as_ref().map(read_text).transpose()?;
        let texts = [
            ("subject", self.subject.clone()),
            ("text", text),
            ("html", html),
            ("reply_to_message_id", self.reply_to_message.clone()),
            ("forward_message_id", self.forward_message.clone()),
            ("forward_as", self.forward_as.map(ForwardAs::name)),
            ("thread_id", self.thread.clone()),
            ("auto_submitted", self.auto_submitted.clone()),
        ];
        mail.extend(
            texts
                .into_iter()
                .filter_map(|(name, text)| text.map(|text| (name.into(), json!(text)))),
        );
        if let Some(who) = &self.from {
            mail.insert("from".into(), author(who));
        }
        if self.reply_all {
            mail.insert("reply_all".into(), json!(true));
        }
        if !self.attach.is_empty() {
            let attached =
                self.attach.iter().map(|file| attachment(file)).collect::<Result<Vec<_>, _>>()?;
            mail.insert("attachments".into(), json!(attached));
        }
        Ok(Value::Object(mail))
    }
}

impl ForwardAs {
    fn name(self) -> String {
        match self {
            Self::Inline => "inline".into(),
            Self::Attachment => "attachment".into(),
        }
    }
}

pub fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| Failure::here(format!("{}: {error}", file.display())))
}

/// `Name <a@b>` has a name; whether it is an address, the API says.
fn address(text: &str) -> Value {
    let named = text.trim().strip_suffix('>').and_then(|text| text.rsplit_once('<'));
    match named.map(|(name, address)| (name.trim().trim_matches('"'), address.trim())) {
        Some(("", address)) => json!(address),
        Some((name, address)) => json!({"name": name, "address": address}),
        None => json!(text.trim()),
    }
}

/// A name alone has no `@`.
fn author(text: &str) -> Value {
    match address(text) {
        Value::String(name) if !name.contains('@') => json!({"name": name}),
        Value::String(address) => json!({"address": address}),
        both => both,
    }
}

fn attachment(file: &Path) -> Result<Value, Failure> {
    let name = file.file_name().and_then(|name| name.to_str());
    let name =
        name.ok_or_else(|| Failure::here(format!("{} has no name to send", file.display())))?;
    Ok(
        json!({"filename": name, "mime_type": mime_type(file), "content": STANDARD.encode(read(file)?)}),
    )
}

fn mime_type(file: &Path) -> &'static str {
    let extension = file
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default()
        .to_ascii_lowercase();
    match extension.as_str() {
        "txt" | "log" | "md" => "text/plain",
        "html" | "htm" => "text/html",
        "csv" => "text/csv",
        "ics" => "text/calendar",
        "json" => "application/json",
        "xml" => "application/xml",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "gz" => "application/gzip",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_name() {
        let table = [
            ("ada@example.com", json!("ada@example.com")),
            (" <ada@example.com> ", json!("ada@example.com")),
            ("Ada L <ada@example.com>", json!({"name": "Ada L", "address": "ada@example.com"})),
            (
                "\"L, Ada\" <ada@example.com>",
                json!({"name": "L, Ada", "address": "ada@example.com"}),
            ),
        ];
        for (text, expected) in table {
            assert_eq!(address(text), expected);
        }
    }

    #[test]
    fn an_author_is_a_name_an_address_or_both() {
        for (text, expected) in [
            ("Ada L", json!({"name": "Ada L"})),
            ("help@example.com", json!({"address": "help@example.com"})),
            ("Help <help@example.com>", json!({"name": "Help", "address": "help@example.com"})),
        ] {
            assert_eq!(author(text), expected);
        }
    }

    #[test]
    fn only_what_was_given_is_sent() {
        assert_eq!(Outgoing::default().json().unwrap(), json!({}));
        let mail = Outgoing {
            to: vec!["a@b.example".into()],
            subject: Some("s".into()),
            thread: Some("t".into()),
            ..Outgoing::default()
        };
        assert_eq!(
            mail.json().unwrap(),
            json!({"to": ["a@b.example"], "subject": "s", "thread_id": "t"})
        );
        let forward = Outgoing {
            from: Some("Ada".into()),
            forward_message: Some("m".into()),
            forward_as: Some(ForwardAs::Attachment),
            ..Outgoing::default()
        };
        assert_eq!(
            forward.json().unwrap(),
            json!({"from": {"name": "Ada"}, "forward_message_id": "m", "forward_as": "attachment"})
        );
        let reply =
            Outgoing { reply_to_message: Some("m".into()), reply_all: true, ..Outgoing::default() };
        assert_eq!(reply.json().unwrap(), json!({"reply_to_message_id": "m", "reply_all": true}));
    }
}

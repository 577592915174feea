//! A mail as tests describe it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::mail;
use crate::mail::compose;
use crate::message::{Attachment, Body, Content, Marks, Person};
use crate::values::{from_base64, random_uuid};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewMessage {
    /// The whole mail in base64; fields that say what stands in it are not heeded then.
    pub raw: Option<String>,
    /// `{n}` in it becomes each one's number, from 1, if several arrive.
    pub subject: Option<String>,
    /// `name@host`, or `Name <name@host>`.
    pub from: Option<String>,
    /// The mailbox itself if empty.
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub text: Option<String>,
    pub html: Option<String>,
    pub headers: BTreeMap<String, String>,
    /// With angle brackets. Made if absent.
    pub message_id: Option<String>,
    pub without_message_id: bool,
    pub attachments: Vec<NewAttachment>,

    /// A folder's well-known name, own name or id; `inbox` if absent.
    pub folder: Option<String>,
    /// `2026-11-30T12:00:00Z`; now if absent. An import has an old one.
    pub received: Option<String>,
    /// In place of the immutable id that would be made.
    pub id: Option<String>,
    pub is_read: bool,
    pub is_draft: bool,
    pub flagged: bool,
    pub importance: Option<String>,
    pub categories: Vec<String>,
    /// Readers see it so much later; notifications are at once.
    pub late_ms: i64,
    /// Readers see it when it is shown by `show`.
    pub hidden: bool,
    /// Nobody is told.
    pub silent: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewAttachment {
    pub filename: String,
    pub mime_type: Option<String>,
    /// So many bytes, if there is no `content`.
    pub size: usize,
    /// In base64.
    pub content: Option<String>,
    pub content_id: Option<String>,
    pub inline: bool,
}

impl NewMessage {
    pub fn of(subject: &str) -> Self {
        Self { subject: Some(subject.into()), ..Self::default() }
    }

    pub(crate) fn marks(&self) -> Marks {
        Marks {
            is_read: self.is_read,
            is_draft: self.is_draft,
            flag: if self.flagged { "flagged" } else { "notFlagged" }.into(),
            importance: self.importance.clone().unwrap_or_else(|| "normal".into()),
            categories: self.categories.clone(),
            ..Marks::default()
        }
    }

    /// What the mail says; None if `raw` is no base64.
    pub(crate) fn content(&self, owner: &str, number: usize, date: &str) -> Option<Content> {
        if let Some(raw) = &self.raw {
            return Some(mail::read(&from_base64(raw)?));
        }
        let subject = self.subject.as_ref().map(|text| text.replace("{n}", &number.to_string()));
        let own = [owner.to_owned()];
        let to: &[String] = if self.to.is_empty() { &own } else { &self.to };
        let made = || format!("<{}@example.com>", random_uuid());
        let message_id =
            (!self.without_message_id).then(|| self.message_id.clone().unwrap_or_else(made));
        let html = self.html.is_some();
        let text = self.html.clone().or_else(|| self.text.clone()).unwrap_or_default();
        let attachments =
            self.attachments.iter().map(NewAttachment::made).collect::<Option<_>>()?;
        let content = Content {
            subject,
            from: Some(person(self.from.as_deref().unwrap_or("bo@example.com"))),
            to: to.iter().map(|one| person(one)).collect(),
            cc: self.cc.iter().map(|one| person(one)).collect(),
            body: Body { html, text },
            message_id,
            headers: self.headers.clone().into_iter().collect(),
            attachments,
            ..Content::default()
        };
        // Written and read once, so that it has headers and bytes as any other mail.
        Some(mail::read(&compose::mime(&content, date)))
    }
}

fn person(text: &str) -> Person {
    match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, address)) => Person { name: name.trim().into(), address: address.into() },
        None => Person { name: text.into(), address: text.into() },
    }
}

impl NewAttachment {
    fn made(&self) -> Option<Attachment> {
        let bytes = match &self.content {
            Some(content) => from_base64(content)?,
            None => vec![b'x'; self.size],
        };
        let mime_type = self.mime_type.clone().unwrap_or_else(|| "application/octet-stream".into());
        Some(Attachment {
            id: String::new(),
            name: self.filename.clone(),
            item: mime_type == "message/rfc822",
            mime_type,
            bytes,
            content_id: self.content_id.clone(),
            inline: self.inline,
        })
    }
}

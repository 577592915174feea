//! What changes in a draft; all else of it stays as it is.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::attachment::OutgoingAttachment;
use super::readable::readable;
use super::recipient::{Author, Recipient};
use super::split::{Field, split};
use super::{Outgoing, parsed};
use crate::domain::invalid::Invalid;
use crate::domain::mail::Part;
use crate::domain::message::first_address;

/// What is absent stays. An empty list or text removes what was there.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DraftChange {
    pub from: Option<Author>,
    pub to: Option<Vec<Recipient>>,
    pub cc: Option<Vec<Recipient>>,
    pub bcc: Option<Vec<Recipient>>,
    pub reply_to: Option<Vec<Recipient>>,
    #[schema(max_length = 998, example = "The invoice for June")]
    pub subject: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
    pub attachments: Option<Vec<OutgoingAttachment>>,
    /// A Message-ID.
    pub in_reply_to: Option<String>,
    /// Message-IDs, the oldest first.
    pub references: Option<String>,
}

/// What of a draft is written again as it was.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kept {
    pub fields: Vec<Field>,
    /// The fields of its body's type, an empty line, and the body; `None` if it is written anew.
    pub body: Option<Vec<u8>>,
}

impl Kept {
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }
}

impl DraftChange {
    pub fn parse(body: Value) -> Result<Self, Invalid> {
        let change: Self = parsed(body)?;
        if change == Self::default() {
            return Err(Invalid::new(
                "body",
                "changes nothing; name at least one of from, to, cc, bcc, reply_to, subject, text, html, attachments, in_reply_to and references",
            ));
        }
        change.checked()
    }

    fn checked(self) -> Result<Self, Invalid> {
        let named = self.clone();
        let mail = Outgoing {
            from: self.from,
            to: self.to.unwrap_or_default(),
            cc: self.cc.unwrap_or_default(),
            bcc: self.bcc.unwrap_or_default(),
            reply_to: self.reply_to.unwrap_or_default(),
            subject: self.subject,
            text: self.text,
            html: self.html,
            attachments: self.attachments.unwrap_or_default(),
            in_reply_to: self.in_reply_to,
            references: self.references,
            ..Outgoing::default()
        }
        .checked()?;
        Ok(Self {
            from: mail.from,
            to: named.to.and(Some(mail.to)),
            cc: named.cc.and(Some(mail.cc)),
            bcc: named.bcc.and(Some(mail.bcc)),
            reply_to: named.reply_to.and(Some(mail.reply_to)),
            subject: mail.subject,
            text: mail.text,
            html: mail.html,
            attachments: named.attachments.and(Some(mail.attachments)),
            in_reply_to: mail.in_reply_to,
            references: mail.references,
        })
    }

    pub fn has_uploads(&self) -> bool {
        self.attachments.iter().flatten().any(|attachment| attachment.upload_id.is_some())
    }

    /// The draft with this change, made of its bytes and its thread. An error names what else must
    /// be said.
    pub fn applied_to(self, draft: &[u8], thread_id: String) -> Result<Outgoing, Invalid> {
        let (fields, body) = split(draft);
        let root = Part::read(draft);
        let replaced = [
            ("from", self.from.is_some()),
            ("sender", self.from.is_some()),
            ("to", self.to.is_some()),
            ("cc", self.cc.is_some()),
            ("bcc", self.bcc.is_some()),
            ("reply-to", self.reply_to.is_some()),
            ("subject", self.subject.is_some()),
            ("in-reply-to", self.in_reply_to.is_some()),
            ("references", self.references.is_some()),
            ("date", true),
            ("mime-version", true),
        ];
        let goes = |field: &Field| replaced.iter().any(|(name, goes)| *goes && field.name == *name);
        let (of_the_body, fields): (Vec<Field>, Vec<Field>) =
            fields.into_iter().partition(|field| field.name.starts_with("content-"));
        let fields = fields.into_iter().filter(|field| !goes(field)).collect();
        let was_from = root.as_ref().and_then(|root| root.header("from")).and_then(first_address);
        let mut mail = Outgoing {
            from: self.from.map(|author| author.or_else(was_from)),
            to: self.to.unwrap_or_default(),
            cc: self.cc.unwrap_or_default(),
            bcc: self.bcc.unwrap_or_default(),
            reply_to: self.reply_to.unwrap_or_default(),
            subject: self.subject,
            thread_id: Some(thread_id),
            in_reply_to: self.in_reply_to.filter(|ids| !ids.is_empty()),
            references: self.references.filter(|ids| !ids.is_empty()),
            complete: true,
            ..Outgoing::default()
        };
        let body = if self.text.is_none() && self.html.is_none() && self.attachments.is_none() {
            let mut bytes: Vec<u8> =
                of_the_body.into_iter().flat_map(|field| field.lines).collect();
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(body);
            Some(bytes)
        } else {
            let root = root.ok_or_else(|| {
                Invalid::new(
                    "body",
                    "cannot change this draft, which cannot be read; PUT a whole one",
                )
            })?;
            let was = readable(&root);
            let one_of_two = |field: &'static str, other: &str| {
                Invalid::new(
                    field,
                    format!(
                        "is one of the two forms of this draft's text, of which readers see one; name {other} too, or \"\" to leave it out"
                    ),
                )
            };
            if was.text.is_some() && was.html.is_some() {
                match (&self.text, &self.html) {
                    (Some(_), None) => return Err(one_of_two("text", "html")),
                    (None, Some(_)) => return Err(one_of_two("html", "text")),
                    _ => {}
                }
            }
            let said = |text: Option<String>, was: Option<String>| {
                text.or(was).filter(|text| !text.is_empty())
            };
            mail.text = said(self.text, was.text);
            mail.html = said(self.html, was.html);
            mail.attachments =
                self.attachments.unwrap_or_else(|| OutgoingAttachment::all_of(&root));
            None
        };
        mail.kept = Some(Kept { fields, body });
        Ok(mail)
    }
}

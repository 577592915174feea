//! A message as the mailbox holds it, and as Graph answers it.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::mail::text;
use crate::values::{base64, base64url_padded, moment, sha256};

/// Where Outlook on the web would show a message.
const WEB: &str = "https://outlook.office365.com/owa/?ItemID=";

#[derive(Clone)]
pub(crate) struct Message {
    /// The fake's own name of it, which no client sees.
    pub number: u64,
    pub ids: Ids,
    pub folder: String,
    /// Another one after every change; the change key is made of it.
    pub version: u64,
    pub created: i64,
    pub modified: i64,
    /// Milliseconds of `modified` that filters and orders heed, and no answer shows.
    pub fraction: i64,
    pub received: i64,
    pub sent: i64,
    pub marks: Marks,
    pub conversation: String,
    pub content: Arc<Content>,
}

/// Both kinds of ids that one message has at a time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ids {
    /// Stays in a move, not in a drag by Outlook's desktop program.
    pub immutable: String,
    /// Another one after every move.
    pub changing: String,
}

impl Ids {
    pub fn of(mailbox: &str, number: u64, moves: u64) -> Self {
        let name = |kind: &str| {
            base64url_padded(&sha256(format!("{kind}|{mailbox}|{number}|{moves}").as_bytes()))
        };
        Self {
            immutable: format!("AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A{}", name("immutable")),
            changing: format!(
                "AAMkAGVmMDEzMTM4LTZmYWUtNDdkNC1hMDZiLTU1OGY5OTZhYmY4OABG{}",
                name("changing")
            ),
        }
    }

    pub fn one(&self, immutable: bool) -> &str {
        if immutable { &self.immutable } else { &self.changing }
    }

    /// Letters count: two ids may differ in nothing but their case.
    pub fn is(&self, id: &str) -> bool {
        self.immutable == id || self.changing == id
    }
}

/// What a user changes of a message that has come.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Marks {
    pub is_read: bool,
    pub is_draft: bool,
    /// `notFlagged`, `flagged` or `complete`.
    pub flag: String,
    /// `low`, `normal` or `high`.
    pub importance: String,
    pub categories: Vec<String>,
    /// `focused` or `other`.
    pub inference: String,
}

impl Default for Marks {
    fn default() -> Self {
        Self {
            is_read: false,
            is_draft: false,
            flag: "notFlagged".into(),
            importance: "normal".into(),
            categories: Vec::new(),
            inference: "focused".into(),
        }
    }
}

/// What a mail says.
#[derive(Clone, Default)]
pub(crate) struct Content {
    pub subject: Option<String>,
    pub body: Body,
    pub from: Option<Person>,
    pub sender: Option<Person>,
    pub to: Vec<Person>,
    pub cc: Vec<Person>,
    pub bcc: Vec<Person>,
    pub reply_to: Vec<Person>,
    pub message_id: Option<String>,
    pub headers: Vec<(String, String)>,
    pub attachments: Vec<Attachment>,
    /// As it came; composed anew from the other fields where there is none.
    pub raw: Option<Vec<u8>>,
}

#[derive(Clone, Default)]
pub(crate) struct Body {
    pub html: bool,
    pub text: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Person {
    pub name: String,
    pub address: String,
}

#[derive(Clone)]
pub(crate) struct Attachment {
    pub id: String,
    pub name: String,
    pub mime_type: String,
    pub bytes: Vec<u8>,
    pub content_id: Option<String>,
    pub inline: bool,
    /// A mail within the mail: an `itemAttachment`.
    pub item: bool,
}

impl Person {
    pub fn rendered(&self) -> Value {
        json!({ "emailAddress": { "name": self.name, "address": self.address } })
    }
}

impl Content {
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// Inline ones do not count: <https://learn.microsoft.com/graph/api/resources/message>.
    pub fn has_attachments(&self) -> bool {
        self.attachments.iter().any(|attachment| !attachment.inline)
    }

    pub fn preview(&self) -> String {
        let readable =
            if self.body.html { text::of_html(&self.body.text) } else { self.body.text.clone() };
        let shown = readable.split_whitespace().collect::<Vec<_>>().join(" ");
        shown.chars().take(255).collect()
    }

    /// Every address that it goes to, in lower case.
    pub fn recipients(&self) -> impl Iterator<Item = String> {
        let all = self.to.iter().chain(&self.cc).chain(&self.bcc);
        all.map(|person| person.address.to_lowercase())
    }
}

/// How a caller wants messages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wishes {
    pub immutable: bool,
    pub text_body: bool,
    /// Plain text is not converted to HTML.
    pub text_stays_text: bool,
}

/// Properties that are answered only to a `$select` that names them.
const ON_REQUEST: [&str; 2] = ["internetMessageHeaders", "uniqueBody"];

impl Message {
    pub fn change_key(&self) -> String {
        let digest = sha256(format!("{}|{}", self.number, self.version).as_bytes());
        format!("CQAAABYAAAB{}", base64(&digest[..15]))
    }

    pub fn etag(&self) -> String {
        format!("W/\"{}\"", self.change_key())
    }

    /// With the selected properties, or all but those on request.
    pub fn rendered(&self, wishes: Wishes, select: Option<&[String]>) -> Value {
        let wanted = |name: &str| match select {
            Some(names) => name == "id" || names.iter().any(|one| one.eq_ignore_ascii_case(name)),
            None => !ON_REQUEST.contains(&name),
        };
        let mut shown = Map::new();
        shown.insert("@odata.etag".into(), self.etag().into());
        for name in PROPERTIES {
            if wanted(name) {
                shown.insert(name.into(), self.property(name, wishes));
            }
        }
        Value::Object(shown)
    }

    fn property(&self, name: &str, wishes: Wishes) -> Value {
        self.own_property(name, wishes).unwrap_or_else(|| self.said_property(name, wishes))
    }

    /// What the mailbox knows of it.
    fn own_property(&self, name: &str, wishes: Wishes) -> Option<Value> {
        let marks = &self.marks;
        Some(match name {
            "id" => self.ids.one(wishes.immutable).into(),
            "createdDateTime" => moment(self.created).into(),
            "lastModifiedDateTime" => moment(self.modified).into(),
            "changeKey" => self.change_key().into(),
            "categories" => json!(marks.categories),
            "receivedDateTime" => moment(self.received).into(),
            "sentDateTime" => moment(self.sent).into(),
            "importance" => marks.importance.as_str().into(),
            "parentFolderId" => self.folder.as_str().into(),
            "conversationId" => self.conversation.as_str().into(),
            "conversationIndex" => base64(&sha256(self.conversation.as_bytes())[..22]).into(),
            "isRead" => marks.is_read.into(),
            "isDraft" => marks.is_draft.into(),
            "webLink" => format!("{WEB}{}&exvsurl=1", self.ids.changing).into(),
            "inferenceClassification" => marks.inference.as_str().into(),
            "flag" => json!({ "flagStatus": marks.flag }),
            _ => return None,
        })
    }

    /// What the mail says.
    fn said_property(&self, name: &str, wishes: Wishes) -> Value {
        let content = &self.content;
        let persons = |all: &[Person]| all.iter().map(Person::rendered).collect::<Value>();
        match name {
            "hasAttachments" => content.has_attachments().into(),
            "internetMessageId" => json!(content.message_id),
            "subject" => json!(content.subject),
            "bodyPreview" => content.preview().into(),
            "isDeliveryReceiptRequested" | "isReadReceiptRequested" => false.into(),
            "body" | "uniqueBody" => body(&content.body, wishes),
            "sender" => content.sender.as_ref().map(Person::rendered).unwrap_or_default(),
            "from" => content.from.as_ref().map(Person::rendered).unwrap_or_default(),
            "toRecipients" => persons(&content.to),
            "ccRecipients" => persons(&content.cc),
            "bccRecipients" => persons(&content.bcc),
            "replyTo" => persons(&content.reply_to),
            "internetMessageHeaders" => headers(content),
            _ => Value::Null,
        }
    }
}

/// In the order of Graph's own answers.
pub(crate) const PROPERTIES: [&str; 31] = [
    "id",
    "createdDateTime",
    "lastModifiedDateTime",
    "changeKey",
    "categories",
    "receivedDateTime",
    "sentDateTime",
    "hasAttachments",
    "internetMessageId",
    "subject",
    "bodyPreview",
    "importance",
    "parentFolderId",
    "conversationId",
    "conversationIndex",
    "isDeliveryReceiptRequested",
    "isReadReceiptRequested",
    "isRead",
    "isDraft",
    "webLink",
    "inferenceClassification",
    "body",
    "uniqueBody",
    "sender",
    "from",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "flag",
    "internetMessageHeaders",
];

fn body(body: &Body, wishes: Wishes) -> Value {
    match (wishes.text_body, body.html) {
        (true, true) => json!({ "contentType": "text", "content": text::of_html(&body.text) }),
        (true, false) => json!({ "contentType": "text", "content": body.text }),
        (false, true) => json!({ "contentType": "html", "content": body.text }),
        (false, false) if wishes.text_stays_text => {
            json!({ "contentType": "text", "content": body.text })
        }
        (false, false) => json!({ "contentType": "html", "content": text::to_html(&body.text) }),
    }
}

fn headers(content: &Content) -> Value {
    let one = |(name, value): &(String, String)| json!({ "name": name, "value": value });
    content.headers.iter().map(one).collect()
}

impl Attachment {
    pub fn rendered(&self, modified: i64, with_content: bool) -> Value {
        let kind = if self.item { "itemAttachment" } else { "fileAttachment" };
        let mut shown = json!({
            "@odata.type": format!("#microsoft.graph.{kind}"),
            "@odata.mediaContentType": self.mime_type,
            "id": self.id,
            "lastModifiedDateTime": moment(modified),
            "name": self.name,
            "contentType": self.mime_type,
            "size": self.bytes.len(),
            "isInline": self.inline,
        });
        if !self.item {
            shown["contentId"] = json!(self.content_id);
            shown["contentLocation"] = Value::Null;
            if with_content {
                shown["contentBytes"] = base64(&self.bytes).into();
            }
        }
        shown
    }
}

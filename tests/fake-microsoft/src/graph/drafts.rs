//! Drafts: made from fields or from MIME, as answers to a message, and changed.

use serde_json::Value;

use super::Context;
use super::answer::{Outcome, Refusal};
use super::messages::marked;
use super::reading::parameter;
use crate::mail::{self, attachment_id};
use crate::mailbox::Arriving;
use crate::message::{Attachment, Body, Content, Marks, Message, Person};
use crate::values::{from_base64, random_uuid};

/// Fields that only a draft may be given anew.
const SAYS: [&str; 10] = [
    "subject",
    "body",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "from",
    "sender",
    "internetMessageHeaders",
    "attachments",
];

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Reply,
    ReplyAll,
    Forward,
}

pub(super) fn says(body: &Value) -> bool {
    SAYS.iter().any(|name| !body[*name].is_null())
}

/// By JSON, or by MIME in base64 under `text/plain`.
pub(super) fn create(context: &mut Context<'_>) -> Outcome {
    let mut marks = Marks { is_draft: true, is_read: true, ..Marks::default() };
    let content = if context.call.content_type.starts_with("text/plain") {
        from_mime(&context.call.body)?
    } else {
        let body = context.call.json()?;
        marked(&mut marks, &body)?;
        changed(&Content::default(), &body)?
    };
    let number = add(context, content, marks);
    Ok(context.entity(201, number))
}

pub(super) fn from_mime(body: &[u8]) -> Result<Content, Refusal> {
    let text: String = String::from_utf8_lossy(body).split_whitespace().collect();
    let raw = from_base64(&text).ok_or_else(|| {
        Refusal::new(
            400,
            "ErrorMimeContentInvalidBase64String",
            "Invalid base64 string for MIME content.",
        )
    })?;
    let content = mail::read(&raw);
    if content.headers.is_empty() {
        return Err(Refusal::new(400, "ErrorMimeContentInvalid", "The MIME content is invalid."));
    }
    Ok(content)
}

/// Into Drafts, with a sender and an id of its own.
pub(super) fn add(context: &mut Context<'_>, content: Content, marks: Marks) -> u64 {
    let folder = context.mailbox.folders.known("drafts");
    let content = own(context, content);
    let now = context.when.server;
    let arriving = Arriving { content, folder, marks, received: now, sent: now, id: None };
    context.mailbox.add(arriving, context.when)
}

/// Exchange puts in what a draft lacks, also into MIME.
fn own(context: &Context<'_>, mut content: Content) -> Content {
    let user = &context.mailbox.user;
    let own = Person { name: user.name.clone(), address: user.email.clone() };
    let id =
        || format!("<{}@{}>", random_uuid().replace('-', "").to_uppercase(), "prod.outlook.com");
    if content.from.is_none() {
        content.from = Some(own.clone());
        content.raw = None;
    }
    content.sender.get_or_insert(own);
    if content.message_id.is_none() {
        let id = id();
        if let Some(raw) = &mut content.raw {
            *raw = [format!("Message-ID: {id}\r\n").into_bytes(), std::mem::take(raw)].concat();
        }
        content.message_id = Some(id);
    }
    content
}

/// What a mail says, with what the body says anew.
pub(super) fn changed(before: &Content, body: &Value) -> Result<Content, Refusal> {
    let mut content = before.clone();
    content.raw = None;
    if let Some(subject) = body["subject"].as_str() {
        content.subject = Some(subject.into());
    }
    if let Some(text) = body["body"]["content"].as_str() {
        let html = body["body"]["contentType"]
            .as_str()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("html"));
        content.body = Body { html, text: text.into() };
    }
    for (field, name) in [
        (&mut content.to, "toRecipients"),
        (&mut content.cc, "ccRecipients"),
        (&mut content.bcc, "bccRecipients"),
        (&mut content.reply_to, "replyTo"),
    ] {
        if let Some(listed) = body[name].as_array() {
            *field = listed.iter().map(person).collect::<Result<_, _>>()?;
        }
    }
    for (field, name) in [(&mut content.from, "from"), (&mut content.sender, "sender")] {
        if !body[name].is_null() {
            *field = Some(person(&body[name])?);
        }
    }
    own_headers(&mut content, body)?;
    if let Some(listed) = body["attachments"].as_array() {
        for one in listed {
            let new = attachment(one, content.attachments.len())?;
            content.attachments.push(new);
        }
    }
    Ok(content)
}

fn person(value: &Value) -> Result<Person, Refusal> {
    let address = value["emailAddress"]["address"].as_str().unwrap_or_default();
    if address.is_empty() {
        let said = "At least one recipient isn't valid., Recipient is not resolved.";
        return Err(Refusal::new(400, "ErrorInvalidRecipients", said));
    }
    let name = value["emailAddress"]["name"].as_str().unwrap_or(address);
    Ok(Person { name: name.into(), address: address.into() })
}

/// Only those that begin with `x-`:
/// <https://learn.microsoft.com/graph/api/resources/internetmessageheader>.
fn own_headers(content: &mut Content, body: &Value) -> Result<(), Refusal> {
    for header in body["internetMessageHeaders"].as_array().into_iter().flatten() {
        let name = header["name"].as_str().unwrap_or_default();
        if !name.to_ascii_lowercase().starts_with("x-") {
            let said = format!(
                "The internet message header name '{name}' should start with 'x-' or 'X-'."
            );
            return Err(Refusal::new(400, "InvalidInternetMessageHeader", &said));
        }
        content.headers.push((name.into(), header["value"].as_str().unwrap_or_default().into()));
    }
    Ok(())
}

/// An attachment out of the body of a request.
pub(super) fn attachment(value: &Value, place: usize) -> Result<Attachment, Refusal> {
    let text = |name: &str| value[name].as_str();
    let kind = text("@odata.type").unwrap_or_default().trim_start_matches('#').to_ascii_lowercase();
    if kind != "microsoft.graph.fileattachment" {
        return Err(Refusal::bad_request(
            "The property '@odata.type' names no attachment that the fake takes.",
        ));
    }
    let name = text("name").filter(|name| !name.is_empty()).ok_or_else(|| {
        Refusal::new(
            400,
            "ErrorInvalidRequest",
            "Required property 'name' of the attachment is missing.",
        )
    })?;
    let bytes = text("contentBytes").and_then(from_base64).ok_or_else(|| {
        Refusal::bad_request("Cannot convert the contentBytes to the expected type 'Edm.Binary'.")
    })?;
    Ok(Attachment {
        id: attachment_id(&bytes, place),
        name: name.into(),
        mime_type: text("contentType").unwrap_or("application/octet-stream").into(),
        content_id: text("contentId").map(Into::into),
        inline: value["isInline"].as_bool().unwrap_or(false),
        item: false,
        bytes,
    })
}

/// `createReply`, `createReplyAll` and `createForward`.
pub(super) fn answer(context: &mut Context<'_>, kind: Kind) -> Outcome {
    let content = answering(context, kind)?;
    let marks = Marks { is_draft: true, is_read: true, ..Marks::default() };
    let number = add(context, content, marks);
    Ok(context.entity(201, number))
}

/// The draft of an answer: whom it goes to, what it quotes, and what the request adds.
pub(super) fn answering(context: &Context<'_>, kind: Kind) -> Result<Content, Refusal> {
    let message = context.message()?;
    let body = if context.call.body.is_empty() { Value::Null } else { context.call.json()? };
    let comment = parameter(&body, "comment").as_str().unwrap_or_default();
    let draft = answer_to(message, kind, &context.mailbox.user.email, comment);
    let says = parameter(&body, "message");
    let mut draft = if says.is_object() { changed(&draft, says)? } else { draft };
    if let Some(to) = parameter(&body, "toRecipients").as_array() {
        draft.to = to.iter().map(person).collect::<Result<_, _>>()?;
    }
    Ok(draft)
}

fn answer_to(message: &Message, kind: Kind, own: &str, comment: &str) -> Content {
    let said = &message.content;
    let subject = said.subject.clone().unwrap_or_default();
    let prefix = if kind == Kind::Forward { "FW: " } else { "RE: " };
    let known = subject.to_uppercase().starts_with(prefix);
    let back = if said.reply_to.is_empty() {
        said.from.iter().cloned().collect()
    } else {
        said.reply_to.clone()
    };
    let others = |all: &[Person]| -> Vec<Person> {
        all.iter().filter(|one| !one.address.eq_ignore_ascii_case(own)).cloned().collect()
    };
    let (to, cc) = match kind {
        Kind::Reply => (back, Vec::new()),
        Kind::ReplyAll => (back.into_iter().chain(others(&said.to)).collect(), others(&said.cc)),
        Kind::Forward => (Vec::new(), Vec::new()),
    };
    let references = [said.header("References"), said.message_id.as_deref()];
    let references = references.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let mut headers = Vec::new();
    if let Some(id) = &said.message_id {
        headers.push(("In-Reply-To".into(), id.clone()));
        headers.push(("References".into(), references));
    }
    Content {
        subject: Some(if known { subject } else { format!("{prefix}{subject}") }),
        body: Body { html: true, text: quoted(said, comment) },
        to,
        cc,
        headers,
        attachments: if kind == Kind::Forward { said.attachments.clone() } else { Vec::new() },
        ..Content::default()
    }
}

fn quoted(said: &Content, comment: &str) -> String {
    let from = said.from.as_ref().map(|from| from.address.clone()).unwrap_or_default();
    let text =
        if said.body.html { said.body.text.clone() } else { mail::text::to_html(&said.body.text) };
    format!("<html><body>{comment}<hr><b>From:</b> {from}<br>{text}</body></html>")
}

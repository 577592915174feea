//! Attachments of a message: listed, read, added and removed.

use axum::http::header::LOCATION;
use serde_json::{Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::reading::{Page, listed, parameter, selected};
use super::uploads::Upload;
use super::{Context, drafts};
use crate::message::{Attachment, Message};
use crate::values::unguessable;

/// Below 3 MB a plain POST is wanted, from there on an upload session, up to 150 MB:
/// <https://learn.microsoft.com/graph/outlook-large-attachments>.
const SMALL: usize = 3 * 1024 * 1024;
const LARGEST: usize = 150 * 1024 * 1024;

pub(super) fn all(message: &Message, with_content: bool) -> Vec<Value> {
    let attachments = message.content.attachments.iter();
    attachments.map(|one| one.rendered(message.modified, with_content)).collect()
}

pub(super) fn list(context: &mut Context<'_>) -> Outcome {
    let message = context.message()?;
    let page = Page::of(&context.query, context.call.prefer)?;
    let found = all(message, true);
    let count = found.len();
    let (shown, more) = page.cut(found);
    let value = shown.into_iter().map(|one| selected(one, &context.query)).collect();
    let kind = format!(
        "users('{}')/messages('{}')/attachments",
        context.mailbox.user.graph_id(),
        context.ids[0]
    );
    Ok(listed(context, &kind, (value, more), &page, count))
}

fn one<'a>(context: &'a Context<'_>) -> Result<(&'a Message, &'a Attachment), Refusal> {
    let message = context.message()?;
    let found = message.content.attachments.iter().find(|one| one.id == context.ids[1]);
    found.map(|attachment| (message, attachment)).ok_or_else(super::messages::missing)
}

pub(super) fn get(context: &mut Context<'_>) -> Outcome {
    let (message, attachment) = one(context)?;
    let full = attachment.rendered(message.modified, true);
    Ok(Answer::json(200, selected(full, &context.query)))
}

pub(super) fn content(context: &mut Context<'_>) -> Outcome {
    let (_, attachment) = one(context)?;
    Ok(Answer::bytes(&attachment.mime_type, attachment.bytes.clone()))
}

pub(super) fn create(context: &mut Context<'_>) -> Outcome {
    let number = context.number()?;
    let place = context.mailbox.message(number).content.attachments.len();
    let new = drafts::attachment(&context.call.json()?, place)?;
    if new.bytes.len() > SMALL {
        return Err(Refusal::new(
            413,
            "RequestEntityTooLarge",
            "The attachment is too large for a single request.",
        ));
    }
    let shown = new.rendered(context.when.server, true);
    context.mailbox.attach(number, new, context.when);
    Ok(Answer::json(201, shown))
}

pub(super) fn delete(context: &mut Context<'_>) -> Outcome {
    let number = context.number()?;
    let id = one(context)?.1.id.clone();
    context.mailbox.edit(number, context.when, |content| {
        content.attachments.retain(|attachment| attachment.id != id);
    });
    Ok(Answer::empty(204))
}

pub(super) fn create_upload_session(context: &mut Context<'_>) -> Outcome {
    let number = context.number()?;
    let body = context.call.json()?;
    let item = parameter(&body, "attachmentItem");
    let size = item["size"].as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
    let (Some(name), true) = (item["name"].as_str(), (1..=LARGEST).contains(&size)) else {
        return Err(Refusal::new(
            400,
            "ErrorInvalidRequest",
            "The attachment item needs a name and a size.",
        ));
    };
    if size < SMALL {
        let said = "Attachment size should not be less than the minimum size of an upload session.";
        return Err(Refusal::new(400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize", said));
    }
    let upload = Upload {
        key: String::new(),
        number,
        name: name.into(),
        mime_type: item["contentType"].as_str().unwrap_or("application/octet-stream").into(),
        inline: item["isInline"].as_bool().unwrap_or(false),
        content_id: item["contentId"].as_str().map(Into::into),
        size,
        bytes: Vec::new(),
    };
    let token = unguessable("", 24);
    context.uploads.push((token.clone(), upload));
    let url = format!("{}/upload/{token}?authtoken={}", context.app.url, unguessable("", 12));
    let expires = crate::values::moment(context.when.server + 3600);
    Ok(Answer::json(201, json!({
        "@odata.context": format!("{}/v1.0/$metadata#microsoft.graph.uploadSession", context.app.url),
        "uploadUrl": url,
        "expirationDateTime": expires,
        "nextExpectedRanges": ["0-"],
    }))
    .with(LOCATION, url))
}

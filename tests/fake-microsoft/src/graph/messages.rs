//! Single messages: read, marked, moved, copied and deleted.

use axum::http::header::LOCATION;
use serde_json::Value;

use super::answer::{Answer, Outcome, Refusal};
use super::reading::parameter;
use super::{Context, drafts, folders, listing};
use crate::folders::RECOVERABLE;
use crate::mail::compose;
use crate::message::{Marks, Message, Wishes};

impl Context<'_> {
    pub(super) fn wishes(&self) -> Wishes {
        let wishes = self.call.prefer.wishes;
        Wishes { text_stays_text: self.shapes.text_stays_text, ..wishes }
    }

    /// The number of the message that the path names.
    pub(super) fn number(&self) -> Result<u64, Refusal> {
        let id = &self.ids[0];
        if id.len() < 20 {
            return Err(Refusal::new(400, "ErrorInvalidIdMalformed", "Id is malformed."));
        }
        let found = self.mailbox.find(id, self.when.now_ms).map(|message| message.number);
        found.ok_or_else(missing)
    }

    /// The message as it shows.
    pub(super) fn message(&self) -> Result<&Message, Refusal> {
        let number = self.number()?;
        self.mailbox.messages[&number].seen(self.when.now_ms).ok_or_else(missing)
    }

    /// The message in an answer of its own.
    pub(super) fn entity(&self, status: u16, number: u64) -> Answer {
        let message = self.mailbox.message(number);
        let mut body = listing::rendered(self, message);
        let owner = self.mailbox.user.graph_id();
        let said = format!("{}/v1.0/$metadata#users('{owner}')/messages/$entity", self.app.url);
        body["@odata.context"] = said.into();
        let answer = Answer::json(status, body);
        if status != 201 {
            return answer;
        }
        let id = message.ids.one(self.call.prefer.wishes.immutable);
        answer.with(LOCATION, format!("{}/v1.0/users('{owner}')/messages('{id}')", self.app.url))
    }
}

pub(super) fn missing() -> Refusal {
    let said = "The specified object was not found in the store., The process failed to get the correct properties.";
    Refusal::new(404, "ErrorItemNotFound", said)
}

pub(super) fn get(context: &mut Context<'_>) -> Outcome {
    let message = context.message()?;
    let mut body = listing::rendered(context, message);
    let owner = context.mailbox.user.graph_id();
    let said = format!("{}/v1.0/$metadata#users('{owner}')/messages/$entity", context.app.url);
    body["@odata.context"] = said.into();
    Ok(Answer::json(200, body))
}

pub(super) fn mime(context: &mut Context<'_>) -> Outcome {
    let message = context.message()?;
    let bytes = compose::mime(&message.content, &super::sending::date(message.sent));
    Ok(Answer::bytes("text/plain", bytes))
}

/// Marks of any message; what a mail says only of a draft:
/// <https://learn.microsoft.com/graph/api/message-update>.
pub(super) fn update(context: &mut Context<'_>) -> Outcome {
    let number = context.number()?;
    let body = context.call.json()?;
    let message = context.mailbox.message(number);
    let mut marks = message.marks.clone();
    marked(&mut marks, &body)?;
    let says = drafts::says(&body);
    if says && !message.marks.is_draft {
        let said = "The operation can be performed only on draft items.";
        return Err(Refusal::new(400, "ErrorInvalidPropertySet", said));
    }
    let content = if says { Some(drafts::changed(&message.content, &body)?) } else { None };
    context.mailbox.change(number, context.when, |message| {
        message.marks = marks;
        if let Some(content) = content {
            message.content = content.into();
        }
    });
    Ok(context.entity(200, number))
}

/// What a body says of a message's marks.
pub(super) fn marked(marks: &mut Marks, body: &Value) -> Result<(), Refusal> {
    if let Some(read) = body["isRead"].as_bool() {
        marks.is_read = read;
    }
    if let Some(named) = body["categories"].as_array() {
        let mut categories: Vec<String> = Vec::new();
        for name in named.iter().filter_map(Value::as_str) {
            if !categories.iter().any(|other| other == name) {
                categories.push(name.into());
            }
        }
        marks.categories = categories;
    }
    let wishes = [
        (&mut marks.flag, &body["flag"]["flagStatus"], ["notFlagged", "flagged", "complete"]),
        (&mut marks.importance, &body["importance"], ["low", "normal", "high"]),
        (&mut marks.inference, &body["inferenceClassification"], ["focused", "other", "focused"]),
    ];
    for (mark, wish, known) in wishes {
        let Some(wish) = wish.as_str() else { continue };
        let known = known.iter().find(|known| known.eq_ignore_ascii_case(wish));
        let known = known.ok_or_else(|| {
            Refusal::new(
                400,
                "RequestBodyRead",
                &format!("Cannot convert the literal '{wish}' to the expected type."),
            )
        })?;
        *mark = (*known).into();
    }
    Ok(())
}

/// Into Deleted Items, or out of sight from there:
/// <https://learn.microsoft.com/graph/api/message-delete>.
pub(super) fn delete(context: &mut Context<'_>) -> Outcome {
    let number = context.number()?;
    let deleted = context.mailbox.folders.known("deleteditems");
    let gone = context.mailbox.message(number).folder == deleted;
    let target = if gone { context.mailbox.folders.known(RECOVERABLE) } else { deleted };
    context.mailbox.move_to(number, &target, context.when);
    Ok(Answer::empty(204))
}

pub(super) fn permanent_delete(context: &mut Context<'_>) -> Outcome {
    let number = context.number()?;
    context.mailbox.remove(number);
    Ok(Answer::empty(204))
}

/// A move or a copy; 201 in both cases.
pub(super) fn relocate(context: &mut Context<'_>, moves: bool) -> Outcome {
    let number = context.number()?;
    let body = context.call.json()?;
    let named = parameter(&body, "destinationId").as_str().unwrap_or_default();
    let Some(folder) = context.mailbox.folders.find(named) else { return Err(folders::missing()) };
    let folder = folder.id.clone();
    if !moves {
        let copy = context.mailbox.copy_to(number, &folder, context.when);
        return Ok(context.entity(201, copy));
    }
    context.mailbox.moved(number, &folder, context.when, context.shapes);
    Ok(context.entity(201, number))
}

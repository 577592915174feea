//! Mail that leaves: a draft, an answer at once, or `sendMail` both ways.

use time::OffsetDateTime;

use super::Context;
use super::answer::{Answer, Outcome, Refusal};
use super::drafts::{self, Kind};
use super::reading::parameter;
use crate::mail::{self, compose};
use crate::mailbox::{Arriving, When};
use crate::message::{Content, Marks};
use crate::values::http_date;

/// The `Date` of a mail.
pub(crate) fn date(sent: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(sent).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    http_date(moment).replace("GMT", "+0000")
}

/// 202 says that it was accepted; the message then is in Sent Items under the same immutable id:
/// <https://learn.microsoft.com/graph/outlook-immutable-id>.
pub(super) fn send(context: &mut Context<'_>) -> Outcome {
    let number = context.number()?;
    if !context.mailbox.message(number).marks.is_draft {
        let said = "The operation can be performed only on draft items.";
        return Err(Refusal::new(400, "ErrorInvalidOperation", said));
    }
    send_draft(context, number)?;
    Ok(Answer::empty(202))
}

fn send_draft(context: &mut Context<'_>, number: u64) -> Result<(), Refusal> {
    let content = context.mailbox.message(number).content.clone();
    addressed(&content)?;
    let sent_items = context.mailbox.folders.known("sentitems");
    let now = context.when.server;
    context.mailbox.move_to(number, &sent_items, context.when);
    context.mailbox.events.pop();
    context.mailbox.change(number, context.when, |message| {
        message.marks.is_draft = false;
        message.sent = now;
        message.received = now;
    });
    context.sent.push(Content::clone(&content));
    Ok(())
}

fn addressed(content: &Content) -> Result<(), Refusal> {
    if content.recipients().next().is_none() {
        let said = "At least one recipient isn't valid., A message can't be sent because it contains no recipients.";
        return Err(Refusal::new(400, "ErrorInvalidRecipients", said));
    }
    Ok(())
}

/// `reply`, `replyAll` and `forward`: there is no id to learn.
pub(super) fn answer(context: &mut Context<'_>, kind: Kind) -> Outcome {
    let content = drafts::answering(context, kind)?;
    sent(context, content, true)
}

/// By JSON, or by MIME in base64 under `text/plain`.
pub(super) fn send_mail(context: &mut Context<'_>) -> Outcome {
    if context.call.content_type.starts_with("text/plain") {
        let content = drafts::from_mime(&context.call.body)?;
        return sent(context, content, true);
    }
    let body = context.call.json()?;
    let message = parameter(&body, "message");
    if !message.is_object() {
        let said = "The request body has no property 'message'.";
        return Err(Refusal::new(400, "ErrorInvalidRequest", said));
    }
    let saves = parameter(&body, "saveToSentItems").as_bool();
    let content = drafts::changed(&Content::default(), message)?;
    sent(context, content, saves.unwrap_or(true))
}

fn sent(context: &mut Context<'_>, content: Content, saves: bool) -> Outcome {
    addressed(&content)?;
    let marks = Marks { is_draft: true, is_read: true, ..Marks::default() };
    let number = drafts::add(context, content, marks);
    context.mailbox.events.pop();
    send_draft(context, number)?;
    context.mailbox.events.pop();
    if saves {
        context.mailbox.tell_anew(number);
    } else {
        context.mailbox.remove(number);
        context.mailbox.events.pop();
    }
    Ok(Answer::empty(202))
}

/// A sent mail as it arrives: `Bcc` is gone, and its bytes are a mail's.
pub(crate) fn received(content: &Content, inbox: String, when: When) -> Arriving {
    let mut seen = content.clone();
    seen.bcc.clear();
    seen.raw = content.raw.clone().map(without_bcc);
    let raw = compose::mime(&seen, &date(when.server));
    Arriving {
        content: mail::read(&raw),
        folder: inbox,
        marks: Marks::default(),
        received: when.server,
        sent: when.server,
        id: None,
    }
}

fn without_bcc(raw: Vec<u8>) -> Vec<u8> {
    let end = raw.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(raw.len());
    let (head, body) = raw.split_at(end);
    let head = String::from_utf8_lossy(head).into_owned();
    let mut kept: Vec<&str> = Vec::new();
    let mut hidden = false;
    for line in head.split("\r\n") {
        let folded = line.starts_with([' ', '\t']);
        hidden = if folded { hidden } else { line.to_ascii_lowercase().starts_with("bcc:") };
        if !hidden {
            kept.push(line);
        }
    }
    [kept.join("\r\n").into_bytes(), body.to_vec()].concat()
}

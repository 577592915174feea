//! Drafts: each keeps its id, while its message is another one with each change.

use serde_json::{Value, json};

use super::call::{Call, Outcome, Refusal};
use super::mailbox::{Mailbox, Message};
use super::messages::{given, listed, matching, sent, shown};
use super::mime;

pub fn list(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let drafts = &mailbox.drafts;
    let view = |message: &Message| {
        let (id, _) = drafts.iter().find(|(_, message_id)| **message_id == message.id)?;
        Some(json!({"id": id, "message": {"id": message.id, "threadId": message.thread_id}}))
    };
    listed("drafts", matching(mailbox, call)?.into_iter().filter_map(view).collect(), 100, call)
}

pub fn get(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let message = shown(mailbox, mailbox.message(&message_id_of(mailbox, call.id(0))?)?, call)?;
    Ok(Some(json!({"id": call.id(0), "message": message})))
}

pub fn create(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let message = draft(mailbox, call, None)?;
    let id = format!("r{}", mailbox.new_number(call.now));
    keep(mailbox, &id, message)
}

pub fn update(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let replaced = message_id_of(mailbox, call.id(0))?;
    let thread = mailbox.message(&replaced)?.thread_id.clone();
    let message = draft(mailbox, call, Some(thread))?;
    mailbox.drafts.insert(call.id(0).into(), text(&message, "id"));
    mailbox.delete(&replaced, call.now)?;
    keep(mailbox, call.id(0), message)
}

pub fn send(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let id = text(&call.body, "id");
    let message_id = message_id_of(mailbox, &id)?;
    let message = mailbox.message(&message_id)?.clone();
    let parsed = match call.body["message"]["raw"].is_string() {
        true => given(mailbox, &call.body["message"], call.now)?,
        false => {
            let raw = message
                .raw
                .map_or_else(|| mime::written(&message.payload, &mailbox.attachments), Ok)
                .map_err(Refusal::broken)?;
            mime::parsed(raw, &mailbox.account.address, call.now)?
        }
    };
    let answer = sent(mailbox, parsed, Some(&message.thread_id), call.now)?;
    mailbox.delete(&message_id, call.now)?;
    Ok(Some(answer))
}

pub fn delete(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let message_id = message_id_of(mailbox, call.id(0))?;
    mailbox.delete(&message_id, call.now).map(|()| None)
}

fn message_id_of(mailbox: &Mailbox, id: &str) -> Result<String, Refusal> {
    mailbox.drafts.get(id).cloned().ok_or_else(Refusal::not_found)
}

fn draft(mailbox: &mut Mailbox, call: &Call, thread: Option<String>) -> Result<Value, Refusal> {
    let message = &call.body["message"];
    let parsed = given(mailbox, message, call.now)?;
    let thread = message["threadId"].as_str().map(String::from).or(thread);
    mailbox.add(parsed, thread.as_deref(), &["DRAFT"], call.now).map(Message::summary)
}

fn keep(mailbox: &mut Mailbox, id: &str, message: Value) -> Outcome {
    mailbox.drafts.insert(id.into(), text(&message, "id"));
    Ok(Some(json!({"id": id, "message": message})))
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().into()
}

//! Labels: Gmail's own, and those that are made here.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::call::{Call, Outcome, Refusal};
use super::mailbox::{Label, Mailbox, Message};

const LIST_VISIBILITIES: [&str; 3] = ["labelShow", "labelShowIfUnread", "labelHide"];
const MESSAGE_VISIBILITIES: [&str; 2] = ["show", "hide"];

pub fn list(mailbox: &mut Mailbox, _call: &Call) -> Outcome {
    Ok(Some(json!({"labels": mailbox.labels.iter().map(view).collect::<Vec<_>>()})))
}

pub fn view(label: &Label) -> Value {
    let kind = if label.system { "system" } else { "user" };
    let mut answer = json!({"id": label.id, "name": label.name, "type": kind});
    for (name, value) in &label.shown {
        answer[name] = value.clone();
    }
    answer
}

pub fn get(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let label = &mailbox.labels[index_of(mailbox, call.id(0))?];
    let messages: Vec<&Message> =
        mailbox.messages.values().filter(|message| message.has(&label.id)).collect();
    let unread: Vec<&Message> =
        messages.iter().copied().filter(|message| message.has("UNREAD")).collect();
    let threads = |messages: &[&Message]| {
        messages.iter().map(|message| message.thread_id.clone()).collect::<BTreeSet<_>>().len()
    };
    let mut answer = view(label);
    answer["messagesTotal"] = messages.len().into();
    answer["messagesUnread"] = unread.len().into();
    answer["threadsTotal"] = threads(&messages).into();
    answer["threadsUnread"] = threads(&unread).into();
    Ok(Some(answer))
}

pub fn create(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let (name, shown) = (name(mailbox, call, None)?, shown(call)?);
    let name = name.ok_or_else(|| Refusal::invalid("Invalid label name".into()))?;
    let label =
        Label { id: format!("Label_{}", mailbox.new_number(call.now)), name, system: false, shown };
    let answer = view(&label);
    mailbox.labels.push(label);
    Ok(Some(answer))
}

pub fn patch(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    change(mailbox, call, |label, name, shown| {
        label.name = name.unwrap_or(std::mem::take(&mut label.name));
        label.shown.extend(shown);
        Ok(())
    })
}

pub fn update(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    change(mailbox, call, |label, name, shown| {
        label.name = name.ok_or_else(|| Refusal::invalid("Invalid label name".into()))?;
        label.shown = shown;
        Ok(())
    })
}

fn change(
    mailbox: &mut Mailbox,
    call: &Call,
    how: impl FnOnce(&mut Label, Option<String>, Map<String, Value>) -> Result<(), Refusal>,
) -> Outcome {
    let index = own_index(mailbox, call.id(0))?;
    let (name, shown) = (name(mailbox, call, Some(call.id(0)))?, shown(call)?);
    how(&mut mailbox.labels[index], name, shown)?;
    Ok(Some(view(&mailbox.labels[index])))
}

/// The label goes from every message that has it.
pub fn delete(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let index = own_index(mailbox, call.id(0))?;
    let label = mailbox.labels.remove(index);
    let having: Vec<String> = mailbox
        .messages
        .values()
        .filter(|message| message.has(&label.id))
        .map(|message| message.id.clone())
        .collect();
    for id in having {
        mailbox.relabel(&id, &[], std::slice::from_ref(&label.id), call.now)?;
    }
    Ok(None)
}

fn index_of(mailbox: &Mailbox, id: &str) -> Result<usize, Refusal> {
    mailbox.labels.iter().position(|label| label.id == id).ok_or_else(Refusal::not_found)
}

fn own_index(mailbox: &Mailbox, id: &str) -> Result<usize, Refusal> {
    let index = index_of(mailbox, id)?;
    if mailbox.labels[index].system {
        Err(Refusal::invalid("Invalid update request: a system label".into()))
    } else {
        Ok(index)
    }
}

/// The name that the body gives, if no other label has it.
fn name(mailbox: &Mailbox, call: &Call, own: Option<&str>) -> Result<Option<String>, Refusal> {
    let Some(name) = call.body["name"].as_str() else { return Ok(None) };
    let other =
        |label: &&Label| Some(label.id.as_str()) != own && label.name.eq_ignore_ascii_case(name);
    match mailbox.labels.iter().find(other) {
        Some(label) if label.system => Err(Refusal::invalid("Invalid label name".into())),
        Some(_) => Err(Refusal::conflict("Label name exists or conflicts")),
        None if name.trim().is_empty() || name.len() > 225 => {
            Err(Refusal::invalid("Invalid label name".into()))
        }
        None => Ok(Some(name.into())),
    }
}

fn shown(call: &Call) -> Result<Map<String, Value>, Refusal> {
    let mut shown = Map::new();
    for (name, allowed) in [
        ("labelListVisibility", &LIST_VISIBILITIES[..]),
        ("messageListVisibility", &MESSAGE_VISIBILITIES[..]),
    ] {
        match &call.body[name] {
            Value::Null => {}
            Value::String(value) if allowed.contains(&value.as_str()) => {
                shown.insert(name.into(), value.as_str().into());
            }
            value => {
                return Err(Refusal::invalid(format!("Invalid value at 'label.{name}': {value}")));
            }
        }
    }
    match &call.body["color"] {
        Value::Null => {}
        color if color["textColor"].is_string() && color["backgroundColor"].is_string() => {
            shown.insert("color".into(), color.clone());
        }
        _ => {
            return Err(Refusal::invalid(
                "Label color must have both a text and a background color".into(),
            ));
        }
    }
    Ok(shown)
}

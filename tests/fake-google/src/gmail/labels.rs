//! Labels: the mailbox's own and its user's.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Admitted;
use super::answer::Refusal;
use crate::mailbox::{Mailbox, SYSTEM_LABELS, UserLabel};

pub(super) fn list(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let mailbox = call.mailbox()?;
    let system = SYSTEM_LABELS.iter().map(|id| json!({ "id": id, "name": id, "type": "system" }));
    let user = mailbox.user_labels.iter().map(|(id, label)| shown(id, label));
    Ok(json!({ "labels": system.chain(user).collect::<Vec<_>>() }))
}

fn shown(id: &str, label: &UserLabel) -> Value {
    let mut shown = json!({
        "id": id, "name": label.name, "type": "user",
        "messageListVisibility": label.message_list_visibility, "labelListVisibility": label.label_list_visibility
    });
    if let Some(color) = &label.color {
        shown["color"] = color.clone();
    }
    shown
}

fn id(call: &Admitted<'_>) -> String {
    call.found.path_parameters.get("id").cloned().unwrap_or_default()
}

pub(super) fn get(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let id = id(&call);
    let mailbox = call.mailbox()?;
    let mut label = match mailbox.user_labels.get(&id) {
        Some(label) => shown(&id, label),
        None if SYSTEM_LABELS.contains(&id.as_str()) => {
            json!({ "id": id, "name": id, "type": "system" })
        }
        None => return Err(Refusal::not_found()),
    };
    let labelled: Vec<_> =
        mailbox.messages.values().filter(|message| message.has_label(&id)).collect();
    let unread: Vec<_> = labelled.iter().filter(|message| message.has_label("UNREAD")).collect();
    label["messagesTotal"] = labelled.len().into();
    label["messagesUnread"] = unread.len().into();
    label["threadsTotal"] =
        labelled.iter().map(|message| &message.thread_id).collect::<BTreeSet<_>>().len().into();
    label["threadsUnread"] =
        unread.iter().map(|message| &message.thread_id).collect::<BTreeSet<_>>().len().into();
    Ok(label)
}

pub(super) fn create(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let body = call.body.clone();
    let mailbox = call.mailbox()?;
    let name =
        body["name"].as_str().ok_or_else(|| Refusal::invalid_argument("Invalid label name"))?;
    check_name(mailbox, name, None)?;
    mailbox.labels_made += 1;
    let id = format!("Label_{}", mailbox.labels_made);
    mailbox.user_labels.insert(id.clone(), UserLabel::named(name));
    changed(mailbox, &id, &body)
}

pub(super) fn change(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let (id, body) = (id(&call), call.body.clone());
    let mailbox = call.mailbox()?;
    if SYSTEM_LABELS.contains(&id.as_str()) {
        return Err(Refusal::invalid_argument("Invalid update request"));
    }
    if !mailbox.user_labels.contains_key(&id) {
        return Err(Refusal::not_found());
    }
    if let Some(name) = body["name"].as_str() {
        check_name(mailbox, name, Some(&id))?;
    }
    changed(mailbox, &id, &body)
}

fn changed(mailbox: &mut Mailbox, id: &str, body: &Value) -> Result<Value, Refusal> {
    let label = mailbox.user_labels.get_mut(id).ok_or_else(Refusal::not_found)?;
    let text = |field: &str| body[field].as_str().map(String::from);
    label.name = text("name").unwrap_or(std::mem::take(&mut label.name));
    label.label_list_visibility =
        text("labelListVisibility").unwrap_or(std::mem::take(&mut label.label_list_visibility));
    label.message_list_visibility =
        text("messageListVisibility").unwrap_or(std::mem::take(&mut label.message_list_visibility));
    if body["color"].is_object() {
        label.color = Some(body["color"].clone());
    }
    Ok(shown(id, label))
}

fn check_name(mailbox: &Mailbox, name: &str, own: Option<&str>) -> Result<(), Refusal> {
    if name.trim().is_empty()
        || name.chars().count() > 225
        || SYSTEM_LABELS.iter().any(|system| system.eq_ignore_ascii_case(name))
    {
        return Err(Refusal::invalid_argument("Invalid label name"));
    }
    let taken = mailbox
        .user_labels
        .iter()
        .any(|(id, label)| Some(id.as_str()) != own && label.name.eq_ignore_ascii_case(name));
    if taken { Err(Refusal::new(409, "aborted", "Label name exists or conflicts")) } else { Ok(()) }
}

pub(super) fn delete(mut call: Admitted<'_>) -> Result<(), Refusal> {
    let id = id(&call);
    let mailbox = call.mailbox()?;
    if SYSTEM_LABELS.contains(&id.as_str()) {
        return Err(Refusal::invalid_argument("Invalid delete request"));
    }
    mailbox.user_labels.remove(&id).ok_or_else(Refusal::not_found)?;
    let labelled: Vec<String> = mailbox
        .messages
        .values()
        .filter(|message| message.has_label(&id))
        .map(|message| message.id.clone())
        .collect();
    let records: Vec<_> = labelled
        .iter()
        .filter_map(|message| mailbox.change_labels(message, &[], std::slice::from_ref(&id)))
        .flatten()
        .collect();
    call.notify(&records);
    Ok(())
}

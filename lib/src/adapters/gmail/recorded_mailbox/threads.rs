//! Threads: what their messages are, and what is done to all of them.

use serde_json::{Value, json};

use super::call::{Call, Outcome};
use super::mailbox::{Mailbox, Message};
use super::messages::{label_change, listed, matching, shown};

/// A thread is found by any of its messages, and shows its newest one.
pub fn list(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let mut ids: Vec<&str> = Vec::new();
    for message in matching(mailbox, call)? {
        if !ids.contains(&message.thread_id.as_str()) {
            ids.push(&message.thread_id);
        }
    }
    let newest = mailbox.newest_first();
    let view = |id: &&str| {
        let newest = newest.iter().find(|message| message.thread_id == *id)?;
        Some(json!({"id": id, "snippet": newest.snippet, "historyId": history_id(mailbox, id)}))
    };
    listed("threads", ids.iter().filter_map(view).collect(), 100, call)
}

fn history_id(mailbox: &Mailbox, id: &str) -> String {
    let messages = mailbox.messages.values().filter(|message| message.thread_id == id);
    messages.map(|message| message.history_id).max().unwrap_or_default().to_string()
}

pub fn get(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let mut messages = Vec::new();
    for id in mailbox.thread(call.id(0))? {
        messages.push(shown(mailbox, mailbox.message(&id)?, call)?);
    }
    Ok(Some(
        json!({"id": call.id(0), "historyId": history_id(mailbox, call.id(0)), "messages": messages}),
    ))
}

pub fn modify(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let (add, remove) = label_change(mailbox, call)?;
    changed(mailbox, call, &add, &remove)
}

pub fn trash(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    changed(mailbox, call, &["TRASH".into()], &["INBOX".into()])
}

pub fn untrash(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    changed(mailbox, call, &[], &["TRASH".into()])
}

fn changed(mailbox: &mut Mailbox, call: &Call, add: &[String], remove: &[String]) -> Outcome {
    let ids = mailbox.thread(call.id(0))?;
    for id in &ids {
        mailbox.relabel(id, add, remove, call.now)?;
    }
    let messages: Vec<Value> =
        ids.iter().filter_map(|id| mailbox.messages.get(id)).map(Message::summary).collect();
    Ok(Some(json!({"id": call.id(0), "messages": messages})))
}

pub fn delete(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    for id in mailbox.thread(call.id(0))? {
        mailbox.delete(&id, call.now)?;
    }
    Ok(None)
}

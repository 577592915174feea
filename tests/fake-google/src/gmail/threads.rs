//! Threads: the messages that share an id, oldest first.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Admitted;
use super::answer::Refusal;
use super::messages::{self, View};
use crate::mailbox::{Mailbox, Message, Record};
use crate::pages;

fn id(call: &Admitted<'_>) -> Result<String, Refusal> {
    call.message_id("id")
}

/// The ids of the messages of a thread; an error if there are none.
fn members(mailbox: &Mailbox, thread: &str) -> Result<Vec<String>, Refusal> {
    let mut members: Vec<&Message> = mailbox
        .messages
        .values()
        .filter(|message| message.thread_id == thread && !message.hidden)
        .collect();
    members.sort_by_key(|message| (message.internal_date, message.id.clone()));
    if members.is_empty() {
        Err(Refusal::not_found())
    } else {
        Ok(members.iter().map(|message| message.id.clone()).collect())
    }
}

pub(super) fn list(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let query = messages::ListQuery::read(&mut call)?;
    let (size, token) = (call.page_size(), call.query.first("pageToken").map(String::from));
    let listing = pages::fingerprint(["threads", query.fingerprint.as_str()]);
    let mailbox = call.mailbox()?;
    let mut newest: BTreeMap<&str, &Message> = BTreeMap::new();
    for message in mailbox.messages.values().filter(|message| query.wants(message)) {
        let latest = newest.entry(&message.thread_id).or_insert(message);
        if (message.internal_date, &message.id) > (latest.internal_date, &latest.id) {
            *latest = message;
        }
    }
    let mut threads: Vec<(&str, &Message)> = newest.into_iter().collect();
    threads
        .sort_by_key(|(_, message)| std::cmp::Reverse((message.internal_date, message.id.clone())));
    let before = token.map(|token| messages::offset(&token, &listing)).transpose()?.unwrap_or(0);
    let shown = |(id, message): &(&str, &Message)| json!({ "id": id, "snippet": message.snippet, "historyId": message.history_id.to_string() });
    let page: Vec<Value> = threads.iter().skip(before).take(size).map(shown).collect();
    let next = before + page.len();
    let mut answer = json!({ "resultSizeEstimate": threads.len() });
    if !page.is_empty() {
        answer["threads"] = page.into();
    }
    if next < threads.len() {
        answer["nextPageToken"] = pages::encode(&["d", &listing, &next.to_string()]).into();
    }
    Ok(answer)
}

pub(super) fn get(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let id = id(&call)?;
    let format = messages::format(&call)?;
    let wanted: Vec<String> = call.query.all("metadataHeaders").map(Into::into).collect();
    let shapes = call.state.shapes;
    let mailbox = call.mailbox()?;
    let members = members(mailbox, &id)?;
    mailbox.reads += 1;
    let reads = mailbox.reads;
    let messages: Vec<&Message> = members.iter().map(|member| &mailbox.messages[member]).collect();
    let history_id = messages.iter().map(|message| message.history_id).max().unwrap_or_default();
    let view = View { format: &format, wanted: &wanted, shapes, reads };
    let rendered: Vec<Value> = messages.iter().map(|message| view.of(message)).collect();
    Ok(json!({ "id": id, "historyId": history_id.to_string(), "messages": rendered }))
}

pub(super) fn modify(call: Admitted<'_>) -> Result<Value, Refusal> {
    let (add, remove) = messages::change(&call)?;
    relabel(call, &add, &remove)
}

pub(super) fn relabel(
    mut call: Admitted<'_>,
    add: &[String],
    remove: &[String],
) -> Result<Value, Refusal> {
    let id = id(&call)?;
    let mailbox = call.mailbox()?;
    let members = members(mailbox, &id)?;
    messages::check_labels(mailbox, add, remove)?;
    let records: Vec<Record> = members
        .iter()
        .filter_map(|member| mailbox.change_labels(member, add, remove))
        .flatten()
        .collect();
    let answer = json!({ "id": id, "messages": members.iter().map(|member| messages::reference(&mailbox.messages[member])).collect::<Vec<_>>() });
    call.notify(&records);
    Ok(answer)
}

pub(super) fn delete(mut call: Admitted<'_>) -> Result<(), Refusal> {
    let id = id(&call)?;
    let mailbox = call.mailbox()?;
    let members = members(mailbox, &id)?;
    let records: Vec<Record> =
        members.iter().filter_map(|member| mailbox.delete_message(member)).collect();
    call.notify(&records);
    Ok(())
}

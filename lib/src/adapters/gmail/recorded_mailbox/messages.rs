//! Messages: listed, read, sent, labelled, moved to trash and deleted.

use base64::Engine;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::call::{Call, Outcome, Refusal};
use super::mailbox::{Mailbox, Message};
use super::mime::{self, Parsed};
use super::search::Search;
use crate::domain::timestamp::Timestamp;

const MOST_IDS: usize = 1000;

pub fn list(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let found: Vec<Value> = matching(mailbox, call)?
        .into_iter()
        .map(|message| json!({"id": message.id, "threadId": message.thread_id}))
        .collect();
    listed("messages", found, 100, call)
}

/// A page under its name; Gmail leaves an empty list out.
pub fn listed(name: &str, found: Vec<Value>, usual: usize, call: &Call) -> Outcome {
    let mut answer = json!({"resultSizeEstimate": found.len()});
    let (page, token) = call.page(found, usual)?;
    if !page.is_empty() {
        answer[name] = page.into();
    }
    if let Some(token) = token {
        answer["nextPageToken"] = token.into();
    }
    Ok(Some(answer))
}

/// The messages that a listing requests, newest first; spam and trash only if they are requested.
pub fn matching<'a>(mailbox: &'a Mailbox, call: &Call) -> Result<Vec<&'a Message>, Refusal> {
    let search = Search::read(call.parameter("q").unwrap_or_default(), mailbox, call.now)?;
    let labels: Vec<String> = call.all("labelIds").map(String::from).collect();
    if let Some(id) = labels.iter().find(|id| !mailbox.labels.iter().any(|label| label.id == **id))
    {
        return Err(Refusal::invalid(format!("Invalid label: {id}")));
    }
    let away = |label: &str| labels.iter().any(|wanted| wanted == label);
    let everywhere = call.is_set("includeSpamTrash")
        || search.reaches_spam_and_trash()
        || away("SPAM")
        || away("TRASH");
    let wanted = |message: &&Message| {
        let reachable = everywhere || !(message.has("SPAM") || message.has("TRASH"));
        reachable && labels.iter().all(|label| message.has(label)) && search.finds(message)
    };
    Ok(mailbox.newest_first().into_iter().filter(wanted).collect())
}

pub fn get(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    shown(mailbox, mailbox.message(call.id(0))?, call).map(Some)
}

/// A message in the format of the call.
pub fn shown(mailbox: &Mailbox, message: &Message, call: &Call) -> Result<Value, Refusal> {
    let mut answer = json!({
        "id": message.id, "threadId": message.thread_id, "labelIds": message.label_ids, "snippet": message.snippet,
        "historyId": message.history_id.to_string(), "internalDate": message.arrived.millis().to_string(), "sizeEstimate": message.size,
    });
    match call.parameter("format").unwrap_or("full") {
        "full" => answer["payload"] = message.payload.clone(),
        "metadata" => answer["payload"] = headers_alone(message, call),
        "minimal" => {}
        "raw" => {
            let raw = message
                .raw
                .clone()
                .map_or_else(|| mime::written(&message.payload, &mailbox.attachments), Ok);
            answer["raw"] = BASE64_URL_SAFE.encode(raw.map_err(Refusal::broken)?).into();
        }
        other => return Err(Refusal::invalid(format!("Invalid value at 'format': \"{other}\""))),
    }
    Ok(answer)
}

fn headers_alone(message: &Message, call: &Call) -> Value {
    let wanted: Vec<&str> = call.all("metadataHeaders").collect();
    let is_wanted = |header: &&Value| {
        wanted.is_empty()
            || wanted.iter().any(|name| {
                header["name"].as_str().is_some_and(|key| key.eq_ignore_ascii_case(name))
            })
    };
    let headers: Vec<&Value> =
        message.payload["headers"].as_array().into_iter().flatten().filter(is_wanted).collect();
    json!({"mimeType": message.payload["mimeType"], "headers": headers})
}

pub fn attachment(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let message = mailbox.message(call.id(0))?;
    let id = call.id(1);
    let data = mailbox
        .attachments
        .get(id)
        .filter(|_| mime::holds(&message.payload, id))
        .ok_or_else(Refusal::not_found)?;
    let size = BASE64_URL_SAFE_NO_PAD
        .decode(data.trim_end_matches('='))
        .map_err(|error| Refusal::broken(error.to_string()))?
        .len();
    Ok(Some(json!({"size": size, "data": data})))
}

pub fn send(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let parsed = given(mailbox, &call.body, call.now)?;
    sent(mailbox, parsed, call.body["threadId"].as_str(), call.now).map(Some)
}

/// The mail that the caller sent, in base64url.
pub fn given(mailbox: &Mailbox, message: &Value, now: Timestamp) -> Result<Parsed, Refusal> {
    let raw = message["raw"].as_str().ok_or_else(|| {
        Refusal::invalid("'raw' RFC822 payload message string is required.".into())
    })?;
    let raw = BASE64_URL_SAFE_NO_PAD.decode(raw.trim_end_matches('='));
    let raw = raw.map_err(|_| {
        Refusal::invalid(
            "Invalid value at 'message.raw' (TYPE_BYTES), Base64 decoding failed".into(),
        )
    })?;
    mime::parsed(raw, &mailbox.account.address, now)
}

/// Stores a mail as sent, and in the inbox if it is addressed to this mailbox. Nothing leaves.
pub fn sent(
    mailbox: &mut Mailbox,
    parsed: Parsed,
    thread: Option<&str>,
    now: Timestamp,
) -> Result<Value, Refusal> {
    if parsed.recipients.is_empty() {
        return Err(Refusal::invalid("Recipient address required".into()));
    }
    let to_itself = parsed
        .recipients
        .iter()
        .any(|address| address.eq_ignore_ascii_case(&mailbox.account.address));
    let labels: &[&str] = if to_itself { &["UNREAD", "SENT", "INBOX"] } else { &["SENT"] };
    mailbox.add(parsed, thread, labels, now).map(Message::summary)
}

pub fn modify(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let (add, remove) = label_change(mailbox, call)?;
    changed(mailbox, call, &add, &remove)
}

pub fn label_change(mailbox: &Mailbox, call: &Call) -> Result<(Vec<String>, Vec<String>), Refusal> {
    let (add, remove) = (call.texts("addLabelIds")?, call.texts("removeLabelIds")?);
    mailbox.check_labels(&add)?;
    mailbox.check_labels(&remove)?;
    if add.is_empty() && remove.is_empty() {
        return Err(Refusal::invalid("No label add or removes specified".into()));
    }
    Ok((add, remove))
}

pub fn trash(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    changed(mailbox, call, &["TRASH".into()], &["INBOX".into()])
}

pub fn untrash(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    changed(mailbox, call, &[], &["TRASH".into()])
}

fn changed(mailbox: &mut Mailbox, call: &Call, add: &[String], remove: &[String]) -> Outcome {
    mailbox.relabel(call.id(0), add, remove, call.now)?;
    Ok(Some(mailbox.message(call.id(0))?.summary()))
}

pub fn delete(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    mailbox.delete(call.id(0), call.now).map(|()| None)
}

pub fn batch_modify(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let (add, remove) = label_change(mailbox, call)?;
    for id in ids(mailbox, call)? {
        mailbox.relabel(&id, &add, &remove, call.now)?;
    }
    Ok(None)
}

pub fn batch_delete(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    for id in ids(mailbox, call)? {
        mailbox.delete(&id, call.now)?;
    }
    Ok(None)
}

/// Those that exist: like Gmail, it ignores the others.
fn ids(mailbox: &Mailbox, call: &Call) -> Result<Vec<String>, Refusal> {
    let ids = call.texts("ids")?;
    if ids.is_empty() || ids.len() > MOST_IDS {
        return Err(Refusal::invalid(format!("ids must hold 1 to {MOST_IDS} message ids")));
    }
    let distinct: std::collections::BTreeSet<String> = ids.into_iter().collect();
    Ok(distinct.into_iter().filter(|id| mailbox.messages.contains_key(id)).collect())
}

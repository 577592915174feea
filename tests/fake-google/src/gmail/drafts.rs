//! Drafts, and mail on its way out.

use serde_json::{Value, json};

use super::Admitted;
use super::answer::Refusal;
use super::messages::{self, View, reference};
use crate::mailbox::{Arriving, Mailbox, Message, Record};
use crate::rfc5322::{Parsed, parse, recipients};
use crate::values::from_base64url;
use crate::{headers, pages, pubsub, receiving};

/// The limit of an upload, applied to JSON bodies too.
pub(super) const LONGEST_MAIL: usize = 36_700_160;

struct Mail {
    raw: Vec<u8>,
    parsed: Parsed,
    thread_id: Option<String>,
}

/// The mail of a `Message` in a request.
fn mail(message: &Value) -> Result<Mail, Refusal> {
    let raw = message["raw"].as_str().ok_or_else(|| {
        Refusal::invalid_argument(
            "'raw' RFC822 payload message string or uploading message via /upload/* URL required",
        )
    })?;
    let raw = from_base64url(raw.trim_end_matches('='))
        .ok_or_else(|| Refusal::invalid_argument("Invalid value for ByteString"))?;
    if raw.len() > LONGEST_MAIL {
        return Err(Refusal::new(413, "uploadTooLarge", "Message too large"));
    }
    Ok(Mail { parsed: parse(&raw), raw, thread_id: message["threadId"].as_str().map(Into::into) })
}

/// The thread that was named, if it is there; a mail joins it only with the subject of the thread
/// and a reference into it.
fn thread(mailbox: &Mailbox, mail: &Mail) -> Result<Option<String>, Refusal> {
    let Some(wanted) = &mail.thread_id else { return Ok(None) };
    let mut in_thread =
        mailbox.messages.values().filter(|message| message.thread_id == *wanted).peekable();
    if in_thread.peek().is_none() {
        return Err(Refusal::not_found());
    }
    let header = |name: &str| mail.parsed.root.header(name);
    let references = format!(
        "{} {}",
        header("References").unwrap_or_default(),
        header("In-Reply-To").unwrap_or_default()
    );
    let joins = in_thread.any(|message| {
        let known = message.header("Message-ID").is_some_and(|id| references.contains(id));
        known
            && topic(message.header("Subject").unwrap_or_default())
                == topic(header("Subject").unwrap_or_default())
    });
    Ok(joins.then(|| wanted.clone()))
}

/// A decoded subject without what answers and forwards put before it.
fn topic(subject: &str) -> String {
    let words: Vec<&str> = subject.split_whitespace().collect();
    let lower = words.join(" ").to_lowercase();
    let mut rest = lower.as_str();
    while let Some(after) =
        ["re:", "fwd:", "fw:"].iter().find_map(|prefix| rest.strip_prefix(prefix))
    {
        rest = after.trim_start();
    }
    rest.to_owned()
}

fn add(call: &mut Admitted<'_>, mail: Mail, label: &str) -> Result<(String, Vec<Record>), Refusal> {
    let now_ms = call.app.now_ms();
    let mailbox = call.mailbox()?;
    let thread_id = thread(mailbox, &mail)?;
    let record = mailbox.add(Arriving {
        raw: mail.raw,
        parsed: mail.parsed,
        label_ids: vec![label.into()],
        thread_id,
        internal_date: now_ms,
        hidden: false,
    });
    Ok((record.message_id.clone(), vec![record]))
}

/// Delivers the mail to every recipient with a mailbox here, the sender's own included.
fn deliver(call: &mut Admitted<'_>, raw: &[u8], to: &[String]) {
    let (now_ms, sender) = (call.app.now_ms(), call.email);
    for address in to {
        let Some(mailbox) = call.state.mailboxes.get_mut(address) else { continue };
        let mut raw = headers::without(raw, "Bcc");
        // Mail to oneself passes no receiving server.
        if *address != sender {
            raw = receiving::stamped(raw, None);
        }
        let record = mailbox.add(Arriving {
            parsed: parse(&raw),
            raw,
            label_ids: vec!["INBOX".into(), "UNREAD".into()],
            thread_id: None,
            internal_date: now_ms,
            hidden: false,
        });
        pubsub::publish_changes(call.app, call.state, address, &[record]);
    }
}

pub(super) fn send(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let mail = mail(&call.body)?;
    send_out(&mut call, mail)
}

fn send_out(call: &mut Admitted<'_>, mail: Mail) -> Result<Value, Refusal> {
    let to = recipients(&mail.raw);
    if to.is_empty() {
        return Err(Refusal::invalid_argument("Recipient address required"));
    }
    let raw = mail.raw.clone();
    let (id, records) = add(call, mail, "SENT")?;
    call.notify(&records);
    deliver(call, &raw, &to);
    let sent = call.mailbox()?.visible_message(&id).ok_or_else(Refusal::not_found)?;
    Ok(reference(sent))
}

pub(super) fn list(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let terms = messages::terms(&mut call)?;
    let (size, token) = (call.page_size(), call.query.first("pageToken").map(String::from));
    let listing = pages::fingerprint(["drafts", call.query.first("q").unwrap_or_default()]);
    let mailbox = call.mailbox()?;
    let found = |id: &String| {
        mailbox.messages.get(id).filter(|message| terms.iter().all(|term| term.matches(message)))
    };
    let mut drafts: Vec<(&String, &Message)> =
        mailbox.drafts.iter().filter_map(|(draft, id)| Some((draft, found(id)?))).collect();
    drafts.sort_by(|one, other| other.1.id.cmp(&one.1.id));
    let estimate = drafts.len();
    let before = token.map(|token| messages::offset(&token, &listing)).transpose()?.unwrap_or(0);
    let page: Vec<Value> = drafts
        .iter()
        .skip(before)
        .take(size)
        .map(|(draft, message)| referred(draft, message))
        .collect();
    let next = before + page.len();
    let mut answer = json!({ "resultSizeEstimate": estimate });
    if !page.is_empty() {
        answer["drafts"] = page.into();
    }
    if next < estimate {
        answer["nextPageToken"] = pages::encode(&["d", &listing, &next.to_string()]).into();
    }
    Ok(answer)
}

fn referred(draft: &str, message: &Message) -> Value {
    json!({ "id": draft, "message": { "id": message.id, "threadId": message.thread_id } })
}

fn draft_id(call: &Admitted<'_>) -> String {
    call.found.path_parameters.get("id").cloned().unwrap_or_default()
}

pub(super) fn get(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let id = draft_id(&call);
    let format = call.query.first("format").unwrap_or("full").to_owned();
    let shapes = call.state.shapes;
    let mailbox = call.mailbox()?;
    mailbox.reads += 1;
    let reads = mailbox.reads;
    let message = mailbox
        .drafts
        .get(&id)
        .and_then(|message| mailbox.messages.get(message))
        .ok_or_else(Refusal::not_found)?;
    Ok(
        json!({ "id": id, "message": View { format: &format, wanted: &[], shapes, reads }.of(message) }),
    )
}

pub(super) fn create(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let mail = mail(&call.body["message"])?;
    let (message, records) = add(&mut call, mail, "DRAFT")?;
    let mailbox = call.mailbox()?;
    mailbox.drafts_made += 1;
    let draft = format!("r-{}", 7_000_000_000 + mailbox.drafts_made);
    mailbox.drafts.insert(draft.clone(), message.clone());
    call.notify(&records);
    answered(&mut call, &draft, &message)
}

pub(super) fn update(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let id = draft_id(&call);
    let mail = mail(&call.body["message"])?;
    let old = call.mailbox()?.drafts.get(&id).cloned().ok_or_else(Refusal::not_found)?;
    let (message, mut records) = add(&mut call, mail, "DRAFT")?;
    let mailbox = call.mailbox()?;
    records.extend(mailbox.delete_message(&old));
    mailbox.drafts.insert(id.clone(), message.clone());
    call.notify(&records);
    answered(&mut call, &id, &message)
}

fn answered(call: &mut Admitted<'_>, draft: &str, message: &str) -> Result<Value, Refusal> {
    let message = call.mailbox()?.messages.get(message).ok_or_else(Refusal::not_found)?;
    Ok(json!({ "id": draft, "message": reference(message) }))
}

pub(super) fn send_draft(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let id = call.body["id"].as_str().unwrap_or_default().to_owned();
    let mailbox = call.mailbox()?;
    let draft = mailbox
        .drafts
        .get(&id)
        .and_then(|message| mailbox.messages.get(message))
        .ok_or_else(Refusal::not_found)?;
    let (raw, old, thread_id) = (draft.raw.clone(), draft.id.clone(), draft.thread_id.clone());
    // A draft of its own thread goes out in it.
    let alone =
        mailbox.messages.values().filter(|message| message.thread_id == thread_id).count() == 1;
    let sent = send_out(
        &mut call,
        Mail { parsed: parse(&raw), raw, thread_id: (!alone).then_some(thread_id) },
    )?;
    let mailbox = call.mailbox()?;
    mailbox.drafts.remove(&id);
    let gone: Vec<Record> = mailbox.delete_message(&old).into_iter().collect();
    call.notify(&gone);
    Ok(sent)
}

pub(super) fn delete(mut call: Admitted<'_>) -> Result<(), Refusal> {
    let id = draft_id(&call);
    let mailbox = call.mailbox()?;
    let message = mailbox.drafts.remove(&id).ok_or_else(Refusal::not_found)?;
    let gone: Vec<Record> = mailbox.delete_message(&message).into_iter().collect();
    call.notify(&gone);
    Ok(())
}

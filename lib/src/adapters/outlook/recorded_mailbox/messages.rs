//! Messages: listed, read, marked, moved, drafted, sent and deleted.

use std::cmp::Reverse;

use reqwest::Url;
use serde_json::{Map, Value, json};

use super::call::{Call, Outcome, Refusal, selected};
use super::filter::Filter;
use super::mailbox::{Folder, Mailbox, Message, New};
use super::mime;
use super::search::Search;
use crate::adapters::dry_run::Reply;
use crate::domain::timestamp::Timestamp;

/// Where a page goes on: of a search under a token, else by counting.
const PLACES: [&str; 2] = ["$skip", "$skiptoken"];
const USUAL: usize = 10;
const MOST: usize = 1000;

/// Of the whole mailbox, or of one folder.
pub fn list(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let folder: Option<&Folder> = call.ids.first().map(|name| mailbox.folder(name)).transpose()?;
    let (filter, search) = (call.parameter("$filter"), call.parameter("$search"));
    let place = usize::from(search.is_some());
    if search.is_some() && (filter.is_some() || call.parameter("$orderby").is_some()) {
        let message = "The query option $search cannot be combined with $filter or $orderby.";
        return Err(Refusal::bad_request(message.into()));
    }
    let filter = Filter::read(filter.as_deref().unwrap_or_default())?;
    let search = Search::read(search.as_deref().unwrap_or_default())?;
    let is_wanted = |message: &&Message| {
        folder.is_none_or(|folder| message.is_in(folder))
            && filter.finds(message)
            && search.finds(message)
    };
    let mut found: Vec<&Message> = mailbox.messages.values().filter(is_wanted).collect();
    ordered(&mut found, call.parameter("$orderby").as_deref())?;
    let (from, size) = (call.number(PLACES[place], 0)?, call.number("$top", USUAL)?.min(MOST));
    let select = call.parameter("$select");
    let page: Vec<Value> = found
        .iter()
        .skip(from)
        .take(size)
        .map(|message| selected(&message.shown, select.as_deref()))
        .collect();
    let mut answer = json!({"value": page});
    let next = from.saturating_add(size);
    if next < found.len() {
        answer["@odata.nextLink"] = next_link(&call.url, PLACES[place], next).into();
    }
    Ok(Reply::json(200, &answer))
}

fn next_link(url: &Url, place: &str, next: usize) -> String {
    let pairs: Vec<(String, String)> =
        url.query_pairs().into_owned().filter(|(name, _)| name != place).collect();
    let mut link = url.clone();
    link.query_pairs_mut().clear().extend_pairs(pairs).append_pair(place, &next.to_string());
    link.into()
}

fn ordered(found: &mut [&Message], order: Option<&str>) -> Result<(), Refusal> {
    let order = order.unwrap_or("receivedDateTime desc");
    let (name, is_descending) = match order.split_once(' ') {
        Some((name, "desc")) => (name, true),
        Some((name, "asc")) => (name, false),
        _ => (order, false),
    };
    if !["receivedDateTime", "lastModifiedDateTime"].contains(&name) {
        let message = format!("A dry run does not know the order {order}");
        return Err(Refusal::not_implemented(message));
    }
    let key = |message: &&Message| (message.moment(name), message.text("id").to_string());
    match is_descending {
        true => found.sort_by_key(|message| Reverse(key(message))),
        false => found.sort_by_key(key),
    }
    Ok(())
}

pub fn get(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let message = mailbox.message(call.id(0))?;
    Ok(Reply::json(200, &selected(&message.shown, call.parameter("$select").as_deref())))
}

/// As MIME.
pub fn content(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let body = mailbox.message(call.id(0))?.mime.clone();
    Ok(Reply { status: 200, content_type: "text/plain".into(), body })
}

pub fn update(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let body = call.json()?;
    let fields: &Map<String, Value> = body
        .as_object()
        .ok_or_else(|| Refusal::bad_request("Unable to read JSON request payload.".into()))?;
    for (name, value) in fields {
        let is_one_of = |value: &Value, known: &[&str]| {
            value.as_str().is_some_and(|value| known.contains(&value))
        };
        let is_good = match name.as_str() {
            "isRead" => value.is_boolean(),
            "importance" => is_one_of(value, &["low", "normal", "high"]),
            "flag" => is_one_of(&value["flagStatus"], &["notFlagged", "flagged", "complete"]),
            "categories" => {
                value.as_array().is_some_and(|names| names.iter().all(Value::is_string))
            }
            other => {
                let message = format!("A dry run does not change {other} of a message");
                return Err(Refusal::not_implemented(message));
            }
        };
        if !is_good {
            return Err(Refusal::bad_request(format!("Invalid value for {name}.")));
        }
    }
    shown(200, mailbox.change(call.id(0), &body, call.now)?)
}

/// An immutable id stays.
pub fn moved(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let folder = mailbox.folder(&call.text("destinationId")?)?.id.clone();
    let fields = json!({"parentFolderId": folder});
    shown(201, mailbox.change(call.id(0), &fields, call.now)?)
}

/// Softly or for good: no listing shows it any more.
pub fn delete(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    mailbox.delete(call.id(0))?;
    Ok(Reply::bare(204))
}

pub fn create(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    shown(201, mailbox.take_in(call.mime()?, New::Draft, call.now)?)
}

pub fn send(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let draft = mailbox.message(call.id(0))?;
    if draft.shown["isDraft"] != true {
        return Err(Refusal::bad_request("The message is no draft.".into()));
    }
    let (mime, own) = (draft.mime.clone(), reaches(draft, &mailbox.user)?);
    let fields = json!({
        "isDraft": false, "isRead": true,
        "parentFolderId": mailbox.folder("sentitems")?.id,
        "internetMessageHeaders": mime::shown(&mime)
            .map(|shown| shown["internetMessageHeaders"].clone()),
    });
    mailbox.change(call.id(0), &fields, call.now)?;
    arrived(mailbox, mime, own, call.now)
}

pub fn send_mail(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let sent = mailbox.take_in(call.mime()?, New::Sent, call.now)?;
    let (mime, id) = (sent.mime.clone(), sent.text("id").to_string());
    match reaches(mailbox.message(&id)?, &mailbox.user) {
        Ok(own) => arrived(mailbox, mime, own, call.now),
        Err(refusal) => {
            mailbox.delete(&id)?;
            Err(refusal)
        }
    }
}

/// Whether a mail goes to the mailbox itself.
fn reaches(message: &Message, user: &Value) -> Result<bool, Refusal> {
    let lists = ["toRecipients", "ccRecipients", "bccRecipients"];
    let recipients: Vec<&str> = lists
        .iter()
        .flat_map(|list| message.shown[list].as_array().into_iter().flatten())
        .filter_map(|one| one["emailAddress"]["address"].as_str())
        .collect();
    let own = user["mail"].as_str().unwrap_or_default();
    match recipients.is_empty() || recipients.iter().any(|one| !one.contains('@')) {
        true => Err(Refusal::no_recipients()),
        false => Ok(recipients.iter().any(|one| one.eq_ignore_ascii_case(own))),
    }
}

fn arrived(mailbox: &mut Mailbox, mime: Vec<u8>, own: bool, now: Timestamp) -> Outcome {
    if own {
        mailbox.take_in(mime, New::Received, now)?;
    }
    Ok(Reply::bare(202))
}

fn shown(status: u16, message: &Message) -> Outcome {
    Ok(Reply::json(status, &selected(&message.shown, None)))
}

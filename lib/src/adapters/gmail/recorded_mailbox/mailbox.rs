//! The recorded mailbox's content: messages, labels, drafts, and a history of all that happened to them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::Refusal;
use super::mime::Parsed;
use crate::adapters::dry_run::ARRIVES_AFTER;
use crate::domain::timestamp::Timestamp;

pub struct Mailbox {
    pub account: Account,
    /// By id; lists are made newest first.
    pub messages: BTreeMap<String, Message>,
    pub labels: Vec<Label>,
    /// By id, the id of the message.
    pub drafts: BTreeMap<String, String>,
    /// By id, in base64url.
    pub attachments: BTreeMap<String, String>,
    pub history: Vec<Record>,
    pub history_id: u64,
    pub to_come: Vec<Message>,
    pub began: Option<Timestamp>,
    pub made: u64,
}

#[derive(Clone)]
pub struct Account {
    pub address: String,
    pub sub: String,
}

#[derive(Clone)]
pub struct Message {
    pub id: String,
    pub thread_id: String,
    pub label_ids: Vec<String>,
    pub history_id: u64,
    pub arrived: Timestamp,
    pub snippet: String,
    pub size: usize,
    /// In Gmail's form.
    pub payload: Value,
    /// As it was sent; `None` for a recorded message, which is written anew from its payload.
    pub raw: Option<Vec<u8>>,
}

#[derive(Clone)]
pub struct Label {
    pub id: String,
    pub name: String,
    pub system: bool,
    /// Gmail's other fields of a label: visibilities and colour.
    pub shown: serde_json::Map<String, Value>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Change {
    MessageAdded,
    MessageDeleted,
    LabelAdded,
    LabelRemoved,
}

pub struct Record {
    pub id: u64,
    pub change: Change,
    pub message: String,
    pub thread: String,
    /// As they were right after the change.
    pub label_ids: Vec<String>,
    pub changed: Vec<String>,
}

impl Message {
    pub fn has(&self, label: &str) -> bool {
        self.label_ids.iter().any(|id| id == label)
    }

    pub fn header(&self, name: &str) -> &str {
        let headers = self.payload["headers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is = |header: &&Value| {
            header["name"].as_str().is_some_and(|key| key.eq_ignore_ascii_case(name))
        };
        headers.iter().find(is).and_then(|header| header["value"].as_str()).unwrap_or_default()
    }

    pub fn summary(&self) -> Value {
        json!({"id": self.id, "threadId": self.thread_id, "labelIds": self.label_ids})
    }
}

impl Mailbox {
    /// Delivers the mail that is due by now.
    pub fn come_to(&mut self, now: Timestamp) {
        let arrives = self.began.get_or_insert(now).after(ARRIVES_AFTER);
        if now < arrives {
            return;
        }
        for message in std::mem::take(&mut self.to_come) {
            self.keep(Message { arrived: arrives, ..message }, arrives);
        }
    }

    /// Newest first, as Gmail lists.
    pub fn newest_first(&self) -> Vec<&Message> {
        let mut messages: Vec<&Message> = self.messages.values().collect();
        messages.sort_by(|a, b| (b.arrived, &b.id).cmp(&(a.arrived, &a.id)));
        messages
    }

    pub fn message(&self, id: &str) -> Result<&Message, Refusal> {
        self.messages.get(id).ok_or_else(Refusal::not_found)
    }

    /// The ids of a thread's messages, oldest first.
    pub fn thread(&self, id: &str) -> Result<Vec<String>, Refusal> {
        let messages = self.newest_first();
        let ids: Vec<String> = messages
            .iter()
            .rev()
            .filter(|message| message.thread_id == id)
            .map(|message| message.id.clone())
            .collect();
        if ids.is_empty() { Err(Refusal::not_found()) } else { Ok(ids) }
    }

    /// Ids are milliseconds and a count, as Gmail's seem to be.
    fn new_id(&mut self, now: Timestamp) -> u64 {
        self.made += 1;
        (now.millis().unsigned_abs() << 20) + self.made
    }

    /// A number for the id of a label or a draft.
    pub fn new_number(&mut self, now: Timestamp) -> u64 {
        self.made += 1;
        now.millis().unsigned_abs() * 1000 + self.made % 1000
    }

    /// Adds a new message to an existing thread, or to one of its own.
    pub fn add(
        &mut self,
        parsed: Parsed,
        thread: Option<&str>,
        label_ids: &[&str],
        now: Timestamp,
    ) -> Result<&Message, Refusal> {
        if let Some(thread) = thread {
            self.thread(thread)?;
        }
        let id = format!("{:016x}", self.new_id(now));
        self.attachments.extend(parsed.attachments);
        let message = Message {
            thread_id: thread.unwrap_or(&id).to_string(),
            label_ids: label_ids.iter().map(|label| label.to_string()).collect(),
            history_id: 0,
            arrived: now,
            snippet: parsed.snippet,
            size: parsed.raw.len(),
            payload: parsed.payload,
            raw: Some(parsed.raw),
            id: id.clone(),
        };
        self.keep(message, now);
        self.message(&id)
    }

    fn keep(&mut self, message: Message, now: Timestamp) {
        let id = message.id.clone();
        self.messages.insert(id.clone(), message);
        self.record(Change::MessageAdded, &id, Vec::new(), now);
    }

    /// Adds and removes labels; only actual changes are recorded.
    pub fn relabel(
        &mut self,
        id: &str,
        add: &[String],
        remove: &[String],
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let message = self.messages.get_mut(id).ok_or_else(Refusal::not_found)?;
        let added: Vec<String> = add.iter().filter(|label| !message.has(label)).cloned().collect();
        let removed: Vec<String> =
            remove.iter().filter(|label| message.has(label)).cloned().collect();
        message.label_ids.extend(added.iter().cloned());
        message.label_ids.retain(|label| !removed.contains(label));
        for (change, labels) in [(Change::LabelAdded, added), (Change::LabelRemoved, removed)] {
            if !labels.is_empty() {
                self.record(change, id, labels, now);
            }
        }
        Ok(())
    }

    /// For good, with the draft that it may be.
    pub fn delete(&mut self, id: &str, now: Timestamp) -> Result<(), Refusal> {
        self.message(id)?;
        self.record(Change::MessageDeleted, id, Vec::new(), now);
        self.messages.remove(id);
        self.drafts.retain(|_, message| message != id);
        Ok(())
    }

    fn record(&mut self, change: Change, id: &str, changed: Vec<String>, now: Timestamp) {
        // By the clock, so that history ids also grow from one process to the next.
        self.history_id = now.millis().unsigned_abs().max(self.history_id + 1);
        if let Some(message) = self.messages.get_mut(id) {
            message.history_id = self.history_id;
            let (thread, label_ids) = (message.thread_id.clone(), message.label_ids.clone());
            self.history.push(Record {
                id: self.history_id,
                change,
                message: id.into(),
                thread,
                label_ids,
                changed,
            });
        }
    }

    /// Checks that each label belongs to this mailbox, and may be set by hand.
    pub fn check_labels(&self, ids: &[String]) -> Result<(), Refusal> {
        let known = |id: &String| self.labels.iter().any(|label| label.id == *id);
        match ids.iter().find(|id| !known(id) || matches!(id.as_str(), "SENT" | "DRAFT")) {
            Some(id) => Err(Refusal::invalid(format!("Invalid label: {id}"))),
            None => Ok(()),
        }
    }
}

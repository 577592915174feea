//! One mailbox: its messages, its history, and the watch on it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::mime::Part;
use crate::new_message::NewMessage;
use crate::receiving;
use crate::rfc5322::{Parsed, parse};

/// Message ids count up from here, in every mailbox alike: they are unique only within one.
const FIRST_MESSAGE: u64 = 0x19b0_0000_0000_0001;

/// Gaps between history ids, in turn.
const STEPS: [u64; 5] = [3, 17, 5, 29, 11];

pub(crate) const SYSTEM_LABELS: [&str; 14] = [
    "CHAT",
    "SENT",
    "INBOX",
    "IMPORTANT",
    "TRASH",
    "DRAFT",
    "SPAM",
    "CATEGORY_FORUMS",
    "CATEGORY_UPDATES",
    "CATEGORY_PERSONAL",
    "CATEGORY_PROMOTIONS",
    "CATEGORY_SOCIAL",
    "STARRED",
    "UNREAD",
];

pub(crate) struct Mailbox {
    pub email: String,
    pub sub: String,
    pub history_id: u64,
    /// The lowest id that `history.list` still starts from.
    pub history_floor: u64,
    /// How often history expired, and how often all listings were forgotten: page tokens made
    /// before are dead.
    pub history_epoch: u32,
    pub listing_epoch: u32,
    pub records: Vec<Record>,
    pub messages: BTreeMap<String, Message>,
    /// By their ids.
    pub user_labels: BTreeMap<String, UserLabel>,
    pub labels_made: u32,
    /// Each draft's message, by the draft's id.
    pub drafts: BTreeMap<String, String>,
    pub drafts_made: u64,
    /// How often a message was read: attachments have other ids each time.
    pub reads: u64,
    /// Other addresses that it sends as.
    pub aliases: Vec<Alias>,
    pub watch: Option<Watch>,
    /// Another client of the same project watches, until a stop.
    pub watch_taken: bool,
    pub notifications_sent: u64,
    /// Listings show the history up to this id only.
    pub visible_until: Option<u64>,
    changes: usize,
    added: u64,
}

/// An address beside the mailbox's own.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alias {
    pub email: String,
    pub name: String,
    /// Its owner has not confirmed it yet.
    pub pending: bool,
}

pub(crate) struct UserLabel {
    pub name: String,
    pub label_list_visibility: String,
    pub message_list_visibility: String,
    pub color: Option<Value>,
}

impl UserLabel {
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            label_list_visibility: "labelShow".into(),
            message_list_visibility: "show".into(),
            color: None,
        }
    }
}

pub(crate) struct Message {
    pub id: String,
    pub thread_id: String,
    pub label_ids: Vec<String>,
    pub history_id: u64,
    pub internal_date: i64,
    /// RFC 5322.
    pub raw: Vec<u8>,
    pub root: Part,
    pub snippet: String,
    pub hidden: bool,
}

/// A mail on its way into a mailbox.
pub(crate) struct Arriving {
    /// RFC 5322.
    pub raw: Vec<u8>,
    pub parsed: Parsed,
    pub label_ids: Vec<String>,
    /// A thread of its own if absent.
    pub thread_id: Option<String>,
    /// Milliseconds.
    pub internal_date: i64,
    pub hidden: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Change {
    MessageAdded,
    MessageDeleted,
    LabelAdded,
    LabelRemoved,
}

#[derive(Clone)]
pub(crate) struct Record {
    pub id: u64,
    pub change: Change,
    pub message_id: String,
    pub thread_id: String,
    /// The message's labels right after the change.
    pub message_labels: Vec<String>,
    pub changed_labels: Vec<String>,
}

pub(crate) struct Watch {
    pub topic_name: String,
    pub label_ids: Vec<String>,
    pub excludes: bool,
    /// Milliseconds.
    pub expiration: i64,
}

impl Mailbox {
    pub fn new(email: String, sub: String, history_id: u64) -> Self {
        Self {
            email,
            sub,
            history_id,
            history_floor: history_id,
            history_epoch: 0,
            listing_epoch: 0,
            records: Vec::new(),
            messages: BTreeMap::new(),
            user_labels: BTreeMap::new(),
            labels_made: 0,
            drafts: BTreeMap::new(),
            drafts_made: 0,
            reads: 0,
            aliases: Vec::new(),
            watch: None,
            watch_taken: false,
            notifications_sent: 0,
            visible_until: None,
            changes: 0,
            added: 0,
        }
    }

    pub fn add_message(&mut self, new: &NewMessage, now_ms: i64) -> Record {
        let internal_date = new.internal_date.unwrap_or(now_ms);
        let label_ids = new.labels();
        let mut raw = new.written(&self.email, &self.next_id(), internal_date);
        if !receiving::is_own(&label_ids) {
            raw = receiving::stamped(raw, new.authentication_results.as_deref());
        }
        let mut parsed = parse(&raw);
        if let (Some(said), Some(part)) = (&new.attachment, parsed.root.parts.last_mut()) {
            part.mime_type = said.mime_type.clone();
            part.filename = said.filename.clone();
        }
        self.add(Arriving {
            parsed,
            raw,
            label_ids,
            thread_id: new.thread_id.clone(),
            internal_date,
            hidden: new.hidden,
        })
    }

    pub fn add(&mut self, arriving: Arriving) -> Record {
        let id = self.next_id();
        self.added += 1;
        self.know_labels(&arriving.label_ids);
        let mut message = Message {
            thread_id: arriving.thread_id.unwrap_or_else(|| id.clone()),
            label_ids: arriving.label_ids,
            history_id: 0,
            internal_date: arriving.internal_date,
            raw: arriving.raw,
            root: arriving.parsed.root,
            snippet: arriving.parsed.snippet,
            hidden: arriving.hidden,
            id,
        };
        let record = self.record(&mut message, Change::MessageAdded, Vec::new());
        self.messages.insert(message.id.clone(), message);
        record
    }

    fn next_id(&self) -> String {
        format!("{:016x}", FIRST_MESSAGE + self.added)
    }

    /// One record for added labels and one for removed labels; none without a change.
    pub fn change_labels(
        &mut self,
        id: &str,
        add: &[String],
        remove: &[String],
    ) -> Option<Vec<Record>> {
        let mut message = self.messages.remove(id)?;
        let added: Vec<String> =
            add.iter().filter(|label| !message.label_ids.contains(label)).cloned().collect();
        let removed: Vec<String> =
            remove.iter().filter(|label| message.label_ids.contains(label)).cloned().collect();
        let mut records = Vec::new();
        if !added.is_empty() {
            message.label_ids.extend(added.iter().cloned());
            records.push(self.record(&mut message, Change::LabelAdded, added));
        }
        if !removed.is_empty() {
            message.label_ids.retain(|label| !removed.contains(label));
            records.push(self.record(&mut message, Change::LabelRemoved, removed));
        }
        self.messages.insert(message.id.clone(), message);
        Some(records)
    }

    pub fn delete_message(&mut self, id: &str) -> Option<Record> {
        let mut message = self.messages.remove(id)?;
        Some(self.record(&mut message, Change::MessageDeleted, Vec::new()))
    }

    pub fn know_labels(&mut self, label_ids: &[String]) {
        let unknown = label_ids.iter().filter(|label| !SYSTEM_LABELS.contains(&label.as_str()));
        for label in unknown {
            self.user_labels.entry(label.clone()).or_insert_with(|| UserLabel::named(label));
        }
    }

    pub fn knows_label(&self, label: &str) -> bool {
        SYSTEM_LABELS.contains(&label) || self.user_labels.contains_key(label)
    }

    pub fn visible_message(&self, id: &str) -> Option<&Message> {
        self.messages.get(id).filter(|message| !message.hidden)
    }

    pub fn visible_history_id(&self) -> u64 {
        self.visible_until.unwrap_or(self.history_id)
    }

    pub fn expire_history(&mut self, before: Option<u64>) {
        self.history_floor = before.unwrap_or(self.history_id);
        self.history_epoch += 1;
    }

    pub fn lose_page_tokens(&mut self) {
        self.history_epoch += 1;
        self.listing_epoch += 1;
    }

    pub fn take_watch(&mut self) {
        self.watch = None;
        self.watch_taken = true;
    }

    pub fn end_watch(&mut self) {
        self.watch = None;
        self.watch_taken = false;
    }

    pub fn reveal(&mut self) {
        self.visible_until = None;
        self.messages.values_mut().for_each(|message| message.hidden = false);
    }

    pub fn live_watch(&self, now_ms: i64) -> Option<&Watch> {
        self.watch.as_ref().filter(|watch| watch.expiration > now_ms)
    }

    fn record(
        &mut self,
        message: &mut Message,
        change: Change,
        changed_labels: Vec<String>,
    ) -> Record {
        self.history_id = self.history_id.saturating_add(STEPS[self.changes % STEPS.len()]);
        self.changes += 1;
        message.history_id = self.history_id;
        let record = Record {
            id: self.history_id,
            change,
            message_id: message.id.clone(),
            thread_id: message.thread_id.clone(),
            message_labels: message.label_ids.clone(),
            changed_labels,
        };
        self.records.push(record.clone());
        record
    }
}

impl Message {
    /// Decoded.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.root.header(name)
    }

    pub fn has_label(&self, label: &str) -> bool {
        self.label_ids.iter().any(|own| own == label)
    }
}

impl Record {
    pub fn concerns_label(&self, label: &str) -> bool {
        self.message_labels.iter().chain(&self.changed_labels).any(|own| own == label)
    }
}

impl Watch {
    pub fn wants(&self, record: &Record) -> bool {
        let concerned = self.label_ids.iter().any(|label| record.concerns_label(label));
        // Without labels every change is published, whatever the filter behaviour.
        self.label_ids.is_empty() || concerned != self.excludes
    }
}

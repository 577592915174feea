//! The recorded mailbox's content: messages, each in one folder, and subscriptions that tell nobody.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use serde_json::{Value, json};

use super::call::Refusal;
use super::mime;
use crate::adapters::dry_run::{ARRIVES_AFTER, Pieces, completed};
use crate::domain::provider::outlook::search::moment;
use crate::domain::timestamp::Timestamp;

#[derive(Default)]
pub struct Mailbox {
    pub user: Value,
    /// By id.
    pub messages: BTreeMap<String, Message>,
    pub folders: Vec<Folder>,
    pub categories: Vec<Value>,
    /// By id.
    pub subscriptions: BTreeMap<String, Value>,
    pub uploads: Vec<Upload>,
    pub to_come: Vec<Message>,
    began: Option<Timestamp>,
    made: u64,
}

pub struct Message {
    /// In Graph's form, with all its fields.
    pub shown: Value,
    pub mime: Vec<u8>,
}

pub struct Folder {
    pub id: String,
    pub name: String,
    pub parent: String,
    /// What a path takes in place of its id.
    pub well_known: Option<String>,
}

/// A file that is put to a draft in pieces.
pub struct Upload {
    pub message: String,
    pub item: Value,
    pub pieces: Pieces,
}

/// Where new mail lies, and whether it was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum New {
    Draft,
    Sent,
    Received,
}

impl New {
    fn folder(self) -> &'static str {
        match self {
            Self::Draft => "drafts",
            Self::Sent => "sentitems",
            Self::Received => "inbox",
        }
    }
}

impl Message {
    pub fn text(&self, name: &str) -> &str {
        self.shown[name].as_str().unwrap_or_default()
    }

    pub fn moment(&self, name: &str) -> Option<Timestamp> {
        Timestamp::parse(self.text(name))
    }

    pub fn is_in(&self, folder: &Folder) -> bool {
        self.text("parentFolderId") == folder.id
    }
}

impl Mailbox {
    /// Delivers the mail that is due by now.
    pub fn come_to(&mut self, now: Timestamp) {
        let arrives = self.began.get_or_insert(now).after(ARRIVES_AFTER);
        if now < arrives {
            return;
        }
        for mut message in std::mem::take(&mut self.to_come) {
            for name in ["createdDateTime", "sentDateTime", "receivedDateTime"] {
                message.shown[name] = moment(arrives).into();
            }
            let id = message.text("id").to_string();
            self.messages.insert(id.clone(), message);
            self.touch(&id, arrives);
        }
    }

    pub fn message(&self, id: &str) -> Result<&Message, Refusal> {
        self.messages.get(id).ok_or_else(Refusal::not_found)
    }

    /// By its id, or by a well-known name.
    pub fn folder(&self, name: &str) -> Result<&Folder, Refusal> {
        let is = |folder: &&Folder| {
            let known = folder.well_known.as_deref();
            folder.id == name || known.is_some_and(|known| known.eq_ignore_ascii_case(name))
        };
        self.folders.iter().find(is).ok_or_else(Refusal::not_found)
    }

    /// A number for a new id.
    pub fn new_number(&mut self, now: Timestamp) -> u64 {
        self.made += 1;
        now.millis().unsigned_abs() * 1000 + self.made % 1000
    }

    /// In the forms of Graph's own.
    fn new_id(&mut self, kind: &str, now: Timestamp) -> String {
        let number = self.new_number(now);
        format!("{kind}{}", BASE64_URL_SAFE.encode(format!("{number:018}")))
    }

    pub fn new_folder_id(&mut self, now: Timestamp) -> String {
        self.new_id("AAMkADRyeS1ydW4tZm9sZGVy", now)
    }

    /// Takes in new mail, in the conversation of the mail that it answers.
    pub fn take_in(
        &mut self,
        mime: Vec<u8>,
        new: New,
        now: Timestamp,
    ) -> Result<&Message, Refusal> {
        let unreadable = || Refusal::bad_request("The MIME content cannot be read.".into());
        let own = self.user["mail"].as_str().unwrap_or_default();
        let mime = completed(mime, own, now).ok_or_else(unreadable)?;
        let mut shown = mime::shown(&mime).ok_or_else(unreadable)?;
        let answered = mime::answered(&shown);
        if new == New::Draft {
            // What was never sent has none.
            shown["internetMessageHeaders"] = Value::Null;
        }
        let earlier = self.messages.values().find(|message| {
            let id = message.text("internetMessageId");
            !id.is_empty() && answered.contains(id)
        });
        let conversation = earlier.map(|message| message.shown["conversationId"].clone());
        let conversation = conversation
            .unwrap_or_else(|| self.new_id("AAQkADRyeS1ydW4tY29udmVyc2F0aW9u", now).into());
        let id = self.new_id("AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0AZHJ5LXJ1bi1t", now);
        let fields = json!({
            "id": id, "conversationId": conversation, "categories": [], "isDraft": new == New::Draft,
            "isRead": new != New::Received, "flag": {"flagStatus": "notFlagged"},
            "parentFolderId": self.folder(new.folder())?.id,
        });
        for (name, value) in fields.as_object().into_iter().flatten() {
            shown[name] = value.clone();
        }
        for name in ["createdDateTime", "sentDateTime", "receivedDateTime"] {
            shown[name] = moment(now).into();
        }
        self.messages.insert(id.clone(), Message { shown, mime });
        self.touch(&id, now);
        self.message(&id)
    }

    /// Changes fields of a message.
    pub fn change(
        &mut self,
        id: &str,
        fields: &Value,
        now: Timestamp,
    ) -> Result<&Message, Refusal> {
        let message = self.messages.get_mut(id).ok_or_else(Refusal::not_found)?;
        for (name, value) in fields.as_object().into_iter().flatten() {
            message.shown[name] = value.clone();
        }
        self.touch(id, now);
        self.message(id)
    }

    /// Another change key, and a new moment of the last change.
    fn touch(&mut self, id: &str, now: Timestamp) {
        let number = self.new_number(now);
        if let Some(message) = self.messages.get_mut(id) {
            message.shown["lastModifiedDateTime"] = moment(now).into();
            message.shown["changeKey"] = format!("CQAAABYAAADZHJ5UnVu{number}").into();
        }
    }

    pub fn delete(&mut self, id: &str) -> Result<(), Refusal> {
        self.messages.remove(id).map(drop).ok_or_else(Refusal::not_found)
    }
}

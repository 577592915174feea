//! A Google account and its mailbox, as a story acts on them from outside.

use std::collections::BTreeMap;

use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::history::Change;
use email_connectors::domain::history_id::HistoryId;
use email_connectors::domain::id::{GoogleSub, MessageId};
use email_connectors::domain::message::ProviderMessage;
use email_connectors::domain::timestamp::Timestamp;

use super::World;
use super::gmail::Consent;
use super::grants::Grants;

/// Where a mailbox's history begins, and by how much a change moves it: ids are not contiguous.
const FIRST_HISTORY_ID: u64 = 1000;
const HISTORY_STEP: u64 = 7;

pub(crate) struct Mailbox {
    pub address: EmailAddress,
    pub messages: BTreeMap<MessageId, ProviderMessage>,
    pub records: Vec<Record>,
    pub history_id: u64,
    /// The newest history id that a profile or a listing told.
    pub told: u64,
    /// A listing from before this finds no history.
    pub expired: u64,
    pub page_size: usize,
    pub watched_until: Option<Timestamp>,
}

pub(crate) struct Record {
    pub id: u64,
    pub change: Change,
}

/// A mail on its way into a mailbox.
#[derive(Debug, Clone)]
pub struct Mail {
    subject: String,
    from: String,
    label_ids: Vec<String>,
    received_at: Option<Timestamp>,
}

impl Mail {
    pub fn new(subject: &str) -> Self {
        let label_ids = ["INBOX", "UNREAD"].map(String::from).into();
        Self { subject: subject.into(), from: "Shop <pay@shop.example>".into(), label_ids, received_at: None }
    }

    pub fn from(self, from: &str) -> Self {
        Self { from: from.into(), ..self }
    }

    /// These labels instead of the inbox's.
    pub fn labelled(self, label_ids: &[&str]) -> Self {
        Self { label_ids: label_ids.iter().map(|label| label.to_string()).collect(), ..self }
    }

    /// Not now.
    pub fn received_at(self, received_at: Timestamp) -> Self {
        Self { received_at: Some(received_at), ..self }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    pub message: MessageId,
    /// The mailbox's history id after it: what Gmail's push would say.
    pub history_id: HistoryId,
}

impl Mailbox {
    fn deliver(&mut self, mail: Mail, now: Timestamp) -> Delivered {
        let number = self.records.len() + 1;
        self.history_id += HISTORY_STEP;
        let message = MessageId::new(format!("m{number}"));
        let (record, history_id) = (self.history_id, HistoryId::new(self.history_id));
        let change = Change::Added { message: message.clone(), label_ids: mail.label_ids.clone() };
        self.records.push(Record { id: record, change });
        let headers = [
            ("From", mail.from),
            ("To", self.address.to_string()),
            ("Subject", mail.subject.clone()),
            ("Message-ID", format!("<{number}@shop.example>")),
        ];
        let content = ProviderMessage {
            id: message.clone(),
            thread_id: format!("t{number}"),
            label_ids: mail.label_ids,
            history_id: Some(history_id),
            received_at: mail.received_at.unwrap_or(now),
            snippet: format!("{}, in short", mail.subject),
            size_estimate: 2048,
            has_attachments: false,
            headers: headers.map(|(name, value)| (name.to_string(), value)).into(),
        };
        self.messages.insert(message.clone(), content);
        Delivered { message, history_id }
    }
}

#[derive(Clone)]
pub struct Account {
    world: World,
    pub sub: GoogleSub,
}

impl Account {
    pub(crate) fn open(world: &World, address: &str) -> Self {
        let address = EmailAddress::parse(address).expect("a mailbox address");
        let mut state = world.lock();
        let held = state.google.mailboxes.iter().find(|(_, mailbox)| mailbox.address == address).map(|(sub, _)| sub.clone());
        let sub = held.unwrap_or_else(|| GoogleSub::new(format!("10000{}", state.google.mailboxes.len() + 1)));
        state.google.mailboxes.entry(sub.clone()).or_insert_with(|| Mailbox {
            address,
            messages: BTreeMap::new(),
            records: Vec::new(),
            history_id: FIRST_HISTORY_ID,
            told: 0,
            expired: 0,
            page_size: 500,
            watched_until: None,
        });
        Self { world: world.clone(), sub }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Mailbox, &mut Grants, Timestamp) -> T) -> T {
        let mut guard = self.world.lock();
        let state = &mut *guard;
        let mailbox = state.google.mailboxes.get_mut(&self.sub).expect("the account was opened");
        act(mailbox, &mut state.google.grants, state.now)
    }

    pub fn address(&self) -> EmailAddress {
        self.with(|mailbox, _, _| mailbox.address.clone())
    }

    pub fn deliver(&self, mail: Mail) -> Delivered {
        self.with(|mailbox, _, now| mailbox.deliver(mail, now))
    }

    /// The message is gone for good; its history is not.
    pub fn delete(&self, message: &MessageId) {
        self.with(|mailbox, _, _| mailbox.messages.remove(message));
    }

    /// What a listing said stays as it was; what a fetch says changes.
    pub fn relabel(&self, message: &MessageId, label_ids: &[&str]) {
        let label_ids = label_ids.iter().map(|label| label.to_string()).collect();
        self.with(|mailbox, _, _| mailbox.messages.get_mut(message).expect("a message").label_ids = label_ids);
    }

    /// The user, or a filter, changes a message's labels, and the history tells of it.
    pub fn label(&self, message: &MessageId, add: &[&str], remove: &[&str]) {
        self.with(|mailbox, _, _| {
            mailbox.history_id += HISTORY_STEP;
            let label_ids: Vec<String> = add.iter().map(|label| label.to_string()).collect();
            let held = &mut mailbox.messages.get_mut(message).expect("a message").label_ids;
            held.retain(|label| !remove.contains(&label.as_str()) && !add.contains(&label.as_str()));
            held.extend(label_ids.iter().cloned());
            let change = Change::Labelled { message: message.clone(), label_ids };
            mailbox.records.push(Record { id: mailbox.history_id, change });
        });
    }

    pub fn rename(&self, address: &str) {
        self.with(|mailbox, _, _| mailbox.address = EmailAddress::parse(address).expect("a mailbox address"));
    }

    /// The mailbox's history id as it stands.
    pub fn history_id(&self) -> HistoryId {
        self.with(|mailbox, _, _| HistoryId::new(mailbox.history_id))
    }

    /// The newest history id that a profile or a listing of this mailbox told: no cursor can know more.
    pub fn told(&self) -> HistoryId {
        self.with(|mailbox, _, _| HistoryId::new(mailbox.told))
    }

    /// A listing that begins before the present finds no history.
    pub fn expire_history(&self) {
        self.with(|mailbox, _, _| mailbox.expired = mailbox.history_id);
    }

    /// How many records fit on a page of history.
    pub fn page_size(&self, records: usize) {
        self.with(|mailbox, _, _| mailbox.page_size = records);
    }

    /// When Gmail stops notifying, while it watches.
    pub fn watched_until(&self) -> Option<Timestamp> {
        self.with(|mailbox, _, now| mailbox.watched_until.filter(|end| now < *end))
    }

    /// The user agrees on the consent page; the code that the browser brings back.
    pub fn consent(&self, consent: Consent) -> String {
        self.with(|_, grants, _| grants.consent(&self.sub, consent))
    }

    /// The user takes the grant back in their Google account.
    pub fn revoke_grant(&self) {
        self.with(|_, grants, _| grants.end(&self.sub));
    }

    /// Gmail no longer honours the access tokens that it gave out, though their hour is not over.
    pub fn forget_access_tokens(&self) {
        self.with(|_, grants, _| grants.forget_access_tokens(&self.sub));
    }

    /// Whether any refresh token of this account is good.
    pub fn is_granted(&self) -> bool {
        self.with(|_, grants, _| grants.is_alive(&self.sub))
    }
}

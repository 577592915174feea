//! The log of calls, with what Gmail would have charged for each.

use serde::Serialize;

use crate::admin::identity::KeyName;
use crate::oauth::{GOOGLE_CERTS, UNKNOWN_CERTS, USER_CERTS};

#[derive(Clone, Debug, Serialize)]
pub struct CallRecord {
    pub n: u64,
    /// `messages.get`, `token`, `certs`, …; `unknown` where the document has no such method.
    pub method: String,
    /// With the query for calls of Gmail.
    pub path: String,
    pub email: Option<String>,
    pub status: u16,
    pub units: u32,
    pub in_batch: bool,
    /// Which key set a `certs` call requested.
    pub key_set: Option<KeyName>,
    /// Bytes taken so far of an answer that never ends.
    pub sent_bytes: Option<u64>,
}

impl CallRecord {
    /// Whether the call is of this mailbox; `None` matches all.
    pub(crate) fn is_of(&self, email: Option<&str>) -> bool {
        email.is_none() || self.email.as_deref() == email
    }
}

#[derive(Default)]
pub(crate) struct Calls {
    pub log: Vec<CallRecord>,
    last: u64,
}

impl Calls {
    /// The new record's number.
    pub fn record(
        &mut self,
        method: &str,
        path: &str,
        email: Option<&str>,
        status: u16,
        in_batch: bool,
    ) -> u64 {
        self.last += 1;
        self.log.push(CallRecord {
            n: self.last,
            method: method.into(),
            path: path.into(),
            email: email.map(Into::into),
            status,
            units: units(method),
            in_batch,
            key_set: key_set(path),
            sent_bytes: None,
        });
        self.last
    }

    /// The number of the last record, also of one that was cleared away.
    pub fn last(&self) -> u64 {
        self.last
    }

    pub fn add_sent(&mut self, n: u64, bytes: u64) {
        if let Ok(index) = self.log.binary_search_by_key(&n, |call| call.n) {
            *self.log[index].sent_bytes.get_or_insert(0) += bytes;
        }
    }
}

fn key_set(path: &str) -> Option<KeyName> {
    match path {
        GOOGLE_CERTS => Some(KeyName::Google),
        USER_CERTS => Some(KeyName::Users),
        UNKNOWN_CERTS => Some(KeyName::Unknown),
        _ => None,
    }
}

/// Quota units for projects created since May 2026. A batch costs what its parts cost.
fn units(method: &str) -> u32 {
    match method {
        "getProfile" | "labels.list" | "labels.get" | "settings.sendAs.list" => 1,
        "history.list" => 2,
        "messages.list" | "drafts.list" | "messages.modify" | "messages.untrash" => 5,
        "labels.create" | "labels.update" | "labels.patch" | "labels.delete" => 5,
        "messages.delete" | "drafts.create" | "drafts.delete" | "threads.list"
        | "threads.modify" => 10,
        "drafts.update" => 15,
        "messages.get" | "drafts.get" | "messages.attachments.get" | "messages.trash" => 20,
        "threads.trash" | "threads.untrash" | "threads.delete" => 20,
        "threads.get" => 40,
        "stop" | "messages.batchModify" | "messages.batchDelete" => 50,
        "watch" | "messages.send" | "drafts.send" => 100,
        _ => 0,
    }
}

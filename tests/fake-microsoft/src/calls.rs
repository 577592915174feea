//! The log of calls.

use serde::Serialize;

#[derive(Clone, Debug, Default, Serialize)]
pub struct CallRecord {
    pub n: u64,
    /// `messages.list`, `subscriptions.create`, `token`, `keys`, …; `unknown` where Graph has no
    /// such method.
    pub name: String,
    pub http_method: String,
    pub path: String,
    /// As it was sent, not decoded.
    pub query: String,
    /// Of Graph's own description, as `/me/messages/{message-id}`; empty for other calls.
    pub template: String,
    pub email: Option<String>,
    pub status: u16,
    pub in_batch: bool,
    /// Whether the call preferred immutable ids.
    pub immutable_ids: bool,
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
    pub fn record(&mut self, call: CallRecord) {
        self.last += 1;
        self.log.push(CallRecord { n: self.last, ..call });
    }
}

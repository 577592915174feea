//! The log of calls, with what Gmail would have charged for each.

use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub struct CallRecord {
    pub n: u64,
    /// `messages.get`, `token`, …; `unknown` where the document has no such method.
    pub method: String,
    /// For Gmail with its query.
    pub path: String,
    pub email: Option<String>,
    pub status: u16,
    pub units: u32,
    pub in_batch: bool,
}

#[derive(Default)]
pub(crate) struct Calls {
    pub log: Vec<CallRecord>,
    last: u64,
}

impl Calls {
    pub fn record(&mut self, method: &str, path: &str, email: Option<&str>, status: u16, in_batch: bool) {
        self.last += 1;
        self.log.push(CallRecord {
            n: self.last,
            method: method.into(),
            path: path.into(),
            email: email.map(Into::into),
            status,
            units: units(method),
            in_batch,
        });
    }
}

/// Quota units for projects created since May 2026. A batch costs what its parts cost.
fn units(method: &str) -> u32 {
    match method {
        "getProfile" | "labels.list" => 1,
        "history.list" => 2,
        "messages.list" | "messages.modify" | "messages.untrash" => 5,
        "messages.delete" => 10,
        "messages.get" | "messages.attachments.get" | "messages.trash" => 20,
        "stop" => 50,
        "watch" => 100,
        _ => 0,
    }
}

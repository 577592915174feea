//! Requests of every operation, in each variant whose needed scope or cost differs.

use std::collections::BTreeMap;

use email_connectors::domain::operation::request::MailRequest;
use email_connectors::domain::operation::{BodyShape, Entry, OPERATIONS};
use serde_json::{Value, json};

/// An address that the mailbox of the tests may write from.
pub const ALIAS: &str = "help@example.com";

/// One variant of a request for an operation.
pub struct Way {
    pub entry: &'static Entry,
    pub query: &'static str,
    pub body: Value,
}

fn way(entry: &'static Entry, query: &'static str, body: Value) -> Way {
    Way { entry, query, body }
}

pub fn body(entry: &Entry) -> Value {
    match entry.body {
        BodyShape::None => Value::Null,
        BodyShape::Outgoing => {
            json!({"to": ["bo@example.com"], "subject": "Hello", "text": "Hello Bo"})
        }
        BodyShape::DraftChange => json!({"subject": "Hello again"}),
        BodyShape::LabelChange => json!({"add_label_ids": ["STARRED"]}),
        BodyShape::Batch => json!({"ids": ["19b0000000000001"], "add_label_ids": ["STARRED"]}),
        BodyShape::BatchDeletion => json!({"ids": ["19b0000000000001"]}),
        BodyShape::Label => json!({"name": "Invoices"}),
        BodyShape::Upload => json!({"size": 3}),
    }
}

/// Each operation without parameters, and with every parameter and field that changes its scope or
/// cost.
pub fn ways() -> Vec<Way> {
    OPERATIONS.iter().flat_map(of).collect()
}

fn of(entry: &'static Entry) -> Vec<Way> {
    let mut ways = vec![way(entry, "", body(entry))];
    let takes = |name: &str| entry.parameters.iter().any(|parameter| parameter.name == name);
    for query in [
        "query=invoice",
        "format=ids",
        "format=metadata",
        "format=full",
        "format=minimal",
        "format=raw",
        "permanent=true",
    ] {
        let (name, value) = query.split_once('=').unwrap();
        let fits =
            |parameter: &email_connectors::domain::operation::parameter::Parameter| match parameter
                .kind
            {
                email_connectors::domain::operation::parameter::Kind::OneOf(words) => {
                    words.contains(&value)
                }
                _ => true,
            };
        if takes(name)
            && entry.parameters.iter().any(|parameter| parameter.name == name && fits(parameter))
        {
            ways.push(way(entry, query, body(entry)));
        }
    }
    if entry.body == BodyShape::BatchDeletion {
        ways.push(way(entry, "", json!({"ids": ["19b0000000000001"], "permanent": true})));
    }
    if entry.body == BodyShape::Outgoing {
        ways.push(way(
            entry,
            "",
            json!({"reply_to_message_id": "19b0000000000001", "text": "Yes."}),
        ));
        ways.push(way(entry, "", json!({"thread_id": "19b0000000000001", "text": "Yes."})));
        ways.push(way(
            entry,
            "",
            json!({"forward_message_id": "19b0000000000001", "to": ["cy@example.com"]}),
        ));
        ways.push(way(
            entry,
            "",
            json!({"from": {"address": ALIAS}, "to": ["bo@example.com"], "text": "Hello"}),
        ));
    }
    ways
}

impl Way {
    pub fn name(&self) -> String {
        let kinds = [
            ("reply_to_message_id", " (a reply)"),
            ("thread_id", " (a reply to a thread)"),
            ("forward_message_id", " (a forward)"),
            ("from", " (from an alias)"),
        ];
        let kind = kinds.into_iter().find(|(field, _)| self.body.get(field).is_some());
        let reply = kind.map_or("", |(_, name)| name);
        let for_good = if self.body.get("permanent").is_some() { " (for good)" } else { "" };
        format!("{} {}", self.entry.name, self.query).trim().to_string() + reply + for_good
    }

    pub fn request(&self) -> MailRequest {
        let path: BTreeMap<String, String> = self
            .entry
            .path_parameters()
            .map(|name| (name.into(), "19b0000000000001".into()))
            .collect();
        let query: Vec<_> = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(a, b)| (a.into(), b.into()))
            .collect();
        MailRequest::read(self.entry.operation, &path, &query, || Ok(self.body.clone())).unwrap()
    }
}

//! A corpus of received mail, normalized as in its snapshots; and the same from Gmail's tree of
//! parts, through the adapter.
//!
//! Where Gmail leaves a choice: several texts are joined by a line end, calendars and mails within
//! the mail are attachments, an attachment without a name gets none, and text without a valid
//! charset is read as windows-1252.

use std::collections::BTreeSet;
use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use email_connectors::domain::id::MessageId;
use email_connectors::domain::mail::Part;
use email_connectors::domain::message::ProviderMessage;
use email_connectors::domain::timestamp::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{User, read};
use tests::inside::{Inside, Options};

const FEWEST: usize = 60;

/// What Gmail's way of showing a mail changes: mail, field, why.
const OTHERWISE: [(&str, &str, &str); 7] = [
    ("address-in-names", "reply_to", "Gmail decodes the header: what was a name is an address"),
    ("address-in-names", "to", "Gmail decodes the header: two addresses, and none can be chosen"),
    ("base64-broken", "body", "each parser has its own guess"),
    ("boundary-missing", "attachments", "without a boundary another parser sees text"),
    ("boundary-missing", "body", "without a boundary another parser sees text"),
    ("boundary-missing", "has_attachments", "without a boundary another parser sees text"),
    ("boundary-never-closed", "attachments", "where it ends is each parser's guess"),
];

fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail/corpus");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mail = |path: &PathBuf| {
        (path.file_stem().unwrap().to_str().unwrap().to_string(), std::fs::read(path).unwrap())
    };
    let corpus: Vec<_> = files.iter().map(mail).collect();
    assert!(corpus.len() >= FEWEST, "{}", corpus.len());
    corpus
}

fn normalized(raw: &[u8]) -> Value {
    let root = Part::read(raw).unwrap();
    let message = ProviderMessage {
        id: MessageId::new("m"),
        identity: None,
        thread_id: "t".into(),
        label_ids: vec![],
        history_id: None,
        received_at: Timestamp::from_seconds(0),
        snippet: String::new(),
        size_estimate: 0,
        has_attachments: false,
        attachments_unknown: false,
        bounce: None,
        headers: root.headers.clone(),
    };
    content(serde_json::to_value(message.normalize_whole(&root)).unwrap())
}

/// The message without the fields that depend on the mailbox.
fn content(mut message: Value) -> Value {
    let message_fields = message.as_object_mut().unwrap();
    for name in ["id", "thread_id", "timestamp", "snippet", "label_ids", "metadata"] {
        message_fields.remove(name);
    }
    // Gmail takes them apart, and does not tell their size.
    for attachment in message_fields["attachments"].as_array_mut().unwrap() {
        if attachment["mime_type"].as_str().unwrap().starts_with("message/") {
            attachment.as_object_mut().unwrap().remove("size");
        }
    }
    message
}

#[test]
fn every_mail_is_read_as_expected() {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "snapshots" }, {
        for (name, raw) in corpus() {
            insta::assert_json_snapshot!(name, normalized(&raw));
        }
    });
}

#[tokio::test]
async fn every_mail_is_the_same_by_way_of_gmail() {
    let inside = Inside::start(Options::default()).await;
    let stack = inside.stack();
    let user = User::connected(&stack, "corpus").await;
    let (mut different, mut known) = (BTreeSet::new(), BTreeSet::new());
    for (name, raw) in corpus() {
        let mail = json!({"raw": BASE64_STANDARD.encode(&raw), "authentication_results": "", "silent": true});
        let id = user.receive(&stack, mail).await;
        let path = format!("/api/connectors/{}/messages/{id}", user.connector);
        let by_gmail =
            read(stack.api(Method::GET, &path, Some(&user.token), None).await, StatusCode::OK)
                .await;
        // Events are read as this format is.
        let path = format!("{path}?format=metadata");
        let summary =
            read(stack.api(Method::GET, &path, Some(&user.token), None).await, StatusCode::OK)
                .await;
        assert_eq!(summary["has_attachments"], by_gmail["has_attachments"], "{name}");
        let (by_gmail, sent) = (content(by_gmail), normalized(&raw));
        let fields = sent.as_object().unwrap().keys().chain(by_gmail.as_object().unwrap().keys());
        for field in fields.filter(|field| by_gmail[field.as_str()] != sent[field.as_str()]) {
            if OTHERWISE.iter().any(|(mail, known, _)| *mail == name && known == field) {
                known.insert((name.clone(), field.clone()));
                continue;
            }
            let (by_gmail, sent) = (&by_gmail[field.as_str()], &sent[field.as_str()]);
            different.insert(format!("{name} {field}: {by_gmail} instead of {sent}"));
        }
    }
    assert!(different.is_empty(), "{different:#?}");
    assert_eq!(known.len(), OTHERWISE.len(), "some are the same: {known:?}");
}

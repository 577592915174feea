//! Replies: which fields follow from the original message, and that given fields are kept.

use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::MessageId;
use email_connectors::domain::message::{Message, ProviderMessage};
use email_connectors::domain::outgoing::Outgoing;
use email_connectors::domain::timestamp::Timestamp;
use serde_json::{Value, json};

fn original(headers: &[(&str, &str)]) -> Message {
    ProviderMessage {
        id: MessageId::new("19b0"),
        thread_id: "19a0".into(),
        label_ids: vec![],
        history_id: None,
        received_at: Timestamp::from_seconds(0),
        snippet: String::new(),
        size_estimate: 0,
        has_attachments: false,
        attachments_unknown: false,
        bounce: None,
        headers: headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect(),
    }
    .normalize()
}

/// The fields of a reply to a message with these headers.
fn answered(mail: Value, headers: &[(&str, &str)]) -> Value {
    let own = EmailAddress::parse("ada@example.com").unwrap();
    let reply = Outgoing::parse(mail).unwrap().in_reply_to(&original(headers), &own);
    serde_json::to_value(reply).unwrap()
}

const FROM_BO: &[(&str, &str)] = &[
    ("From", "Bo <bo@example.com>"),
    ("To", "ada@example.com"),
    ("Subject", "Lunch?"),
    ("Message-ID", "<1@example.com>"),
];

#[test]
fn a_reply_goes_to_who_wrote_into_the_same_thread() {
    let reply = answered(json!({"text": "Yes."}), FROM_BO);
    assert_eq!(reply["to"], json!([{"name": "Bo", "address": "bo@example.com"}]));
    assert_eq!((&reply["subject"], &reply["thread_id"]), (&json!("Re: Lunch?"), &json!("19a0")));
    assert_eq!(
        (&reply["in_reply_to"], &reply["references"]),
        (&json!("<1@example.com>"), &json!("<1@example.com>"))
    );
}

#[test]
fn given_fields_are_kept() {
    let given = json!({"to": ["cy@example.com"], "subject": "Dinner", "thread_id": "7", "in_reply_to": "<9@x>", "references": "<8@x> <9@x>"});
    let reply = answered(given.clone(), FROM_BO);
    for field in ["to", "subject", "thread_id", "in_reply_to", "references"] {
        assert_eq!(reply[field], given[field], "{field}");
    }
}

#[test]
fn an_answer_to_ones_own_mail_goes_where_that_went() {
    let own = [
        ("From", "Ada <ADA@example.com>"),
        ("To", "bo@example.com, cy@example.com"),
        ("Reply-To", "elsewhere@example.com"),
    ];
    let addresses: Vec<Value> = answered(json!({}), &own)["to"]
        .as_array()
        .unwrap()
        .iter()
        .map(|to| to["address"].clone())
        .collect();
    assert_eq!(addresses, ["bo@example.com", "cy@example.com"]);
    let list = [("From", "bo@example.com"), ("Reply-To", "list@example.com")];
    assert_eq!(
        answered(json!({}), &list)["to"],
        json!([{"name": null, "address": "list@example.com"}])
    );
}

#[test]
fn a_subject_is_answered_once() {
    for (subject, expected) in [
        ("Lunch?", "Re: Lunch?"),
        ("Re: Lunch?", "Re: Lunch?"),
        ("RE: x", "RE: x"),
        ("", "Re:"),
        ("Réunion", "Re: Réunion"),
    ] {
        assert_eq!(answered(json!({}), &[("Subject", subject)])["subject"], expected, "{subject}");
    }
    let long = answered(json!({}), &[("Subject", &"ä".repeat(2000))]);
    assert!(long["subject"].as_str().unwrap().len() <= 998);
}

#[test]
fn references_keep_the_first_and_the_last_within_their_bound() {
    let before: Vec<String> =
        (0..400).map(|number| format!("<{number:040}@example.com>")).collect();
    let reply = answered(
        json!({}),
        &[("References", &before.join(" ")), ("Message-ID", "<last@example.com>")],
    );
    let references: Vec<&str> = reply["references"].as_str().unwrap().split(' ').collect();
    assert!(reply["references"].as_str().unwrap().len() <= 4000);
    assert_eq!(
        (references[0], references[references.len() - 2], *references.last().unwrap()),
        (before[0].as_str(), before[399].as_str(), "<last@example.com>")
    );
    let forged = answered(
        json!({}),
        &[("References", "a\u{7f}b <ok@x> <b ad@x>"), ("Message-ID", "no id at all")],
    );
    assert_eq!((&forged["in_reply_to"], &forged["references"]), (&Value::Null, &Value::Null));
}

#[test]
fn what_makes_no_mail_is_refused_by_its_field() {
    let attachment = |field: &str, value: Value| {
        let mut attachment =
            json!({"filename": "a.txt", "mime_type": "text/plain", "content": "YQ=="});
        attachment[field] = value;
        json!({"attachments": [attachment]})
    };
    let many: Vec<String> = (0..501).map(|number| format!("a{number}@example.com")).collect();
    let table = [
        (json!({"to": "bo@example.com"}), "to"),
        (json!({"to": ["bo"]}), "to[0]"),
        (json!({"to": ["bo@example.com", "bo@exa\r\nBcc: x@y.z"]}), "to[1]"),
        (json!({"cc": ["Bo <bo@example.com>"]}), "cc[0]"),
        (json!({"bcc": [{"address": "bo@example.com", "name": "a\r\nb"}]}), "bcc[0]"),
        (json!({"reply_to": ["bö@example.com"]}), "reply_to[0]"),
        (json!({"to": [7]}), "to[0]"),
        (json!({"to": many}), "to"),
        (json!({"subject": "a\r\nBcc: x@example.com"}), "subject"),
        (json!({"subject": "a".repeat(999)}), "subject"),
        (json!({"in_reply_to": "1@example.com"}), "in_reply_to"),
        (json!({"references": "<1@example.com> x"}), "references"),
        (json!({"reply_to_message_id": "../../../../upload"}), "reply_to_message_id"),
        (json!({"reply_to_message_id": "19b0?format=raw"}), "reply_to_message_id"),
        (json!({"reply_to_message_id": ""}), "reply_to_message_id"),
        (json!({"from": "bo@example.com"}), "from"),
        (attachment("filename", json!("")), "attachments[0].filename"),
        (attachment("filename", json!("a\"\r\nb")), "attachments[0].filename"),
        (attachment("mime_type", json!("text")), "attachments[0].mime_type"),
        (attachment("mime_type", json!("multipart/mixed")), "attachments[0].mime_type"),
        (attachment("mime_type", json!("text/plain\r\nX: y")), "attachments[0].mime_type"),
        (attachment("content", json!("%%%")), "attachments[0].content"),
        (attachment("content_id", json!("a>b")), "attachments[0].content_id"),
        (attachment("inline", json!(true)), "attachments[0].content_id"),
    ];
    for (mail, field) in table {
        let refused = Outgoing::parse(mail.clone()).expect_err("it is no mail");
        assert_eq!(refused.field, field, "{mail}: {refused}");
        assert!(!refused.problem.is_empty() && !refused.problem.contains('\r'), "{refused}");
    }
    assert_eq!(
        Outgoing::parse(json!({"text": "a"})).unwrap().check_sendable().unwrap_err().field,
        "to"
    );
    assert!(
        Outgoing::parse(json!({"reply_to_message_id": "19b0"})).unwrap().check_sendable().is_ok()
    );
}

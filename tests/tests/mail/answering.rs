//! Replies: which fields follow from the original message, and that given fields are kept.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::MessageId;
use email_connectors::domain::invalid::Invalid;
use email_connectors::domain::message::{Message, ProviderMessage};
use email_connectors::domain::outgoing::identity::{Alias, Identity};
use email_connectors::domain::outgoing::{Outgoing, answered_in};
use email_connectors::domain::timestamp::Timestamp;
use serde_json::{Value, json};

fn original(headers: &[(&str, &str)]) -> Message {
    ProviderMessage {
        id: MessageId::new("19b0"),
        identity: None,
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

fn help() -> Alias {
    Alias { address: "help@example.com".into(), name: Some("The help desk".into()) }
}

/// A reply of ada@example.com, who also writes as help@example.com, to a message with these
/// headers.
fn tried(mail: Value, original: &Message) -> Result<Value, Invalid> {
    let own = EmailAddress::parse("ada@example.com").unwrap();
    let identity = Identity { own: &own, aliases: &[help()] };
    let reply = Outgoing::parse(mail).unwrap().in_reply_to(original, &identity)?;
    Ok(serde_json::to_value(reply).unwrap())
}

/// The fields of a reply to a message with these headers.
fn answered(mail: Value, headers: &[(&str, &str)]) -> Value {
    tried(mail, &original(headers)).unwrap()
}

fn addresses(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.map(|one| one["address"].as_str().or(one.as_str()).unwrap()).collect()
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
    let reply = answered(json!({}), &own);
    assert_eq!(addresses(&reply["to"]), ["bo@example.com", "cy@example.com"]);
    let both = [("From", "bo@example.com, Cy <cy@example.com>")];
    let reply = answered(json!({}), &both);
    assert_eq!(addresses(&reply["to"]), ["bo@example.com", "cy@example.com"]);
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
        let reply = answered(json!({}), &[("From", "bo@example.com"), ("Subject", subject)]);
        assert_eq!(reply["subject"], expected, "{subject}");
    }
    let long = answered(json!({}), &[("From", "bo@example.com"), ("Subject", &"ä".repeat(2000))]);
    assert!(long["subject"].as_str().unwrap().len() <= 998);
}

#[test]
fn references_keep_the_first_and_the_last_within_their_bound() {
    let before: Vec<String> =
        (0..400).map(|number| format!("<{number:040}@example.com>")).collect();
    let reply = answered(
        json!({}),
        &[
            ("From", "bo@example.com"),
            ("References", &before.join(" ")),
            ("Message-ID", "<last@example.com>"),
        ],
    );
    let references: Vec<&str> = reply["references"].as_str().unwrap().split(' ').collect();
    assert!(reply["references"].as_str().unwrap().len() <= 4000);
    assert_eq!(
        (references[0], references[references.len() - 2], *references.last().unwrap()),
        (before[0].as_str(), before[399].as_str(), "<last@example.com>")
    );
    let forged = answered(
        json!({}),
        &[
            ("From", "bo@example.com"),
            ("References", "a\u{7f}b <ok@x> <b ad@x>"),
            ("Message-ID", "no id at all"),
        ],
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
        (attachment("filename", json!("a\"\r\nb")), "attachments[0].filename"),
        (attachment("mime_type", json!("text")), "attachments[0].mime_type"),
        (attachment("mime_type", json!("multipart/mixed")), "attachments[0].mime_type"),
        (attachment("mime_type", json!("text/plain\r\nX: y")), "attachments[0].mime_type"),
        (attachment("content", json!("%%%")), "attachments[0].content"),
        (attachment("content_id", json!("a>b")), "attachments[0].content_id"),
        (
            json!({"attachments": [{"mime_type": "message/rfc822", "content": BASE64_STANDARD.encode([b'a'; 999])}]}),
            "attachments[0].content",
        ),
        (
            json!({"attachments": [{"mime_type": "message/rfc822", "content": BASE64_STANDARD.encode(b"a\0")}]}),
            "attachments[0].content",
        ),
        (json!({"from": {"name": "a\nb"}}), "from.name"),
        (json!({"from": {"address": "ada"}}), "from.address"),
        (json!({"reply_all": true}), "reply_all"),
        (json!({"reply_all": true, "forward_message_id": "19b0"}), "reply_all"),
        (json!({"forward_as": "inline"}), "forward_as"),
        (json!({"forward_message_id": "19b0", "forward_as": "copy"}), "forward_as"),
        (json!({"forward_message_id": "../19b0"}), "forward_message_id"),
        (
            json!({"forward_message_id": "19b0", "reply_to_message_id": "19b0"}),
            "forward_message_id",
        ),
        (json!({"thread_id": "../19b0"}), "thread_id"),
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

#[test]
fn every_valid_address_can_be_answered() {
    for (from, expected) in [
        ("\"ab..cd.\"@example.com", "\"ab..cd.\"@example.com"),
        ("Jürgen <juergen@exämple.com>", "juergen@xn--exmple-cua.com"),
        ("bo@BÜCHER.example", "bo@xn--bcher-kva.example"),
    ] {
        let reply = answered(json!({}), &[("From", from)]);
        assert_eq!(addresses(&reply["to"]), [expected], "{from}");
        let mail = json!({"to": [expected, {"name": "x", "address": expected}]});
        let sent = serde_json::to_value(Outgoing::parse(mail).unwrap()).unwrap();
        assert_eq!(addresses(&sent["to"]), [expected, expected]);
    }
    let long = format!("{} <bo@example.com>", "ä".repeat(300));
    let reply = answered(json!({}), &[("From", &long)]);
    assert_eq!(reply["to"][0]["name"], "ä".repeat(127));
}

#[test]
fn nobody_is_left_out_in_silence() {
    let sent = [("From", "ada@example.com"), ("To", "cy@example.com, Bö <bö@example.com>")];
    let copied = [("From", "bo@example.com"), ("Cc", "cy@example.com, di@[192.0.2.1]")];
    let all = json!({"reply_all": true, "reply_to_message_id": "19b0"});
    let many: Vec<String> = (0..501).map(|number| format!("a{number}@example.com")).collect();
    let many = [("From", "ada@example.com"), ("To", &many.join(", "))];
    for (mail, headers, named) in [
        (json!({}), &[("From", "nobody at all")][..], "From"),
        (json!({}), &[], "From"),
        (json!({}), &[("From", "bö@example.com")], "bö@example.com"),
        (json!({}), &sent, "bö@example.com"),
        (json!({}), &[("From", "ada@example.com")], "To"),
        (json!({}), &many, "500"),
        (all, &copied, "192.0.2.1"),
    ] {
        let refused = tried(mail, &original(headers)).unwrap_err();
        assert_eq!(refused.field, "to", "{refused}");
        assert!(refused.problem.contains(named), "{refused}");
        assert!(refused.problem.contains("say `to` explicitly"), "{refused}");
        let named = answered(json!({"to": ["cy@example.com"]}), headers);
        assert_eq!(addresses(&named["to"]), ["cy@example.com"]);
    }
}

#[test]
fn a_reply_to_all_reaches_each_once_and_not_oneself() {
    let list = [
        ("From", "Bo <bo@example.com>"),
        ("To", "ADA@example.com, cy@example.com, BO@example.com"),
        ("Cc", "di@bücher.example, cy@EXAMPLE.com, help@example.com, di@xn--bcher-kva.example"),
    ];
    let answered_by = [&list[..], &[("Reply-To", "list@example.com")]].concat();
    let own = [
        ("From", "ada@example.com"),
        ("To", "bo@example.com, BO@example.com, ada@example.com"),
        ("Cc", "cy@example.com"),
    ];
    let to_oneself = [("From", "ada@example.com"), ("To", "ada@example.com")];
    let copied = [&to_oneself[..], &[("Cc", "cy@example.com")]].concat();
    for (headers, given, to, cc) in [
        (
            &list[..],
            json!({}),
            &["bo@example.com"][..],
            &["cy@example.com", "di@xn--bcher-kva.example"][..],
        ),
        (
            &answered_by,
            json!({}),
            &["list@example.com"],
            &["cy@example.com", "BO@example.com", "di@xn--bcher-kva.example"],
        ),
        (
            &list,
            json!({"to": ["eve@example.com"], "cc": ["CY@example.com"]}),
            &["eve@example.com"],
            &["CY@example.com", "bo@example.com", "di@xn--bcher-kva.example"],
        ),
        (&own, json!({}), &["bo@example.com"], &["cy@example.com"]),
        (&to_oneself, json!({}), &["ada@example.com"], &[]),
        (&copied, json!({}), &["cy@example.com"], &[]),
    ] {
        let mut mail = given.clone();
        mail["reply_all"] = json!(true);
        mail["reply_to_message_id"] = json!("19b0");
        let reply = answered(mail, headers);
        assert_eq!(
            (addresses(&reply["to"]), addresses(&reply["cc"])),
            (to.to_vec(), cc.to_vec()),
            "{headers:?} {given}"
        );
    }
    let plain = answered(json!({}), &own);
    assert_eq!((addresses(&plain["to"]), &plain["cc"]), (vec!["bo@example.com"], &json!([])));
}

#[test]
fn mail_to_an_alias_is_answered_by_it() {
    let help = json!({"name": "The help desk", "address": "help@example.com"});
    let to =
        |to: &str| answered(json!({}), &[("From", "bo@example.com"), ("To", to)])["from"].clone();
    assert_eq!(to("HELP@example.com"), help);
    assert_eq!(to("help@example.com, ada@example.com"), Value::Null);
    assert_eq!(to("list@example.com"), Value::Null);
    let named = json!({"from": {"name": "Ada"}});
    let mail_to_help = [("From", "bo@example.com"), ("To", "help@example.com")];
    assert_eq!(
        answered(named, &mail_to_help)["from"],
        json!({"name": "Ada", "address": "help@example.com"})
    );
    let sent = Message {
        label_ids: vec!["SENT".into()],
        ..original(&[("From", "help@example.com"), ("To", "bo@example.com")])
    };
    let reply = tried(json!({}), &sent).unwrap();
    assert_eq!((addresses(&reply["to"]), &reply["from"]), (vec!["bo@example.com"], &help));
    // Sent from an address that is no alias any more: the label says whose it is.
    let sent = Message {
        label_ids: vec!["SENT".into()],
        ..original(&[("From", "old@example.com"), ("To", "bo@example.com")])
    };
    let reply = tried(json!({}), &sent).unwrap();
    assert_eq!((addresses(&reply["to"]), &reply["from"]), (vec!["bo@example.com"], &Value::Null));
}

#[test]
fn a_thread_is_answered_where_it_ends() {
    let message = |id: &str, label: &str| Message {
        id: MessageId::new(id),
        label_ids: vec![label.into()],
        ..original(&[("Message-ID", &format!("<{id}@example.com>"))])
    };
    let answers = |thread: &[Message], in_reply_to: Option<&str>| {
        answered_in(thread, in_reply_to).map(|message| message.id.to_string())
    };
    let thread =
        [message("1", "INBOX"), message("2", "SENT"), message("3", "TRASH"), message("4", "DRAFT")];
    assert_eq!(answers(&thread, None).as_deref(), Some("2"));
    assert_eq!(answers(&thread, Some("<1@example.com>")).as_deref(), Some("1"));
    assert_eq!(answers(&thread, Some("<9@example.com>")).as_deref(), Some("2"));
    assert_eq!(answers(&thread[2..], None).as_deref(), Some("3"));
    assert_eq!(answers(&thread[3..], None), None);
}

#[test]
fn who_has_no_address_is_named_and_nobody_is_left_out() {
    for (headers, mail, named) in [
        (
            [("To", "ada@example.com, Smith, eve@example.com"), ("Cc", "")],
            json!({"reply_to_message_id": "19b0", "reply_all": true}),
            "Smith",
        ),
        (
            [("To", "ada@example.com"), ("Cc", "Eve <eve at example.com>")],
            json!({"reply_to_message_id": "19b0", "reply_all": true}),
            "Eve",
        ),
        (
            [("To", "ada@example.com"), ("Reply-To", "=?utf-8?q?J=C3=BCrgen?= <>")],
            json!({"reply_to_message_id": "19b0"}),
            "Jürgen",
        ),
    ] {
        let headers = [&[("From", "Bo <bo@example.com>")], &headers[..]].concat();
        let refused = tried(mail, &original(&headers)).unwrap_err().to_string();
        assert!(refused.contains(named) && refused.contains("say `to`"), "{refused}");
        assert_eq!(
            addresses(
                &answered(
                    json!({"reply_to_message_id": "19b0", "to": ["eve@example.com"]}),
                    &headers
                )["to"]
            ),
            ["eve@example.com"]
        );
    }
    let list = [("From", "bo@example.com"), ("To", "undisclosed-recipients:;")];
    assert_eq!(
        addresses(
            &answered(json!({"reply_to_message_id": "19b0", "reply_all": true}), &list)["to"]
        ),
        ["bo@example.com"]
    );
}

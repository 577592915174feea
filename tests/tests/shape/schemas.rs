//! The events' schemas: one for each detail type, strict, and with a description of every field.

use std::collections::BTreeSet;

use email_connectors::domain::event::SCHEMA_VERSION;
use email_connectors::domain::webhook::LONGEST_PAYLOAD;
use serde_json::{Value, json};
use tests::schemas::{PUBLISHED, faults};

/// Optional fields, as JSON pointers; all other fields are required.
const OPTIONAL: [&str; 13] = [
    "/message/subject",
    "/message/from",
    "/message/from/name",
    "/message/authentication",
    "/message/authentication/spf",
    "/message/authentication/dkim",
    "/message/authentication/dmarc",
    "/message/headers/message_id",
    "/message/headers/in_reply_to",
    "/message/headers/references",
    "/message/metadata/history_id",
    "/correlation/pubsub_message_id",
    "/correlation/history_id",
];
/// The sender's data, which may be any JSON.
const FOREIGN: &str = "/event/data";

fn read(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Every example of every schema, with its detail type.
fn examples() -> Vec<(&'static str, &'static Value)> {
    let of = |(name, schema): (&'static String, &'static Value)| {
        let examples =
            schema["examples"].as_array().unwrap_or_else(|| panic!("{name} has no examples"));
        assert!(!examples.is_empty(), "{name} has no examples");
        examples.iter().map(move |example| (name.as_str(), example))
    };
    PUBLISHED.iter().flat_map(of).collect()
}

/// The last example of a detail type that has this field.
fn example(detail_type: &str, pointer: &str) -> Value {
    let mut all = examples()
        .into_iter()
        .filter(|(name, example)| *name == detail_type && example.pointer(pointer).is_some());
    all.next_back().unwrap().1.clone()
}

/// Collects the JSON pointers of everything in a value, without the value itself.
fn collect_pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut descend = |name: &str, value: &Value| {
        let pointer = format!("{at}/{name}");
        if pointer != FOREIGN {
            collect_pointers(value, &pointer, found);
        }
        found.push(pointer);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| descend(name, value)),
        Value::Array(entries) => {
            entries.iter().enumerate().for_each(|(index, value)| descend(&index.to_string(), value))
        }
        _ => {}
    }
}

fn pointers(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect_pointers(value, "", &mut found);
    found
}

#[test]
fn every_detail_type_has_a_schema_and_every_schema_a_detail_type() {
    let source = read("lib/src/domain/event.rs");
    let rendered = source.split("fn as_str").nth(1).unwrap().split('"').skip(1).step_by(2);
    let detail_types: BTreeSet<String> = rendered.map(String::from).collect();
    assert_eq!(detail_types, PUBLISHED.keys().cloned().collect());
}

#[test]
fn a_schema_says_what_it_is_and_explains_every_field() {
    for (name, schema) in PUBLISHED.iter() {
        assert_eq!(schema["title"], name.as_str());
        assert_eq!(schema["$id"], format!("v{SCHEMA_VERSION}/{name}.json"));
        assert_eq!(schema["properties"]["schema_version"]["const"], SCHEMA_VERSION);
        assert!(schema["description"].is_string(), "{name} has no description");
        for pointer in pointers(schema)
            .iter()
            .filter(|pointer| pointer.ends_with("/properties") && !pointer.starts_with("/if/"))
        {
            let owner = schema.pointer(pointer.trim_end_matches("/properties")).unwrap();
            if ["/then", "/else"].iter().any(|conditional| pointer.starts_with(conditional)) {
                continue;
            }
            assert_eq!(
                owner["additionalProperties"], false,
                "{name}{pointer}: our own objects allow no other fields"
            );
            for (field, about) in schema.pointer(pointer).unwrap().as_object().unwrap() {
                let about = match about["$ref"].as_str() {
                    Some(reference) if about["description"].is_null() => {
                        schema.pointer(reference.trim_start_matches('#')).unwrap()
                    }
                    _ => about,
                };
                assert!(
                    about["description"].as_str().is_some_and(|text| text.ends_with('.')),
                    "{name}{pointer}/{field} is not explained"
                );
            }
        }
    }
    assert_eq!(
        PUBLISHED["TRIGGER_FIRED"]["$defs"]["event"]["properties"]["raw_payload"]["maxLength"],
        LONGEST_PAYLOAD
    );
}

#[test]
fn what_schemas_share_is_the_same_in_each() {
    for (name, schema) in PUBLISHED.iter() {
        for shared in ["timestamp", "connector"] {
            assert_eq!(
                schema["$defs"][shared], PUBLISHED["TRIGGER_FIRED"]["$defs"][shared],
                "{name}: {shared}"
            );
        }
    }
}

#[test]
fn examples_keep_to_their_schema() {
    for (name, example) in examples() {
        assert_eq!(faults(name, example), Vec::<String>::new(), "{name}: {example}");
    }
}

#[test]
fn an_event_without_a_field_is_refused_unless_the_field_may_be_absent() {
    for (name, example) in examples() {
        for pointer in pointers(example) {
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            let mut spoilt = example.clone();
            if let Some(fields) = spoilt.pointer_mut(parent).unwrap().as_object_mut() {
                fields.remove(field).unwrap();
                assert_eq!(
                    faults(name, &spoilt).is_empty(),
                    OPTIONAL.contains(&pointer.as_str()),
                    "{name} without {pointer}"
                );
            }
        }
    }
}

#[test]
fn an_event_with_a_field_more_is_refused() {
    for (name, example) in examples() {
        let objects = pointers(example)
            .into_iter()
            .chain([String::new()])
            .filter(|pointer| example.pointer(pointer).unwrap().is_object());
        for pointer in objects.filter(|pointer| pointer != FOREIGN) {
            let mut spoilt = example.clone();
            spoilt.pointer_mut(&pointer).unwrap()["unheard_of"] = json!("x");
            assert_ne!(
                faults(name, &spoilt),
                Vec::<String>::new(),
                "{name} with a field more at {pointer:?}"
            );
        }
    }
}

#[test]
fn an_event_with_a_value_of_another_type_is_refused() {
    for (name, example) in examples() {
        for pointer in pointers(example).into_iter().filter(|pointer| pointer != FOREIGN) {
            let mut spoilt = example.clone();
            let value = spoilt.pointer_mut(&pointer).unwrap();
            *value = match value {
                Value::String(_) | Value::Null => json!(7),
                Value::Number(number) => json!(number.to_string()),
                Value::Bool(known) => json!(known.to_string()),
                Value::Array(_) => json!({}),
                Value::Object(_) => json!([]),
            };
            assert_ne!(
                faults(name, &spoilt),
                Vec::<String>::new(),
                "{name} with another type at {pointer}"
            );
        }
    }
}

/// Values of the right type that are impossible.
#[test]
fn an_event_with_an_impossible_value_is_refused() {
    let fired = "TRIGGER_FIRED";
    for (detail_type, pointer, value) in [
        (fired, "/schema_version", json!(2)),
        (fired, "/event_id", json!("8eda594de71556bdb1d970662bc68251")),
        (fired, "/event_id", json!("evt_1")),
        (fired, "/fired_at", json!("2026-01-01T09:30:02Z")),
        (fired, "/fired_at", json!("2026-13-01T09:30:02.000Z")),
        (fired, "/fired_at", json!("2026-01-01T09:30:02.000+01:00")),
        (fired, "/owner_id", json!("")),
        (fired, "/trigger/id", json!("con_019b78f0c4b17d0f8a3e5d2c9b6f7a10")),
        (fired, "/trigger/type", json!("email:gmail")),
        (fired, "/trigger/agent_id", json!("")),
        (fired, "/connector/id", json!("con_1")),
        (fired, "/connector/provider", json!("imap")),
        (fired, "/connector/email_address", json!("ada")),
        (fired, "/message/id", json!("")),
        (fired, "/message/subject", Value::Null),
        (fired, "/message/from", Value::Null),
        (fired, "/message/to", json!(vec![json!({"address": "ada@example.com"}); 51])),
        (fired, "/message/snippet", json!("x".repeat(2001))),
        (fired, "/message/metadata/size_estimate", json!(-1)),
        (fired, "/message/metadata/history_id", json!("1.5")),
        (fired, "/correlation/history_id", json!("")),
        (fired, "/event/connector_type", json!("email")),
        (fired, "/event/event_type", json!("")),
        (fired, "/event/event_type", Value::Null),
        (fired, "/event/resource_id", json!("x".repeat(201))),
        (fired, "/event/raw_payload", json!("x".repeat(LONGEST_PAYLOAD + 1))),
        ("CONNECTOR_CONNECTED", "/granted_scopes", json!([""])),
        ("CONNECTOR_DISCONNECTED", "/connector/email_address", json!("a b@example.com")),
        ("CONNECTOR_NEEDS_REAUTH", "/reason", Value::Null),
        ("CONNECTOR_RECOVERED", "/occurred_at", json!("yesterday")),
        ("WATCH_LAPSED", "/lapsed_at", Value::Null),
        ("HISTORY_GAP_RECOVERED", "/messages", json!(1.5)),
        ("HISTORY_GAP_RECOVERED", "/fired", json!(-1)),
        ("HISTORY_GAP_RECOVERED", "/before", json!("1736942401250")),
        ("MESSAGE_PARKED", "/message/id", json!("")),
    ] {
        let mut spoilt = example(detail_type, pointer);
        *spoilt.pointer_mut(pointer).unwrap() = value;
        assert_ne!(faults(detail_type, &spoilt), Vec::<String>::new(), "{detail_type}: {spoilt}");
    }
}

#[test]
fn what_fired_is_a_message_or_an_event_as_the_triggers_type_says() {
    let fired = |kind: &str| example("TRIGGER_FIRED", kind);
    let (mail, hook) = (fired("/message"), fired("/event"));
    let refused = |spoilt: &Value| {
        assert_ne!(faults("TRIGGER_FIRED", spoilt), Vec::<String>::new(), "{spoilt}")
    };
    for (event, other) in [(&mail, "webhook"), (&hook, "email")] {
        let mut spoilt = event.clone();
        spoilt["trigger"]["type"] = json!(other);
        refused(&spoilt);
    }
    let mut both = mail.clone();
    both["event"] = hook["event"].clone();
    refused(&both);
    let mut pushed = hook.clone();
    pushed["correlation"] = mail["correlation"].clone();
    refused(&pushed);
    for data in [json!(null), json!([1]), json!("text"), json!({"any": {"thing": true}})] {
        let mut foreign = hook.clone();
        foreign["event"]["data"] = data;
        assert_eq!(faults("TRIGGER_FIRED", &foreign), Vec::<String>::new());
    }
}

/// Each detail type has a section in docs/events.md, whose JSON fits its schema.
#[test]
fn the_documents_examples_keep_to_their_schema() {
    let text = read("docs/events.md");
    for name in PUBLISHED.keys() {
        let section = text.split("\n## ").find(|section| section.starts_with(&format!("`{name}`")));
        let section = section.unwrap_or_else(|| panic!("docs/events.md has no section on {name}"));
        let shown: Vec<&str> = section
            .split("```json\n")
            .skip(1)
            .map(|block| block.split("```").next().unwrap())
            .collect();
        assert!(!shown.is_empty(), "docs/events.md shows no {name}");
        for block in shown {
            assert_eq!(
                faults(name, &serde_json::from_str(block).unwrap()),
                Vec::<String>::new(),
                "{name}: {block}"
            );
        }
    }
}

#[test]
fn the_document_shows_the_consumer_as_it_is() {
    let (text, source) = (read("docs/events.md"), read("examples/consumer/src/consume.rs"));
    let shown = text.split("```rust\n").nth(1).unwrap().split("```").next().unwrap();
    let indented: String = shown.lines().map(|line| format!("    {line}\n")).collect();
    assert!(source.contains(&indented), "docs/events.md shows another consumer:\n{shown}");
}

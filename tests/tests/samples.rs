//! Every sample event, invoked on the built function through AWS's own Runtime Interface Emulator, with the environment
//! that the template declares for it: a variable that the template forgets stops the function here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test lives in the world, and ends at the first surprise"
)]

#[path = "support/aws.rs"]
mod aws;
#[path = "samples/dry.rs"]
mod dry;
#[path = "samples/emulator.rs"]
mod emulator;
#[path = "support/template.rs"]
mod template;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::emulator::{Emulator, World};

/// Answers that hold at least what is expected here; numbers and texts exactly, objects key by key, lists one by one.
fn holds(answer: &Value, expected: &Value) -> bool {
    match (answer, expected) {
        (Value::Object(answer), Value::Object(expected)) => {
            expected.iter().all(|(key, expected)| answer.get(key).is_some_and(|answer| holds(answer, expected)))
        }
        (Value::Array(answer), Value::Array(expected)) => {
            answer.len() == expected.len() && answer.iter().zip(expected).all(|(answer, expected)| holds(answer, expected))
        }
        (answer, expected) => answer == expected,
    }
}

/// A function's HTTP answer, with its body read; other answers as they are.
fn read(answer: Value) -> Value {
    match answer.get("statusCode") {
        Some(status) => {
            let body = answer["body"].as_str().unwrap_or_default();
            let body = serde_json::from_str::<Value>(body).unwrap_or(Value::Null);
            json!({"status": status, "body": body, "location": answer["headers"]["location"]})
        }
        None => answer,
    }
}

/// Invokes each sample once; answers the world in which that happened.
async fn invoke_all(function: &str, expected: &[(&str, Value)]) -> World {
    let world = World::start().await;
    let emulator = Emulator::start(function, &world).await;
    let named: BTreeSet<String> = expected.iter().map(|(case, _)| format!("{function}.{case}.json")).collect();
    assert_eq!(named, samples(function), "each sample has one expected answer here");
    for (case, expected) in expected {
        let file = format!("{}/../events/{function}.{case}.json", env!("CARGO_MANIFEST_DIR"));
        let event = std::fs::read_to_string(&file).unwrap();
        let answer = read(emulator.invoke(event).await);
        assert!(holds(&answer, expected), "{case}: {answer} instead of {expected}");
    }
    world
}

fn samples(function: &str) -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../events");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(&format!("{function}."))).collect()
}

fn problem(status: u16, code: &str) -> Value {
    json!({"status": status, "body": {"status": status, "code": code}})
}

#[test]
fn every_sample_belongs_to_a_function() {
    let functions = ["oauth-connect", "connectors-api", "pubsub-webhook", "history-processor", "watch-renewer"];
    let by_function: BTreeMap<&str, usize> = functions.map(|function| (function, samples(function).len())).into();
    let all = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../events")).unwrap();
    let files = all.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "json")).count();
    assert_eq!(by_function.values().sum::<usize>(), files, "{by_function:?}");
    assert!(by_function.values().all(|count| *count > 0), "{by_function:?}");
}

#[tokio::test]
async fn oauth_connect_answers_its_samples() {
    let connected =
        json!({"status": 200, "body": {"status": "connected", "email_address": "sample@example.com", "watch": {"status": "active"}}});
    let onward = json!({"status": 302, "location": "https://app.example.com/auth/google/callback?code=4%2Fsample-code&state=sample-state"});
    let expected =
        [("popup", connected), ("start", json!({"status": 200})), ("callback", onward), ("security-event", json!({"status": 202}))];
    let world = invoke_all("oauth-connect", &expected).await;
    assert_eq!(world.messages("NOTIFICATION_QUEUE_URL").await[0]["kind"], "kick");
}

#[tokio::test]
async fn connectors_api_answers_its_samples() {
    let parts = ["table", "keys", "queue", "dead_letters", "quarantine"].map(|name| json!({"name": name, "status": "healthy"}));
    let info = json!({"status": 200, "body": {"app_public_url": "https://app.example.com", "providers": ["gmail"]}});
    let expected = [
        ("system-info", info),
        ("system-health", json!({"status": 200, "body": {"status": "healthy", "checks": parts}})),
        ("no-token", problem(401, "unauthorized")),
        ("list-connectors", json!({"status": 200, "body": {"connectors": []}})),
        ("list-triggers", json!({"status": 200, "body": {"triggers": []}})),
        ("list-triggers-page", json!({"status": 200, "body": {"triggers": []}})),
        ("firings-wrong-page", problem(400, "invalid_page_token")),
        ("label-too-long", problem(400, "invalid_connector")),
        ("rehearse-unknown-trigger", problem(404, "not_found")),
        ("sync-unknown-connector", problem(404, "not_found")),
        ("get-unknown-connector", problem(404, "not_found")),
        ("create-trigger-legacy-type", problem(400, "invalid_trigger")),
        ("export-data", json!({"status": 200, "body": {"connectors": [], "triggers": [], "records": [], "next_page_token": null}})),
        ("fire-late-webhook", problem(401, "unauthorized")),
        ("openapi", json!({"status": 200, "body": {"openapi": "3.1.0", "info": {"title": "email-connectors"}}})),
        ("list-messages-unknown-connector", problem(404, "not_found")),
        ("send-message-wrong-address", json!({"status": 400, "body": {"code": "invalid_request", "field": "to[1]"}})),
    ];
    invoke_all("connectors-api", &expected).await;
}

#[tokio::test]
async fn pubsub_webhook_answers_its_samples() {
    let expected = [
        ("push", json!({"status": 202})),
        ("wrong-audience", problem(401, "unauthorized")),
        ("malformed", json!({"status": 202})),
        ("legacy", problem(404, "not_found")),
    ];
    let world = invoke_all("pubsub-webhook", &expected).await;
    let wake_ups = world.messages("NOTIFICATION_QUEUE_URL").await;
    assert_eq!(wake_ups.len(), 1, "the push is queued, and nothing else");
    assert_eq!(wake_ups[0]["email_address"], "sample@example.com");
    assert_eq!(world.messages("QUARANTINE_QUEUE_URL").await.len(), 1, "the malformed push is kept");
}

#[tokio::test]
async fn history_processor_answers_its_samples() {
    let handled = json!({"batchItemFailures": []});
    let world = invoke_all("history-processor", &[("push", handled.clone()), ("unreadable", handled)]).await;
    assert_eq!(world.messages("QUARANTINE_QUEUE_URL").await.len(), 1, "the unreadable message is kept");
}

#[tokio::test]
async fn watch_renewer_answers_its_samples() {
    let counts = ["renewed", "not_renewed", "lapsed", "unproven", "woken", "silent", "renamed", "closed", "failed"];
    let nothing_due = counts.iter().map(|count| (count.to_string(), json!(0))).collect();
    invoke_all("watch-renewer", &[("schedule", nothing_due)]).await;
}

#[tokio::test]
async fn a_missing_setting_stops_each_function_with_its_name() {
    for (function, setting) in [
        ("oauth-connect", "GOOGLE_SCOPES"),
        ("connectors-api", "AUTH_AUDIENCE"),
        ("pubsub-webhook", "PUBSUB_AUDIENCE"),
        ("history-processor", "PROCESSOR_TIMEOUT_SECONDS"),
        ("watch-renewer", "PUBSUB_TOPIC"),
    ] {
        let world = World::start().await;
        let said = emulator::start_without(function, setting, &world).await;
        assert!(said.contains(setting), "{function} without {setting} said: {said}");
    }
}

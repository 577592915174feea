//! The template gives each function exactly the variables that the function reads at its start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use email_connectors::config::{Environment, check};
use tests::template;

const FUNCTIONS: [&str; 7] = [
    "oauth-connect",
    "connectors-api",
    "pubsub-webhook",
    "history-processor",
    "watch-renewer",
    "audit-keeper",
    "console",
];
/// Functions start without these too.
const OPTIONAL: [&str; 10] = [
    "GOOGLE_CLIENT_ID",
    "MICROSOFT_CLIENT_ID",
    "GRAPH_NOTIFICATION_URL",
    "MICROSOFT_NOTIFICATION_KEY",
    "AUTH_JWKS_URL",
    "AUTH_ROLE_CLAIM",
    "LEGACY_WEBHOOK_TOKEN",
    "DRY_RUN",
    "CONSOLE_RESOURCE",
    "CONSOLE_CONNECT_ORIGINS",
];
/// Read by the AWS SDK and by the logging, not by our settings.
const NOT_OURS: [&str; 2] = ["AWS_SDK_UA_APP_ID", "RUST_LOG"];

/// Values that a deployment sets.
fn given(name: &str) -> Option<String> {
    let value = match name {
        "PUBSUB_TOPIC" => "projects/p/topics/t",
        "PUBSUB_SUBSCRIPTION" => "projects/p/subscriptions/s",
        "GOOGLE_CLIENT_ID"
        | "GOOGLE_CLIENT_SECRET"
        | "AUTH_AUDIENCE"
        | "PUBSUB_AUDIENCE"
        | "PUBSUB_SERVICE_ACCOUNT"
        | "CONSOLE_CLIENT_ID" => "a",
        "MICROSOFT_CLIENT_ID" | "MICROSOFT_CLIENT_SECRET" => "a",
        "MICROSOFT_NOTIFICATION_KEY" => "a-notification-key-of-32-characters",
        "GRAPH_NOTIFICATION_URL" => "https://example.com",
        "TABLE_NAME" | "MAIL_BUCKET" | "KMS_KEY_ID" | "EVENT_BUS_NAME" | "METRICS_NAMESPACE" => "a",
        "AUTH_ISSUER"
        | "APP_PUBLIC_URL"
        | "ALLOWED_ORIGINS"
        | "NOTIFICATION_QUEUE_URL"
        | "CONSOLE_FILES_ORIGIN"
        | "CONSOLE_CONNECT_ORIGINS" => "https://example.com",
        "DEAD_LETTER_QUEUE_URL" | "QUARANTINE_QUEUE_URL" => "https://example.com",
        _ => return None,
    };
    Some(value.into())
}

fn refusal(function: &str, variables: &BTreeMap<String, String>) -> Option<String> {
    let variables = variables.clone();
    check(function, &Environment::new(move |name| variables.get(name).cloned()))
        .err()
        .map(|error| error.name.to_string())
}

#[test]
fn a_function_starts_with_what_the_template_gives_it_and_names_each_that_is_missing() {
    let template = template::read();
    for function in FUNCTIONS {
        let variables = template::variables(&template, function, given);
        assert_eq!(refusal(function, &variables), None, "{function}");
        for name in variables.keys() {
            let without = variables
                .iter()
                .filter(|(key, _)| *key != name)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            let ours = function != "audit-keeper" && !NOT_OURS.contains(&name.as_str());
            let expected = (ours && !OPTIONAL.contains(&name.as_str())).then(|| name.clone());
            assert_eq!(refusal(function, &without), expected, "{function} without {name}");
        }
    }
}

/// What a deployment sets, but for these parameters.
fn given_without(absent: &'static [&'static str]) -> impl Fn(&str) -> Option<String> {
    move |name| {
        let is_absent = absent.iter().any(|vendor| name.starts_with(vendor));
        given(name).filter(|_| !is_absent)
    }
}

/// The parameters of each provider have defaults, by which the stack does not connect it.
#[test]
fn a_function_starts_with_the_parameters_of_one_provider_and_not_with_those_of_none() {
    const GOOGLES: [&str; 3] = ["GOOGLE_", "PUBSUB_", "GMAIL_"];
    const MICROSOFTS: [&str; 2] = ["MICROSOFT_", "GRAPH_"];
    const NEITHER: [&str; 5] = ["GOOGLE_", "PUBSUB_", "GMAIL_", "MICROSOFT_", "GRAPH_"];
    let template = template::read();
    let no_connectors = ["audit-keeper", "console"];
    for function in FUNCTIONS.into_iter().filter(|name| !no_connectors.contains(name)) {
        for without in [&GOOGLES[..], &MICROSOFTS[..]] {
            let variables = template::variables(&template, function, given_without(without));
            assert_eq!(refusal(function, &variables), None, "{function} without {without:?}");
        }
        let variables = template::variables(&template, function, given_without(&NEITHER));
        let refused = check(function, &Environment::new(move |name| variables.get(name).cloned()));
        let refused = refused.unwrap_err().to_string();
        for parameter in ["GoogleClientId", "MicrosoftClientId"] {
            assert!(refused.contains(parameter), "{function}: {refused}");
            assert!(!template["Parameters"][parameter].is_null(), "{parameter}");
        }
    }
}

/// Also of those that may be absent, which the test above cannot miss.
#[test]
fn a_function_reads_what_it_is_given_and_is_given_what_it_reads() {
    let template = template::read();
    for function in FUNCTIONS.into_iter().filter(|function| *function != "audit-keeper") {
        let variables = template::variables(&template, function, given);
        let (read, values) = (Arc::new(Mutex::new(BTreeSet::new())), variables.clone());
        let seen = read.clone();
        let environment = Environment::new(move |name| {
            seen.lock().unwrap().insert(name.to_string());
            values.get(name).cloned()
        });
        check(function, &environment).unwrap();
        let (read, given): (_, BTreeSet<String>) =
            (read.lock().unwrap().clone(), variables.into_keys().collect());
        assert!(read.is_subset(&given), "{function} is not given {:?}", &read - &given);
        // What all functions are given, one of them may have no use for.
        let unread = &given - &read;
        let globals = template["Globals"]["Function"]["Environment"]["Variables"].as_mapping();
        let own = unread.iter().filter(|name| !globals.unwrap().contains_key(name.as_str()));
        let own: Vec<&String> = own.filter(|name| !NOT_OURS.contains(&name.as_str())).collect();
        assert!(own.is_empty(), "{function} does not read {own:?}");
    }
}

//! Every operation, by every role, under every set of scopes: Gmail allows what the table allows,
//! and refused operations never reach Gmail.

use std::collections::{BTreeMap, BTreeSet};

use email_connectors::domain::connector::Provider;
use email_connectors::domain::operation::Verb;
use email_connectors::domain::provider::registered;
use reqwest::Method;
use serde_json::Value;

use super::mailbox::Mailbox;
use super::requests::{Way, ways};

const ROLES: [&str; 3] = ["viewer", "operator", "admin"];

/// The scopes that a connector can have; each set has one that allows reading the profile, which a
/// connect needs.
const SETS: [&[&str]; 10] = [
    &["gmail.metadata"],
    &["gmail.readonly"],
    &["gmail.compose"],
    &["gmail.modify"],
    &["https://mail.google.com/"],
    &["gmail.metadata", "gmail.send"],
    &["gmail.metadata", "gmail.labels"],
    &["gmail.metadata", "gmail.compose"],
    &["gmail.readonly", "gmail.send"],
    &["gmail.compose", "gmail.labels"],
];

fn long(scope: &&str) -> String {
    if scope.starts_with("https") {
        scope.to_string()
    } else {
        format!("https://www.googleapis.com/auth/{scope}")
    }
}

async fn perform(mailbox: &Mailbox, token: &str, way: &Way) -> (u16, String, Option<String>) {
    let method = Method::from_bytes(way.entry.verb.as_str().as_bytes()).unwrap();
    let query = if way.query.is_empty() { String::new() } else { format!("?{}", way.query) };
    let body = (!way.body.is_null()).then(|| {
        let text = way.body.to_string().replace("19b0000000000001", &mailbox.message);
        let mut body: Value = serde_json::from_str(&text).unwrap();
        // Label names must be unique.
        if body.get("name").is_some() {
            body["name"] = format!("{} {}", way.name(), token.len()).into();
        }
        body
    });
    let response = mailbox
        .stack
        .answer(mailbox.request(
            token,
            method,
            &format!("{}{query}", mailbox.path(way.entry)),
            body,
        ))
        .await;
    let status = response.status().as_u16();
    let problem: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default();
    let code = problem["code"].as_str().unwrap_or_default().to_string();
    (status, code, problem["scope"].as_str().map(String::from))
}

/// Reading operations first, then those that change the mailbox, then those that delete.
fn in_order() -> Vec<Way> {
    let mut ways = ways();
    ways.sort_by_key(|way| match (way.entry.verb, way.entry.path.contains("trash"), way.query) {
        (Verb::Get, ..) => 0,
        (Verb::Delete, _, "permanent=true") => 4,
        (Verb::Delete, ..) => 3,
        _ if way.body.get("permanent").is_some() => 5,
        (_, true, _) => 2,
        _ => 1,
    });
    ways
}

#[tokio::test]
async fn every_operation_by_role_and_scope() {
    let mut checked = 0;
    for set in SETS {
        let scopes: Vec<String> = set.iter().map(long).collect();
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let mailbox = Mailbox::granted(&scopes).await;
        let mut tokens = BTreeMap::new();
        for role in ROLES {
            tokens.insert(role, mailbox.with_role(role).await);
        }
        mailbox.calls().await;
        for way in in_order() {
            let name = format!("{} under {set:?}", way.name());
            let reads = way.entry.verb == Verb::Get;
            let granted: Vec<String> = scopes.iter().map(|scope| scope.to_string()).collect();
            let missing = registered(Provider::Gmail).missing_scope(&way.request(), &granted);
            for role in ROLES {
                let allowed = role == "admin" || (role == "operator" && reads);
                let (status, code, scope) = perform(&mailbox, &tokens[role], &way).await;
                let called: BTreeSet<String> =
                    mailbox.calls().await.into_iter().map(|(method, _)| method).collect();
                checked += 1;
                match (allowed, missing) {
                    (false, _) => assert_eq!(
                        (status, code.as_str()),
                        (403, "role_not_allowed"),
                        "{name} as {role}"
                    ),
                    (true, Some(least)) => {
                        assert_eq!(
                            (status, code.as_str(), scope.as_deref()),
                            (403, "insufficient_scope", Some(least)),
                            "{name} as {role}"
                        );
                    }
                    // An earlier operation may have deleted it: only the permission matters here.
                    (true, None) => assert!(
                        matches!(status, 200 | 201 | 204 | 404),
                        "{name} as {role}: {status} {code}"
                    ),
                }
                let silent = !allowed || missing.is_some();
                assert!(
                    !silent
                        || called.iter().all(|method| method == "watch" || method == "getProfile"),
                    "{name} as {role} called {called:?}"
                );
            }
        }
        mailbox.is_clean().await;
    }
    assert_eq!(checked, SETS.len() * ways().len() * ROLES.len());
}

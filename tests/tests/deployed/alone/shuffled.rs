//! Every push comes twice and in any order; each mail is still one event.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};
use tests::deployed::{Stack, User};

#[tokio::test]
async fn fifty_mails_to_five_mailboxes_fire_once_each_whatever_the_pushes_do() {
    let stack = Stack::at_rest().await;
    stack
        .google(
            Method::PUT,
            "/admin/push",
            json!({"mode": {"duplicate": true, "shuffle_ms": 2000, "seed": 20261120}}),
        )
        .await;
    let mut users = Vec::new();
    for name in ["ada", "bob", "cyd", "dee", "eve"] {
        users.push(User::connected(&stack, name).await);
    }
    let mut expected: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for number in 0..50 {
        let user = &users[number % users.len()];
        let message = user.receive(&stack, json!({"subject": format!("invoice {number}")})).await;
        expected.entry(&user.owner).or_default().insert(user.event_id(&message));
    }
    let mut events = Vec::new();
    for (owner, expected) in &expected {
        events.extend(stack.events(owner, expected.len()).await);
    }
    stack.quiet().await;
    events.extend(stack.events_so_far(|_| true));
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in &events {
        seen.entry(event["owner_id"].as_str().unwrap().into())
            .or_default()
            .push(event["event_id"].as_str().unwrap().into());
    }
    for (owner, expected) in expected {
        let mut got = seen.remove(owner).unwrap_or_default();
        got.sort();
        assert_eq!(got, expected.into_iter().collect::<Vec<_>>(), "{owner}");
    }
    assert!(seen.is_empty(), "events of strangers: {seen:?}");
    let pushed = stack.google(Method::GET, "/admin/push", Value::Null).await;
    assert!(pushed["delivered"].as_u64().unwrap() >= 100, "every push was to come twice: {pushed}");
    assert_eq!(stack.messages_in(&stack.dead_letter_queue_url).await, 0);
}

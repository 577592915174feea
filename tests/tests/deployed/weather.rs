//! Hostile weather at Gmail: history expires, grants end, every call is refused for minutes. Nothing is lost by it, nothing
//! comes twice under another id, and no wake-up dies of it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::bus::Notices;
use crate::killing::{Moments, kill_after};
use tests::deployed::{Stack, User, same_set};

/// As the stack of these tests is deployed (SweepEveryMinutes).
const SWEEP: Duration = Duration::from_secs(60);
const STORM: Duration = Duration::from_secs(180);

async fn fault(stack: &Stack, fault: Value) {
    stack.google(Method::POST, "/admin/faults", fault).await;
}

#[tokio::test]
async fn history_that_expired_during_an_outage_is_replayed_whole_while_the_processor_is_killed() {
    const KILLS: usize = 6;
    let stack = Stack::at_rest().await;
    let user = User::connected(&stack, "ada").await;
    let notices = Notices::of(&stack, &user.connector).await;
    stack.idle().await;

    let mut expected = BTreeSet::new();
    for _ in 0..12 {
        let matching = user.receive_many(&stack, 75, json!({"subject": "invoice {n}", "silent": true})).await;
        user.receive_many(&stack, 25, json!({"subject": "lunch {n}", "silent": true})).await;
        expected.extend(matching.iter().map(|message| user.event_id(message)));
    }
    stack.google(Method::POST, &format!("/admin/mailboxes/{}/expire-history", user.email), json!({})).await;
    // Slow enough to be caught in the act.
    fault(&stack, json!({"method": "batch", "times": 0, "status": 0, "delay_ms": 150})).await;
    expected.insert(user.event_id(&user.receive(&stack, json!({"subject": "the invoice after the outage"})).await));

    let mut moments = Moments::seeded();
    let mut owed = None;
    for kill in 1..=KILLS {
        stack.google(Method::DELETE, "/admin/calls", Value::Null).await;
        kill_after(&stack, &user, "history.list", 0, moments.within(Duration::from_millis(2500))).await;
        owed = user.position(&stack).await.get("gap").and_then(|gap| gap.as_m().ok()?.get("messages").cloned());
        println!("kill {kill}: replayed messages {owed:?}");
    }
    assert!(owed.is_some(), "the replay was over before the last kill");
    stack.google(Method::DELETE, "/admin/faults", Value::Null).await;

    let events = stack.events_within(4 * SWEEP, expected.len()).await;
    same_set(&events, &expected);
    let heard = notices.heard(&stack, &["HISTORY_GAP_RECOVERED"]).await;
    assert_eq!(heard.iter().map(|(kind, told)| (kind.as_str(), told.len())).collect::<Vec<_>>(), [("HISTORY_GAP_RECOVERED", 1)]);
    assert!(!user.position(&stack).await.contains_key("gap"), "the gap is closed");
    let again = user.receive(&stack, json!({"subject": "an invoice as ever"})).await;
    same_set(&stack.events(&user.owner, 1).await, &BTreeSet::from([user.event_id(&again)]));
    assert_eq!(user.connector(&stack).await["parked_messages"], 0);
    assert_eq!(stack.messages_in(&stack.dead_letter_queue_url).await, 0);
}

#[tokio::test]
async fn mail_that_came_while_the_grant_was_revoked_fires_once_after_the_reconnect() {
    let stack = Stack::at_rest().await;
    let user = User::connected(&stack, "ada").await;
    let notices = Notices::of(&stack, &user.connector).await;
    stack.idle().await;
    stack.google(Method::POST, "/admin/grants/revoke", json!({"email": user.email})).await;

    let mut expected = BTreeSet::new();
    for number in 1..=20 {
        expected.insert(user.event_id(&user.receive(&stack, json!({"subject": format!("invoice {number}")})).await));
    }
    let status = async |wanted: &str| (user.connector(&stack).await["status"] == wanted).then_some(());
    stack.until("a connector that needs its user", async || status("needs_reauth").await).await;
    stack.idle().await;
    assert_eq!(stack.events(&user.owner, 0).await, Vec::<Value>::new(), "nothing can be read without a grant");

    let again = user.connect(&stack).await;

    assert_eq!(again["connector_id"], user.connector);
    status("active").await.expect("an active connector");
    let events = stack.events(&user.owner, expected.len()).await;
    same_set(&events, &expected);
    assert_eq!(events.len(), expected.len(), "each once");
    let heard = notices.heard(&stack, &["CONNECTOR_NEEDS_REAUTH", "CONNECTOR_RECOVERED"]).await;
    let told: Vec<_> = heard.iter().map(|(kind, told)| (kind.as_str(), told.len())).collect();
    assert_eq!(told, [("CONNECTOR_NEEDS_REAUTH", 1), ("CONNECTOR_RECOVERED", 1)]);
    assert_eq!(user.connector(&stack).await["last_error"], Value::Null);
    assert_eq!(stack.messages_in(&stack.dead_letter_queue_url).await, 0);
}

#[tokio::test]
async fn three_minutes_of_refusals_lose_nothing_double_nothing_and_set_nothing_aside() {
    let fronts = [
        vec![json!({"method": "history.list", "status": 429, "retry_after": 2})],
        vec![json!({"method": "messages.get", "status": 503})],
        vec![json!({"method": "history.list", "status": 503})],
        // The batch is answered, but from its tenth message on not a part of it.
        vec![json!({"method": "messages.get", "status": 429, "after": 10, "reason": "userRateLimitExceeded"})],
        vec![json!({"method": "batch", "status": 429, "retry_after": 7}), json!({"method": "messages.get", "status": 429})],
        vec![json!({"method": "batch", "status": 503}), json!({"method": "messages.get", "status": 503, "retry_after": 5})],
    ];
    let stack = Stack::at_rest().await;
    let users = [User::connected(&stack, "ada").await, User::connected(&stack, "bob").await];
    stack.idle().await;

    let mut expected = BTreeSet::new();
    let began = Instant::now();
    for front in fronts.iter().cycle() {
        stack.google(Method::DELETE, "/admin/faults", Value::Null).await;
        for refusal in front {
            let mut refusal = refusal.clone();
            refusal["times"] = 0.into();
            fault(&stack, refusal).await;
        }
        for second in 0..10 {
            let user = &users[second % users.len()];
            let mails = user.receive_many(&stack, 1 + second % 3, json!({"subject": "invoice {n}"})).await;
            expected.extend(mails.iter().map(|message| user.event_id(message)));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        if began.elapsed() >= STORM {
            break;
        }
    }
    stack.google(Method::DELETE, "/admin/faults", Value::Null).await;
    let cleared = Instant::now();

    let events = stack.events_within(4 * SWEEP, expected.len()).await;

    same_set(&events, &expected);
    assert_eq!(events.len(), expected.len(), "each once");
    let took = cleared.elapsed();
    assert!(took < 3 * SWEEP, "the mail of the storm came {took:?} after it");
    stack.idle().await;
    for user in &users {
        let connector = user.connector(&stack).await;
        assert_eq!((&connector["status"], &connector["parked_messages"]), (&json!("active"), &json!(0)), "{connector}");
        assert_eq!((&connector["circuit"]["state"], &connector["last_error"]), (&json!("closed"), &Value::Null), "{connector}");
    }
    assert_eq!(stack.messages_in(&stack.dead_letter_queue_url).await, 0);
    assert_eq!(stack.messages_in(&stack.quarantine_queue_url).await, 0);
}

//! Health through the API: of a connector, healthy and failing, and of the system.
#![allow(clippy::disallowed_methods, reason = "a silence is waited for")]

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{Stack, User, read, token_with};
use tests::inside::{Inside, Options};
use tests::world::{Call, When};

async fn health(stack: &Stack, user: &User) -> Value {
    let path = format!("/api/connectors/{}/health", user.connector);
    read(stack.api(Method::GET, &path, Some(&user.token), None).await, StatusCode::OK).await
}

/// Waits until this code is the first finding.
async fn found(stack: &Stack, user: &User, code: &str) -> Value {
    let shows = async || {
        Some(health(stack, user).await).filter(|health| health["findings"][0]["code"] == code)
    };
    stack.until_within(Duration::from_secs(20), code, shows).await
}

/// Waits until every wake-up was handled, including the watch's first push.
async fn idle(inside: &Inside, user: &User) {
    let stack = inside.stack();
    let looked = async || {
        let proven = health(&stack, user).await["watch"]["verified_at"].is_string();
        (proven && inside.world.wake_ups().queued().is_empty()).then_some(())
    };
    stack.until_within(Duration::from_secs(20), "an idle queue", looked).await;
}

async fn system(stack: &Stack) -> (u16, Value) {
    let response = stack.api(Method::GET, "/api/system/health", None, None).await;
    (response.status().as_u16(), response.json().await.unwrap())
}

/// The checks that are not healthy, with their status.
fn unwell(health: &Value) -> Vec<(&str, &str)> {
    let checks = health["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (check["name"].as_str().unwrap(), check["status"].as_str().unwrap()));
    checks.filter(|(_, status)| *status != "healthy").collect()
}

#[tokio::test]
async fn a_connector_is_healthy_until_its_grant_ends_and_again_after_a_connect() {
    let inside = Inside::start(Options::default()).await;
    let stack = inside.stack();
    let user = User::connected(&stack, "ada").await;
    idle(&inside, &user).await;
    let well = health(&stack, &user).await;
    assert_eq!((&well["status"], &well["findings"]), (&json!("healthy"), &json!([])), "{well}");
    assert_eq!(
        (&well["id"], &well["triggers"], &well["quota"]["units_per_minute"]),
        (&json!(user.connector), &json!(1), &json!(1_000_000))
    );

    stack.google(Method::POST, "/admin/grants/revoke", json!({"email": user.email})).await;
    user.receive(&stack, json!({"subject": "invoice"})).await;
    let down = found(&stack, &user, "needs_reauth").await;
    assert_eq!(
        (&down["status"], &down["auth"]["status"]),
        (&json!("down"), &json!("needs_reauth")),
        "{down}"
    );
    assert_eq!(down["freshness"]["next_look_at"], Value::Null);

    user.connect(&stack).await;
    let again = health(&stack, &user).await;
    assert_eq!(
        (&again["status"], &again["last_error"]),
        (&json!("healthy"), &Value::Null),
        "{again}"
    );
}

#[tokio::test]
async fn a_rest_that_gmail_asks_for_degrades_and_passes() {
    let inside = Inside::start(Options::default()).await;
    let stack = inside.stack();
    let user = User::connected(&stack, "ada").await;
    idle(&inside, &user).await;
    let refusal = json!({"method": "history.list", "email": user.email, "status": 429, "retry_after": 60, "times": 0});
    stack.google(Method::POST, "/admin/faults", refusal).await;
    user.receive(&stack, json!({"subject": "invoice"})).await;
    let resting = found(&stack, &user, "circuit_open").await;
    assert_eq!(
        (&resting["status"], &resting["circuit"]["state"]),
        (&json!("degraded"), &json!("open")),
        "{resting}"
    );
    idle(&inside, &user).await;
    stack.google(Method::DELETE, "/admin/faults", Value::Null).await;

    inside.machine.pass(Duration::from_secs(61));
    let rested = health(&stack, &user).await;
    assert_eq!(
        (&rested["findings"][0]["code"], &rested["freshness"]["behind"]),
        (&json!("circuit_half_open"), &json!(true)),
        "{rested}"
    );
    inside.sweep().await;
    let well =
        async || Some(health(&stack, &user).await).filter(|health| health["status"] == "healthy");
    stack.until_within(Duration::from_secs(20), "a look that goes well", well).await;
}

#[tokio::test]
async fn a_gmail_that_fails_five_times_in_a_row_is_down() {
    let inside = Inside::start(Options::default()).await;
    let stack = inside.stack();
    let user = User::connected(&stack, "ada").await;
    idle(&inside, &user).await;
    let refusal = json!({"method": "history.list", "email": user.email, "status": 503, "times": 0});
    stack.google(Method::POST, "/admin/faults", refusal).await;
    let mut seen = Vec::new();
    for _ in 0..5 {
        stack
            .api(
                Method::POST,
                &format!("/api/connectors/{}/sync", user.connector),
                Some(&user.token),
                None,
            )
            .await;
        idle(&inside, &user).await;
        let health = health(&stack, &user).await;
        seen.push(format!(
            "{} {}",
            health["status"].as_str().unwrap(),
            health["findings"][0]["code"].as_str().unwrap()
        ));
    }
    let failing = "degraded looks_fail";
    assert_eq!(seen, [failing, failing, failing, failing, "down circuit_open"]);
}

#[tokio::test]
async fn a_viewer_sees_health_and_a_connector_that_nobody_sweeps() {
    let inside = Inside::start(Options::default()).await;
    let stack = inside.stack();
    let user = User::connected(&stack, "ada").await;
    idle(&inside, &user).await;
    // The mailbox is due after one minute of silence, and no sweep has run.
    inside.machine.pass(Duration::from_secs(600));
    let viewer = token_with(&stack, json!({"sub": user.owner, "claims": {"role": "viewer"}})).await;
    let path = format!("/api/connectors/{}/health", user.connector);
    let late = read(stack.api(Method::GET, &path, Some(&viewer), None).await, StatusCode::OK).await;
    let codes: Vec<&Value> =
        late["findings"].as_array().unwrap().iter().map(|finding| &finding["code"]).collect();
    assert!(codes.contains(&&json!("looked_too_long_ago")), "{late}");
    assert_eq!(late["status"], "degraded");
}

#[tokio::test]
async fn system_health_needs_no_token_and_checks_its_parts_once_in_ten_seconds() {
    let inside = Inside::start(Options { queue_only: true, ..Options::default() }).await;
    let stack = inside.stack();
    inside.world.take_calls();
    for _ in 0..5 {
        let (status, health) = system(&stack).await;
        assert_eq!(
            (status, &health["status"], unwell(&health)),
            (200, &json!("healthy"), vec![]),
            "{health}"
        );
    }
    let calls = inside.world.take_calls();
    assert_eq!(
        calls.iter().filter(|call| call.starts_with("store.data_key")).count(),
        1,
        "{calls:?}"
    );
    assert_eq!(calls.iter().filter(|call| call.starts_with("queue.depth")).count(), 3, "{calls:?}");

    inside.world.depths().bury();
    assert_eq!(system(&stack).await.1["status"], "healthy", "as it was found");
    inside.machine.pass(Duration::from_secs(10));
    let (status, health) = system(&stack).await;
    assert_eq!(
        (status, &health["status"], unwell(&health)),
        (200, &json!("degraded"), vec![("dead_letters", "degraded")]),
        "{health}"
    );
}

#[tokio::test]
async fn a_table_that_fails_or_is_silent_takes_the_system_down_within_two_seconds() {
    let inside = Inside::start(Options { queue_only: true, ..Options::default() }).await;
    let stack = inside.stack();
    inside.world.fail(Call::DataKey, When::Before, 1);
    let (status, health) = system(&stack).await;
    assert_eq!(
        (status, &health["status"], unwell(&health)),
        (503, &json!("down"), vec![("table", "down")]),
        "{health}"
    );
    assert!(health["checks"][0]["remedy"].as_str().unwrap().contains("DynamoDB"), "{health}");

    inside.machine.pass(Duration::from_secs(10));
    let gate = inside.world.hold(Call::DataKey, When::Before, 1);
    inside.world.fail(Call::Depth, When::Before, 1);
    let began = Instant::now();
    let (status, health) = system(&stack).await;
    assert_eq!(
        (status, unwell(&health)),
        (503, vec![("table", "down"), ("queue", "degraded")]),
        "{health}"
    );
    // What never answers is not waited for, however slow this machine is.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    gate.open();

    inside.machine.pass(Duration::from_secs(10));
    assert_eq!(system(&stack).await.0, 200);
}

#[tokio::test]
async fn without_the_issuers_keys_nobody_can_log_in() {
    let inside = Inside::start(Options { queue_only: true, ..Options::default() }).await;
    let stack = inside.stack();
    stack
        .google(
            Method::POST,
            "/admin/faults",
            json!({"method": "certs", "status": 503, "times": 0}),
        )
        .await;
    let (status, health) = system(&stack).await;
    assert_eq!((status, unwell(&health)), (503, vec![("keys", "down")]), "{health}");
    stack.google(Method::DELETE, "/admin/faults", Value::Null).await;
    inside.machine.pass(Duration::from_secs(61));
    assert_eq!(system(&stack).await.0, 200);
    let calls = stack.google(Method::GET, "/admin/calls", Value::Null).await;
    assert_eq!(
        calls.as_array().unwrap().iter().filter(|call| call["method"] == "certs").count(),
        2
    );
}

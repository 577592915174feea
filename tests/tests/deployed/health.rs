//! Health of the deployed stack: healthy, with a revoked grant, with a failing Gmail, and of the
//! system.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use tests::deployed::{Stack, User, read};

async fn health(stack: &Stack, user: &User) -> Value {
    let path = format!("/api/connectors/{}/health", user.connector);
    read(stack.api(Method::GET, &path, Some(&user.token), None).await, StatusCode::OK).await
}

fn codes(health: &Value) -> Vec<&str> {
    health["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_connector_that_fires_is_healthy_and_its_watch_proven() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    user.receive(&stack, json!({"subject": "invoice"})).await;
    assert_eq!(stack.events(&user.owner, 1).await.len(), 1);
    let proven = async || {
        Some(health(&stack, &user).await)
            .filter(|health| health["watch"]["verified_at"].is_string())
    };
    let health = stack.until("a proven watch", proven).await;
    assert_eq!((&health["status"], codes(&health)), (&json!("healthy"), vec![]), "{health}");
    assert!(
        health["freshness"]["last_looked_at"].is_string()
            && health["freshness"]["last_event_at"].is_string(),
        "{health}"
    );
    assert_eq!(
        (&health["auth"]["missing_scopes"], &health["triggers"]),
        (&json!([]), &json!(1)),
        "{health}"
    );
}

#[tokio::test]
async fn a_revoked_grant_is_down_until_the_user_connects_again() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    stack.google(Method::POST, "/admin/grants/revoke", json!({"email": user.email})).await;
    user.receive(&stack, json!({"subject": "invoice"})).await;
    // For a moment the notice is decided and not yet published.
    let waits = async || {
        Some(health(&stack, &user).await).filter(|health| codes(health) == ["needs_reauth"])
    };
    let down = stack.until("a connector that needs its user", waits).await;
    assert_eq!(down["status"], "down", "{down}");
    assert_eq!(down["findings"][0]["runbook"], "docs/operations.md#token-refresh-failure");
    user.connect(&stack).await;
    assert_eq!(health(&stack, &user).await["auth"]["status"], "active");
    assert_eq!(stack.events(&user.owner, 1).await.len(), 1);
}

#[tokio::test]
async fn a_gmail_that_fails_five_times_in_a_row_is_down_until_it_answers_again() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    stack.fault(&user.email, json!({"method": "history.list", "status": 503, "times": 0})).await;
    let failing = async || {
        let sync = format!("/api/connectors/{}/sync", user.connector);
        stack.api(Method::POST, &sync, Some(&user.token), None).await;
        let health = health(&stack, &user).await;
        Some(health.clone()).filter(|_| codes(&health) == ["circuit_open"])
    };
    let open = stack.until("an open circuit", failing).await;
    assert_eq!(
        (&open["status"], &open["circuit"]["failures"]),
        (&json!("down"), &json!(5)),
        "{open}"
    );
    assert!(
        open["last_error"].is_string() && open["backlog"]["put_off_until"].is_string(),
        "{open}"
    );

    stack.mend(&user.email).await;
    let answering = async || {
        let health = health(&stack, &user).await;
        (health["circuit"]["state"] == "closed" && health["last_error"].is_null()).then_some(health)
    };
    let well = stack.until_swept("a closed circuit", answering).await;
    assert_eq!((&well["circuit"]["failures"], codes(&well)), (&json!(0), vec![]), "{well}");
}

#[tokio::test]
async fn system_health_shows_strangers_statuses_and_nothing_else() {
    let stack = Stack::running();
    let well = async || {
        let response = stack.api(Method::GET, "/api/system/health", None, None).await;
        let health = read(response, StatusCode::OK).await;
        Some(health.clone()).filter(|_| health["status"] == "healthy")
    };
    // The result of an earlier test may be cached for ten seconds.
    let health = stack.until("a healthy system", well).await;
    let names: Vec<&str> = health["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["table", "keys", "queue", "dead_letters", "quarantine"]);
    assert!(
        !health["checks"].to_string().contains(|letter: char| letter.is_ascii_digit()),
        "{health}"
    );
}

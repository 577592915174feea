//! Rare events, provoked on the whole stack, so that every right of a function's role is used once.

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::deployed::rows::Rows;
use tests::deployed::{Stack, User, read, webhook};

impl Rows<'_> {
    async fn has_data_key(&self) -> bool {
        self.row(data_key()).await.is_some()
    }

    /// Deletes the data key and the connector's sealed access token, so that the next use makes new
    /// ones.
    async fn forget_data_key(&self, of: &User) {
        self.change(connector(of), "REMOVE access_token", &[]).await;
        self.lose_data_key().await;
    }

    async fn lose_data_key(&self) {
        self.delete(data_key()).await;
    }
}

fn data_key() -> (String, String) {
    ("SERVICE".into(), "DATA_KEY".into())
}

fn connector(of: &User) -> (String, String) {
    (format!("MAILBOX#{}", of.email), format!("CONNECTOR#{}", of.connector))
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn long_ago() -> AttributeValue {
    text("2026-01-01T00:00:00.000Z")
}

fn at_once() -> AttributeValue {
    AttributeValue::N("0".into())
}

async fn fired_once(stack: &Stack, user: &User) -> String {
    let message = user.receive(stack, json!({"subject": "invoice"})).await;
    let events = stack.events(&user.owner, 1).await;
    assert_eq!(events[0]["message"]["id"], message);
    user.event_id(&message)
}

async fn disconnect(stack: &Stack, user: &User) -> reqwest::Response {
    stack
        .api(
            Method::DELETE,
            &format!("/api/connectors/{}", user.connector),
            Some(&user.token),
            None,
        )
        .await
}

#[tokio::test]
async fn one_sweep_finishes_a_disconnect_follows_a_mailbox_and_reports_a_lapsed_watch() {
    let stack = Stack::at_rest().await;
    let rows = Rows::of(&stack).await;
    let (leaving, mut moving, lapsing) = (
        User::connected(&stack, "ada").await,
        User::connected(&stack, "bob").await,
        User::connected(&stack, "killed").await,
    );
    webhook(&stack, &leaving).await;
    fired_once(&stack, &leaving).await;
    let event = fired_once(&stack, &lapsing).await;

    // The account has a second address, while its grant still reads the first mailbox.
    let first = moving.email.clone();
    let second = format!("second-{first}");
    stack
        .google(Method::POST, "/admin/mailboxes", json!({"email": second, "sub": moving.sub}))
        .await;
    let order = json!({"email": second, "with_refresh_token": false});
    let code = stack.google(Method::POST, "/admin/codes", order).await["code"].clone();
    let again = stack
        .api(
            Method::POST,
            "/api/auth/google/gmail",
            Some(&moving.token),
            Some(json!({"auth_code": code})),
        )
        .await;
    assert_eq!(read(again, StatusCode::OK).await["connector_id"], moving.connector);
    moving.email = second;
    assert_eq!(moving.connector(&stack).await["email_address"], moving.email);

    stack.fault(&leaving.email, json!({"method": "stop", "status": 503, "times": 0})).await;
    let receipt = read(disconnect(&stack, &leaving).await, StatusCode::ACCEPTED).await;
    assert_eq!(receipt["data_purged"], false, "{receipt}");
    stack.mend(&leaving.email).await;
    stack.idle().await;

    rows.forget_data_key(&leaving).await;
    rows.change(connector(&leaving), "SET due_at = :due", &[(":due", at_once())]).await;
    let looked = [(":due", at_once()), (":ago", long_ago())];
    rows.change(
        connector(&moving),
        "SET due_at = :due, #position.listed_at = :ago, connected_at = :ago REMOVE checked_at",
        &looked,
    )
    .await;
    // As a processor leaves the row that crashes between storing and publishing.
    let row = rows.row(connector(&lapsing)).await.unwrap();
    let shard = row["due_shard"].as_s().unwrap().replace("connector#", "event#");
    let owed = [(":due", at_once()), (":shard", text(&shard))];
    rows.change(
        (format!("EVENT#{event}"), "EVENT".into()),
        "SET due_at = :due, due_shard = :shard REMOVE published_at",
        &owed,
    )
    .await;
    let owing = [
        (":due", at_once()),
        (":ago", long_ago()),
        (":event", AttributeValue::Ss(vec![event.clone()])),
    ];
    rows.change(
        connector(&lapsing),
        "SET due_at = :due, #watch.expiration = :ago, #watch.renewed_at = :ago ADD unpublished :event",
        &owing,
    )
    .await;

    let gone = async || {
        // Other tests' processors may make a new data key at any time.
        rows.lose_data_key().await;
        let path = format!("/api/connectors/{}", leaving.connector);
        let left = stack.api(Method::GET, &path, Some(&leaving.token), None).await.status();
        (left == StatusCode::NOT_FOUND).then_some(())
    };
    stack.until_swept("the end of the connector", gone).await;
    stack
        .until_swept("the first address", async || {
            (moving.connector(&stack).await["email_address"] == first).then_some(())
        })
        .await;
    let renewed =
        async || (lapsing.connector(&stack).await["watch"]["status"] == "active").then_some(());
    stack.until_swept("a new watch", renewed).await;
    let row = rows.row(connector(&lapsing)).await.unwrap();
    assert_eq!(row["lapse_told"], long_ago(), "{row:?}");
    stack
        .until_swept("the same event again", async || (stack.times(&event) == 2).then_some(()))
        .await;
}

#[tokio::test]
async fn a_watch_that_google_does_not_renew_shows_why_and_is_tried_again() {
    let stack = Stack::at_rest().await;
    let (rows, user) = (Rows::of(&stack).await, User::connected(&stack, "unwatched").await);
    stack.idle().await;
    stack.fault(&user.email, json!({"method": "watch", "status": 503, "times": 0})).await;
    let due = [(":due", at_once()), (":ago", long_ago())];
    rows.change(
        connector(&user),
        "SET due_at = :due, #watch.expiration = :ago, #watch.renewed_at = :ago",
        &due,
    )
    .await;
    let failed = async || {
        Some(user.connector(&stack).await["watch"].clone())
            .filter(|watch| watch["failure"].is_object())
    };
    let watch = stack.until_swept("a renewal that failed", failed).await;
    assert!(
        watch["failure"]["reason"].is_string() && watch["failure"]["times"].as_u64() >= Some(1),
        "{watch}"
    );

    stack.mend(&user.email).await;
    // The next try is due five minutes after the failure.
    rows.change(connector(&user), "SET due_at = :due, #watch.failure.#at = :ago", &due).await;
    let renewed =
        async || (user.connector(&stack).await["watch"]["status"] == "active").then_some(());
    stack.until_swept("a watch again", renewed).await;
}

#[tokio::test]
async fn a_missing_data_key_is_made_by_whoever_needs_one() {
    let stack = Stack::at_rest().await;
    let rows = Rows::of(&stack).await;

    rows.lose_data_key().await;
    let left = User::connected(&stack, "ada").await;
    stack.until("the processor's key", async || rows.has_data_key().await.then_some(())).await;

    stack.idle().await;
    rows.forget_data_key(&left).await;
    let receipt = read(disconnect(&stack, &left).await, StatusCode::OK).await;
    assert_eq!(receipt, json!({"watch_stopped": true, "grant_revoked": true, "data_purged": true}));
    assert!(rows.has_data_key().await, "the API's key");

    let replaced = User::connected(&stack, "bob").await;
    webhook(&stack, &replaced).await;
    fired_once(&stack, &replaced).await;
    let other = User::new(&stack, "bob-too").await;
    stack.idle().await;
    rows.forget_data_key(&replaced).await;
    let body = json!({"auth_code": other.code(&stack).await, "replace": true});
    let answer = read(
        stack.api(Method::POST, "/api/auth/google/gmail", Some(&replaced.token), Some(body)).await,
        StatusCode::OK,
    )
    .await;
    assert_ne!(answer["connector_id"], replaced.connector);
    assert!(
        rows.has_data_key().await,
        "the key of the connect, which disconnected the other connector"
    );
}

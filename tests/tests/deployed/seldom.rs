//! What seldom happens, made to happen: each right that a function's role gives is seen in use.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use tests::deployed::{Stack, User, read, same_set};

/// The stack's own rows, changed as time or a crash would have changed them.
struct Rows<'a> {
    stack: &'a Stack,
    client: aws_sdk_dynamodb::Client,
}

impl<'a> Rows<'a> {
    async fn of(stack: &'a Stack) -> Self {
        Self { stack, client: aws_sdk_dynamodb::Client::new(&stack.config().await) }
    }

    async fn change(&self, (pk, sk): (String, String), expression: &str, values: &[(&str, AttributeValue)]) {
        let request = self.client.update_item().table_name(&self.stack.table).update_expression(expression);
        let request =
            request.key("pk", AttributeValue::S(pk)).key("sk", AttributeValue::S(sk)).condition_expression("attribute_exists(pk)");
        let request = values.iter().fold(request, |request, (name, value)| request.expression_attribute_values(*name, value.clone()));
        // A reserved word, as `#position` is one.
        let reserved = expression.split([' ', ',', '.']).filter_map(|word| Some((word, word.strip_prefix('#')?)));
        let request = reserved.fold(request, |request, (placeholder, name)| request.expression_attribute_names(placeholder, name));
        request.send().await.unwrap();
    }

    async fn row(&self, (pk, sk): (String, String)) -> Option<std::collections::HashMap<String, AttributeValue>> {
        let request = self.client.get_item().table_name(&self.stack.table).consistent_read(true);
        request.key("pk", AttributeValue::S(pk)).key("sk", AttributeValue::S(sk)).send().await.unwrap().item
    }

    async fn has_data_key(&self) -> bool {
        self.row(data_key()).await.is_some()
    }

    /// Whoever must seal an access token next has no key for it, and no token of this connector either.
    async fn forget_data_key(&self, of: &User) {
        self.change(connector(of), "REMOVE access_token", &[]).await;
        self.lose_data_key().await;
    }

    async fn lose_data_key(&self) {
        let (pk, sk) = data_key();
        let request = self.client.delete_item().table_name(&self.stack.table).key("pk", AttributeValue::S(pk));
        request.key("sk", AttributeValue::S(sk)).send().await.unwrap();
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

async fn webhook(stack: &Stack, user: &User) -> Value {
    let body = json!({"type": "webhook", "agent_id": "agent-7", "config": {"connector_id": user.connector}});
    read(stack.api(Method::POST, "/api/triggers", Some(&user.token), Some(body)).await, StatusCode::CREATED).await
}

async fn fired_once(stack: &Stack, user: &User) -> String {
    let message = user.receive(stack, json!({"subject": "invoice"})).await;
    let events = stack.events(&user.owner, 1).await;
    assert_eq!(events[0]["message"]["id"], message);
    user.event_id(&message)
}

async fn disconnect(stack: &Stack, user: &User) -> reqwest::Response {
    stack.api(Method::DELETE, &format!("/api/connectors/{}", user.connector), Some(&user.token), None).await
}

#[tokio::test]
async fn one_sweep_ends_what_google_refused_to_end_follows_a_mailbox_and_tells_of_a_lapsed_watch() {
    let stack = Stack::at_rest().await;
    let rows = Rows::of(&stack).await;
    let (leaving, mut moving, lapsing) =
        (User::connected(&stack, "ada").await, User::connected(&stack, "bob").await, User::connected(&stack, "cyd").await);
    webhook(&stack, &leaving).await;
    fired_once(&stack, &leaving).await;
    let event = fired_once(&stack, &lapsing).await;

    // Another address of the same account, under a grant that still reads the first one.
    let first = moving.email.clone();
    let second = format!("second-{first}");
    stack.google(Method::POST, "/admin/mailboxes", json!({"email": second, "sub": moving.sub})).await;
    let order = json!({"email": second, "with_refresh_token": false});
    let code = stack.google(Method::POST, "/admin/codes", order).await["code"].clone();
    let again = stack.api(Method::POST, "/api/auth/google/gmail", Some(&moving.token), Some(json!({"auth_code": code}))).await;
    assert_eq!(read(again, StatusCode::OK).await["connector_id"], moving.connector);
    moving.email = second;
    assert_eq!(moving.connector(&stack).await["email_address"], moving.email);

    let refusal = json!({"method": "stop", "email": leaving.email, "status": 503, "times": 0});
    stack.google(Method::POST, "/admin/faults", refusal).await;
    let receipt = read(disconnect(&stack, &leaving).await, StatusCode::ACCEPTED).await;
    assert_eq!(receipt["data_purged"], false, "{receipt}");
    stack.google(Method::DELETE, "/admin/faults", Value::Null).await;
    stack.idle().await;

    rows.forget_data_key(&leaving).await;
    rows.change(connector(&leaving), "SET due_at = :due", &[(":due", at_once())]).await;
    let looked = [(":due", at_once()), (":ago", long_ago())];
    rows.change(connector(&moving), "SET due_at = :due, #position.listed_at = :ago, connected_at = :ago REMOVE checked_at", &looked).await;
    // As a processor leaves it that ends between storing and publishing.
    let row = rows.row(connector(&lapsing)).await.unwrap();
    let shard = row["due_shard"].as_s().unwrap().replace("connector#", "event#");
    let owed = [(":due", at_once()), (":shard", text(&shard))];
    rows.change((format!("EVENT#{event}"), "EVENT".into()), "SET due_at = :due, due_shard = :shard REMOVE published_at", &owed).await;
    let owing = [(":due", at_once()), (":ago", long_ago()), (":event", AttributeValue::Ss(vec![event.clone()]))];
    rows.change(
        connector(&lapsing),
        "SET due_at = :due, #watch.expiration = :ago, #watch.renewed_at = :ago ADD unpublished :event",
        &owing,
    )
    .await;

    let gone = async || {
        // Others come by who make a key for themselves.
        rows.lose_data_key().await;
        let path = format!("/api/connectors/{}", leaving.connector);
        let left = stack.api(Method::GET, &path, Some(&leaving.token), None).await.status();
        tokio::time::sleep(Duration::from_millis(200)).await;
        (left == StatusCode::NOT_FOUND).then_some(())
    };
    stack.until("the end of the connector", gone).await;
    stack.until("the first address", async || (moving.connector(&stack).await["email_address"] == first).then_some(())).await;
    let renewed = async || (lapsing.connector(&stack).await["watch"]["status"] == "active").then_some(());
    stack.until("a new watch", renewed).await;
    let told = rows.row(connector(&lapsing)).await.unwrap();
    assert_eq!(told["lapse_told"], long_ago(), "{told:?}");
    let events = stack.events(&lapsing.owner, 1).await;
    assert_eq!(events[0]["event_id"], event, "the same event again");
}

#[tokio::test]
async fn a_data_key_that_is_gone_is_made_anew_by_whoever_needs_one() {
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
    let answer = read(stack.api(Method::POST, "/api/auth/google/gmail", Some(&replaced.token), Some(body)).await, StatusCode::OK).await;
    assert_ne!(answer["connector_id"], replaced.connector);
    assert!(rows.has_data_key().await, "the key of the connect, which let the other connector go");
}

#[tokio::test]
async fn a_signature_fires_its_trigger_until_the_trigger_is_gone() {
    let stack = Stack::at_rest().await;
    let user = User::connected(&stack, "ada").await;
    let trigger = webhook(&stack, &user).await;
    let (path, secret) = (format!("/api/triggers/{}", trigger["id"].as_str().unwrap()), trigger["secret"].as_str().unwrap());
    let send = async || {
        let (seconds, body) = (SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(), r#"{"event_type":"order.paid"}"#);
        let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), format!("{seconds}.{body}").as_bytes());
        let hex: String = mac.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let request = stack.request(Method::POST, &format!("{path}/events")).header("x-signature", format!("t={seconds},v1={hex}"));
        stack.answer(request.header("content-type", "application/json").body(body)).await
    };
    let event_id = read(send().await, StatusCode::ACCEPTED).await["event_id"].clone();
    assert_eq!(stack.events(&user.owner, 1).await[0]["event_id"], event_id);
    read(stack.api(Method::DELETE, &path, Some(&user.token), None).await, StatusCode::NO_CONTENT).await;
    assert_eq!(send().await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_security_event_has_the_accounts_connector_wait_for_its_user_once() {
    let stack = Stack::at_rest().await;
    let user = User::connected(&stack, "ada").await;
    let order = json!({"event": "tokens-revoked", "email": user.email});
    let token = stack.google(Method::POST, "/admin/security-events", order).await["token"].as_str().unwrap().to_string();
    let tell = async || {
        let request = stack.request(Method::POST, "/api/auth/google/risc").header("content-type", "application/secevent+jwt");
        stack.answer(request.body(token.clone())).await.status()
    };
    assert_eq!(tell().await, StatusCode::ACCEPTED);
    assert_eq!(user.connector(&stack).await["status"], "needs_reauth");
    assert_eq!(tell().await, StatusCode::BAD_REQUEST);
}

/// It took half of its time with the first hundred messages: the rest is another run's, which it asks for itself.
#[tokio::test]
async fn a_run_that_takes_long_asks_for_another_one() {
    let stack = Stack::at_rest().await;
    let user = User::connected(&stack, "long").await;
    stack.idle().await;
    stack
        .google(Method::POST, "/admin/faults", json!({"method": "batch", "email": user.email, "status": 0, "delay_ms": 3000, "times": 1}))
        .await;
    let mails = user.receive_many(&stack, 130, json!({"subject": "invoice"})).await;
    let expected: BTreeSet<String> = mails.iter().map(|mail| user.event_id(mail)).collect();
    same_set(&stack.events(&user.owner, expected.len()).await, &expected);
    let calls = stack.google(Method::GET, "/admin/calls", Value::Null).await;
    let listings = calls.as_array().unwrap().iter().filter(|call| call["method"] == "history.list" && call["email"] == user.email);
    assert!(listings.count() >= 2, "the second run lists for itself");
}

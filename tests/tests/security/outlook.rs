//! What the cases of Outlook share: mailboxes at Microsoft, their subscriptions at Graph, and posts to
//! the notification URL.

use std::time::{Duration, Instant};

use email_connectors::domain::mailbox_key::MailboxKey;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::wake_up::WakeUp;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{GRAPH_PATH, ORIGIN, Stack, User, read, token};
use tests::inside::Options;

use crate::security::connecting::{OUTLOOK, Sent};
use crate::security::forge::unique;
use crate::security::target::Target;
use crate::security::{audits, counters};

/// This process with a Microsoft, which tells what the deployed functions would log, and the deployed
/// stack.
pub async fn targets() -> Vec<Target> {
    targets_with(Options::default()).await
}

pub async fn targets_with(options: Options) -> Vec<Target> {
    counters::start();
    audits::listen_to("info");
    let inside = Target::configured(Options { microsoft: true, ..options }).await;
    let deployed = Target::deployed().await;
    if let Some(Target { stack, .. }) = &deployed {
        stack.microsoft(Method::DELETE, "/admin/faults", Value::Null).await;
        stack.microsoft(Method::PUT, "/admin/notifications", json!({})).await;
        stack.microsoft(Method::PUT, "/admin/oauth", json!({})).await;
    }
    std::iter::once(inside).chain(deployed).collect()
}

/// An owner with a mailbox that is not connected.
pub async fn mailbox(stack: &Stack, name: &str) -> User {
    mailbox_at(stack, name, "example.com").await
}

/// The same in the organization of another domain.
pub async fn mailbox_at(stack: &Stack, name: &str, domain: &str) -> User {
    let owner = format!("{name}-{}", unique());
    let email = format!("{owner}@{domain}");
    let made = stack.microsoft(Method::POST, "/admin/mailboxes", json!({"email": email})).await;
    let of = |name: &str| made[name].as_str().unwrap().to_string();
    User {
        token: token(stack, &owner).await,
        sub: format!("{}.{}", of("tid"), of("oid")),
        owner,
        email,
        connector: String::new(),
        trigger: String::new(),
    }
}

/// An owner with a connected mailbox and a trigger for invoices.
pub async fn connected(target: &Target, name: &str) -> User {
    connecting(target, mailbox(&target.stack, name).await).await
}

pub async fn connecting(target: &Target, mut user: User) -> User {
    let back = consented(target, &user).await;
    let answer = connect(target, &user, &back).await;
    user.connector = read(answer, StatusCode::OK).await["connector_id"].as_str().unwrap().into();
    user.trigger = user.subscribe(&target.stack, json!({"subject_contains": ["invoice"]})).await;
    target.idle().await;
    user
}

/// The user consents at Microsoft; returns the body that connects.
pub async fn consented(target: &Target, user: &User) -> Value {
    let sent = Sent::to(target, user, OUTLOOK).await;
    let code = sent.consent(target).await["code"].clone();
    body(&code, &sent.state)
}

pub fn body(code: &str, state: &str) -> Value {
    json!({"auth_code": code, "callback_url": callback_url(), "state": state})
}

pub fn callback_url() -> String {
    format!("{ORIGIN}/auth/microsoft/callback")
}

pub async fn connect(target: &Target, user: &User, body: &Value) -> Response {
    target.stack.api(Method::POST, OUTLOOK, Some(&user.token), Some(body.clone())).await
}

/// A code as Microsoft issues it to whoever asks on his own: without our challenge and nonce.
pub async fn issued_code(target: &Target, redirect_uri: &str, email: &str) -> String {
    let order = json!({"email": email, "redirect_uri": redirect_uri});
    target.stack.microsoft(Method::POST, "/admin/codes", order).await["code"]
        .as_str()
        .unwrap()
        .into()
}

/// The subscriptions of a mailbox at Graph.
pub async fn subscriptions(target: &Target, user: &User) -> Vec<Value> {
    let path = format!("/admin/subscriptions?email={}", user.email);
    let all = target.stack.microsoft(Method::GET, &path, Value::Null).await;
    all.as_array().unwrap().clone()
}

/// What Graph sends back in each notification of the mailbox.
pub async fn client_state(target: &Target, user: &User) -> String {
    let [one] = &subscriptions(target, user).await[..] else { panic!("one subscription") };
    one["client_state"].as_str().unwrap().into()
}

/// The names of the calls for a mailbox since they were last forgotten.
pub async fn calls(target: &Target, user: &User) -> Vec<String> {
    let path = format!("/admin/calls?email={}", user.email);
    let made = target.stack.microsoft(Method::GET, &path, Value::Null).await;
    let name = |call: &Value| call["name"].as_str().unwrap().to_string();
    made.as_array().unwrap().iter().map(name).collect()
}

pub async fn forget_calls(target: &Target, user: &User) {
    let path = format!("/admin/calls?email={}", user.email);
    target.stack.microsoft(Method::DELETE, &path, Value::Null).await;
}

/// A mail about an invoice of which Graph tells nothing.
pub async fn silently(target: &Target, user: &User) {
    let stack = &target.stack;
    stack.microsoft(Method::PUT, "/admin/notifications", json!({"lose_every": 1})).await;
    let path = format!("/admin/mailboxes/{}/messages", user.email);
    stack.microsoft(Method::POST, &path, json!({"subject": "an invoice"})).await;
    stack.microsoft(Method::PUT, "/admin/notifications", json!({})).await;
}

pub fn changed(client_state: &str) -> Value {
    json!({"subscriptionId": unique(), "changeType": "created", "clientState": client_state})
}

pub fn lifecycle(event: &str, client_state: &str) -> Value {
    json!({"subscriptionId": unique(), "lifecycleEvent": event, "clientState": client_state})
}

pub async fn notify(target: &Target, items: &[Value]) -> Response {
    post(target, "", json!({ "value": items }).to_string()).await
}

/// Anything at all to the notification URL.
pub async fn post(target: &Target, query: &str, body: String) -> Response {
    let request = target
        .stack
        .request(Method::POST, &format!("{GRAPH_PATH}{query}"))
        .header("content-type", "application/json")
        .body(body);
    target.stack.answer(request).await
}

/// How often the mailbox of a clientState was queued since the case began; waits until it was this
/// often.
pub async fn woken(target: &Target, client_state: &str, expected: usize) -> usize {
    let mailbox = MailboxKey::parse(&format!("outlook:{}", &client_state[..32])).unwrap();
    let group = WakeUp::notified(mailbox, false, Timestamp::from_seconds(0)).group();
    let is_its = |line: &String| {
        serde_json::from_str::<Value>(line).is_ok_and(|line| {
            line["fields"]["message"] == "notification queued"
                && line["fields"]["mailbox_group"] == group.as_str()
        })
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let count = target.logged().await.iter().filter(|line| is_its(line)).count();
        if count >= expected || Instant::now() > deadline {
            return count;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

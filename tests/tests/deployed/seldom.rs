//! Rare events that affect no other mailbox: signatures, security events, a long run of the
//! processor.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::deployed::{Stack, User, read, same_set, webhook};

#[tokio::test]
async fn a_signature_fires_its_trigger_until_the_trigger_is_gone() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    let trigger = webhook(&stack, &user).await;
    let (path, secret) = (
        format!("/api/triggers/{}", trigger["id"].as_str().unwrap()),
        trigger["secret"].as_str().unwrap(),
    );
    let send = async || {
        let (seconds, body) = (
            SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(),
            r#"{"event_type":"order.paid"}"#,
        );
        let mac = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            format!("{seconds}.{body}").as_bytes(),
        );
        let hex: String = mac.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let request = stack
            .request(Method::POST, &format!("{path}/events"))
            .header("x-signature", format!("t={seconds},v1={hex}"));
        stack.answer(request.header("content-type", "application/json").body(body)).await
    };
    let event_id = read(send().await, StatusCode::ACCEPTED).await["event_id"].clone();
    assert_eq!(stack.events(&user.owner, 1).await[0]["event_id"], event_id);
    read(stack.api(Method::DELETE, &path, Some(&user.token), None).await, StatusCode::NO_CONTENT)
        .await;
    assert_eq!(send().await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_security_event_has_the_accounts_connector_wait_for_its_user_once() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    let order = json!({"event": "tokens-revoked", "email": user.email});
    let token = stack.google(Method::POST, "/admin/security-events", order).await["token"]
        .as_str()
        .unwrap()
        .to_string();
    let send_event = async || {
        let request = stack
            .request(Method::POST, "/api/auth/google/risc")
            .header("content-type", "application/secevent+jwt");
        stack.answer(request.body(token.clone())).await.status()
    };
    assert_eq!(send_event().await, StatusCode::ACCEPTED);
    assert_eq!(user.connector(&stack).await["status"], "needs_reauth");
    assert_eq!(send_event().await, StatusCode::BAD_REQUEST);
}

/// The first hundred messages take half of the run's time, so it queues a wake-up for the rest.
#[tokio::test]
async fn a_long_run_queues_another_one() {
    let stack = Stack::running();
    let user = User::connected(&stack, "long").await;
    stack
        .fault(&user.email, json!({"method": "batch", "status": 0, "delay_ms": 3000, "times": 1}))
        .await;
    let mails = user.receive_many(&stack, 130, json!({"subject": "invoice"})).await;
    let expected: BTreeSet<String> = mails.iter().map(|mail| user.event_id(mail)).collect();
    same_set(&stack.events(&user.owner, expected.len()).await, &expected);
    let calls = stack.calls_for(&user.email).await;
    assert!(
        calls.iter().filter(|call| call["method"] == "history.list").count() >= 2,
        "the second run lists for itself"
    );
}

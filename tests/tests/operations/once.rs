//! Sending is not retried automatically, and a request repeated with its Idempotency-Key sends
//! once.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::mailbox::{MODIFY, Mailbox};

async fn send(mailbox: &Mailbox, key: Option<&str>, text: &str) -> Response {
    let body = json!({"to": ["bo@example.com"], "subject": "Once", "text": text});
    let request = mailbox.request(&mailbox.user.token, Method::POST, "/messages", Some(body));
    let request =
        if let Some(key) = key { request.header("idempotency-key", key) } else { request };
    mailbox.stack.answer(request).await
}

async fn summary(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    (status, body["code"].as_str().or(body["id"].as_str()).unwrap_or_default().to_string())
}

async fn sent(mailbox: &Mailbox) -> usize {
    mailbox.get("/messages?format=ids&query=in:sent").await["messages"].as_array().unwrap().len()
}

async fn fault(mailbox: &Mailbox, fault: Value) {
    mailbox.stack.google(Method::POST, "/admin/faults", fault).await;
}

#[tokio::test]
async fn a_key_repeats_its_answer_and_sends_nothing() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let first = summary(send(&mailbox, Some("k1"), "one").await).await;
    let again = send(&mailbox, Some("k1"), "one").await;
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!((summary(again).await, first.0, sent(&mailbox).await), (first.clone(), 200, 1));
    assert_eq!(
        summary(send(&mailbox, Some("k1"), "two").await).await,
        (422, "idempotency_key_reused".into())
    );
    assert_eq!(
        summary(send(&mailbox, Some("k2"), "one").await).await.0,
        200,
        "another key is another mail"
    );
    assert_eq!(summary(send(&mailbox, None, "one").await).await.0, 200, "and so is none");
    assert_eq!(sent(&mailbox).await, 3);
    mailbox.inside.machine.pass(Duration::from_secs(25 * 3600));
    assert_ne!(
        summary(send(&mailbox, Some("k1"), "one").await).await.1,
        first.1,
        "a key is remembered for a day"
    );
}

#[tokio::test]
async fn a_send_that_gmail_breaks_off_is_not_retried() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    for (number, breaks) in [json!({"status": 503}), json!({"status": 500})].into_iter().enumerate()
    {
        let mut broken = breaks;
        broken["method"] = json!("messages.send");
        broken["times"] = json!(1);
        broken["applied"] = json!(true);
        mailbox.calls().await;
        fault(&mailbox, broken).await;
        let key = format!("broken-{number}");
        assert_eq!(
            summary(send(&mailbox, Some(&key), "one").await).await,
            (502, "outcome_unknown".into())
        );
        let sends =
            mailbox.calls().await.iter().filter(|(method, _)| method == "messages.send").count();
        assert_eq!(sends, 1, "it is never sent again by itself");
        assert_eq!(
            summary(send(&mailbox, Some(&key), "one").await).await,
            (409, "idempotency_in_progress".into())
        );
        mailbox.inside.machine.pass(Duration::from_secs(61));
        assert_eq!(
            summary(send(&mailbox, Some(&key), "one").await).await,
            (409, "outcome_unknown".into())
        );
        assert_eq!(sent(&mailbox).await, number + 1, "it was sent, once");
    }
}

#[tokio::test]
async fn what_was_refused_may_be_tried_again_under_its_key() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    fault(
        &mailbox,
        json!({"method": "messages.send", "times": 1, "status": 429, "retry_after": 7}),
    )
    .await;
    let limited = send(&mailbox, Some("k"), "one").await;
    assert_eq!(limited.headers()["retry-after"], "7");
    assert_eq!(summary(limited).await, (429, "rate_limited".into()));
    fault(
        &mailbox,
        json!({"method": "messages.send", "times": 1, "status": 400, "reason": "invalidArgument"}),
    )
    .await;
    assert_eq!(
        summary(send(&mailbox, Some("k"), "one").await).await,
        (400, "gmail_refused".into())
    );
    assert_eq!(summary(send(&mailbox, Some("k"), "one").await).await.0, 200);
    assert_eq!(sent(&mailbox).await, 1);
}

#[tokio::test]
async fn of_many_at_the_same_time_one_sends() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let sends =
        futures_util::future::join_all((0..12).map(|_| send(&mailbox, Some("k"), "one"))).await;
    let mut answers = Vec::new();
    for response in sends {
        answers.push(summary(response).await);
    }
    let done = answers.iter().filter(|(status, _)| *status == 200).count();
    let running = answers.iter().filter(|(_, code)| code == "idempotency_in_progress").count();
    assert!(done >= 1 && done + running == 12, "{answers:?}");
    assert_eq!(sent(&mailbox).await, 1);
}

#[tokio::test]
async fn gmails_errors_become_problems_with_a_remedy() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let table = [
        (json!({"status": 429, "retry_after": 30}), 429, "rate_limited"),
        (json!({"status": 403, "reason": "userRateLimitExceeded"}), 429, "rate_limited"),
        (json!({"status": 403, "reason": "domainPolicy"}), 403, "domain_policy"),
        (json!({"status": 403, "reason": "insufficientPermissions"}), 403, "insufficient_scope"),
        (json!({"status": 403, "reason": "forbidden"}), 403, "gmail_refused"),
        (json!({"status": 404}), 404, "not_found"),
        (json!({"status": 400, "reason": "failedPrecondition"}), 409, "failed_precondition"),
        (json!({"status": 400, "reason": "invalidArgument"}), 400, "gmail_refused"),
        (json!({"status": 503, "retry_after": 30}), 503, "gmail_unavailable"),
    ];
    for (mut answered, status, code) in table {
        answered["method"] = json!("labels.get");
        answered["times"] = json!(3);
        fault(&mailbox, answered.clone()).await;
        let response = mailbox.send(Method::GET, &format!("/labels/{}", mailbox.label), None).await;
        let retry_after = response.headers().get("retry-after").cloned();
        assert_eq!(summary(response).await, (status, code.into()), "{answered}");
        if let Some(seconds) = answered.get("retry_after") {
            assert_eq!(retry_after.unwrap().to_str().unwrap(), seconds.to_string(), "{answered}");
        }
        mailbox.stack.google(Method::DELETE, "/admin/faults", Value::Null).await;
    }
}

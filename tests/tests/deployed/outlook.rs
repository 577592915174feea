//! Outlook on the deployed stack: connected, woken by Graph's notifications, read and written by the
//! same routes, its watch renewed before its time, and disconnected.

mod granting;
mod throttled;
pub mod user;

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::deployed::Stack;

use self::user::User;

const WEBHOOK: &str = "/api/email/webhook/microsoft/graph";

#[tokio::test]
async fn mail_in_outlook_fires_is_read_and_is_let_go() {
    let stack = Stack::running();
    let ada = User::connected(&stack, "outlook").await;

    // Each function refreshes by itself, and keeps the refresh token that comes with it.
    ada.receives(&stack, "the first invoice").await;
    ada.receives(&stack, "a letter").await;
    assert_eq!(ada.fired(&stack, "the first invoice").await, ["the first invoice"]);
    ada.expire_access_tokens(&stack).await;
    ada.receives(&stack, "the second invoice").await;
    assert_eq!(ada.fired(&stack, "the second invoice").await, ["the second invoice"]);

    ada.expire_access_tokens(&stack).await;
    let listed = ada.api(&stack, Method::GET, &ada.below("messages?page_size=10"), None).await;
    assert_eq!(listed["messages"].as_array().unwrap().len(), 3, "{listed}");
    let labels = ada.api(&stack, Method::GET, &ada.below("labels"), None).await;
    let ids: Vec<&Value> =
        labels["labels"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert!(ids.contains(&&json!("INBOX")), "{labels}");
    let mail = json!({"to": [ada.email], "subject": "an answer", "text": "Thank you."});
    ada.api(&stack, Method::POST, &ada.below("messages"), Some(mail)).await;

    // Graph takes the subscription away: the renewer makes another one.
    let [lost] = &ada.subscriptions(&stack).await[..] else { panic!("one subscription") };
    let id = lost["id"].as_str().unwrap();
    ada.expire_access_tokens(&stack).await;
    let path = format!("/admin/subscriptions/{id}?tell=true");
    stack.microsoft(Method::DELETE, &path, Value::Null).await;
    let renewed = async || {
        let [one] = &ada.subscriptions(&stack).await[..] else { return None };
        (one["id"] != id).then_some(())
    };
    stack.until("another subscription", renewed).await;
    ada.receives(&stack, "the third invoice").await;
    assert_eq!(ada.fired(&stack, "the third invoice").await, ["the third invoice"]);

    // Without a push the renewer compares, and refreshes what has ended. Whoever is in the middle of
    // a call must be able to refresh: the token ends seldom.
    ada.forget_calls(&stack).await;
    let mut expires = Instant::now();
    let compared = async || {
        if Instant::now() >= expires {
            ada.expire_access_tokens(&stack).await;
            expires += Duration::from_secs(10);
        }
        (ada.times_called(&stack, "me").await > 0).then_some(())
    };
    stack.until_swept("a comparison of the mailbox", compared).await;

    let path = format!("/api/connectors/{}", ada.connector);
    let gone = ada.api(&stack, Method::DELETE, &path, None).await;
    assert_eq!(gone["data_purged"], true, "{gone}");
    assert_eq!(gone["grant_revoked"], false, "Microsoft revokes no app's grant: {gone}");
    // A renewal that was under way may have made one more; it ends it by itself.
    let ended = async || ada.subscriptions(&stack).await.is_empty().then_some(());
    stack.until("the end of every subscription", ended).await;
}

#[tokio::test]
async fn the_notification_url_shakes_hands_and_wakes_nobody_for_a_stranger() {
    let stack = Stack::running();
    let post = async |query: &str, body: Option<Value>| {
        stack.api(Method::POST, &format!("{WEBHOOK}{query}"), None, body).await
    };
    let shaken = post("?validationToken=Validation%3A+a%20token-1", None).await;
    assert_eq!(shaken.status(), StatusCode::OK);
    assert_eq!(shaken.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(shaken.headers()["x-content-type-options"], "nosniff");
    assert_eq!(shaken.text().await.unwrap(), "Validation: a token-1");
    let hostile = post("?validationToken=%3Cscript%3E", None).await;
    assert_eq!(hostile.status(), StatusCode::BAD_REQUEST);

    let forged = json!({"value": [
        {"subscriptionId": "s", "changeType": "created", "clientState":
            format!("{}.{}", "0".repeat(32), "A".repeat(43))},
        {"subscriptionId": "s", "changeType": "created"},
        {"subscriptionId": "s", "lifecycleEvent": "another", "clientState": "x"},
        7,
    ]});
    for body in [forged, json!({"value": 7}), json!([])] {
        assert_eq!(post("", Some(body)).await.status(), StatusCode::ACCEPTED);
    }
}

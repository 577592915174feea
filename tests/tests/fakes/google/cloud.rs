//! Pub/Sub's REST API: what an operator reads there, and what is published by hand.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fake_google::CloudChange;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, EMAIL, TOPIC};

const SUBSCRIPTION: &str = "projects/example-project/subscriptions/gmail";

async fn send(client: &Client, method: Method, path: &str, body: Value) -> (u16, Value) {
    let request = client
        .http
        .request(method, format!("{}/v1/{path}", client.google.url))
        .bearer_auth("operator");
    let answer = if body.is_null() { request } else { request.json(&body) }.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn read(client: &Client, path: &str) -> (u16, Value) {
    send(client, Method::GET, path, Value::Null).await
}

#[tokio::test]
async fn what_stands_can_be_read_and_made_to_be_other() {
    let client = Client::start().await;
    let (_, policy) = read(&client, &format!("{TOPIC}:getIamPolicy")).await;
    assert_eq!(
        policy["bindings"][0]["members"],
        json!(["serviceAccount:gmail-api-push@system.gserviceaccount.com"])
    );
    assert_eq!(read(&client, TOPIC).await, (200, json!({"name": TOPIC})));
    let (status, stands) = read(&client, SUBSCRIPTION).await;
    assert_eq!(
        (status, &stands["topic"], &stands["expirationPolicy"]),
        (200, &json!(TOPIC), &json!({}))
    );
    assert_eq!(read(&client, "projects/example-project/subscriptions/other").await.0, 404);

    let change = json!({"expirationPolicy": {"ttl": "86400s"}, "retryPolicy": null});
    client.google.admin.set_cloud(CloudChange {
        subscription: change,
        refusals: [("topic".into(), 403)].into(),
        ..CloudChange::default()
    });
    let (_, other) = read(&client, SUBSCRIPTION).await;
    assert_eq!(
        (&other["expirationPolicy"]["ttl"], &other["retryPolicy"]),
        (&json!("86400s"), &Value::Null)
    );
    let (status, refused) = read(&client, TOPIC).await;
    assert_eq!((status, &refused["error"]["status"]), (403, &json!("PERMISSION_DENIED")));
    client.google.admin.set_cloud(CloudChange::default());
    assert_eq!(read(&client, SUBSCRIPTION).await.1, stands);

    let nobody = client.http.get(format!("{}/v1/{TOPIC}", client.google.url)).send().await.unwrap();
    assert_eq!(nobody.status(), 401);
    assert!(client.google.admin.violations().is_empty(), "none of this is Gmail's");
}

#[tokio::test]
async fn a_notification_published_by_hand_is_pushed_like_gmails_own() {
    let client = Client::start().await;
    let publish = async |data: &str| {
        let body = json!({"messages": [{"data": STANDARD.encode(data)}]});
        send(&client, Method::POST, &format!("{TOPIC}:publish"), body).await
    };
    let notification = json!({"emailAddress": EMAIL, "historyId": 77}).to_string();
    assert_eq!(publish(&notification).await.0, 200);
    let pulled = client.google.admin.pull_pushes();
    assert_eq!(pulled.len(), 1);
    assert_eq!(
        STANDARD.decode(pulled[0].body["message"]["data"].as_str().unwrap()).unwrap(),
        notification.as_bytes()
    );
    assert_eq!(publish("something else").await.0, 400);
    client.google.admin.set_cloud(CloudChange { swallows: true, ..CloudChange::default() });
    assert_eq!(publish(&notification).await.0, 200);
    assert!(client.google.admin.pull_pushes().is_empty());
}

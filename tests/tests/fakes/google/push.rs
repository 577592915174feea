//! Pub/Sub push: what is published, and that it arrives.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fake_google::{Config, NewCode, NewMessage, PushChange, PushMode};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::client::{Client, EMAIL, TOPIC, reason};
use super::oauth::verified;

const SOON: Duration = Duration::from_secs(10);

/// An endpoint that answers with the statuses it was given, then 204, and keeps what it got.
#[derive(Clone, Default)]
struct Endpoint {
    statuses: Arc<Mutex<VecDeque<u16>>>,
    received: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Endpoint {
    async fn serve(statuses: &[u16]) -> (Self, String) {
        let endpoint = Self {
            statuses: Arc::new(Mutex::new(statuses.iter().copied().collect())),
            ..Self::default()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/push", listener.local_addr().unwrap());
        let router = Router::new().route("/push", post(receive)).with_state(endpoint.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (endpoint, url)
    }

    fn received(&self) -> Vec<(String, Value)> {
        self.received.lock().unwrap().clone()
    }

    fn message_ids(&self) -> Vec<String> {
        self.received()
            .iter()
            .map(|(_, body)| body["message"]["messageId"].as_str().unwrap().to_owned())
            .collect()
    }
}

async fn receive(
    State(endpoint): State<Endpoint>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> StatusCode {
    let authorization = headers["authorization"].to_str().unwrap().to_owned();
    endpoint.received.lock().unwrap().push((authorization, body));
    let status = endpoint.statuses.lock().unwrap().pop_front().unwrap_or(204);
    StatusCode::from_u16(status).unwrap()
}

fn quick() -> PushMode {
    PushMode { first_backoff_ms: 1, longest_backoff_ms: 2, ..PushMode::default() }
}

fn to(endpoint: &str, mode: PushMode) -> PushChange {
    PushChange { endpoint: Some(endpoint.into()), mode: Some(mode), ..PushChange::default() }
}

fn notification(body: &Value) -> Value {
    serde_json::from_slice(&STANDARD.decode(body["message"]["data"].as_str().unwrap()).unwrap())
        .unwrap()
}

#[tokio::test]
async fn a_push_comes_again_until_it_is_acknowledged() {
    let client = Client::start().await;
    let (endpoint, url) = Endpoint::serve(&[500, 403, 202]).await;
    client.google.admin.set_push(to(&url, quick()));
    client.watch().await;
    let status = client.google.admin.flush_push(SOON).await.unwrap();
    assert_eq!((status.delivered, status.failed_attempts), (1, 2));
    let ids = endpoint.message_ids();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| *id == ids[0]), "a redelivery keeps its message id");
    let (authorization, body) = endpoint.received().remove(2);
    assert_eq!(notification(&body), json!({ "emailAddress": EMAIL, "historyId": 1000 }));
    assert_eq!(body["subscription"], "projects/example-project/subscriptions/gmail");
    let token = authorization.strip_prefix("Bearer ").unwrap();
    let claims =
        verified(&client, "/oauth2/v3/certs", token, "https://connectors.example.com/pubsub")
            .await
            .unwrap();
    assert_eq!(claims["email"], "gmail-push@example-project.iam.gserviceaccount.com");
}

#[tokio::test]
async fn pushes_can_be_paused_lost_doubled_and_given_up() {
    let client = Client::start().await;
    let admin = &client.google.admin;
    let (endpoint, url) = Endpoint::serve(&[]).await;
    admin.set_push(to(
        &url,
        PushMode { paused: true, duplicate: true, drop_next: 1, shuffle_ms: 5, ..quick() },
    ));
    client.watch().await;
    client.mail("one");
    client.mail("two");
    assert_eq!((admin.push_status().pending, admin.push_status().dropped), (4, 1));
    assert_eq!(endpoint.received().len(), 0);
    admin.set_push(to(&url, quick()));
    admin.flush_push(SOON).await.unwrap();
    let mut ids = endpoint.message_ids();
    ids.sort();
    assert_eq!(ids, ["10000000000001", "10000000000001", "10000000000002", "10000000000002"]);
    assert_eq!(admin.mailbox(EMAIL).unwrap().notifications_sent, 2);
    admin.set_push(to("http://127.0.0.1:1/nobody", PushMode { retention_ms: 20, ..quick() }));
    client.mail("three");
    let status = admin.flush_push(SOON).await.unwrap();
    assert_eq!(status.expired, 1);
}

#[tokio::test]
async fn without_an_endpoint_pushes_wait_to_be_pulled() {
    let client = Client::start().await;
    client.watch().await;
    let id = client.mail("one");
    let history_id = client.google.admin.mailbox(EMAIL).unwrap().history_id;
    let pulled = client.google.admin.pull_pushes();
    let ids: Vec<Value> =
        pulled.iter().map(|push| notification(&push.body)["historyId"].clone()).collect();
    assert_eq!(ids, [json!(1000), json!(history_id)]);
    assert!(client.google.admin.pull_pushes().is_empty());
    client.google.admin.change_labels(EMAIL, &id, &Default::default()).unwrap();
    assert!(client.google.admin.pull_pushes().is_empty(), "nothing changed");
}

#[tokio::test]
async fn a_watch_that_another_client_took_is_refused_until_a_stop() {
    let client = Client::start().await;
    client.watch().await;
    client.google.admin.pull_pushes();
    client.google.admin.take_watch(EMAIL).unwrap();
    client.mail("to the other topic");
    assert_eq!(client.google.admin.pull_pushes().len(), 0);
    for _ in 0..2 {
        let (status, answer) = client.post("watch", json!({ "topicName": TOPIC })).await;
        assert_eq!((status, reason(&answer)), (400, "failedPrecondition"));
        assert!(
            answer["error"]["message"]
                .as_str()
                .unwrap()
                .contains("Only one user push notification client"),
            "{answer}"
        );
    }
    assert_eq!(client.post("stop", json!({})).await.0, 204);
    client.watch().await;
}

#[tokio::test]
async fn a_watch_honours_its_labels_its_topic_and_its_end() {
    let now = Arc::new(Mutex::new(OffsetDateTime::from_unix_timestamp(1_767_225_600).unwrap()));
    let clock = now.clone();
    let config =
        Config { clock: Some(Arc::new(move || *clock.lock().unwrap())), ..Config::default() };
    let mut client = Client::with(config, NewCode::of(EMAIL)).await;
    let spam = || NewMessage { label_ids: Some(vec!["SPAM".into()]), ..NewMessage::default() };
    let pushes = |client: &Client| client.google.admin.pull_pushes().len();
    let inbox_only =
        json!({ "topicName": TOPIC, "labelIds": ["INBOX"], "labelFilterBehavior": "include" });
    let (_, watch) = client.post("watch", inbox_only).await;
    assert_eq!(watch["expiration"], (1_767_225_600_000_i64 + 7 * 24 * 60 * 60 * 1000).to_string());
    assert_eq!(pushes(&client), 1, "one at once");
    client.deliver(spam());
    assert_eq!(pushes(&client), 0);
    client.deliver(NewMessage { silent: true, ..NewMessage::default() });
    assert_eq!(pushes(&client), 0);
    client.mail("one");
    assert_eq!(pushes(&client), 1);
    let (status, _) =
        client.post("watch", json!({ "topicName": "projects/example-project/topics/other" })).await;
    assert_eq!(status, 400, "one topic at a time");
    *now.lock().unwrap() += Duration::from_secs(7 * 24 * 60 * 60);
    client.mail("too late");
    assert_eq!(pushes(&client), 0);
    let code = client.google.admin.create_code(NewCode::of(EMAIL)).unwrap();
    client.access_token =
        client.exchange(&code, &[]).await.1["access_token"].as_str().unwrap().into();
    client.watch().await;
    client.deliver(spam());
    assert_eq!(pushes(&client), 2, "no labels, every change");
    assert_eq!(client.post("stop", json!({})).await.0, 204);
    client.mail("stopped");
    assert_eq!(pushes(&client), 0);
}

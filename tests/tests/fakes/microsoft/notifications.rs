//! Subscriptions: the handshake, what is told, and what gets lost on the way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use fake_microsoft::{
    Fault, MarkChange, Move, NewCode, NewMailbox, NewMessage, NotificationMode, Shapes,
};
use serde_json::{Value, json};

use super::client::{Client, EMAIL, code};

/// What a webhook has heard, and how it answers.
#[derive(Clone, Default)]
struct Heard {
    posts: Arc<Mutex<Vec<Value>>>,
    /// Statuses of the next answers; 202 after them.
    answers: Arc<Mutex<Vec<u16>>>,
    says_nothing: Arc<Mutex<bool>>,
}

impl Heard {
    fn items(&self) -> Vec<Value> {
        let posts = self.posts.lock().unwrap();
        posts.iter().flat_map(|post| post["value"].as_array().unwrap().clone()).collect()
    }

    fn kinds(&self) -> Vec<String> {
        self.items().iter().map(|item| item["changeType"].as_str().unwrap().to_owned()).collect()
    }
}

async fn hear(State(heard): State<Heard>, RawQuery(query): RawQuery, body: String) -> Response {
    let query = query.unwrap_or_default();
    if let Some(token) = query.split('&').find_map(|pair| pair.strip_prefix("validationToken=")) {
        assert_eq!(body, "", "the handshake has no body");
        let token = token.replace('+', " ").replace("%3A", ":");
        let silent = *heard.says_nothing.lock().unwrap();
        return if silent { StatusCode::OK.into_response() } else { token.into_response() };
    }
    heard.posts.lock().unwrap().push(serde_json::from_str(&body).unwrap());
    let next = heard.answers.lock().unwrap().pop().unwrap_or(202);
    StatusCode::from_u16(next).unwrap().into_response()
}

async fn webhook() -> (String, Heard) {
    let heard = Heard::default();
    let router = Router::new().route("/hook", post(hear)).with_state(heard.clone());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, heard)
}

fn wish(url: &str) -> Value {
    json!({
        "changeType": "created,updated",
        "notificationUrl": format!("{url}?kept=1"),
        "lifecycleNotificationUrl": url,
        "resource": "me/messages",
        "expirationDateTime": in_days(6),
        "clientState": "secret",
    })
}

fn in_days(days: i64) -> String {
    let moment = time::OffsetDateTime::now_utc() + time::Duration::days(days);
    moment.format(&time::format_description::well_known::Rfc3339).unwrap()
}

struct Subscribed {
    client: Client,
    heard: Heard,
    id: String,
}

impl Subscribed {
    async fn start() -> Self {
        let (url, heard) = webhook().await;
        let client = Client::start().await;
        let (status, made) = client.post("subscriptions", wish(&url)).await;
        assert_eq!(status, 201, "{made}");
        let id = made["id"].as_str().unwrap().to_owned();
        Self { client, heard, id }
    }

    async fn flushed(&self) {
        let admin = &self.client.microsoft.admin;
        admin.flush_notifications(Duration::from_secs(10)).await.unwrap();
    }
}

#[tokio::test]
async fn a_change_is_told_with_what_names_it() {
    let at = Subscribed::start().await;
    let mail = at.client.mail("hello");
    at.flushed().await;
    let items = at.heard.items();
    let item = &items[0];
    assert_eq!((items.len(), &item["changeType"]), (1, &json!("created")));
    assert_eq!(item["resourceData"]["id"], json!(mail.id), "immutable, as it was subscribed");
    assert_eq!((&item["clientState"], &item["subscriptionId"]), (&json!("secret"), &json!(at.id)));
    let user = at.client.microsoft.admin.mailbox(EMAIL).unwrap();
    assert_eq!(item["tenantId"], json!(user.tid));
    assert_eq!(item["resource"], json!(format!("Users/{}/Messages/{}", user.oid, mail.id)));
    let resource = item["resource"].as_str().unwrap();
    assert_eq!(at.client.get(resource).await.0, 200, "the resource can be read");
}

#[tokio::test]
async fn both_urls_must_answer_the_token_that_they_were_sent() {
    let (url, heard) = webhook().await;
    let client = Client::start().await;
    let refused = async |change: Value| {
        let mut wish = wish(&url);
        wish.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let (status, answer) = client.post("subscriptions", wish).await;
        (status, code(&answer).to_owned())
    };
    let invalid = (400, "InvalidRequest".to_owned());
    assert_eq!(
        refused(json!({ "lifecycleNotificationUrl": "http://127.0.0.1:9/none" })).await,
        (400, "ValidationError".into())
    );
    assert_eq!(refused(json!({ "notificationUrl": "http://example.com" })).await, invalid);
    assert_eq!(refused(json!({ "changeType": "moved" })).await, invalid);
    assert_eq!(refused(json!({ "resource": "me/events" })).await, invalid);
    assert_eq!(refused(json!({ "expirationDateTime": in_days(8) })).await, invalid);
    assert_eq!(refused(json!({ "clientState": "x".repeat(129) })).await, invalid);
    *heard.says_nothing.lock().unwrap() = true;
    assert_eq!(refused(json!({})).await, (400, "ValidationError".into()));
    assert!(client.microsoft.admin.subscriptions(None).is_empty());
}

#[tokio::test]
async fn a_subscription_is_renewed_listed_and_ended() {
    let at = Subscribed::start().await;
    let path = format!("subscriptions/{}", at.id);
    let soon = json!({ "expirationDateTime": in_days(5) });
    assert_eq!(at.client.patch(&path, soon.clone()).await.0, 200);
    let (_, listed) = at.client.get("subscriptions").await;
    assert_eq!(listed["value"][0]["id"], json!(at.id));
    assert_eq!(at.client.post(&format!("{path}/reauthorize"), json!({})).await.0, 204);
    assert_eq!(at.client.microsoft.admin.violations().len(), 1, "not both within ten minutes");
    assert_eq!(at.client.delete(&path).await, 204);
    let (status, gone) = at.client.patch(&path, soon).await;
    assert_eq!((status, code(&gone)), (404, "ResourceNotFound"));
}

#[tokio::test]
async fn a_second_subscription_is_made_or_refused() {
    let (url, _) = webhook().await;
    let client = Client::start().await;
    for _ in 0..2 {
        assert_eq!(client.post("subscriptions", wish(&url)).await.0, 201);
    }
    client
        .microsoft
        .admin
        .set_shapes(Shapes { same_subscription_conflicts: true, ..Shapes::default() });
    assert_eq!(client.post("subscriptions", wish(&url)).await.0, 409);
}

#[tokio::test]
async fn items_travel_together_and_are_tried_again() {
    let at = Subscribed::start().await;
    let admin = &at.client.microsoft.admin;
    at.heard.answers.lock().unwrap().extend([500, 404]);
    let mode =
        NotificationMode { first_backoff_ms: 10, items_per_post: 3, ..NotificationMode::default() };
    admin.set_notifications(mode);
    admin.deliver_many(EMAIL, &NewMessage::of("{n}"), 3).unwrap();
    at.flushed().await;
    let status = admin.notification_status();
    assert_eq!((status.posts, status.failed_posts, status.delivered), (3, 2, 3));
    assert_eq!(at.heard.items().len(), 9);
}

#[tokio::test]
async fn items_are_lost_doubled_held_and_turned_round() {
    let at = Subscribed::start().await;
    let admin = &at.client.microsoft.admin;
    let told = async |mode: NotificationMode, count: usize| {
        at.heard.posts.lock().unwrap().clear();
        admin.set_notifications(mode);
        let made = admin.deliver_many(EMAIL, &NewMessage::of("{n}"), count).unwrap();
        at.flushed().await;
        let place = |item: &Value| {
            made.iter().position(|one| item["resourceData"]["id"] == json!(one.id)).unwrap()
        };
        at.heard.items().iter().map(place).collect::<Vec<_>>()
    };
    let usual = NotificationMode::default();
    assert_eq!(told(NotificationMode { lose_every: 2, ..usual.clone() }, 4).await, [0, 2]);
    assert_eq!(told(NotificationMode { copies: 2, ..usual.clone() }, 1).await, [0, 0]);
    assert_eq!(told(NotificationMode { reversed: true, ..usual.clone() }, 3).await, [2, 1, 0]);
    admin.set_notifications(NotificationMode { paused: true, ..usual });
    at.client.mail("held");
    let pulled = admin.pull_notifications();
    assert_eq!((pulled.len(), admin.notification_status().pending), (1, 0));
    assert!(pulled[0].url.ends_with("/hook?kept=1"));
}

#[tokio::test]
async fn moves_drags_and_restores_are_told_as_users_met_them() {
    let at = Subscribed::start().await;
    let admin = &at.client.microsoft.admin;
    let to =
        |folder: &str, new_ids: bool| Move { folder: folder.into(), new_ids, ..Move::default() };
    let mail = at.client.deliver(NewMessage { silent: true, ..NewMessage::of("x") });
    let moved = admin.move_message(EMAIL, &mail.id, &to("archive", false)).unwrap();
    at.flushed().await;
    assert_eq!((moved.id == mail.id, moved.changing_id == mail.changing_id), (true, false));
    let dragged = admin.drag_message(EMAIL, &mail.id, &to("inbox", false)).unwrap();
    at.flushed().await;
    assert_ne!(dragged.id, mail.id);
    admin.delete_message(EMAIL, &dragged.id, true).unwrap();
    at.flushed().await;
    assert!(
        at.client.subjects("me/messages").await.is_empty(),
        "recoverable items are in no listing"
    );
    admin.restore_message(EMAIL, &dragged.id, &to("inbox", true)).unwrap();
    at.flushed().await;
    assert_eq!(at.heard.kinds(), ["updated", "created", "updated", "created"]);
    admin.set_shapes(Shapes { move_tells_created: true, ..Shapes::default() });
    let id = admin.mailbox(EMAIL).unwrap().messages[0].id.clone();
    admin.move_message(EMAIL, &id, &to("archive", false)).unwrap();
    at.flushed().await;
    assert_eq!(at.heard.kinds().last().unwrap(), "created");
    let flagged = MarkChange { flag: Some("flagged".into()), ..MarkChange::default() };
    admin.mark_message(EMAIL, &id, &flagged).unwrap();
    at.flushed().await;
    assert_eq!(at.heard.kinds().last().unwrap(), "updated");
}

#[tokio::test]
async fn the_life_of_a_subscription_is_told_too() {
    let at = Subscribed::start().await;
    let admin = &at.client.microsoft.admin;
    admin.tell_lifecycle(&at.id, "missed").unwrap();
    admin.tell_lifecycle(&at.id, "reauthorizationRequired").unwrap();
    at.client.mail("while nothing is told");
    at.flushed().await;
    let events = |heard: &Heard| {
        let items = heard.items();
        items
            .iter()
            .map(|item| item["lifecycleEvent"].as_str().unwrap_or("mail").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(events(&at.heard), ["missed", "reauthorizationRequired"]);
    at.client.post(&format!("subscriptions/{}/reauthorize", at.id), json!({})).await;
    at.client.mail("told again");
    at.flushed().await;
    admin.remove_subscription(&at.id, true).unwrap();
    at.flushed().await;
    assert_eq!(events(&at.heard)[2..], ["mail", "subscriptionRemoved"]);
    at.client.mail("nobody listens");
    assert_eq!(admin.notification_status().pending, 0);
}

#[tokio::test]
async fn a_fault_of_the_creation_leaves_no_subscription_or_one_without_an_answer() {
    let (url, _) = webhook().await;
    let client = Client::start().await;
    let admin = &client.microsoft.admin;
    let fault = Fault { name: "subscriptions.create".into(), status: 503, ..Fault::default() };
    admin.add_fault(fault.clone());
    assert_eq!(client.post("subscriptions", wish(&url)).await.0, 503);
    assert!(admin.subscriptions(None).is_empty());
    admin.add_fault(Fault { applied: true, ..fault });
    assert_eq!(client.post("subscriptions", wish(&url)).await.0, 503);
    assert_eq!(admin.subscriptions(Some(EMAIL)).len(), 1);
}

#[tokio::test]
async fn a_personal_account_has_other_names_than_its_object_id() {
    let (url, heard) = webhook().await;
    let client = Client::start().await;
    let admin = &client.microsoft.admin;
    let email = "cy@outlook.com";
    let personal = NewMailbox { email: email.into(), ..NewMailbox::default() };
    let user = admin.create_mailbox(personal).unwrap();
    assert!(user.oid.starts_with("00000000-0000-0000-"), "{}", user.oid);
    let code = admin.create_code(NewCode::of(email)).unwrap();
    let (_, tokens) = client.exchange(&code, &[]).await;
    let token = tokens["access_token"].as_str().unwrap().to_owned();
    let client = Client { access_token: token, ..client };
    let admin = &client.microsoft.admin;
    let (_, me) = client.get("me").await;
    assert_eq!((&me["mail"], &me["userPrincipalName"]), (&Value::Null, &json!(email)));
    assert_eq!(me["id"], json!(user.oid[19..].replace('-', "")));
    let (status, made) = client.post("subscriptions", wish(&url)).await;
    assert_eq!(status, 201, "{made}");
    admin.set_shapes(Shapes {
        notifications_name_exchanges_tenant: true,
        lifecycle_names_organization: true,
        ..Shapes::default()
    });
    admin.deliver(email, NewMessage::of("x")).unwrap();
    admin.tell_lifecycle(made["id"].as_str().unwrap(), "missed").unwrap();
    admin.flush_notifications(Duration::from_secs(10)).await.unwrap();
    let items = heard.items();
    let item = items.iter().find(|item| item["lifecycleEvent"].is_null()).unwrap();
    assert_ne!(item["tenantId"], json!(user.tid));
    assert!(item["subscriptionExpirationDateTime"].as_str().unwrap().ends_with(".0000000+00:00"));
    let resource = item["resource"].as_str().unwrap();
    assert!(resource.starts_with("Users('") && resource.contains('@'), "{resource}");
    assert_eq!(client.get(resource).await.0, 200);
    let missed = items.iter().find(|item| !item["lifecycleEvent"].is_null()).unwrap();
    assert_eq!((&missed["tenantId"], &missed["organizationId"]), (&Value::Null, &item["tenantId"]));
}

//! The admin side over HTTP: each route is one call of `Admin`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRef, Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::Admin;
use super::error::AdminError;
use super::identity::NewCode;
use crate::app::App;
use crate::front;
use crate::graph::routes::ROUTES;
use crate::oauth::Wish;

const FLUSH_MS: u64 = 10_000;

type Answer = Result<Json<Value>, AdminError>;

impl FromRef<Arc<App>> for Admin {
    fn from_ref(app: &Arc<App>) -> Self {
        Self::new(app.clone())
    }
}

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/health", get(|| async { Json(json!({ "ok": true })) }))
        .route("/routes", get(|| async { Json(json!(ROUTES)) }))
        .merge(mailbox_routes())
        .merge(identity_routes())
        .merge(subscription_routes())
        .merge(oversight_routes())
}

fn mailbox_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/mailboxes", post(create_mailbox))
        .route("/mailboxes/{email}", get(mailbox))
        .route("/mailboxes/{email}/rename", post(rename_mailbox))
        .route("/mailboxes/{email}/claims", put(demand_claims))
        .route("/mailboxes/{email}/folders", post(create_folder))
        .route("/mailboxes/{email}/show", post(show))
        .route("/mailboxes/{email}/messages", post(deliver))
        .route("/mailboxes/{email}/messages/{id}", delete(delete_message))
        .route("/mailboxes/{email}/messages/{id}/{act}", post(act_on_message))
}

fn identity_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/codes", post(create_code))
        .route("/tenants/{tid}", put(set_tenant))
        .route("/tenants/{tid}/withdraw-consent", post(withdraw_consent))
        .route("/grants/revoke", post(revoke))
        .route("/access-tokens/expire", post(expire_access_tokens))
        .route("/refresh-tokens/expire-used", post(expire_used_refresh_tokens))
        .route("/oauth", put(set_oauth))
        .route("/consents", post(set_next_consent))
        .route("/keys/rotate", post(rotate_key))
}

fn subscription_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/subscriptions", get(subscriptions))
        .route("/subscriptions/{id}", delete(remove_subscription))
        .route("/subscriptions/{id}/lapse", post(lapse_subscription))
        .route("/subscriptions/{id}/lifecycle/{event}", post(tell_lifecycle))
        .route("/notifications", get(notification_status).put(set_notifications))
        .route("/front", put(front::set))
        .route("/notifications/flush", post(flush_notifications))
        .route("/notifications/pull", post(pull_notifications))
}

fn oversight_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/faults", post(add_fault).delete(clear_faults))
        .route("/limits", put(set_limits))
        .route("/shapes", put(set_shapes))
        .route("/clock", put(shift_clock))
        .route("/calls", get(calls).delete(clear_calls))
        .route("/latency", put(set_latency))
        .route("/timings", get(timings))
        .route("/violations", get(violations))
        .route("/endless-bytes", get(endless_bytes))
}

/// Narrows to one mailbox.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Whose {
    email: Option<String>,
}

async fn create_mailbox(State(admin): State<Admin>, body: Bytes) -> Answer {
    shown(admin.create_mailbox(read(&body)?)?)
}

async fn mailbox(State(admin): State<Admin>, Path(email): Path<String>) -> Answer {
    shown(admin.mailbox(&email)?)
}

async fn rename_mailbox(
    State(admin): State<Admin>,
    Path(email): Path<String>,
    body: Bytes,
) -> Answer {
    let new: Whose = read(&body)?;
    done(admin.rename_mailbox(&email, &new.email.unwrap_or_default()))
}

/// `{"claims": "{…}"}`; `{}` ends the demand.
async fn demand_claims(
    State(admin): State<Admin>,
    Path(email): Path<String>,
    body: Bytes,
) -> Answer {
    let wish: Map<String, Value> = read(&body)?;
    let claims = wish.get("claims").and_then(Value::as_str).map(Into::into);
    done(admin.demand_claims(&email, claims))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFolder {
    name: String,
    parent: Option<String>,
}

async fn create_folder(
    State(admin): State<Admin>,
    Path(email): Path<String>,
    body: Bytes,
) -> Answer {
    let new: NewFolder = read(&body)?;
    let id = admin.create_folder(&email, &new.name, new.parent.as_deref())?;
    Ok(Json(json!({ "id": id })))
}

async fn show(State(admin): State<Admin>, Path(email): Path<String>) -> Answer {
    done(admin.show(&email))
}

/// With a `count` that many, answered as a list.
async fn deliver(State(admin): State<Admin>, Path(email): Path<String>, body: Bytes) -> Answer {
    let mut new: Map<String, Value> = read(&body)?;
    let count = new.remove("count").map(from_value).transpose()?;
    let new = from_value(new.into())?;
    match count {
        Some(count) => shown(admin.deliver_many(&email, &new, count)?),
        None => shown(admin.deliver(&email, new)?),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Deletion {
    soft: bool,
}

async fn delete_message(
    State(admin): State<Admin>,
    Path((email, id)): Path<(String, String)>,
    Query(how): Query<Deletion>,
) -> Answer {
    done(admin.delete_message(&email, &id, how.soft))
}

async fn act_on_message(
    State(admin): State<Admin>,
    Path((email, id, act)): Path<(String, String, String)>,
    body: Bytes,
) -> Answer {
    match act.as_str() {
        "move" => shown(admin.move_message(&email, &id, &read(&body)?)?),
        "drag" => shown(admin.drag_message(&email, &id, &read(&body)?)?),
        "restore" => shown(admin.restore_message(&email, &id, &read(&body)?)?),
        "mark" => done(admin.mark_message(&email, &id, &read(&body)?)),
        _ => Err(AdminError::NotFound(format!("act {act}"))),
    }
}

async fn create_code(State(admin): State<Admin>, body: Bytes) -> Answer {
    let code = admin.create_code(read::<NewCode>(&body)?)?;
    Ok(Json(json!({ "code": code })))
}

async fn set_tenant(State(admin): State<Admin>, Path(tid): Path<String>, body: Bytes) -> Answer {
    admin.set_tenant(&tid, read(&body)?);
    done(Ok(()))
}

async fn withdraw_consent(State(admin): State<Admin>, Path(tid): Path<String>) -> Answer {
    admin.withdraw_admin_consent(&tid);
    done(Ok(()))
}

async fn revoke(State(admin): State<Admin>, body: Bytes) -> Answer {
    admin.revoke(&read(&body)?);
    done(Ok(()))
}

async fn expire_access_tokens(State(admin): State<Admin>, body: Bytes) -> Answer {
    let whose: Whose = read(&body)?;
    admin.expire_access_tokens(whose.email.as_deref());
    done(Ok(()))
}

async fn expire_used_refresh_tokens(State(admin): State<Admin>, body: Bytes) -> Answer {
    let whose: Whose = read(&body)?;
    admin.expire_used_refresh_tokens(&whose.email.unwrap_or_default());
    done(Ok(()))
}

async fn set_oauth(State(admin): State<Admin>, body: Bytes) -> Answer {
    shown(admin.set_oauth(read(&body)?))
}

async fn set_next_consent(State(admin): State<Admin>, body: Bytes) -> Answer {
    let mut wish: Map<String, Value> = read(&body)?;
    let email = wish.remove("email").and_then(|email| email.as_str().map(str::to_owned));
    let email = email.ok_or_else(|| AdminError::Invalid("email is required".into()))?;
    done(admin.set_next_consent(&email, from_value::<Wish>(wish.into())?))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Rotation {
    forget_old: bool,
}

async fn rotate_key(State(admin): State<Admin>, body: Bytes) -> Answer {
    let how: Rotation = read(&body)?;
    let made = tokio::task::spawn_blocking(move || admin.rotate_key(how.forget_old)).await;
    done(made.map_err(|error| AdminError::Invalid(error.to_string())))
}

async fn subscriptions(State(admin): State<Admin>, Query(whose): Query<Whose>) -> Answer {
    shown(admin.subscriptions(whose.email.as_deref()))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Removal {
    /// Whether the owner hears `subscriptionRemoved`.
    tell: bool,
}

async fn remove_subscription(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Query(how): Query<Removal>,
) -> Answer {
    done(admin.remove_subscription(&id, how.tell))
}

async fn lapse_subscription(State(admin): State<Admin>, Path(id): Path<String>) -> Answer {
    done(admin.lapse_subscription(&id))
}

async fn tell_lifecycle(
    State(admin): State<Admin>,
    Path((id, event)): Path<(String, String)>,
) -> Answer {
    done(admin.tell_lifecycle(&id, &event))
}

async fn notification_status(State(admin): State<Admin>) -> Answer {
    shown(admin.notification_status())
}

async fn set_notifications(State(admin): State<Admin>, body: Bytes) -> Answer {
    shown(admin.set_notifications(read(&body)?))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Flush {
    timeout_ms: Option<u64>,
}

async fn flush_notifications(State(admin): State<Admin>, body: Bytes) -> Answer {
    let how: Flush = read(&body)?;
    let timeout = Duration::from_millis(how.timeout_ms.unwrap_or(FLUSH_MS));
    shown(admin.flush_notifications(timeout).await?)
}

async fn pull_notifications(State(admin): State<Admin>) -> Answer {
    shown(admin.pull_notifications())
}

async fn add_fault(State(admin): State<Admin>, body: Bytes) -> Answer {
    admin.add_fault(read(&body)?);
    done(Ok(()))
}

async fn clear_faults(State(admin): State<Admin>, Query(whose): Query<Whose>) -> StatusCode {
    admin.clear_faults(whose.email.as_deref());
    StatusCode::NO_CONTENT
}

async fn set_limits(State(admin): State<Admin>, body: Bytes) -> Answer {
    shown(admin.set_limits(read(&body)?))
}

async fn set_shapes(State(admin): State<Admin>, body: Bytes) -> Answer {
    shown(admin.set_shapes(read(&body)?))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Shift {
    ahead_ms: i64,
}

async fn shift_clock(State(admin): State<Admin>, body: Bytes) -> Answer {
    let shift: Shift = read(&body)?;
    admin.shift_clock(shift.ahead_ms);
    done(Ok(()))
}

async fn calls(State(admin): State<Admin>, Query(whose): Query<Whose>) -> Answer {
    shown(admin.calls(whose.email.as_deref()))
}

async fn clear_calls(State(admin): State<Admin>, Query(whose): Query<Whose>) -> StatusCode {
    admin.clear_calls(whose.email.as_deref());
    StatusCode::NO_CONTENT
}

async fn set_latency(State(admin): State<Admin>, body: Bytes) -> Answer {
    admin.set_latency(read(&body)?);
    done(Ok(()))
}

async fn timings(State(admin): State<Admin>) -> Answer {
    shown(admin.timings())
}

async fn violations(State(admin): State<Admin>) -> Answer {
    shown(admin.violations())
}

async fn endless_bytes(State(admin): State<Admin>) -> Answer {
    Ok(Json(json!({ "bytes": admin.endless_bytes() })))
}

/// An empty body is an empty object.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, AdminError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| AdminError::Invalid(error.to_string()))
}

fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, AdminError> {
    serde_json::from_value(value).map_err(|error| AdminError::Invalid(error.to_string()))
}

fn shown(value: impl serde::Serialize) -> Answer {
    serde_json::to_value(value).map(Json).map_err(|error| AdminError::Invalid(error.to_string()))
}

fn done(outcome: Result<(), AdminError>) -> Answer {
    outcome.map(|()| Json(json!({})))
}

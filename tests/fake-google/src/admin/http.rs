//! The admin side over HTTP: each route is one call of `Admin`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRef, Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::Admin;
use super::error::AdminError;
use super::identity::KeyName;
use crate::app::App;
use crate::values::optional_u64;

const FLUSH_MS: u64 = 10_000;
const MOST_TOKENS: usize = 100_000;

type Answer = Result<Json<Value>, AdminError>;

impl FromRef<Arc<App>> for Admin {
    fn from_ref(app: &Arc<App>) -> Self {
        Self::new(app.clone())
    }
}

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/health", get(|| async { Json(json!({ "ok": true })) }))
        .merge(mailbox_routes())
        .merge(identity_routes())
        .merge(oversight_routes())
}

fn mailbox_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/mailboxes", post(create_mailbox))
        .route("/mailboxes/{email}", get(mailbox))
        .route("/mailboxes/{email}/messages", post(deliver))
        .route("/mailboxes/{email}/messages/{id}", axum::routing::delete(delete_message))
        .route("/mailboxes/{email}/messages/{id}/labels", post(change_labels))
        .route("/mailboxes/{email}/expire-history", post(expire_history))
        .route("/mailboxes/{email}/hold-history", post(hold_history))
        .route("/mailboxes/{email}/reveal", post(reveal))
        .route("/mailboxes/{email}/lose-page-tokens", post(lose_page_tokens))
        .route("/mailboxes/{email}/lapse-watch", post(lapse_watch))
        .route("/mailboxes/{email}/take-watch", post(take_watch))
        .route("/mailboxes/{email}/aliases", post(add_alias))
}

fn identity_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/codes", post(create_code))
        .route("/grants/revoke", post(revoke_grants))
        .route("/access-tokens/expire", post(expire_access_tokens))
        .route("/oauth", put(change_oauth))
        .route("/sign-in", put(change_sign_in))
        .route("/consents", post(set_next_consent))
        .route("/grants", get(grants))
        .route("/user-tokens", post(user_token))
        .route("/user-tokens/bulk", post(user_tokens))
        .route("/push-tokens", post(push_token))
        .route("/push-tokens/bulk", post(push_tokens))
        .route("/security-events", post(security_event))
        .route("/keys/rotate", post(rotate_key))
}

fn oversight_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/push", get(push_status).put(set_push))
        .route("/pubsub", put(set_cloud))
        .route("/push/flush", post(flush_push))
        .route("/push/pull", post(pull_pushes))
        .route("/faults", post(add_fault).delete(clear_faults))
        .route("/shapes", put(set_shapes))
        .route("/calls", get(calls).delete(clear_calls))
        .route("/latency", put(set_latency))
        .route("/timings", get(timings))
        .route("/violations", get(violations))
}

async fn create_mailbox(State(admin): State<Admin>, body: Bytes) -> Answer {
    shown(admin.create_mailbox(read(&body)?)?)
}

async fn mailbox(State(admin): State<Admin>, Path(email): Path<String>) -> Answer {
    shown(admin.mailbox(&email)?)
}

/// With a `count` that many, answered as a list.
async fn deliver(State(admin): State<Admin>, Path(email): Path<String>, body: Bytes) -> Answer {
    let (count, new) = counted(&body)?;
    match count {
        Some(count) => shown(admin.deliver_many(&email, &new, count)?),
        None => shown(admin.deliver(&email, new)?),
    }
}

async fn change_labels(
    State(admin): State<Admin>,
    Path((email, id)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    done(admin.change_labels(&email, &id, &read(&body)?))
}

async fn delete_message(
    State(admin): State<Admin>,
    Path((email, id)): Path<(String, String)>,
) -> Answer {
    done(admin.delete_message(&email, &id))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Before {
    #[serde(deserialize_with = "optional_u64")]
    before: Option<u64>,
}

async fn expire_history(
    State(admin): State<Admin>,
    Path(email): Path<String>,
    body: Bytes,
) -> Answer {
    done(admin.expire_history(&email, read::<Before>(&body)?.before))
}

async fn hold_history(State(admin): State<Admin>, Path(email): Path<String>) -> Answer {
    done(admin.hold_history(&email))
}

async fn reveal(State(admin): State<Admin>, Path(email): Path<String>) -> Answer {
    done(admin.reveal(&email))
}

async fn lose_page_tokens(State(admin): State<Admin>, Path(email): Path<String>) -> Answer {
    done(admin.lose_page_tokens(&email))
}

async fn lapse_watch(State(admin): State<Admin>, Path(email): Path<String>) -> Answer {
    done(admin.lapse_watch(&email))
}

async fn take_watch(State(admin): State<Admin>, Path(email): Path<String>) -> Answer {
    done(admin.take_watch(&email))
}

async fn add_alias(State(admin): State<Admin>, Path(email): Path<String>, body: Bytes) -> Answer {
    done(admin.add_alias(&email, read(&body)?))
}

async fn create_code(State(admin): State<Admin>, body: Bytes) -> Answer {
    shown(json!({ "code": admin.create_code(read(&body)?)? }))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Whose {
    email: Option<String>,
}

async fn revoke_grants(State(admin): State<Admin>, body: Bytes) -> Answer {
    let email = read::<Whose>(&body)?
        .email
        .ok_or_else(|| AdminError::Invalid("email is required".into()))?;
    admin.revoke_grants(&email);
    done(Ok(()))
}

async fn expire_access_tokens(State(admin): State<Admin>, body: Bytes) -> Answer {
    admin.expire_access_tokens(read::<Whose>(&body)?.email.as_deref());
    done(Ok(()))
}

async fn change_oauth(State(admin): State<Admin>, body: Bytes) -> Answer {
    admin.change_oauth(&read(&body)?);
    done(Ok(()))
}

async fn change_sign_in(State(admin): State<Admin>, body: Bytes) -> Answer {
    admin.change_sign_in(&read(&body)?);
    done(Ok(()))
}

async fn set_next_consent(State(admin): State<Admin>, body: Bytes) -> Answer {
    done(admin.set_next_consent(read(&body)?))
}

async fn grants(State(admin): State<Admin>, Query(whose): Query<Whose>) -> Answer {
    shown(admin.grants(whose.email.as_deref()))
}

async fn user_token(State(admin): State<Admin>, body: Bytes) -> Answer {
    shown(json!({ "token": admin.user_token(&read(&body)?) }))
}

async fn push_token(State(admin): State<Admin>, body: Bytes) -> Answer {
    shown(json!({ "token": admin.push_token(&read(&body)?) }))
}

async fn user_tokens(State(admin): State<Admin>, body: Bytes) -> Answer {
    let (count, new) = many(&body)?;
    shown(json!({ "tokens": off_the_loop(move || admin.user_tokens(&new, count)).await? }))
}

async fn push_tokens(State(admin): State<Admin>, body: Bytes) -> Answer {
    let (count, new) = many(&body)?;
    shown(json!({ "tokens": off_the_loop(move || admin.push_tokens(&new, count)).await? }))
}

async fn security_event(State(admin): State<Admin>, body: Bytes) -> Answer {
    shown(json!({ "token": admin.security_event(&read(&body)?)? }))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Rotation {
    key: KeyName,
    forget_old: bool,
}

async fn rotate_key(State(admin): State<Admin>, body: Bytes) -> Answer {
    let rotation: Rotation = read(&body)?;
    done(off_the_loop(move || admin.rotate_key(rotation.key, rotation.forget_old)).await)
}

async fn set_push(State(admin): State<Admin>, body: Bytes) -> Answer {
    shown(admin.set_push(read(&body)?))
}

async fn set_cloud(State(admin): State<Admin>, body: Bytes) -> Answer {
    shown(admin.set_cloud(read(&body)?))
}

async fn push_status(State(admin): State<Admin>) -> Answer {
    shown(admin.push_status())
}

#[derive(Deserialize)]
struct FlushQuery {
    timeout_ms: Option<u64>,
}

async fn flush_push(State(admin): State<Admin>, Query(sweep_times): Query<FlushQuery>) -> Answer {
    let timeout = Duration::from_millis(sweep_times.timeout_ms.unwrap_or(FLUSH_MS));
    shown(admin.flush_push(timeout).await?)
}

async fn pull_pushes(State(admin): State<Admin>) -> Answer {
    shown(admin.pull_pushes())
}

async fn add_fault(State(admin): State<Admin>, body: Bytes) -> Answer {
    admin.add_fault(read(&body)?);
    done(Ok(()))
}

/// With an `email` only those of that mailbox, as of the calls.
async fn clear_faults(State(admin): State<Admin>, Query(whose): Query<Whose>) -> StatusCode {
    admin.clear_faults_of(whose.email.as_deref());
    StatusCode::NO_CONTENT
}

async fn set_shapes(State(admin): State<Admin>, body: Bytes) -> Answer {
    shown(admin.set_shapes(read(&body)?))
}

async fn calls(State(admin): State<Admin>, Query(whose): Query<Whose>) -> Answer {
    shown(admin.calls_of(whose.email.as_deref()))
}

async fn clear_calls(State(admin): State<Admin>, Query(whose): Query<Whose>) -> StatusCode {
    admin.clear_calls_of(whose.email.as_deref());
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

/// An empty body is an empty object.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, AdminError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| AdminError::Invalid(error.to_string()))
}

/// A `count`, if there is one, beside the fields of what is to be counted.
fn counted<T: DeserializeOwned>(body: &[u8]) -> Result<(Option<usize>, T), AdminError> {
    let mut new: Map<String, Value> = read(body)?;
    let count = new.remove("count").map(from_value).transpose()?;
    Ok((count, from_value(new.into())?))
}

fn many<T: DeserializeOwned>(body: &[u8]) -> Result<(usize, T), AdminError> {
    let (count, new) = counted(body)?;
    let count = count.filter(|count| (1..=MOST_TOKENS).contains(count));
    Ok((
        count.ok_or_else(|| AdminError::Invalid(format!("count must be 1 to {MOST_TOKENS}")))?,
        new,
    ))
}

/// What keeps a core busy would hold up the other answers.
async fn off_the_loop<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AdminError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| AdminError::Invalid(error.to_string()))
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

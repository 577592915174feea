//! The OAuth endpoints over HTTP: the token endpoint, revocation, and the published keys.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::authorize::authorized;
use super::consent::{decided, shown};
use super::exchange::{Denied, exchange};
use crate::admin::identity::KeyName;
use crate::app::App;
use crate::faults::{Fault, Target};
use crate::gmail::answer::Answer;
use crate::hostile;
use crate::query::Query;

type Outcome = Result<Value, Denied>;

const AUTHORIZE: &str = "/o/oauth2/v2/auth";
pub(crate) const GOOGLE_CERTS: &str = "/oauth2/v3/certs";
pub(crate) const USER_CERTS: &str = "/users/certs";
pub(crate) const UNKNOWN_CERTS: &str = "/unknown/certs";

/// A browser is shown the page of consent, and a program's request is consented to at once.
pub(crate) async fn authorize(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Query::parse(&query.unwrap_or_default());
    let email = query.first("login_hint").map(ToOwned::to_owned);
    let accepts = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let answer = || match accepts.contains("text/html") {
        true => shown(&app, &query),
        false => authorized(&app, &query),
    };
    guarded(&app, "authorize", AUTHORIZE, email, answer).await
}

/// The answer to the page of consent.
pub(crate) async fn consent(State(app): State<Arc<App>>, body: String) -> Response {
    let form = Query::parse(&body);
    let email = form.first("account").map(ToOwned::to_owned);
    guarded(&app, "authorize", AUTHORIZE, email, || decided(&app, &form)).await
}

pub(crate) async fn token(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let form = Query::parse(&body);
    let email = {
        let state = app.state();
        let by_code = form
            .first("code")
            .and_then(|code| state.oauth.codes.get(code))
            .map(|code| code.email.clone());
        by_code
            .or_else(|| form.first("refresh_token").and_then(|token| state.oauth.email_of(token)))
    };
    let response =
        guarded(&app, "token", "/token", email, || answered(exchange(&app, &headers, &form))).await;
    ([(CACHE_CONTROL, "no-cache, no-store, max-age=0, must-revalidate")], response).into_response()
}

pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    body: String,
) -> Response {
    let given = Query::parse(&query.unwrap_or_default()).first("token").map(ToOwned::to_owned);
    let token = given
        .or_else(|| Query::parse(&body).first("token").map(ToOwned::to_owned))
        .unwrap_or_default();
    let email = app.state().oauth.email_of(&token);
    let whose = email.clone();
    guarded(&app, "revoke", "/revoke", email, || answered(revoked(&app, whose))).await
}

fn revoked(app: &App, email: Option<String>) -> Outcome {
    let email =
        email.ok_or_else(|| Denied::new(400, "invalid_token", "Token expired or revoked"))?;
    let mut state = app.state();
    let after_call = state.calls.last();
    state.oauth.revoke_all(&email, after_call);
    Ok(json!({}))
}

pub(crate) async fn google_certs(State(app): State<Arc<App>>) -> Response {
    certs(&app, GOOGLE_CERTS, KeyName::Google).await
}

pub(crate) async fn user_certs(State(app): State<Arc<App>>) -> Response {
    certs(&app, USER_CERTS, KeyName::Users).await
}

/// A key set of a stranger, for tokens whose header points to it.
pub(crate) async fn unknown_certs(State(app): State<Arc<App>>) -> Response {
    certs(&app, UNKNOWN_CERTS, KeyName::Unknown).await
}

async fn certs(app: &Arc<App>, path: &str, key: KeyName) -> Response {
    let response =
        guarded(app, "certs", path, None, || answered(Ok(app.state().keys.jwks(key)))).await;
    let max_age = app.state().oauth.certs_max_age;
    let cache = if response.status().is_success() {
        format!("public, max-age={max_age}")
    } else {
        "no-store".into()
    };
    ([(CACHE_CONTROL, cache)], response).into_response()
}

/// Performs a call, with the armed faults, and logs it.
pub(crate) async fn guarded(
    app: &Arc<App>,
    method: &str,
    path: &str,
    email: Option<String>,
    perform: impl FnOnce() -> Response,
) -> Response {
    let target =
        Target { method, path, email: email.as_deref(), in_batch: false, message_id: None };
    let fault = app.state().faults.take(&target);
    if let Some(fault) = &fault {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    }
    let other = fault.as_ref().and_then(instead);
    let applied = fault.as_ref().is_some_and(|fault| fault.applied);
    let performed = (other.is_none() || applied).then(perform);
    let response = other.or(performed).expect("performed unless a fault replaces the answer");
    let number =
        app.state().calls.record(method, path, email.as_deref(), response.status().as_u16(), false);
    hostile::spoilt(app, fault.as_ref(), number, response).await
}

/// The answer of a fault that replaces the true one.
fn instead(fault: &Fault) -> Option<Response> {
    let redirect =
        fault.redirection().and_then(|_| Answer::from_fault(fault)).map(Answer::into_response);
    redirect.or_else(|| (fault.status != 0).then(|| answered(Err(spoilt(fault)))))
}

fn spoilt(fault: &Fault) -> Denied {
    let error = match fault.status {
        400 => "invalid_grant",
        401 => "invalid_client",
        429 => "rate_limit_exceeded",
        _ => "internal_failure",
    };
    let message = fault.message.as_deref().unwrap_or("Bad Request");
    let denied = Denied::new(fault.status, fault.reason.as_deref().unwrap_or(error), message);
    Denied { retry_after: fault.retry_after, ..denied }
}

pub(crate) fn answered(outcome: Outcome) -> Response {
    match outcome {
        Ok(body) => Json(body).into_response(),
        Err(denied) => {
            let body = json!({ "error": denied.error, "error_description": denied.description });
            let status =
                StatusCode::from_u16(denied.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = (status, Json(body)).into_response();
            response
                .headers_mut()
                .extend(denied.retry_after.map(|seconds| (RETRY_AFTER, seconds.into())));
            response
        }
    }
}

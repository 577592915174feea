//! The OAuth endpoints over HTTP: the token endpoint, revocation, and the published keys.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::exchange::{Denied, exchange};
use crate::admin::identity::KeyName;
use crate::app::App;
use crate::faults::{Fault, Target};
use crate::query::Query;

type Outcome = Result<Value, Denied>;

pub(crate) async fn token(State(app): State<Arc<App>>, headers: HeaderMap, body: String) -> Response {
    let form = Query::parse(&body);
    let email = {
        let state = app.state();
        let by_code = form.first("code").and_then(|code| state.oauth.codes.get(code)).map(|code| code.email.clone());
        by_code.or_else(|| form.first("refresh_token").and_then(|token| state.oauth.email_of(token)))
    };
    let outcome = guarded(&app, "token", "/token", email, || exchange(&app, &headers, &form)).await;
    (([(CACHE_CONTROL, "no-cache, no-store, max-age=0, must-revalidate")]), answered(outcome)).into_response()
}

pub(crate) async fn revoke(State(app): State<Arc<App>>, RawQuery(query): RawQuery, body: String) -> Response {
    let given = Query::parse(&query.unwrap_or_default()).first("token").map(ToOwned::to_owned);
    let token = given.or_else(|| Query::parse(&body).first("token").map(ToOwned::to_owned)).unwrap_or_default();
    let email = app.state().oauth.email_of(&token);
    let whose = email.clone();
    let outcome = guarded(&app, "revoke", "/revoke", email, || {
        let email = whose.ok_or_else(|| Denied::new(400, "invalid_token", "Token expired or revoked"))?;
        app.state().oauth.revoke_all(&email);
        Ok(json!({}))
    });
    answered(outcome.await)
}

pub(crate) async fn google_certs(State(app): State<Arc<App>>) -> Response {
    certs(&app, "/oauth2/v3/certs", KeyName::Google).await
}

pub(crate) async fn user_certs(State(app): State<Arc<App>>) -> Response {
    certs(&app, "/users/certs", KeyName::Users).await
}

pub(crate) async fn user_configuration(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({
        "issuer": app.config.user_issuer,
        "jwks_uri": format!("{}/users/certs", app.url),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

async fn certs(app: &App, path: &str, key: KeyName) -> Response {
    let outcome = guarded(app, "certs", path, None, || Ok(app.state().keys.jwks(key))).await;
    let max_age = app.state().oauth.certs_max_age;
    let cache = if outcome.is_ok() { format!("public, max-age={max_age}") } else { "no-store".into() };
    ([(CACHE_CONTROL, cache)], answered(outcome)).into_response()
}

/// Performs a call under the faults that are armed for it, and logs it.
async fn guarded(app: &App, method: &str, path: &str, email: Option<String>, perform: impl FnOnce() -> Outcome) -> Outcome {
    let target = Target { method, email: email.as_deref(), in_batch: false, message_id: None };
    let fault = app.state().faults.take(&target);
    if let Some(fault) = &fault {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    }
    let outcome = match fault.filter(|fault| fault.status != 0) {
        Some(fault) => {
            if fault.applied {
                let _ = perform();
            }
            Err(spoilt(&fault))
        }
        None => perform(),
    };
    let status = outcome.as_ref().map_or_else(|denied| denied.status, |_| 200);
    app.state().calls.record(method, path, email.as_deref(), status, false);
    outcome
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

fn answered(outcome: Outcome) -> Response {
    match outcome {
        Ok(body) => Json(body).into_response(),
        Err(denied) => {
            let body = json!({ "error": denied.error, "error_description": denied.description });
            let status = StatusCode::from_u16(denied.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = (status, Json(body)).into_response();
            response.headers_mut().extend(denied.retry_after.map(|seconds| (RETRY_AFTER, seconds.into())));
            response
        }
    }
}

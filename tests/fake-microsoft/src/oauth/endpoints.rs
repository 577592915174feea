//! The identity platform over HTTP, under the path of a tenant.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, RawQuery, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::aadsts::Denied;
use super::{admin_consent, authorize, consent, exchange};
use crate::app::App;
use crate::calls::CallRecord;
use crate::faults::{Fault, Target};
use crate::graph::answer::Answer;
use crate::query::Query;
use crate::signing::SigningKey;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/{tenant}/oauth2/v2.0/authorize", get(authorize_get).post(authorize_post))
        .route("/{tenant}/oauth2/v2.0/token", axum::routing::post(token))
        .route("/{tenant}/discovery/v2.0/keys", get(keys))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(configuration))
        .route("/{tenant}/v2.0/adminconsent", get(admin_get).post(admin_post))
}

/// A browser is shown a page, and a program's request is consented to at once.
fn is_browser(headers: &HeaderMap) -> bool {
    let accepts = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accepts.is_some_and(|accepts| accepts.contains("text/html"))
}

async fn authorize_get(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Query::parse(&query.unwrap_or_default());
    let email = query.first("login_hint").and_then(|hint| authorize::account(&app, hint));
    served(&app, ("authorize", Method::GET, &uri), email, || match is_browser(&headers) {
        true => consent::shown(&app, &tenant, &query),
        false => authorize::authorized(&app, &tenant, &query),
    })
    .await
}

async fn authorize_post(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    uri: Uri,
    body: String,
) -> Response {
    let form = Query::parse(&body);
    let email = form.first("account").and_then(|name| authorize::account(&app, name));
    let answer = || consent::decided(&app, &tenant, &form);
    served(&app, ("authorize", Method::POST, &uri), email, answer).await
}

async fn token(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let form = Query::parse(&body);
    let email = whose(&app, &form);
    let answer = || match exchange::exchange(&app, &tenant, &headers, &form) {
        Ok(tokens) => Json(tokens).into_response(),
        Err(denied) => denied.into_response(&app),
    };
    let response = served(&app, ("token", Method::POST, &uri), email, answer).await;
    ([(CACHE_CONTROL, "no-store, no-cache")], response).into_response()
}

fn whose(app: &App, form: &Query) -> Option<String> {
    let state = app.state();
    let by_code = form.first("code").and_then(|code| state.oauth.codes.get(code));
    let by_code = by_code.map(|code| code.key.clone());
    by_code.or_else(|| {
        let token = state.oauth.refresh_tokens.get(form.first("refresh_token")?)?;
        Some(state.oauth.grants[token.grant].key.clone())
    })
}

async fn keys(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let answer = || {
        let keys: Vec<Value> = app.state().keys.iter().map(SigningKey::jwk).cloned().collect();
        Json(json!({ "keys": keys })).into_response()
    };
    let response = served(&app, ("keys", Method::GET, &uri), None, answer).await;
    ([(CACHE_CONTROL, "max-age=86400, private")], response).into_response()
}

async fn configuration(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    uri: Uri,
) -> Response {
    let answer = || Json(described(&app, &tenant)).into_response();
    served(&app, ("configuration", Method::GET, &uri), None, answer).await
}

/// The issuer of a path for several tenants is a pattern.
fn described(app: &App, tenant: &str) -> Value {
    let issuer = match tenant {
        "common" | "organizations" => "{tenantid}",
        "consumers" => crate::mailbox::PERSONAL_TENANT,
        named => named,
    };
    let base = format!("{}/{tenant}", app.url);
    json!({
        "issuer": format!("{}/{issuer}/v2.0", app.issuer_base()),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "form_post"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
    })
}

async fn admin_get(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Query::parse(&query.unwrap_or_default());
    served(&app, ("adminconsent", Method::GET, &uri), None, || match is_browser(&headers) {
        true => admin_consent::shown(&app, &query),
        false => admin_consent::consented(&app, &tenant, &query),
    })
    .await
}

async fn admin_post(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    uri: Uri,
    body: String,
) -> Response {
    let form = Query::parse(&body);
    let answer = || admin_consent::decided(&app, &tenant, &form);
    served(&app, ("adminconsent", Method::POST, &uri), None, answer).await
}

/// Performs a call, with the armed faults, and logs it.
async fn served(
    app: &Arc<App>,
    (name, method, uri): (&str, Method, &Uri),
    email: Option<String>,
    perform: impl FnOnce() -> Response,
) -> Response {
    app.run_hook(name, uri.path());
    let target = Target { name, path: uri.path(), email: email.as_deref(), in_batch: false };
    let fault = app.state().faults.take(&target);
    if let Some(fault) = &fault {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    }
    let other = fault.as_ref().and_then(|fault| instead(app, fault));
    let applied = fault.as_ref().is_some_and(|fault| fault.applied);
    let performed = (other.is_none() || applied).then(perform);
    let response = other.or(performed).expect("performed unless a fault replaces the answer");
    app.state().calls.record(CallRecord {
        name: name.into(),
        http_method: method.to_string(),
        path: uri.path().into(),
        query: uri.query().unwrap_or_default().into(),
        email,
        status: response.status().as_u16(),
        ..CallRecord::default()
    });
    response
}

/// The answer of a fault that replaces the true one.
fn instead(app: &App, fault: &Fault) -> Option<Response> {
    if let Some(number) = fault.aadsts {
        let mut denied = Denied::of(number).with_claims(fault.claims.clone());
        denied.status = if fault.status == 0 { denied.status } else { fault.status };
        denied.error = fault.code.clone().map_or(denied.error, Into::into);
        denied.message = fault.message.clone().map_or(denied.message, Into::into);
        denied.retry_after = fault.retry_after.clone();
        return Some(denied.into_response(app));
    }
    Answer::of_fault(app, fault).map(Answer::into_response)
}

//! The provider over HTTP. What a page calls by itself may be read by pages of every origin; where
//! a browser is sent, no page may look.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    CACHE_CONTROL, COOKIE as COOKIE_HEADER,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::authorize::{COOKIE, asked, chosen, signed_out};
use super::exchange::{exchange, userinfo};
use super::issuer;
use crate::app::App;
use crate::oauth::{USER_CERTS, answered, guarded, user_certs};
use crate::query::Query;
use crate::server::bearer;

const CONFIGURATION: &str = "/users/.well-known/openid-configuration";
const AUTHORIZE: &str = "/users/authorize";
const TOKEN: &str = "/users/token";
const USERINFO: &str = "/users/userinfo";
const LOGOUT: &str = "/users/logout";

pub(crate) fn routes() -> Router<Arc<App>> {
    let called = Router::new()
        .route(CONFIGURATION, get(configuration).options(preflight))
        .route(USER_CERTS, get(user_certs).options(preflight))
        .route(TOKEN, post(token).options(preflight))
        .route(USERINFO, get(info).post(info).options(preflight))
        .layer(map_response(readable));
    let visited =
        Router::new().route(AUTHORIZE, get(authorize).post(choose)).route(LOGOUT, get(logout));
    called.merge(visited)
}

async fn preflight() -> impl IntoResponse {
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
    ];
    (StatusCode::NO_CONTENT, headers)
}

async fn readable(mut response: Response) -> Response {
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// What OpenID Connect Discovery 1.0 requires, and what the console's client looks at.
fn metadata(app: &App) -> Value {
    let at = |path: &str| format!("{}{path}", app.url);
    json!({
        "issuer": issuer(app),
        "authorization_endpoint": at(AUTHORIZE),
        "token_endpoint": at(TOKEN),
        "userinfo_endpoint": at(USERINFO),
        "end_session_endpoint": at(LOGOUT),
        "jwks_uri": at(USER_CERTS),
        "scopes_supported": ["openid", "profile", "email"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "select_account"],
        "authorization_response_iss_parameter_supported": true,
        "claims_supported": ["iss", "aud", "sub", "iat", "exp", "auth_time", "nonce", "at_hash", "name",
            "preferred_username", "email", "email_verified", "role"],
    })
}

async fn configuration(State(app): State<Arc<App>>) -> Response {
    let answer = || answered(Ok(metadata(&app)));
    guarded(&app, "openid-configuration", CONFIGURATION, None, answer).await
}

async fn authorize(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Query::parse(&query.unwrap_or_default());
    let answer = || asked(&app, &query, cookie(&headers));
    guarded(&app, "users.authorize", AUTHORIZE, None, answer).await
}

async fn choose(State(app): State<Arc<App>>, body: String) -> Response {
    let form = Query::parse(&body);
    guarded(&app, "users.authorize", AUTHORIZE, None, || chosen(&app, &form)).await
}

async fn token(State(app): State<Arc<App>>, body: String) -> Response {
    let form = Query::parse(&body);
    let answer = || answered(exchange(&app, &form));
    let response = guarded(&app, "users.token", TOKEN, None, answer).await;
    ([(CACHE_CONTROL, "no-store")], response).into_response()
}

async fn info(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let answer = || answered(userinfo(&app, bearer(&headers).as_deref()));
    guarded(&app, "users.userinfo", USERINFO, None, answer).await
}

async fn logout(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Query::parse(&query.unwrap_or_default());
    let answer = || signed_out(&app, &query, cookie(&headers));
    guarded(&app, "users.logout", LOGOUT, None, answer).await
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(COOKIE_HEADER).into_iter().filter_map(|all| all.to_str().ok());
    pairs
        .flat_map(|all| all.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

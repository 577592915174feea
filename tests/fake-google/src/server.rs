//! Routes: Google's own, and the admin side under `/admin`.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{any, get, post};

use crate::admin::http::routes as admin_routes;
use crate::app::App;
use crate::batch::batch;
use crate::cloud;
use crate::gmail::{self, Call, upload};
use crate::oauth;
use crate::openid;
use crate::timing::timed;

/// A mail of Gmail's longest, in base64 within JSON.
const LONGEST_BODY: usize = 64 * 1024 * 1024;

pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/o/oauth2/v2/auth", get(oauth::authorize).post(oauth::consent))
        .route("/token", post(oauth::token))
        .route("/revoke", post(oauth::revoke))
        .route(oauth::GOOGLE_CERTS, get(oauth::google_certs))
        .route(oauth::UNKNOWN_CERTS, get(oauth::unknown_certs))
        .route("/batch/gmail/v1", post(batch))
        .nest("/admin", admin_routes())
        .merge(cloud::routes())
        .merge(openid::routes())
        .fallback(any(gmail_call))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(from_fn_with_state(app.clone(), timed))
        .with_state(app)
}

/// Everything else is taken for a Gmail call, so that a wrong path is noticed as one.
async fn gmail_call(
    State(app): State<Arc<App>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if upload::is_upload(uri.path()) {
        return upload::respond(&app, &method, &uri, &headers, &body).await;
    }
    let call = Call {
        http_method: method.to_string(),
        path: uri.path().into(),
        query: uri.query().unwrap_or_default().into(),
        bearer: bearer(&headers),
        body: body.to_vec(),
        in_batch: false,
    };
    gmail::respond(&app, call).await
}

pub(crate) fn bearer(headers: &HeaderMap) -> Option<String> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(Into::into)
}

//! Routes: Microsoft's own, and the admin side under `/admin`.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::header::DATE;
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};

use crate::admin::http::routes as admin_routes;
use crate::app::App;
use crate::front;
use crate::graph::{self, Call, uploads};
use crate::oauth;
use crate::timing::timed;
use crate::values::http_date;

/// More than any part of an upload.
const LONGEST_BODY: usize = 16 * 1024 * 1024;

pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .nest("/admin", admin_routes())
        .merge(oauth::routes())
        .route("/v1.0/{*path}", any(graph_call))
        .route("/upload/{token}", any(upload))
        .route("/front/{*path}", post(front::pass_on))
        .fallback(any(unknown))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(from_fn_with_state(app.clone(), timed))
        .layer(from_fn_with_state(app.clone(), dated))
        .with_state(app)
}

/// `Date` is by the server's clock, which may be off.
async fn dated(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let now = app.state().server_now(&app);
    if let Ok(date) = HeaderValue::from_str(&http_date(now)) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

async fn graph_call(
    State(app): State<Arc<App>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().strip_prefix("/v1.0").unwrap_or_default();
    let query = uri.query().unwrap_or_default();
    let call = Call::new(method.as_str(), path, query, &headers, body.to_vec());
    graph::respond(&app, call).await.into_response()
}

async fn upload(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    uploads::respond(&app, method.as_str(), &token, &headers, &body).into_response()
}

async fn unknown(State(app): State<Arc<App>>, method: Method, uri: Uri) -> Response {
    app.state().violations.push(format!("{method} {}", uri.path()));
    axum::http::StatusCode::NOT_FOUND.into_response()
}

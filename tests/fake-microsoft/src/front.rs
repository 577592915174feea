//! An address of a stack that is known before the stack is deployed, as a domain of its own would be: what comes to
//! `/front` goes on to where the admin side says.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::app::App;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Front {
    /// An absolute URL without a slash at its end.
    to: String,
}

pub(crate) async fn set(State(app): State<Arc<App>>, Json(front): Json<Front>) -> StatusCode {
    app.state().front = Some(front.to);
    StatusCode::NO_CONTENT
}

pub(crate) async fn pass_on(
    State(app): State<Arc<App>>,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(to) = app.state().front.clone() else {
        return (StatusCode::BAD_GATEWAY, "nothing stands behind /front").into_response();
    };
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let mut request = app.http.post(format!("{to}/{path}{query}")).body(body);
    if let Some(kind) = headers.get(CONTENT_TYPE) {
        request = request.header(CONTENT_TYPE, kind.clone());
    }
    match answer(request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

async fn answer(request: reqwest::RequestBuilder) -> reqwest::Result<Response> {
    let answered = request.send().await?;
    let (status, kind) = (answered.status(), answered.headers().get(CONTENT_TYPE).cloned());
    let mut response = (status, answered.bytes().await?).into_response();
    response.headers_mut().remove(CONTENT_TYPE);
    if let Some(kind) = kind {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    Ok(response)
}

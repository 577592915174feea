//! Lists and details that a frontend asks for again and again: each answer has a tag, and 304 says
//! that nothing has changed since.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use email_connectors::domain::entity_tag::{entity_tag, is_named};
use email_connectors::gateway::LONGEST_RESPONSE;

/// A layer for routes that answer JSON: tags each good answer to a GET, and answers without a body
/// if the caller has it already.
pub async fn tagged(request: Request, next: Next) -> Response {
    let reads = request.method() == Method::GET;
    let known = request.headers().get_all(IF_NONE_MATCH).into_iter().cloned().collect::<Vec<_>>();
    let response = next.run(request).await;
    if !reads || response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // What is longer could not be handed over anyway.
    let Ok(bytes) = to_bytes(body, LONGEST_RESPONSE).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let tag = std::str::from_utf8(&bytes).ok().map(entity_tag);
    let Some(header) = tag.as_deref().and_then(|tag| HeaderValue::from_str(tag).ok()) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    let is_known = known
        .iter()
        .filter_map(|named| named.to_str().ok())
        .any(|named| tag.as_deref().is_some_and(|tag| is_named(named, tag)));
    parts.headers.insert(ETAG, header);
    if !is_known {
        return Response::from_parts(parts, Body::from(bytes));
    }
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(CONTENT_TYPE);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}

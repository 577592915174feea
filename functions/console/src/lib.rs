//! The console's page: its built files, its configuration and the headers that bind it. Nothing is
//! read from anywhere but this binary and its environment.
//!
//! The page may stand below any path (a custom domain's base path, a local gateway), of which this
//! function sees only the end. So it never says where it stands: each URL in the page is relative.

mod assets;
mod policy;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    InvalidHeaderValue, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use email_connectors::config::ConsoleSettings;
use email_connectors::web::{Problem, no_such_method, no_such_route};
use lambda_http::request::RequestContext;
use serde_json::json;

use self::assets::{Asset, is_hashed, is_page, looks_like_asset, page_of, same_tag, takes_brotli};
use self::policy::Policy;

/// Kept, and asked about each time whether it still holds.
const REVALIDATED: HeaderValue = HeaderValue::from_static("no-cache");
/// The name has a hash of the content.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

pub struct Console {
    config: String,
    policy: Policy,
}

impl Console {
    pub fn new(settings: &ConsoleSettings) -> Result<Self, InvalidHeaderValue> {
        let config = json!({
            "issuer": settings.issuer,
            "client_id": settings.client_id,
            "scope": settings.scopes.join(" "),
            "audience": settings.audience,
            "resource": settings.resource,
            "version": env!("CARGO_PKG_VERSION"),
        });
        Ok(Self { config: config.to_string(), policy: Policy::new(settings)? })
    }
}

pub fn router(console: Console) -> Router {
    Router::new()
        .route("/console", get(root))
        .route("/console/config.json", get(config))
        .route("/console/{*path}", get(below))
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .with_state(Arc::new(console))
}

async fn root(State(console): State<Arc<Console>>, request: Request) -> Result<Response, Problem> {
    page(&console, "", &request)
}

async fn config(State(console): State<Arc<Console>>) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    let mut response = (headers, console.config.clone()).into_response();
    console.policy.of_file(response.headers_mut());
    response
}

async fn below(
    State(console): State<Arc<Console>>,
    Path(path): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    match Asset::find(&path).filter(|_| !is_page(&path)) {
        Some(asset) => Ok(file(&console, &path, &asset, request.headers())),
        None if looks_like_asset(&path) => Err(Problem::not_found("file")),
        None => page(&console, &path, &request),
    }
}

fn file(console: &Console, path: &str, asset: &Asset, asked: &HeaderMap) -> Response {
    let packed = asset.brotli.as_ref();
    let (content, encoding) = match packed.filter(|_| takes_brotli(asked.get(ACCEPT_ENCODING))) {
        Some(packed) => (packed, Some(HeaderValue::from_static("br"))),
        None => (&asset.plain, None),
    };
    let mut headers = HeaderMap::from_iter([
        (CONTENT_TYPE, asset.content_type()),
        (CACHE_CONTROL, if is_hashed(path) { FOR_EVER } else { REVALIDATED }),
    ]);
    headers.extend(encoding.map(|encoding| (CONTENT_ENCODING, encoding)));
    headers.extend(packed.map(|_| (VARY, HeaderValue::from_static("accept-encoding"))));
    console.policy.of_asset(path, &mut headers);
    conditional(headers, &content.tag, content.bytes.clone(), asked)
}

/// The page, with the URLs of its files as they are relative to the path that the browser shows.
fn page(console: &Console, path: &str, request: &Request) -> Result<Response, Problem> {
    let page = Asset::find(page_of(path)).ok_or_else(|| Problem::not_found("page"))?;
    let way =
        way_to_files(path, ends_in_slash(request)).ok_or_else(|| Problem::not_found("page"))?;
    let html = String::from_utf8_lossy(&page.plain.bytes).replace("=\"./", &format!("=\"{way}"));
    let mut headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CACHE_CONTROL, REVALIDATED),
    ]);
    console.policy.of_page(path, &mut headers);
    let tag = format!("{}-{}", page.plain.tag, way.len());
    Ok(conditional(headers, &tag, html.into_bytes(), request.headers()))
}

/// How many slashes the path ended in, of which the matched route says nothing: the gateway takes
/// `/console/` for `/console`.
fn ends_in_slash(request: &Request) -> usize {
    let Some(RequestContext::ApiGatewayV2(context)) = request.extensions().get::<RequestContext>()
    else {
        return 0;
    };
    let sent = context.http.path.as_deref().unwrap_or_default();
    sent.len() - sent.trim_end_matches('/').len()
}

/// From the folder that a browser resolves by to `/console/`; `None` for a path of empty segments.
fn way_to_files(path: &str, slashes: usize) -> Option<String> {
    let segments = path.split('/').filter(|segment| !segment.is_empty()).count();
    match segments + slashes {
        _ if slashes > 1 => None,
        0 => Some("./console/".into()),
        1 => Some("./".into()),
        depth => Some("../".repeat(depth - 1)),
    }
}

/// The content, or 304 if the caller has it.
fn conditional(
    mut headers: HeaderMap,
    tag: &str,
    content: impl Into<axum::body::Body>,
    asked: &HeaderMap,
) -> Response {
    let quoted = format!("\"{tag}\"");
    let known = asked.get_all(IF_NONE_MATCH).iter().any(|known| same_tag(known, &quoted));
    headers.extend(HeaderValue::try_from(quoted).ok().map(|tag| (ETAG, tag)));
    match known {
        true => (StatusCode::NOT_MODIFIED, headers).into_response(),
        false => (headers, content.into()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_the_files_leads_to_the_console_from_each_depth() {
        for (path, slashes, way) in [
            ("", 0, "./console/"),
            ("", 1, "./"),
            ("connectors", 0, "./"),
            ("connectors", 1, "../"),
            ("connectors/con_1", 0, "../"),
            ("connectors/con_1", 1, "../../"),
            ("a/b/c/d/e/f", 0, "../../../../../"),
        ] {
            assert_eq!(way_to_files(path, slashes).as_deref(), Some(way), "{path} {slashes}");
        }
        assert_eq!(way_to_files("", 2), None);
    }
}

//! API Gateway in this process: it matches the template's routes, hands the event over as AWS does,
//! and reads what comes back.
//!
//! How a path arrives was recorded on AWS by others (`PATHS`). Whether a route is matched on the
//! sent or on the decoded path, and so which value a path parameter has, was not: both are tried.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use email_connectors::gateway;
use lambda_http::Context;
use lambda_http::lambda_runtime::LambdaEvent;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use crate::template::{self, Route};

/// AWS's quotas for HTTP APIs and for Lambda, in bytes.
const LONGEST_BODY: usize = 10 * 1024 * 1024;
const LONGEST_HEAD: usize = 10_240;
const LONGEST_EVENT: usize = 6 * 1024 * 1024;
const LONGEST_RESPONSE: usize = 6_291_556;

/// Requests have ids of their own.
static REQUESTS: AtomicU64 = AtomicU64::new(1);

/// What a route is matched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Matches {
    #[default]
    Decoded,
    Sent,
}

/// A function behind the gateway, by its binary's name.
pub type Functions = BTreeMap<&'static str, Router>;

#[derive(Clone)]
pub struct Gateway {
    routes: Vec<Route>,
    functions: Functions,
    matches: Matches,
    /// Host and port, as its callers see it.
    domain_name: String,
}

impl Gateway {
    pub fn before(functions: Functions, matches: Matches, domain_name: &str) -> Self {
        let routes = template::routes(&template::read());
        Self { routes, functions, matches, domain_name: domain_name.into() }
    }

    pub async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, LONGEST_BODY).await else {
            return own(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
        if target + length(&parts.headers) > LONGEST_HEAD {
            return own(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "Request Header Fields Too Large",
            );
        }
        let Some(path) = as_handed_over(parts.uri.path()) else {
            return own(StatusCode::BAD_REQUEST, "Bad Request");
        };
        let matched = match self.matches {
            Matches::Decoded => self.matched(parts.method.as_str(), &path),
            Matches::Sent => self.matched(parts.method.as_str(), parts.uri.path()),
        };
        let Some((route, parameters)) = matched else {
            return own(StatusCode::NOT_FOUND, "Not Found");
        };
        let mut event = event(&route, parameters, &path, &parts, &body);
        event["requestContext"]["domainName"] = json!(self.domain_name);
        let event = event.to_string();
        if event.len() > LONGEST_EVENT {
            return own(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        }
        let function = self.functions[route.function.as_str()].clone();
        match invoke(function, event).await {
            Some(handed) if handed.get().len() <= LONGEST_RESPONSE => response(handed.get()),
            _ => own(StatusCode::BAD_GATEWAY, "Internal Server Error"),
        }
    }

    /// The most specific matching route, and its path parameters.
    fn matched(&self, method: &str, path: &str) -> Option<(Route, Map<String, Value>)> {
        // An HTTP API takes `/x/` for `/x`, and has no route that ends in a slash.
        let segments: Vec<&str> = path.strip_suffix('/').unwrap_or(path).split('/').collect();
        let fitting =
            self.routes.iter().filter(|route| route.method == method).filter_map(|route| {
                let template: Vec<&str> = route.path.split('/').collect();
                let mut parameters = Map::new();
                let fits = template.len() == segments.len()
                    && template.iter().zip(&segments).all(|(template, segment)| {
                        match parameter(template) {
                            Some(name) => {
                                let value = decoded(segment).unwrap_or_else(|| segment.to_string());
                                parameters.insert(name.into(), value.into());
                                !segment.is_empty()
                            }
                            None => template == segment,
                        }
                    });
                fits.then(|| {
                    (
                        template
                            .iter()
                            .map(|segment| parameter(segment).is_some())
                            .collect::<Vec<_>>(),
                        route,
                        parameters,
                    )
                })
            });
        fitting
            .min_by(|(one, ..), (other, ..)| one.cmp(other))
            .map(|(_, route, parameters)| (route.clone(), parameters))
    }
}

/// The function's response to Lambda for an event.
pub async fn invoke(function: Router, event: String) -> Option<Box<RawValue>> {
    let payload = RawValue::from_string(event).unwrap();
    gateway::answer(function, LambdaEvent::new(payload, Context::default())).await.ok()
}

fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn length(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// An answer of the gateway itself, which is not a problem document.
fn own(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({"message": message}))).into_response()
}

/// The path as a function gets it: decoded twice, and cut at a `?` that shows in between. `None`:
/// the gateway refuses it.
pub fn as_handed_over(sent: &str) -> Option<String> {
    let once = decoded(sent)?;
    decoded(once.split('?').next()?)
}

/// Percent-decoded; `None` for an invalid escape or invalid UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let pair = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(
                u8::from_str_radix(pair, 16)
                    .ok()
                    .filter(|_| pair.bytes().all(|digit| digit.is_ascii_hexdigit()))?,
            );
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

fn event(
    route: &Route,
    parameters: Map<String, Value>,
    path: &str,
    parts: &Parts,
    body: &Bytes,
) -> Value {
    let key = format!("{} {}", route.method, route.path);
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers
            .entry(name.as_str().into())
            .and_modify(|all| *all = format!("{all},{value}"))
            .or_insert(value);
    }
    headers.entry(HOST.as_str().into()).or_insert("127.0.0.1".into());
    headers.insert("x-forwarded-proto".into(), "https".into());
    let (text, is_base64) = match std::str::from_utf8(body) {
        Ok(text) => (text.to_string(), false),
        Err(_) => (BASE64_STANDARD.encode(body), true),
    };
    json!({
        "version": "2.0", "routeKey": key, "rawPath": path, "rawQueryString": parts.uri.query().unwrap_or_default(),
        "headers": headers, "pathParameters": parameters,
        "requestContext": {"requestId": format!("request-{}", REQUESTS.fetch_add(1, Ordering::Relaxed)), "routeKey": key, "stage": "$default",
            "http": {"method": parts.method.as_str(), "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                "userAgent": headers.get("user-agent")}},
        "body": (!text.is_empty()).then_some(text), "isBase64Encoded": is_base64,
    })
}

/// An answer as the gateway sends it on.
fn response(handed: &str) -> Response {
    let answer: Value = serde_json::from_str(handed).unwrap();
    let body = answer["body"].as_str().unwrap_or_default();
    let body = match answer["isBase64Encoded"].as_bool() {
        Some(true) => BASE64_STANDARD.decode(body).unwrap(),
        _ => body.as_bytes().to_vec(),
    };
    let mut response =
        Response::builder().status(u16::try_from(answer["statusCode"].as_u64().unwrap()).unwrap());
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        response = response.header(name, value.as_str().unwrap());
    }
    let response = response.body(Body::from(body)).unwrap();
    if length(response.headers()) > LONGEST_HEAD {
        return own(StatusCode::BAD_GATEWAY, "Internal Server Error");
    }
    response
}

/// An event as raw JSON, of whatever shape.
pub fn raw(event: &Value) -> String {
    to_raw_value(event).unwrap().get().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sent to an HTTP API, and what its function got as `rawPath`: recorded on AWS in July 2026
    /// (hotsock/voker, vokerhttp/testdata/ingress-paths.json). Without a path: the gateway answered
    /// 400.
    const PATHS: [(&str, Option<&str>); 10] = [
        ("/capture/plain", Some("/capture/plain")),
        ("/capture/space%20value", Some("/capture/space value")),
        ("/capture/question%3Fvalue", Some("/capture/question")),
        ("/capture/percent%25done", None),
        ("/capture/hash%23value", Some("/capture/hash#value")),
        ("/capture/slash%2Fvalue", Some("/capture/slash/value")),
        ("/capture/unicode-%CE%BB-%E4%B8%96%E7%95%8C", Some("/capture/unicode-λ-世界")),
        ("/capture/literal%252Fvalue", Some("/capture/literal/value")),
        ("/capture/literal%253Fvalue", Some("/capture/literal?value")),
        ("/capture/literal%2525value", Some("/capture/literal%value")),
    ];

    #[test]
    fn a_path_arrives_as_aws_was_seen_to_hand_it_over() {
        for (sent, got) in PATHS {
            assert_eq!(as_handed_over(sent).as_deref(), got, "{sent}");
        }
    }
}

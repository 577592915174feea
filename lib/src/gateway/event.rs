//! The gateway's event (HTTP APIs, payload format 2.0): read without trust, and made one that
//! `lambda_http` converts without fail.

use std::collections::BTreeMap;
use std::fmt::Write;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use serde::Deserialize;

use super::path;
use crate::domain::public_base::PublicBase;
use crate::web::Problem;

/// The gateway takes 10,240 bytes of request line and headers.
const LONGEST_QUERY: usize = 10_240;
/// A header map panics beyond 32,768 names.
const MOST_HEADERS: usize = 512;
/// Headers that `lambda_http` would make the request's URL of, and that nothing here reads.
const NOT_PASSED_ON: [&str; 3] = ["host", "x-forwarded-proto", "cookie"];

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    route_key: Option<String>,
    raw_path: Option<String>,
    raw_query_string: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    path_parameters: Option<BTreeMap<String, String>>,
    request_context: RequestContext,
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RequestContext {
    request_id: Option<String>,
    domain_name: Option<String>,
    stage: Option<String>,
    http: Http,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Http {
    method: String,
    path: Option<String>,
    source_ip: Option<String>,
    user_agent: Option<String>,
}

impl Event {
    pub fn read(json: &str) -> Result<Self, Problem> {
        serde_json::from_str(json).map_err(|error| {
            tracing::warn!(%error, "an event that is none of the gateway's");
            invalid("the request could not be read")
        })
    }

    /// Where the API stands. Kept from `lambda_http`, which would make the request's URL of it.
    pub fn public_base(&self) -> Option<PublicBase> {
        let context = &self.request_context;
        let domain_name = context.domain_name.as_deref().unwrap_or_default();
        PublicBase::of(domain_name, context.stage.as_deref().unwrap_or_default())
    }

    pub fn into_request(self) -> Result<ApiGatewayV2httpRequest, Problem> {
        let parameters = self.path_parameters.unwrap_or_default();
        let path = path::route(
            self.route_key.as_deref().unwrap_or_default(),
            &parameters,
            self.raw_path.as_deref().unwrap_or_default(),
        );
        if self.is_base64_encoded
            && self.body.as_deref().is_some_and(|body| BASE64_STANDARD.decode(body).is_err())
        {
            return Err(invalid("the body is not the base64 that it is said to be").at("body"));
        }
        let mut request = ApiGatewayV2httpRequest::default();
        request.raw_path = Some(path.ok_or_else(names_nothing)?);
        request.raw_query_string = Some(query(&self.raw_query_string.unwrap_or_default())?);
        request.headers = headers(self.headers.unwrap_or_default())?;
        request.body = self.body;
        request.is_base64_encoded = self.is_base64_encoded;
        let context = &mut request.request_context;
        context.request_id = self.request_context.request_id;
        context.http.method = Method::from_bytes(self.request_context.http.method.as_bytes())
            .map_err(|_| invalid("the request has no method of HTTP"))?;
        // As the browser has it, below what the gateway takes off: no route is chosen by it.
        context.http.path = self.request_context.http.path;
        context.http.source_ip = self.request_context.http.source_ip;
        context.http.user_agent = self.request_context.http.user_agent;
        Ok(request)
    }
}

fn invalid(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_request", detail)
}

fn names_nothing() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "nothing can have this path: an id holds letters, digits and few other signs",
    )
}

/// The query as it was sent, with every byte that is not allowed in a query percent-encoded.
fn query(sent: &str) -> Result<String, Problem> {
    if sent.len() > LONGEST_QUERY {
        return Err(Problem::new(
            StatusCode::URI_TOO_LONG,
            "query_too_long",
            format!("the query may be {LONGEST_QUERY} bytes long"),
        ));
    }
    let mut query = String::with_capacity(sent.len());
    for byte in sent.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte) {
            query.push(char::from(byte));
        } else {
            // Writing into a text cannot fail.
            let _ = write!(query, "%{byte:02X}");
        }
    }
    Ok(query)
}

fn headers(sent: BTreeMap<String, String>) -> Result<HeaderMap, Problem> {
    if sent.len() > MOST_HEADERS {
        let detail = format!("a request may have {MOST_HEADERS} headers");
        return Err(Problem::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "too_many_headers",
            detail,
        ));
    }
    let mut headers = HeaderMap::with_capacity(sent.len());
    for (name, value) in sent {
        let name =
            HeaderName::try_from(name).map_err(|_| invalid("a header has a name that is none"))?;
        if NOT_PASSED_ON.contains(&name.as_str()) {
            continue;
        }
        let value = HeaderValue::try_from(value).map_err(|_| {
            invalid("the header has a sign that no header may have").at(name.as_str())
        })?;
        headers.append(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_api_stands_is_the_gateways_word_and_no_part_of_the_requests_url() {
        let event = |domain_name: &str, stage: &str| {
            let json = serde_json::json!({
                "routeKey": "GET /api/me", "rawPath": "/prod/api/me",
                "headers": {"host": "evil.example", "x-forwarded-host": "evil.example"},
                "requestContext": {"domainName": domain_name, "stage": stage, "http": {"method": "GET"}},
            });
            Event::read(&json.to_string()).unwrap()
        };
        let named = event("mail.example.com", "prod");
        assert_eq!(
            named.public_base().unwrap().url("/console"),
            "https://mail.example.com/prod/console"
        );
        let request = named.into_request().unwrap();
        assert_eq!(request.raw_path.as_deref(), Some("/api/me"));
        assert_eq!(
            (request.request_context.domain_name, request.request_context.stage),
            (None, None)
        );
        let odd = event("a\u{0}b%", "$default");
        assert_eq!(odd.public_base(), None);
        assert!(odd.into_request().is_ok());
    }
}

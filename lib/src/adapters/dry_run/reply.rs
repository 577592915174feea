//! Requests as a recorded mailbox reads them, and its answers.

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Request, Response, StatusCode, Url};
use serde_json::Value;

#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub content_type: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn bare(status: u16) -> Self {
        Self { status, content_type: String::new(), body: Vec::new() }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json; charset=UTF-8".into(),
            body: body.to_string().into_bytes(),
        }
    }

    pub fn response(self) -> Response {
        self.made().into()
    }

    pub fn with_header(self, name: HeaderName, value: &str) -> Response {
        let mut response = self.made();
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
        response.into()
    }

    fn made(self) -> http::Response<Vec<u8>> {
        let mut response = http::Response::new(self.body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Ok(value) = HeaderValue::from_str(&self.content_type) {
            response.headers_mut().insert(CONTENT_TYPE, value);
        }
        response
    }
}

/// Empty if there is none.
pub fn body(request: &Request) -> &[u8] {
    request.body().and_then(|body| body.as_bytes()).unwrap_or_default()
}

/// Empty if it is missing.
pub fn header(request: &Request, name: HeaderName) -> &str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The path of a URL below a base, if it is below it.
pub fn below<'a>(base: &str, url: &'a Url) -> Option<&'a str> {
    let base = Url::parse(base).ok()?;
    let same_origin = base.origin() == url.origin();
    url.path()
        .strip_prefix(base.path().trim_end_matches('/'))
        .filter(|path| same_origin && path.starts_with('/'))
}

//! Graph's answers, and its errors:
//! <https://learn.microsoft.com/graph/errors>.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::body::Body as HttpBody;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use crate::app::App;
use crate::faults::Fault;
use crate::hostile;
use crate::values::{base64, random_uuid};

/// As Graph writes it.
pub(crate) const JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub body: Body,
    pub headers: Vec<(HeaderName, String)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    Bytes {
        mime_type: String,
        bytes: Vec<u8>,
    },
    /// Counts the bytes that were taken.
    Endless(Arc<AtomicU64>),
    /// Already deflated.
    Gzip(Vec<u8>),
}

/// Why Graph refuses.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub status: u16,
    pub code: String,
    pub message: String,
    pub headers: Vec<(HeaderName, String)>,
}

pub(crate) type Outcome = Result<Answer, Refusal>;

impl Refusal {
    pub fn new(status: u16, code: &str, message: &str) -> Self {
        Self { status, code: code.into(), message: message.into(), headers: Vec::new() }
    }

    pub fn bad_request(message: &str) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn answer(self, app: &App) -> Answer {
        let date = app.state().server_now(app);
        let id = random_uuid();
        let body = json!({ "error": {
            "code": self.code,
            "message": self.message,
            "innerError": {
                "date": crate::values::moment(date.unix_timestamp()).trim_end_matches('Z'),
                "request-id": id,
                "client-request-id": id,
            },
        }});
        Answer { status: self.status, body: Body::Json(body), headers: self.headers }
    }
}

/// A demand for a sign-in with these claims, as Continuous Access Evaluation makes it:
/// <https://learn.microsoft.com/entra/identity-platform/claims-challenge>.
pub(crate) fn challenge(app: &App, claims: &str) -> Refusal {
    let said = format!(
        "Bearer realm=\"\", authorization_uri=\"{}/common/oauth2/authorize\", client_id=\"{}\", \
         error=\"insufficient_claims\", claims=\"{}\"",
        app.url,
        app.config.client_id,
        base64(claims.as_bytes())
    );
    Refusal::new(
        401,
        "InvalidAuthenticationToken",
        "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp",
    )
    .with(WWW_AUTHENTICATE, said)
}

impl Answer {
    pub fn empty(status: u16) -> Self {
        Self { status, body: Body::Empty, headers: Vec::new() }
    }

    pub fn json(status: u16, body: Value) -> Self {
        Self { status, body: Body::Json(body), headers: Vec::new() }
    }

    pub fn bytes(mime_type: &str, bytes: Vec<u8>) -> Self {
        let body = Body::Bytes { mime_type: mime_type.into(), bytes };
        Self { status: 200, body, headers: Vec::new() }
    }

    pub fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The answer of a fault that replaces the true one.
    pub fn of_fault(app: &App, fault: &Fault) -> Option<Self> {
        if fault.endless {
            return Some(Self {
                status: 200,
                body: Body::Endless(app.endless_sent.clone()),
                headers: Vec::new(),
            });
        }
        if let Some(target) = &fault.redirect {
            let status = if (300..400).contains(&fault.status) { fault.status } else { 302 };
            return Some(Self::empty(status).with(LOCATION, target));
        }
        if fault.status == 0 {
            return None;
        }
        let mut refusal = match &fault.claims {
            Some(claims) if fault.status == 401 => challenge(app, claims),
            _ => Refusal::new(fault.status, code_of(fault.status), "The fake was told to fail."),
        };
        refusal.code = fault.code.clone().unwrap_or(refusal.code);
        refusal.message = fault.message.clone().unwrap_or(refusal.message);
        let wait = fault.retry_after.clone().map(|wait| (RETRY_AFTER, wait));
        refusal.headers.extend(wait);
        Some(refusal.answer(app))
    }

    pub fn into_response(mut self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (mime_type, body) = match self.body {
            Body::Empty => (None, HttpBody::empty()),
            Body::Json(body) => (Some(JSON.to_owned()), HttpBody::from(body.to_string())),
            Body::Bytes { mime_type, bytes } => (Some(mime_type), HttpBody::from(bytes)),
            Body::Endless(taken) => (Some(JSON.to_owned()), hostile::endless(taken)),
            Body::Gzip(bytes) => {
                self.headers.push((CONTENT_ENCODING, "gzip".into()));
                (Some(JSON.to_owned()), HttpBody::from(bytes))
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let mime_type = mime_type.map(|mime_type| (CONTENT_TYPE, mime_type));
        for (name, value) in mime_type.into_iter().chain(self.headers) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

fn code_of(status: u16) -> &'static str {
    match status {
        400 => "BadRequest",
        401 => "InvalidAuthenticationToken",
        403 => "ErrorAccessDenied",
        404 => "ErrorItemNotFound",
        409 => "ErrorFolderExists",
        429 => "ApplicationThrottled",
        503 => "serviceNotAvailable",
        504 => "UnknownError",
        _ => "InternalServerError",
    }
}

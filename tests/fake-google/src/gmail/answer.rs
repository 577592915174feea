//! Gmail's answers, good and bad, in the shapes that Google gives them.

use axum::body::Body;
use axum::http::Response;
use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::faults::Fault;

pub(crate) const JSON_UTF8: &str = "application/json; charset=UTF-8";

pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    /// None for 204 and for a redirect.
    pub body: Option<Value>,
    pub pretty: bool,
}

#[derive(Debug)]
pub(crate) struct Refusal {
    status: u16,
    reason: String,
    message: String,
    retry_after: Option<u64>,
    details: Option<Value>,
}

impl Answer {
    pub fn ok(body: Value) -> Self {
        Self { status: 200, headers: json_headers(), body: Some(body), pretty: true }
    }

    pub fn no_content() -> Self {
        Self { status: 204, headers: Vec::new(), body: None, pretty: true }
    }

    /// The answer that replaces the true one; `None` if the fault changes no answer.
    pub fn from_fault(fault: &Fault) -> Option<Self> {
        let redirect = fault.redirection().map(|(status, target)| Self {
            status,
            headers: vec![(LOCATION.as_str(), target.into())],
            ..Self::no_content()
        });
        redirect.or_else(|| Refusal::from_fault(fault).map(Self::from))
    }

    pub fn text(&self) -> String {
        let text = match &self.body {
            Some(body) if self.pretty => serde_json::to_string_pretty(body),
            Some(body) => serde_json::to_string(body),
            None => return String::new(),
        };
        text.unwrap_or_default()
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> axum::response::Response {
        let builder = self
            .headers
            .iter()
            .fold(Response::builder().status(self.status), |builder, (name, value)| {
                builder.header(*name, value)
            });
        builder.body(Body::from(self.text())).expect("statuses and headers are well formed")
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let mut headers = json_headers();
        headers
            .extend(refusal.retry_after.map(|seconds| (RETRY_AFTER.as_str(), seconds.to_string())));
        if refusal.status == 401 {
            let challenge = r#"Bearer realm="https://accounts.google.com/", error="invalid_token""#;
            headers.push((WWW_AUTHENTICATE.as_str(), challenge.into()));
        }
        Self { status: refusal.status, headers, body: Some(refusal.body()), pretty: true }
    }
}

impl Refusal {
    pub fn new(status: u16, reason: &str, message: &str) -> Self {
        Self {
            status,
            reason: reason.into(),
            message: message.into(),
            retry_after: None,
            details: None,
        }
    }

    pub fn not_found() -> Self {
        Self::new(404, "notFound", "Requested entity was not found.")
    }

    pub fn invalid_argument(message: &str) -> Self {
        Self::new(400, "invalidArgument", message)
    }

    pub fn failed_precondition(message: &str) -> Self {
        Self::new(400, "failedPrecondition", message)
    }

    pub fn parse_error() -> Self {
        Self::new(400, "parseError", "Parse Error")
    }

    pub fn unauthenticated() -> Self {
        Self::new(401, "authError", "Invalid Credentials")
    }

    pub fn delegation_denied(email: &str) -> Self {
        Self::new(403, "forbidden", &format!("Delegation denied for {email}"))
    }

    pub fn insufficient_scope() -> Self {
        let details = json!([{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "domain": "googleapis.com",
            "metadata": { "service": "gmail.googleapis.com" }
        }]);
        let refusal = Self::new(
            403,
            "insufficientPermissions",
            "Request had insufficient authentication scopes.",
        );
        Self { details: Some(details), ..refusal }
    }

    /// None if the fault only delays.
    fn from_fault(fault: &Fault) -> Option<Self> {
        let (reason, message) = match fault.status {
            0 => return None,
            400 => ("failedPrecondition", "Precondition check failed."),
            401 => ("authError", "Invalid Credentials"),
            403 => ("forbidden", "The caller does not have permission"),
            404 => ("notFound", "Requested entity was not found."),
            429 => ("rateLimitExceeded", "Too many concurrent requests for user"),
            503 => ("backendError", "The service is currently unavailable."),
            _ => ("backendError", "Backend Error"),
        };
        let reason = fault.reason.as_deref().unwrap_or(reason);
        let refusal = Self::new(fault.status, reason, fault.message.as_deref().unwrap_or(message));
        Some(Self { retry_after: fault.retry_after, ..refusal })
    }

    fn body(&self) -> Value {
        let mut item =
            json!({ "message": self.message, "domain": self.domain(), "reason": self.reason });
        if self.status == 401 {
            item["location"] = "Authorization".into();
            item["locationType"] = "header".into();
        }
        let mut error = json!({
            "code": self.status, "message": self.message, "errors": [item], "status": self.canonical()
        });
        if let Some(details) = &self.details {
            error["details"] = details.clone();
        }
        json!({ "error": error })
    }

    fn domain(&self) -> &'static str {
        let limited = self.reason.ends_with("LimitExceeded") || self.reason == "quotaExceeded";
        if limited || self.reason == "accessNotConfigured" { "usageLimits" } else { "global" }
    }

    fn canonical(&self) -> &'static str {
        match (self.status, self.reason.as_str()) {
            (400, "failedPrecondition") => "FAILED_PRECONDITION",
            (400, _) => "INVALID_ARGUMENT",
            (401, _) => "UNAUTHENTICATED",
            (403, _) => "PERMISSION_DENIED",
            (404, _) => "NOT_FOUND",
            (409, _) => "ABORTED",
            (429, _) => "RESOURCE_EXHAUSTED",
            (503, _) => "UNAVAILABLE",
            (504, _) => "DEADLINE_EXCEEDED",
            (500.., _) => "INTERNAL",
            _ => "UNKNOWN",
        }
    }
}

fn json_headers() -> Vec<(&'static str, String)> {
    vec![(CONTENT_TYPE.as_str(), JSON_UTF8.into())]
}

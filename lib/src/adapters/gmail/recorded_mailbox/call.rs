//! One call of Gmail's API and its answer, in Google's own shapes.

use serde_json::{Value, json};

use crate::adapters::dry_run::Reply;
use crate::domain::timestamp::Timestamp;

pub struct Call {
    /// The values of the route's parameters, in order.
    pub ids: Vec<String>,
    pub query: Vec<(String, String)>,
    /// Null where nothing was sent.
    pub body: Value,
    pub now: Timestamp,
}

/// `None` is Google's 204.
pub type Outcome = Result<Option<Value>, Refusal>;

#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    status: u16,
    reason: &'static str,
    message: String,
}

impl Call {
    pub fn id(&self, index: usize) -> &str {
        self.ids.get(index).map(String::as_str).unwrap_or_default()
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn is_set(&self, name: &str) -> bool {
        self.parameter(name) == Some("true")
    }

    /// A list of texts in the body; absent is empty.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Refusal> {
        match &self.body[name] {
            Value::Null => Ok(Vec::new()),
            value => serde_json::from_value(value.clone())
                .map_err(|_| Refusal::invalid(format!("Invalid value for {name}"))),
        }
    }

    /// One page of what was found, and the token of the next one.
    pub fn page<T>(
        &self,
        found: Vec<T>,
        usual: usize,
    ) -> Result<(Vec<T>, Option<String>), Refusal> {
        const MOST: usize = 500;
        let size = match self.parameter("maxResults").map(str::parse::<usize>) {
            None => usual,
            Some(Ok(size)) if size >= 1 => size.min(MOST),
            Some(_) => return Err(Refusal::invalid("Invalid value for maxResults".into())),
        };
        let from: usize = match self.parameter("pageToken") {
            None => 0,
            Some(token) => token
                .strip_prefix("after-")
                .and_then(|from| from.parse().ok())
                .ok_or_else(Refusal::page)?,
        };
        let next = from.saturating_add(size);
        let token = (next < found.len()).then(|| format!("after-{next}"));
        Ok((found.into_iter().skip(from).take(size).collect(), token))
    }
}

impl Refusal {
    pub fn invalid(message: String) -> Self {
        Self { status: 400, reason: "invalidArgument", message }
    }

    fn page() -> Self {
        Self::invalid("Invalid pageToken".into())
    }

    pub fn not_found() -> Self {
        Self { status: 404, reason: "notFound", message: "Requested entity was not found.".into() }
    }

    pub fn conflict(message: &str) -> Self {
        Self { status: 409, reason: "aborted", message: message.into() }
    }

    pub fn unauthenticated() -> Self {
        Self {
            status: 401,
            reason: "authError",
            message: "A dry run takes only the access tokens that it gave.".into(),
        }
    }

    pub fn foreign_mailbox() -> Self {
        Self { status: 403, reason: "forbidden", message: "Delegation denied".into() }
    }

    /// Never a silent success: what the recorded mailbox does not know, it does not do.
    pub fn unknown(method: &str, path: &str) -> Self {
        Self {
            status: 501,
            reason: "notImplemented",
            message: format!("A dry run does not know {method} {path}"),
        }
    }

    pub fn broken(why: String) -> Self {
        Self {
            status: 500,
            reason: "backendError",
            message: format!("the recorded mailbox: {why}"),
        }
    }

    pub fn reply(&self) -> Reply {
        let name = match self.status {
            400 => "INVALID_ARGUMENT",
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            409 => "ABORTED",
            501 => "UNIMPLEMENTED",
            _ => "INTERNAL",
        };
        let error = json!({"message": self.message, "domain": "global", "reason": self.reason});
        Reply::json(
            self.status,
            &json!({"error": {"code": self.status, "message": self.message, "errors": [error], "status": name}}),
        )
    }
}

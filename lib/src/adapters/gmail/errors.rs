//! What an error answer of Google's means for the caller.

use std::time::Duration;

use super::wire::{ErrorAnswer, ErrorBody};
use crate::ports::ProviderError;

/// A refused call: the status and what the body says. No part of it holds a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `None` when no answer came.
    pub status: Option<u16>,
    pub reason: String,
    pub retry_after: Option<Duration>,
}

impl Failure {
    pub fn no_answer(why: impl std::fmt::Display) -> Self {
        Self { status: None, reason: why.to_string(), retry_after: None }
    }

    pub fn answered(status: u16, body: &[u8], retry_after: Option<Duration>) -> Self {
        let answer: ErrorAnswer = serde_json::from_slice(body).unwrap_or_default();
        let reason = match answer.error {
            ErrorBody::Code(code) => code,
            ErrorBody::Api { message, errors } => {
                let reason = errors.first().and_then(|error| error.get("reason")).and_then(|reason| reason.as_str());
                reason.map(String::from).unwrap_or(message)
            }
        };
        Self { status: Some(status), reason: bounded(reason), retry_after }
    }

    /// A rate limit may come as 403, which says no only for now.
    pub fn effective_status(&self) -> Option<u16> {
        let rate_limited = matches!(self.reason.as_str(), "rateLimitExceeded" | "userRateLimitExceeded" | "quotaExceeded");
        if self.status == Some(403) && rate_limited { Some(429) } else { self.status }
    }

    /// For Gmail's API.
    pub fn of_api(self) -> ProviderError {
        match self.effective_status() {
            Some(401) => ProviderError::Unauthorized,
            None | Some(408 | 429 | 500..) => ProviderError::Unavailable(self.to_string()),
            Some(status) => ProviderError::Refused { status, reason: self.reason },
        }
    }

    /// For the token endpoint (RFC 6749, section 5.2).
    pub fn of_token(self) -> ProviderError {
        match (self.reason.as_str(), self.status) {
            ("invalid_grant", _) => ProviderError::GrantRefused(self.reason),
            ("invalid_client" | "unauthorized_client", _) => ProviderError::ClientRefused(self.reason),
            (_, None | Some(408 | 429 | 500..)) => ProviderError::Unavailable(self.to_string()),
            (_, Some(status)) => ProviderError::Refused { status, reason: self.reason },
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.status {
            Some(status) => write!(formatter, "{status} {}", self.reason),
            None => write!(formatter, "no answer: {}", self.reason),
        }
    }
}

/// A reason is for the log and for the connector's row.
fn bounded(reason: String) -> String {
    reason.chars().filter(|character| !character.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(status: u16, reason: &str) -> ProviderError {
        let body = format!(r#"{{"error":{{"code":{status},"message":"m","errors":[{{"reason":"{reason}"}}]}}}}"#);
        Failure::answered(status, body.as_bytes(), None).of_api()
    }

    #[test]
    fn an_api_error_is_named_by_what_to_do_next() {
        assert!(matches!(api(401, "authError"), ProviderError::Unauthorized));
        for (status, reason) in [(429, "rateLimitExceeded"), (403, "userRateLimitExceeded"), (500, "backendError"), (503, "")] {
            assert!(matches!(api(status, reason), ProviderError::Unavailable(_)), "{status} {reason}");
        }
        for (status, reason) in [(400, "failedPrecondition"), (403, "domainPolicy"), (404, "notFound")] {
            assert!(matches!(api(status, reason), ProviderError::Refused { status: told, .. } if told == status), "{status} {reason}");
        }
    }

    #[test]
    fn a_token_error_tells_the_grant_from_the_client() {
        let token = |status, body: &str| Failure::answered(status, body.as_bytes(), None).of_token();
        assert!(matches!(token(400, r#"{"error":"invalid_grant"}"#), ProviderError::GrantRefused(_)));
        assert!(matches!(token(401, r#"{"error":"invalid_client"}"#), ProviderError::ClientRefused(_)));
        assert!(matches!(token(503, "<html>"), ProviderError::Unavailable(_)));
        assert!(matches!(token(400, r#"{"error":"invalid_request"}"#), ProviderError::Refused { status: 400, .. }));
    }
}

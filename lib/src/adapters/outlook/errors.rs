//! What an error of Graph's or of the token endpoint means for the caller.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::adapters::retry_after::{Headers, retry_after};
use crate::domain::provider::outlook::aad::{AadError, Advice, Whose, codes_within};
use crate::ports::ProviderError;

/// In characters; Graph's codes have up to 60.
const LONGEST_REASON: usize = 200;
/// A claims challenge of the API: the token is good, and is not enough.
const CLAIMS: &str = "claims=\"";

/// A refused call: the status and Graph's code. It never contains a token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// `None` when no answer came.
    pub status: Option<u16>,
    /// Graph's code, as `ErrorItemNotFound`; or why there is no answer.
    pub code: String,
    /// Graph's message for humans.
    pub message: String,
    pub retry_after: Option<Duration>,
    /// An answer came, and would be no better again.
    pub fault: Option<Fault>,
    /// Nothing reached Microsoft.
    pub is_unsent: bool,
    /// The answer wants a consent with claims.
    pub wants_claims: bool,
}

/// What is wrong with an answer that says 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It exceeds the size limit.
    TooLarge,
    /// It is a message that cannot be shown in this form.
    Unreadable,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorAnswer {
    error: Value,
    error_description: Value,
    error_codes: Value,
    suberror: Value,
    claims: Value,
}

impl Failure {
    pub fn no_answer(why: impl std::fmt::Display) -> Self {
        Self { code: bounded(&why.to_string()), ..Self::default() }
    }

    pub fn unsent(why: impl std::fmt::Display) -> Self {
        Self { is_unsent: true, ..Self::no_answer(why) }
    }

    pub fn too_large(why: impl std::fmt::Display) -> Self {
        Self { fault: Some(Fault::TooLarge), ..Self::no_answer(why) }
    }

    pub fn unreadable(why: impl std::fmt::Display) -> Self {
        Self { fault: Some(Fault::Unreadable), ..Self::no_answer(why) }
    }

    /// Of Graph. `challenge` is the header WWW-Authenticate.
    pub fn answered(status: u16, headers: &Headers, challenge: Option<&str>, body: &[u8]) -> Self {
        let answer: ErrorAnswer = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| bounded(answer.error[name].as_str().unwrap_or_default());
        Self {
            status: Some(status),
            code: text("code"),
            message: text("message"),
            retry_after: retry_after(headers, ""),
            wants_claims: status == 401 && challenge.is_some_and(|text| text.contains(CLAIMS)),
            ..Self::default()
        }
    }

    /// A refusal for its rate may come under other statuses, and counts as 429; what an id cannot be
    /// is not there.
    pub fn effective_status(&self) -> Option<u16> {
        match (self.status, self.code.as_str()) {
            (
                Some(400 | 403 | 409 | 423 | 500..),
                "ApplicationThrottled"
                | "ErrorTooManyObjectsOpened"
                | "TooManyRequests"
                | "ErrorServerBusy"
                | "MailboxConcurrency",
            ) => Some(429),
            (Some(400), "ErrorInvalidIdMalformed" | "ErrorInvalidId" | "ErrorInvalidIdEmpty") => {
                Some(404)
            }
            // Another change of the same item came first.
            (Some(409 | 412), "ErrorIrresolvableConflict" | "ErrorStaleObject") => Some(503),
            (status, _) => status,
        }
    }

    /// The failure says nothing of the requested object: a rate limit, or no answer.
    pub fn is_for_now(&self) -> bool {
        self.fault.is_none() && matches!(self.effective_status(), None | Some(429))
    }

    /// It would be the same again.
    pub fn is_final(&self) -> bool {
        self.fault.is_some() || matches!(self.effective_status(), Some(400 | 403))
    }

    pub fn is_missing(&self) -> bool {
        matches!(self.effective_status(), Some(404 | 410))
    }

    /// For Graph.
    pub fn of_api(self) -> ProviderError {
        match (self.fault, self.effective_status()) {
            (Some(Fault::TooLarge), _) => ProviderError::TooLarge { unread: Vec::new() },
            (Some(Fault::Unreadable), _) => ProviderError::Unreadable(self.code),
            (None, Some(401)) if self.wants_claims => {
                let advice = Advice::Claims;
                ProviderError::GrantRefused(format!("{}: {}", advice.as_str(), advice.text()))
            }
            (None, Some(401)) => ProviderError::Unauthorized,
            (None, None | Some(408 | 429 | 500..)) => self.unavailable(),
            (None, Some(status)) => ProviderError::Refused { status, reason: self.reason() },
        }
    }

    /// For an owner's operation. A request that may not be repeated, and got no answer or a
    /// server's error, may have been executed.
    pub fn of_request(self, may_be_repeated: bool) -> ProviderError {
        match self.effective_status() {
            _ if self.fault.is_some() && may_be_repeated => self.of_api(),
            _ if self.fault.is_some() => ProviderError::OutcomeUnknown(self.to_string()),
            Some(429) => {
                ProviderError::RateLimited { reason: self.reason(), retry_after: self.retry_after }
            }
            None | Some(408 | 500..) if !may_be_repeated && !self.is_unsent => {
                ProviderError::OutcomeUnknown(self.to_string())
            }
            _ => self.of_api(),
        }
    }

    fn unavailable(self) -> ProviderError {
        ProviderError::Unavailable { reason: self.to_string(), retry_after: self.retry_after }
    }

    pub fn reason(&self) -> String {
        match (self.code.as_str(), self.message.as_str()) {
            (code, "") => code.into(),
            ("", message) => message.into(),
            (code, message) => format!("{code}: {message}"),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.status {
            Some(status) => write!(formatter, "{status} {}", self.reason()),
            None => write!(formatter, "no answer: {}", self.reason()),
        }
    }
}

/// What the token endpoint answered, or did not.
#[derive(Debug, Clone)]
pub struct TokenFailure {
    failure: Failure,
    error: AadError,
}

impl From<Failure> for TokenFailure {
    fn from(failure: Failure) -> Self {
        Self { failure, error: AadError::default() }
    }
}

impl TokenFailure {
    pub fn answered(status: u16, headers: &Headers, body: &[u8]) -> Self {
        let answer: ErrorAnswer = serde_json::from_slice(body).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let codes = answer.error_codes.as_array().map(|codes| {
            codes.iter().filter_map(|code| code.as_u64()?.try_into().ok()).collect::<Vec<u32>>()
        });
        let codes = codes.filter(|codes| !codes.is_empty());
        let error = AadError {
            error: text(&answer.error),
            suberror: text(&answer.suberror),
            codes: codes.unwrap_or_else(|| codes_within(&text(&answer.error_description))),
            claims: answer.claims.as_str().map(String::from),
        };
        Self { failure: Failure::answered(status, headers, None, body), error }
    }

    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    /// For a refresh.
    pub fn of_token(self) -> ProviderError {
        if matches!(self.failure.status, None | Some(408 | 429 | 500..)) {
            return self.failure.unavailable();
        }
        let reason = self.error.reason();
        match self.error.whose() {
            Whose::Ours => ProviderError::ClientRefused(reason),
            Whose::User(_) | Whose::Admin(_) => ProviderError::GrantRefused(reason),
            Whose::Passing => ProviderError::Unavailable { reason, retry_after: None },
            Whose::Request => {
                ProviderError::Refused { status: self.failure.status.unwrap_or_default(), reason }
            }
        }
    }

    /// For the exchange of an authorization code, which is good once.
    pub fn of_exchange(self) -> ProviderError {
        let is_unspent = self.failure.is_unsent || self.failure.status == Some(429);
        match self.of_token() {
            ProviderError::Unavailable { reason, .. } if !is_unspent => {
                ProviderError::OutcomeUnknown(reason)
            }
            refused => refused,
        }
    }
}

/// Shortens a reason for the log and for the connector's row, on one line.
fn bounded(reason: &str) -> String {
    reason.chars().filter(|character| !character.is_control()).take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn graph(status: u16, code: &str) -> Failure {
        let body = json!({"error": {"code": code, "message": "m"}}).to_string();
        Failure::answered(status, &Headers::default(), None, body.as_bytes())
    }

    #[test]
    fn an_error_of_graphs_says_what_to_do_next() {
        let table = [
            (graph(401, "InvalidAuthenticationToken"), "access token was refused"),
            (graph(429, "ApplicationThrottled"), "not available"),
            (graph(400, "ErrorTooManyObjectsOpened"), "not available"),
            (graph(503, "ServiceUnavailable"), "not available"),
            (graph(504, ""), "not available"),
            (graph(404, "ErrorItemNotFound"), "refused with 404"),
            (graph(400, "ErrorInvalidIdMalformed"), "refused with 404"),
            (graph(403, "ErrorAccessDenied"), "refused with 403"),
            (graph(409, "ErrorIrresolvableConflict"), "not available"),
            (Failure::no_answer("timeout"), "not available"),
            (Failure::too_large("x"), "too large"),
        ];
        for (failure, expected) in table {
            let error = failure.clone().of_api().to_string();
            assert!(error.contains(expected), "{failure}: {error}");
        }
    }

    #[test]
    fn a_claims_challenge_is_no_stale_token() {
        let challenge = r#"Bearer realm="", error="insufficient_claims", claims="eyJ9""#;
        let challenged =
            Failure::answered(401, &Headers::default(), Some(challenge), b"").of_api().to_string();
        assert!(challenged.contains("claims_required"), "{challenged}");
        let stale = Failure::answered(401, &Headers::default(), Some("Bearer realm=\"\""), b"");
        assert!(matches!(stale.of_api(), ProviderError::Unauthorized));
    }

    #[test]
    fn what_is_sent_once_and_breaks_off_may_have_been_done() {
        let table = [
            (Failure::no_answer("timeout"), false, "nobody knows"),
            (graph(500, "ErrorInternalServerError"), false, "nobody knows"),
            (Failure::unsent("no connection"), false, "not available"),
            (Failure::no_answer("timeout"), true, "not available"),
            (graph(429, ""), false, "quota is used up"),
            (graph(404, ""), false, "refused with 404"),
        ];
        for (failure, may_be_repeated, expected) in table {
            let error = failure.clone().of_request(may_be_repeated).to_string();
            assert!(error.contains(expected), "{failure} {may_be_repeated}: {error}");
        }
    }

    #[test]
    fn hostile_answers_are_refusals_on_one_line() {
        for body in ["", "<html>", "[]", "7", r#"{"error":7}"#, r#"{"error":{"code":{}}}"#] {
            let failure = Failure::answered(418, &Headers::default(), None, body.as_bytes());
            assert_eq!((failure.status, failure.reason().as_str()), (Some(418), ""), "{body}");
        }
        let long = json!({"error": {"code": "a\n".repeat(500), "message": 7}}).to_string();
        let failure = Failure::answered(400, &Headers::default(), None, long.as_bytes());
        assert_eq!(failure.code, "a".repeat(LONGEST_REASON));
    }

    fn token(status: u16, error: &str, codes: &[u32]) -> TokenFailure {
        let body = json!({"error": error, "error_codes": codes, "error_description": "AADSTS1: a@x.example"});
        TokenFailure::answered(status, &Headers::default(), body.to_string().as_bytes())
    }

    #[test]
    fn a_refused_token_is_ours_the_users_or_nobodys() {
        let table = [
            (
                token(401, "invalid_client", &[7_000_222]),
                "client was refused: invalid_client AADSTS7000222",
            ),
            (token(400, "invalid_grant", &[700_082]), "grant was refused: sign_in_again"),
            (token(400, "invalid_grant", &[65_001]), "grant was refused: consent_required"),
            (token(400, "invalid_grant", &[90_094]), "grant was refused: admin_consent_required"),
            (token(400, "invalid_scope", &[70_011]), "refused with 400"),
            (token(503, "invalid_grant", &[]), "not available"),
            (token(400, "temporarily_unavailable", &[]), "not available"),
        ];
        for (failure, expected) in table {
            let error = failure.clone().of_token().to_string();
            assert!(error.contains(expected), "{failure:?}: {error}");
            assert!(!error.contains('@'), "{error}");
        }
    }

    #[test]
    fn an_exchange_that_breaks_off_may_have_spent_its_code() {
        let table = [
            (token(500, "", &[]), "nobody knows"),
            (Failure::no_answer("timeout").into(), "nobody knows"),
            (Failure::unsent("no connection").into(), "not available"),
            (token(429, "", &[]), "not available"),
            (token(400, "invalid_grant", &[54_005]), "grant was refused"),
        ];
        for (failure, expected) in table {
            let error = failure.clone().of_exchange().to_string();
            assert!(error.contains(expected), "{failure:?}: {error}");
        }
    }
}

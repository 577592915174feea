//! What an error of Google's means for the caller.

use std::time::Duration;

use std::collections::HashMap;

use serde::{Deserialize, Deserializer};

use crate::adapters::retry_after::{Headers, retry_after};
use crate::ports::ProviderError;

/// In bytes, of a word in a token endpoint's description.
const LONGEST_WORD: usize = 24;

/// A refused call: the status and what the body says. It never contains a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `None` when no answer came.
    pub status: Option<u16>,
    /// Google's reason code, for decisions.
    pub reason: String,
    /// Google's message for humans. It is searched only where the reason code is not specific
    /// enough.
    pub message: String,
    pub retry_after: Option<Duration>,
    /// An answer came, and would be no better again.
    pub fault: Option<Fault>,
    /// Nothing reached Google: no connection came about, or the request could not be made.
    pub is_unsent: bool,
}

/// What is wrong with an answer that says 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It exceeds the size limit.
    TooLarge,
    /// It is a message that cannot be shown in this form.
    Unreadable,
}

impl Failure {
    pub fn no_answer(why: impl std::fmt::Display) -> Self {
        Self {
            status: None,
            reason: why.to_string(),
            message: String::new(),
            retry_after: None,
            fault: None,
            is_unsent: false,
        }
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

    pub fn answered(status: u16, headers: &Headers, body: &[u8]) -> Self {
        let answer: ErrorAnswer = serde_json::from_slice(body).unwrap_or_default();
        let (reason, message) = match answer.error {
            ErrorBody::Code(code) => (code, without_tokens(&answer.error_description)),
            ErrorBody::Api { message, errors } => {
                let reason = errors
                    .first()
                    .and_then(|error| error.get("reason"))
                    .and_then(|reason| reason.as_str());
                (reason.unwrap_or_default().to_string(), message)
            }
        };
        let retry_after = retry_after(headers, &message);
        Self {
            status: Some(status),
            reason: bounded(&reason),
            message: bounded(&message),
            retry_after,
            fault: None,
            is_unsent: false,
        }
    }

    /// A rate limit may come as 403, and counts as 429.
    pub fn effective_status(&self) -> Option<u16> {
        let rate_limited = matches!(
            self.reason.as_str(),
            "rateLimitExceeded" | "userRateLimitExceeded" | "quotaExceeded" | "dailyLimitExceeded"
        );
        if self.status == Some(403) && rate_limited { Some(429) } else { self.status }
    }

    /// The failure says nothing of the requested object: a rate limit, or no answer.
    pub fn is_for_now(&self) -> bool {
        self.fault.is_none() && matches!(self.effective_status(), None | Some(429))
    }

    /// It would be the same again.
    pub fn is_final(&self) -> bool {
        self.fault.is_some() || matches!(self.effective_status(), Some(400 | 403))
    }

    /// For Gmail's API.
    pub fn of_api(self) -> ProviderError {
        match (self.fault, self.effective_status()) {
            (Some(Fault::TooLarge), _) => ProviderError::TooLarge { unread: Vec::new() },
            (Some(Fault::Unreadable), _) => ProviderError::Unreadable(self.reason),
            (None, Some(401)) => ProviderError::Unauthorized,
            (None, None | Some(408 | 429 | 500..)) => self.unavailable(),
            (None, Some(status)) => ProviderError::Refused { status, reason: self.reason() },
        }
    }

    /// A refusal inside an answer with a good status.
    pub fn inside(body: &[u8]) -> Option<Self> {
        // A cheap check first: no good answer of Gmail's begins so.
        let begins = body
            .trim_ascii_start()
            .strip_prefix(b"{")?
            .trim_ascii_start()
            .starts_with(b"\"error\"");
        let status = |body: &[u8]| {
            serde_json::from_slice::<serde_json::Value>(body).ok()?["error"]["code"]
                .as_u64()?
                .try_into()
                .ok()
        };
        begins.then(|| Self::answered(status(body).unwrap_or(500), &Headers::default(), body))
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
            None | Some(408 | 500..) if !may_be_repeated => {
                ProviderError::OutcomeUnknown(self.to_string())
            }
            _ => self.of_api(),
        }
    }

    /// For a page of a listing: if the query has not changed, it is refused for its page token.
    pub fn of_page(self, page_token: Option<&str>) -> ProviderError {
        if self.status == Some(400) && page_token.is_some() {
            ProviderError::PageLost
        } else {
            self.of_api()
        }
    }

    /// For `watch`, whose one special refusal has no reason of its own.
    pub fn of_watch(self) -> ProviderError {
        const TAKEN: &str = "Only one user push notification client";
        let taken = self.reason.contains(TAKEN) || self.message.contains(TAKEN);
        if self.status == Some(400) && taken { ProviderError::WatchTaken } else { self.of_api() }
    }

    /// For the token endpoint (RFC 6749, section 5.2).
    pub fn of_token(self) -> ProviderError {
        match (self.reason.as_str(), self.status) {
            ("invalid_grant", _) => ProviderError::GrantRefused(self.reason()),
            ("invalid_client" | "unauthorized_client", _) => {
                ProviderError::ClientRefused(self.reason())
            }
            (_, None | Some(408 | 429 | 500..)) => self.unavailable(),
            (_, Some(status)) => ProviderError::Refused { status, reason: self.reason() },
        }
    }

    /// For the exchange of an authorization code, which is good once: unless Google never had the
    /// request, or did not let it in (429), whatever broke off may have spent the code.
    pub fn of_exchange(self) -> ProviderError {
        let is_unspent = self.is_unsent || self.status == Some(429);
        match self.of_token() {
            ProviderError::Unavailable { reason, .. } if !is_unspent => {
                ProviderError::OutcomeUnknown(reason)
            }
            refused => refused,
        }
    }

    fn unavailable(self) -> ProviderError {
        ProviderError::Unavailable { reason: self.to_string(), retry_after: self.retry_after }
    }

    fn reason(&self) -> String {
        match (self.reason.as_str(), self.message.as_str()) {
            (reason, "") => reason.into(),
            ("", message) => message.into(),
            (reason, message) => format!("{reason}: {message}"),
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

/// Shortens a reason for the log and for the connector's row.
fn bounded(reason: &str) -> String {
    reason.chars().filter(|character| !character.is_control()).take(200).collect()
}

/// The sentence that a token endpoint says to humans. No word of a sentence is as long as a code,
/// a token or a secret, so that none is kept even if the answer repeats one; nor is an address.
fn without_tokens(description: &str) -> String {
    let is_secret = |word: &str| word.len() > LONGEST_WORD || word.contains('@');
    let shown = |word| if is_secret(word) { "…" } else { word };
    description.split_whitespace().map(shown).collect::<Vec<_>>().join(" ")
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorAnswer {
    error: ErrorBody,
    /// Only beside a code (RFC 6749, section 5.2).
    #[serde(deserialize_with = "text_or_nothing")]
    error_description: String,
}

/// A description of another type must not hide the code beside it.
fn text_or_nothing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value.as_str().unwrap_or_default().to_string())
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ErrorBody {
    Code(String),
    Api {
        #[serde(default)]
        message: String,
        #[serde(default)]
        errors: Vec<HashMap<String, serde_json::Value>>,
    },
}

impl Default for ErrorBody {
    fn default() -> Self {
        Self::Code(String::new())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn failure(status: u16, reason: &str, message: &str) -> Failure {
        let body = format!(
            r#"{{"error":{{"code":{status},"message":"{message}","errors":[{{"reason":"{reason}"}}]}}}}"#
        );
        Failure::answered(status, &Headers::default(), body.as_bytes())
    }

    fn api(status: u16, reason: &str) -> ProviderError {
        failure(status, reason, "m").of_api()
    }

    #[test]
    fn a_refusal_inside_a_good_answer_is_a_refusal() {
        let inside = |body: &str| {
            Failure::inside(body.as_bytes()).map(|failure| failure.of_request(true).to_string())
        };
        let refusal =
            r#" { "error": {"code": 404, "message": "gone", "errors": [{"reason": "notFound"}]}}"#;
        assert_eq!(
            inside(refusal).as_deref(),
            Some("the provider refused with 404: notFound: gone")
        );
        assert_eq!(
            inside(r#"{"error": "odd"}"#).as_deref(),
            Some("the provider is not available: 500 odd")
        );
        for good in ["", "{}", r#"{"id":"1"}"#, r#"{"name":"error"}"#, "[]", "not json"] {
            assert_eq!(inside(good), None, "{good}");
        }
    }

    #[test]
    fn what_is_sent_once_and_breaks_off_may_have_been_done() {
        let table: [(Option<u16>, &str, bool, &str); 9] = [
            (None, "timeout", false, "nobody knows"),
            (Some(500), "backendError", false, "nobody knows"),
            (Some(503), "backendError", false, "nobody knows"),
            (Some(503), "backendError", true, "not available"),
            (None, "timeout", true, "not available"),
            (Some(429), "rateLimitExceeded", false, "quota"),
            (Some(403), "userRateLimitExceeded", true, "quota"),
            (Some(400), "invalidArgument", false, "refused with 400"),
            (Some(401), "authError", false, "access token"),
        ];
        for (status, reason, may_be_repeated, expected) in table {
            let failure = Failure { status, ..Failure::no_answer(reason) };
            let error = failure.of_request(may_be_repeated).to_string();
            assert!(error.contains(expected), "{status:?} {reason}: {error}");
        }
    }

    #[test]
    fn an_api_error_is_named_by_what_to_do_next() {
        assert!(matches!(api(401, "authError"), ProviderError::Unauthorized));
        for (status, reason) in [
            (429, "rateLimitExceeded"),
            (403, "userRateLimitExceeded"),
            (500, "backendError"),
            (503, ""),
        ] {
            assert!(
                matches!(api(status, reason), ProviderError::Unavailable { .. }),
                "{status} {reason}"
            );
        }
        for (status, reason) in
            [(400, "failedPrecondition"), (403, "domainPolicy"), (404, "notFound")]
        {
            assert!(
                matches!(api(status, reason), ProviderError::Refused { status: actual, .. } if actual == status),
                "{status} {reason}"
            );
        }
    }

    #[test]
    fn only_a_rate_limit_and_silence_are_for_now() {
        assert!(Failure::no_answer("timeout").is_for_now());
        let table = [
            (429, "rateLimitExceeded", true),
            (429, "", true),
            (403, "userRateLimitExceeded", true),
            (403, "quotaExceeded", true),
            (403, "forbidden", false),
            (400, "failedPrecondition", false),
            (500, "backendError", false),
        ];
        for (status, reason, expected) in table {
            assert_eq!(failure(status, reason, "m").is_for_now(), expected, "{status} {reason}");
        }
    }

    #[test]
    fn reason_and_message_are_both_shown() {
        let table =
            [("r", "m", "400 r: m"), ("r", "", "400 r"), ("", "m", "400 m"), ("", "", "400 ")];
        for (reason, message, expected) in table {
            assert_eq!(failure(400, reason, message).to_string(), expected);
        }
        assert_eq!(Failure::no_answer("timeout").to_string(), "no answer: timeout");
    }

    #[test]
    fn how_long_to_wait_comes_along() {
        let headers = Headers { retry_after: Some("90".into()), date: None };
        for body in
            ["<html>", r#"{"error":{"message":"m","errors":[{"reason":"rateLimitExceeded"}]}}"#]
        {
            let error = Failure::answered(429, &headers, body.as_bytes()).of_api();
            let expected = Some(Duration::from_secs(90));
            assert!(
                matches!(error, ProviderError::Unavailable { retry_after, .. } if retry_after == expected),
                "{body}"
            );
        }
    }

    #[test]
    fn a_page_is_lost_only_where_there_was_a_page() {
        assert!(matches!(
            failure(400, "invalidArgument", "Invalid pageToken").of_page(Some("p")),
            ProviderError::PageLost
        ));
        assert!(matches!(
            failure(400, "invalidArgument", "m").of_page(None),
            ProviderError::Refused { status: 400, .. }
        ));
        assert!(matches!(
            failure(500, "backendError", "m").of_page(Some("p")),
            ProviderError::Unavailable { .. }
        ));
    }

    #[test]
    fn a_watch_in_the_way_differs_from_other_refusals() {
        const TAKEN: &str = "Only one user push notification client allowed per developer (call /stop then try again)";
        let taken = [
            failure(400, "failedPrecondition", TAKEN),
            failure(400, TAKEN, ""),
            failure(400, "", TAKEN),
        ];
        for failure in taken {
            assert!(matches!(failure.clone().of_watch(), ProviderError::WatchTaken), "{failure}");
        }
        assert!(matches!(
            failure(400, "failedPrecondition", "m").of_watch(),
            ProviderError::Refused { status: 400, .. }
        ));
        assert!(matches!(
            failure(503, "backendError", TAKEN).of_watch(),
            ProviderError::Unavailable { .. }
        ));
    }

    #[test]
    fn a_token_error_is_about_the_grant_or_the_client() {
        let token = |status, body: &str| {
            Failure::answered(status, &Headers::default(), body.as_bytes()).of_token()
        };
        assert!(matches!(
            token(400, r#"{"error":"invalid_grant"}"#),
            ProviderError::GrantRefused(_)
        ));
        assert!(matches!(
            token(401, r#"{"error":"invalid_client"}"#),
            ProviderError::ClientRefused(_)
        ));
        assert!(matches!(token(503, "<html>"), ProviderError::Unavailable { .. }));
        assert!(matches!(
            token(400, r#"{"error":"invalid_request"}"#),
            ProviderError::Refused { status: 400, .. }
        ));
    }

    #[test]
    fn a_refused_grant_keeps_what_google_says_of_it_on_one_line_and_without_secrets() {
        let said = "Token has been expired or revoked.";
        let long = "a ".repeat(500);
        let table = [
            (json!({"error": "invalid_grant"}), "invalid_grant".to_string()),
            (
                json!({"error": "invalid_grant", "error_description": said}),
                format!("invalid_grant: {said}"),
            ),
            (
                json!({"error": "invalid_grant", "error_description": "Bad\r\n  Request\u{7}"}),
                "invalid_grant: Bad Request".into(),
            ),
            (
                json!({"error": "invalid_grant", "error_description": "not 1//0gabcdefghijklmnopqrstuv-x ok"}),
                "invalid_grant: not … ok".into(),
            ),
            (
                json!({"error": "invalid_grant", "error_description": long}),
                format!("invalid_grant: {}", &long[..200]),
            ),
            (json!({"error": "invalid_grant", "error_description": ""}), "invalid_grant".into()),
        ];
        for (body, expected) in table {
            let body = body.to_string();
            let failure = Failure::answered(400, &Headers::default(), body.as_bytes());
            match failure.of_token() {
                ProviderError::GrantRefused(reason) => assert_eq!(reason, expected, "{body}"),
                other => panic!("{body}: {other:?}"),
            }
        }
        // A description that is no text does not hide the code.
        let body = br#"{"error":"invalid_grant","error_description":7}"#;
        let failure = Failure::answered(400, &Headers::default(), body);
        assert_eq!(failure.reason, "invalid_grant");
    }

    #[test]
    fn an_exchange_that_breaks_off_may_have_spent_its_code() {
        let answered =
            |status, body: &str| Failure::answered(status, &Headers::default(), body.as_bytes());
        let table = [
            (answered(500, ""), "nobody knows"),
            (answered(503, "<html>"), "nobody knows"),
            (answered(408, ""), "nobody knows"),
            (Failure::no_answer("timeout"), "nobody knows"),
            (Failure::too_large("endless"), "nobody knows"),
            (Failure::unsent("no connection"), "not available"),
            (answered(429, ""), "not available"),
            (answered(400, r#"{"error":"invalid_grant"}"#), "grant was refused"),
            (answered(401, r#"{"error":"invalid_client"}"#), "client was refused"),
            (answered(400, r#"{"error":"redirect_uri_mismatch"}"#), "refused with 400"),
        ];
        for (failure, expected) in table {
            let error = failure.clone().of_exchange().to_string();
            assert!(error.contains(expected), "{failure}: {error}");
        }
    }
}

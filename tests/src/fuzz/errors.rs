//! Google's error answers, for every caller. The first three lines are the status, `Retry-After`
//! and `Date`; the rest is the body.

use std::time::Duration;

use email_connectors::adapters::gmail::errors::Failure;
use email_connectors::adapters::retry_after::Headers;
use email_connectors::ports::ProviderError;
use serde_json::Value;

use super::plain;

const DAY: Duration = Duration::from_secs(24 * 3600);

pub fn errors(data: &[u8]) {
    let (status, rest) = plain::line(data);
    let (retry_after, rest) = plain::line(rest);
    let (date, body) = plain::line(rest);
    let status: u16 = status.trim().parse().unwrap_or(400);
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let headers = Headers { retry_after: given(retry_after), date: given(date) };
    let failure = Failure::answered(status, &headers, body);
    check_words(&failure, body);
    check_wait(&failure, &headers);
    check_meaning(&failure, status);
}

/// The words are Google's, cut short and in one line.
fn check_words(failure: &Failure, body: &[u8]) {
    for text in [&failure.reason, &failure.message] {
        assert!(text.chars().count() <= 200 && !plain::has_control(text), "{text:?}");
    }
    assert!(!plain::has_control(&failure.to_string()));
    let in_short = |text: &str| {
        text.chars().filter(|character| !character.is_control()).take(200).collect::<String>()
    };
    let Some(answer) = plain::json(body) else { return };
    // Duplicate names are dropped by the plain reader, so its reading is parsed again.
    let failure = Failure::answered(400, &Headers::default(), answer.to_string().as_bytes());
    if let Value::String(code) = &answer["error"] {
        assert_eq!(failure.reason, in_short(code));
        let words: Vec<&str> =
            answer["error_description"].as_str().unwrap_or_default().split_whitespace().collect();
        if words.iter().all(|word| word.len() <= 24) {
            assert_eq!(failure.message, in_short(&words.join(" ")));
        }
        assert!(failure.message.split(' ').all(|word| word.len() <= 24), "{}", failure.message);
    }
    if let (Value::String(message), Value::Array(errors)) =
        (&answer["error"]["message"], &answer["error"]["errors"])
        && errors.iter().all(Value::is_object)
    {
        let reason = errors.first().and_then(|error| error["reason"].as_str()).unwrap_or_default();
        assert_eq!(
            (failure.reason.as_str(), failure.message.as_str()),
            (in_short(reason).as_str(), in_short(message).as_str())
        );
    }
}

fn check_wait(failure: &Failure, headers: &Headers) {
    assert!(failure.retry_after.is_none_or(|wait| wait <= DAY), "{:?}", failure.retry_after);
    if let Some(seconds) = headers.retry_after.as_ref().and_then(|text| text.trim().parse().ok()) {
        let at_least = Duration::from_secs(seconds).min(DAY);
        assert!(
            failure.retry_after >= Some(at_least),
            "{seconds} s were requested, and not {:?}",
            failure.retry_after
        );
    }
}

fn check_meaning(failure: &Failure, status: u16) {
    let reason = failure.reason.as_str();
    let rate_limit =
        ["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"]
            .contains(&reason);
    let passes = status == 408 || status == 429 || status >= 500 || (status == 403 && rate_limit);
    let taken =
        format!("{reason} {}", failure.message).contains("Only one user push notification client");

    let api = failure.clone().of_api();
    match &api {
        ProviderError::Unauthorized => assert_eq!(status, 401),
        ProviderError::Unavailable { retry_after, .. } => {
            assert!(passes && *retry_after == failure.retry_after, "{status}")
        }
        ProviderError::Refused { status: refused, .. } => {
            assert!(*refused == status && !passes && status != 401, "{status}")
        }
        other => panic!("the API's {status} is {other:?}"),
    }
    match failure.clone().of_page(Some("p")) {
        ProviderError::PageLost => assert_eq!(status, 400),
        other => assert_eq!(other.to_string(), api.to_string()),
    }
    assert_eq!(failure.clone().of_page(None).to_string(), api.to_string());
    match failure.clone().of_watch() {
        ProviderError::WatchTaken => assert!(status == 400 && taken),
        other => assert_eq!(other.to_string(), api.to_string()),
    }
    match failure.clone().of_token() {
        ProviderError::GrantRefused(_) => {
            assert!(reason == "invalid_grant" || reason.starts_with("invalid_grant: "), "{reason}")
        }
        ProviderError::ClientRefused(_) => {
            assert!(["invalid_client", "unauthorized_client"].contains(&reason))
        }
        ProviderError::Unavailable { .. } => {
            assert!(status == 408 || status == 429 || status >= 500)
        }
        ProviderError::Refused { status: refused, .. } => assert_eq!(refused, status),
        other => panic!("the token endpoint's {status} is {other:?}"),
    }
    assert_eq!(failure.is_for_now(), status == 429 || (status == 403 && rate_limit));
    assert!(!plain::has_control(&api.to_string()));
}

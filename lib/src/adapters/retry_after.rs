//! How long a provider asks to wait: in a header, or (Google) in words within the error's message.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

/// No answer puts a mailbox off for longer than this.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// What an answer's headers say of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    pub retry_after: Option<String>,
    pub date: Option<String>,
}

/// The longer wait, if both header and message name one. A moment counts from the answer's own
/// date: our clock may differ.
pub fn retry_after(headers: &Headers, message: &str) -> Option<Duration> {
    let date = headers.date.as_deref().and_then(http_date);
    let until =
        |moment: OffsetDateTime| Some(Duration::try_from(moment - date?).unwrap_or(Duration::ZERO));
    let header = headers.retry_after.as_deref().map(str::trim);
    let by_header = header.and_then(|text| {
        text.parse().ok().map(Duration::from_secs).or_else(|| until(http_date(text)?))
    });
    let by_message = moment_within(message).and_then(until);
    by_header.max(by_message).map(|wait| wait.min(LONGEST))
}

/// RFC 9110 dates are RFC 2822 dates with GMT for a zone.
fn http_date(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text.trim(), &Rfc2822).ok()
}

/// As in "User-rate limit exceeded. Retry after 2026-01-01T00:00:00.000Z (Mail sending)".
fn moment_within(message: &str) -> Option<OffsetDateTime> {
    const WORDS: &str = "retry after ";
    let begins = message.to_ascii_lowercase().find(WORDS)? + WORDS.len();
    let moment = message.get(begins..)?.split_whitespace().next()?;
    OffsetDateTime::parse(moment.trim_end_matches(['.', ',', ';', ')']), &Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_from_the_header_and_from_the_message() {
        const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
        let said = |text: &str| format!("User-rate limit exceeded.  Retry after {text}");
        let table = [
            ("seconds", Some("7"), "", Some(7)),
            ("a date", Some("Sun, 06 Nov 1994 08:51:37 GMT"), "", Some(120)),
            ("a date that has passed", Some("Sun, 06 Nov 1994 08:00:00 GMT"), "", Some(0)),
            ("a message", None, &*said("1994-11-06T08:50:37.000Z"), Some(60)),
            (
                "a message that goes on",
                None,
                &*said("1994-11-06T08:50:37.000Z (Mail sending)"),
                Some(60),
            ),
            ("a message that ends there", None, &*said("1994-11-06T09:50:37+01:00."), Some(60)),
            ("a message in lower case", None, "please retry after 1994-11-06T08:50:37Z", Some(60)),
            ("the longer of both", Some("7"), &*said("1994-11-06T08:50:37.000Z"), Some(60)),
            ("no longer than a day", Some("1000000"), "", Some(24 * 3600)),
            ("not even as a date", None, &*said("2999-01-01T00:00:00Z"), Some(24 * 3600)),
            ("neither", None, "Too many concurrent requests for user", None),
            ("an unreadable header", Some("soon"), "", None),
            ("a negative header", Some("-1"), "", None),
            ("an unreadable moment", None, &*said("tomorrow"), None),
            ("no moment", None, "Retry after ", None),
        ];
        for (case, header, message, seconds) in table {
            let headers =
                Headers { retry_after: header.map(String::from), date: Some(DATE.into()) };
            assert_eq!(retry_after(&headers, message), seconds.map(Duration::from_secs), "{case}");
        }
    }

    #[test]
    fn a_moment_says_nothing_without_a_readable_date_beside_it() {
        for date in [None, Some("today".to_string())] {
            let headers =
                Headers { retry_after: Some("Sun, 06 Nov 1994 08:51:37 GMT".into()), date };
            assert_eq!(retry_after(&headers, "Retry after 1994-11-06T08:50:37.000Z"), None);
        }
    }
}

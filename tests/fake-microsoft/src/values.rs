//! Small encodings: unguessable strings, base64, digests, ids, and moments as Graph writes them.

use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub(crate) fn unguessable(prefix: &str, bytes: usize) -> String {
    let mut random = vec![0; bytes];
    rand::fill(&mut random).expect("the system gives random bytes");
    format!("{prefix}{}", base64url(&random))
}

/// Without padding, as JOSE wants it.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// With padding, as Exchange writes ids.
pub(crate) fn base64url_padded(bytes: &[u8]) -> String {
    URL_SAFE.encode(bytes)
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

/// A UUID that is always the same for one name.
pub(crate) fn uuid_of(name: &str) -> String {
    let hex: String = sha256(name.as_bytes()).iter().take(16).map(|b| format!("{b:02x}")).collect();
    let (a, b, c, d, e) = (&hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..]);
    format!("{a}-{b}-4{c}-8{d}-{e}")
}

pub(crate) fn random_uuid() -> String {
    uuid_of(&unguessable("", 16))
}

/// `2026-11-30T12:00:00Z`: Graph's moments of mail have whole seconds.
pub(crate) fn moment(seconds: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    moment.format(&Rfc3339).unwrap_or_default()
}

/// Seconds since 1970; a fraction is cut off.
pub(crate) fn seconds(moment: &str) -> Option<i64> {
    OffsetDateTime::parse(moment, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp)
}

/// Milliseconds since 1970.
pub(crate) fn milliseconds(moment: &str) -> Option<i64> {
    let nanoseconds = OffsetDateTime::parse(moment, &Rfc3339).ok()?.unix_timestamp_nanos();
    i64::try_from(nanoseconds / 1_000_000).ok()
}

/// `Mon, 30 Nov 2026 12:00:00 GMT`, for the `Date` header.
pub(crate) fn http_date(moment: OffsetDateTime) -> String {
    let weekday = &moment.weekday().to_string()[..3];
    let month = &moment.month().to_string()[..3];
    let (hour, minute, second) = moment.to_hms();
    format!(
        "{weekday}, {:02} {month} {} {hour:02}:{minute:02}:{second:02} GMT",
        moment.day(),
        moment.year()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_whole_seconds() {
        assert_eq!(moment(1_800_000_000), "2027-01-15T08:00:00Z");
        assert_eq!(seconds("2027-01-15T08:00:00.9Z"), Some(1_800_000_000));
        let date = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        assert_eq!(http_date(date), "Fri, 15 Jan 2027 08:00:00 GMT");
    }

    #[test]
    fn a_uuid_is_of_version_4() {
        let uuid = uuid_of("ann@example.com");
        assert_eq!((uuid.len(), &uuid[14..15], &uuid[19..20]), (36, "4", "8"), "{uuid}");
    }
}

//! Page tokens: opaque to the caller, and good only for the listing that made them.

use crate::values::{base64url, from_base64url, sha256};

const SEPARATOR: char = '|';

pub(crate) fn encode(parts: &[&str]) -> String {
    base64url(parts.join(&SEPARATOR.to_string()).as_bytes())
}

/// The parts, if there are exactly `N`.
pub(crate) fn decode<const N: usize>(token: &str) -> Option<[String; N]> {
    let text = String::from_utf8(from_base64url(token)?).ok()?;
    let parts: Vec<String> = text.split(SEPARATOR).map(Into::into).collect();
    parts.try_into().ok()
}

/// A short stand-in for everything that must not change between two pages.
pub(crate) fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let joined: Vec<&str> = parts.into_iter().collect();
    base64url(&sha256(joined.join("\0").as_bytes())[..9])
}

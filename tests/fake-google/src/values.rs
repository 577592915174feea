//! Small encodings: unguessable strings, base64, digests, and 64-bit numbers as JSON strings.

use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn unguessable(prefix: &str, bytes: usize) -> String {
    let mut random = vec![0; bytes];
    rand::fill(&mut random).expect("the system gives random bytes");
    format!("{prefix}{}", base64url(&random))
}

/// Without padding, as JOSE wants it.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// With padding, as Gmail writes bodies.
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

/// A Google account id: 21 digits, always the same for one address.
pub(crate) fn account_id(email: &str) -> String {
    let digits =
        sha256(email.as_bytes()).into_iter().take(20).map(|byte| char::from(b'0' + byte % 10));
    std::iter::once('1').chain(digits).collect()
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Lenient {
    Number(u64),
    Text(String),
}

pub(crate) fn u64_as_text<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(crate) fn optional_u64<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    match Option::<Lenient>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Lenient::Number(value)) => Ok(Some(value)),
        Some(Lenient::Text(text)) => text.parse().map(Some).map_err(serde::de::Error::custom),
    }
}

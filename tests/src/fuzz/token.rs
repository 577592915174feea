//! A bearer token: the key that its header names, and that only the signed token is accepted.

use email_connectors::adapters::oidc::{key_set, token as tokens};

use super::plain;

/// The two were made together, with a private key that is gone.
const KEYS: &[u8] = include_bytes!("../../fuzz/corpus/keys/one-good-key.json");
const SIGNED: &str = include_str!("../../fuzz/corpus/token/signed.jwt");
const KEY_ID: &str = "fuzz-1";

pub fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let keys = key_set::usable(KEYS).expect("the key set is good");
    if let Ok(claims) = tokens::claims(text, &keys[KEY_ID]) {
        assert_eq!(
            signed_part(text),
            signed_part(SIGNED),
            "a token that nobody signed is believed: {claims:?}"
        );
    }
    let Ok(id) = tokens::key_id(text, &[]) else { return };
    assert!(text.len() <= tokens::LONGEST_TOKEN);
    let parts: Vec<&str> = text.split('.').collect();
    assert_eq!(parts.len(), 3, "a token has three parts");
    let header = plain::base64(parts[0]).expect("a header is base64");
    let Some(header) = plain::json(&header) else { return };
    assert_eq!(
        (header["alg"].as_str(), header["kid"].as_str()),
        (Some("RS256"), Some(id.as_str())),
        "{header}"
    );
    assert!(header["crit"].is_null(), "{header}");
}

fn signed_part(token: &str) -> &str {
    token.trim_end().rsplit_once('.').map_or(token, |(signed, _)| signed)
}

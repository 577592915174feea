//! An issuer's published keys (RFC 7517): those that may verify a token here, and how long they are
//! cached.

use std::collections::HashMap;
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyAlgorithm, PublicKeyUse};
use serde::Deserialize;
use serde_json::Value;

use super::BETWEEN_FETCHES;

/// Kept as they came: one that cannot be read is no reason to refuse the others.
#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

/// By id. A key that is not for RS256 signatures is not ours to use.
pub fn usable(answer: &[u8]) -> serde_json::Result<HashMap<String, DecodingKey>> {
    let published: Published = serde_json::from_slice(answer)?;
    let keys = published
        .keys
        .into_iter()
        .filter_map(|key| serde_json::from_value::<Jwk>(key).ok())
        .filter(verifies_rs256);
    Ok(keys
        .filter_map(|jwk| Some((jwk.common.key_id.clone()?, DecodingKey::from_jwk(&jwk).ok()?)))
        .collect())
}

fn verifies_rs256(jwk: &Jwk) -> bool {
    let of_rsa = matches!(jwk.algorithm, AlgorithmParameters::RSA(_));
    let of_signatures =
        jwk.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    let of_sha256 =
        jwk.common.key_algorithm.as_ref().is_none_or(|algorithm| *algorithm == KeyAlgorithm::RS256);
    of_rsa && of_signatures && of_sha256
}

/// The longest caching, whatever the issuer says: a withdrawn key is dropped within a day.
const LONGEST_AGE: Duration = Duration::from_secs(24 * 3600);

/// The `max-age` of a `Cache-Control` header, but no shorter than the time between two fetches.
pub fn max_age(cache_control: &str) -> Option<Duration> {
    let seconds =
        cache_control.split(',').find_map(|directive| directive.trim().strip_prefix("max-age="))?;
    Some(Duration::from_secs(seconds.parse().ok()?).clamp(BETWEEN_FETCHES, LONGEST_AGE))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ids(keys: Value) -> Vec<String> {
        let mut ids: Vec<String> =
            usable(json!({"keys": keys}).to_string().as_bytes()).unwrap().into_keys().collect();
        ids.sort();
        ids
    }

    #[test]
    fn only_keys_for_rs256_signatures_are_usable() {
        let rsa = |change: Value| {
            let mut key = json!({"kty": "RSA", "kid": "k", "n": "AQAB", "e": "AQAB"});
            key.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            key
        };
        let table = [
            (rsa(json!({})), true),
            (rsa(json!({"use": "sig", "alg": "RS256", "x5c": ["AA"], "unknown": 1})), true),
            (rsa(json!({"use": "enc"})), false),
            (rsa(json!({"alg": "RS512"})), false),
            (rsa(json!({"kid": null})), false),
            (rsa(json!({"n": "%"})), false),
            (json!({"kty": "EC", "kid": "k", "crv": "P-256", "x": "AA", "y": "AA"}), false),
            (json!({"kty": "oct", "kid": "k", "alg": "HS256", "k": "AA"}), false),
            (json!({"kty": "AKP", "kid": "k", "alg": "ML-DSA-44", "pub": "AA"}), false),
        ];
        for (key, expected) in table {
            assert_eq!(ids(json!([key])).len(), usize::from(expected), "{key}");
        }
    }

    #[test]
    fn a_key_that_cannot_be_read_does_not_hide_the_others() {
        let good = json!({"kty": "RSA", "kid": "good", "n": "AQAB", "e": "AQAB"});
        for bad in [
            json!(null),
            json!({}),
            json!({"kty": "RSA", "kid": 7}),
            json!({"kty": "RSA", "x5c": "AA"}),
            json!([[]]),
        ] {
            assert_eq!(ids(json!([bad, good])), ["good"], "{bad}");
        }
        assert_eq!(ids(json!([])), Vec::<String>::new());
        assert!(usable(b"{}").is_err());
    }

    #[test]
    fn keys_are_known_as_long_as_the_issuer_says_and_for_a_minute_at_least() {
        let table = [
            ("public, max-age=19845, must-revalidate", Some(19_845)),
            ("max-age=0", Some(60)),
            ("max-age=31536000", Some(86_400)),
            ("max-age=x", None),
            ("no-store", None),
            ("", None),
        ];
        for (header, seconds) in table {
            assert_eq!(max_age(header), seconds.map(Duration::from_secs), "{header}");
        }
    }
}

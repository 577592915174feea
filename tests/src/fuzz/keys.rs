//! An issuer's key set: only RSA keys for RS256 are usable, no key hides another, and a key accepts
//! only its own signatures.

use std::time::Duration;

use email_connectors::adapters::oidc::{key_set, token};
use serde_json::{Value, json};

use super::plain::{self, NOW};

const GOOD: &[u8] = include_bytes!("../../fuzz/corpus/keys/one-good-key.json");
const SIGNED: &str = include_str!("../../fuzz/corpus/token/signed.jwt");
/// Each verification takes its time.
const MOST_TRIED: usize = 3;

pub fn keys(data: &[u8]) {
    check_max_age(data);
    let good = &plain::json(GOOD).expect("the good set is JSON")["keys"][0];
    let value = plain::json(data);
    if let Some(beside) = value.clone().filter(|beside| beside["kid"] != good["kid"]) {
        for set in [json!({"keys": [good, beside]}), json!({"keys": [beside, good]})] {
            let usable =
                key_set::usable(set.to_string().as_bytes()).expect("a set of any keys can be read");
            assert!(
                good["kid"].as_str().is_some_and(|id| usable.contains_key(id)),
                "the good key is hidden: {set}"
            );
        }
    }
    let Ok(usable) = key_set::usable(data) else { return };
    let Some(published) = value.as_ref().and_then(|value| value["keys"].as_array()) else { return };
    assert!(usable.len() <= published.len());
    for (id, key) in usable.iter().take(MOST_TRIED) {
        let of_id: Vec<&Value> =
            published.iter().filter(|key| key["kid"].as_str() == Some(id)).collect();
        assert!(of_id.iter().any(|key| is_for_rs256(key)), "`{id}` is usable: {of_id:?}");
        let is_good = |key: &&Value| parts(key) == parts(good);
        let believes = token::claims(SIGNED.trim_end(), key).is_ok();
        assert!(
            !believes || of_id.iter().any(is_good),
            "`{id}` believes what it did not sign: {of_id:?}"
        );
    }
}

fn is_for_rs256(key: &Value) -> bool {
    let absent_or = |name: &str, wanted: &str| key[name].is_null() || key[name] == wanted;
    key["kty"] == "RSA" && absent_or("use", "sig") && absent_or("alg", "RS256")
}

/// Modulus and exponent, as numbers: leading zeros do not count.
fn parts(key: &Value) -> [Option<Vec<u8>>; 2] {
    ["n", "e"].map(|name| {
        let bytes = plain::base64(key[name].as_str()?)?;
        Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
    })
}

fn check_max_age(data: &[u8]) {
    let header = String::from_utf8_lossy(data);
    if let Some(max_age) = key_set::max_age(&header) {
        assert!(max_age >= Duration::from_secs(60) && header.contains("max-age="), "{header}");
        assert!(NOW.after(max_age) > NOW);
    }
}

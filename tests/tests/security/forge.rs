//! Pushes and tokens as an attacker could forge them, and as only Google can sign them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use email_connectors::adapters::system::System;
use email_connectors::ports::{Clock, Entropy};
use serde_json::{Value, json};
use tests::stage::SUBSCRIPTION;

use crate::security::target::Target;

pub fn unique() -> String {
    System.uuid(System.now()).simple().to_string()
}

/// Form-encoded (`application/x-www-form-urlencoded`).
pub fn encoded(text: &str) -> String {
    let url = reqwest::Url::parse_with_params("http://a.example", [("a", text)]).unwrap();
    url.query().unwrap().strip_prefix("a=").unwrap().to_string()
}

/// A mailbox that nobody has connected.
pub const NOBODY: &str = "nobody@example.com";
/// Lower than any id of a mailbox of the fake Gmail.
pub const NOBODYS_HISTORY_ID: u64 = 7;

pub fn nobodys_push() -> String {
    push(NOBODY, json!(NOBODYS_HISTORY_ID))
}

pub fn push(email: &str, history_id: Value) -> String {
    push_of(&json!({"emailAddress": email, "historyId": history_id}).to_string())
}

pub fn push_of(notification: &str) -> String {
    enveloped(&BASE64_STANDARD.encode(notification), &unique(), SUBSCRIPTION)
}

pub fn enveloped(data: &str, message_id: &str, subscription: &str) -> String {
    let message = json!({"data": data, "messageId": message_id, "message_id": message_id, "publishTime": "2026-01-01T00:00:00Z"});
    json!({"message": message, "subscription": subscription}).to_string()
}

/// A time relative to now, in seconds since 1970.
pub fn seconds(target: &Target, from_now: i64) -> i64 {
    let ahead = target.inside.as_ref().map_or_else(|| System.now(), |inside| inside.machine.now());
    ahead.seconds() + from_now
}

/// Tokens that every verifier rejects with 401, without fetching a key.
pub fn unsigned() -> Vec<(&'static str, Value)> {
    vec![
        ("alg none", json!({"sign": "none"})),
        ("HS256 under the RSA public key", json!({"sign": "hs256-public-key"})),
        ("ES256", json!({"sign": "es256"})),
        ("PS256 by the right key", json!({"sign": "ps256"})),
        ("alg none, in other letters", json!({"sign": "none", "header": {"alg": "nOnE"}})),
        ("RS256 by the right key, and HS256 in the header", json!({"header": {"alg": "HS256"}})),
        ("no kid", json!({"header": {"kid": null}})),
    ]
}

/// Time claims for an otherwise good token, and the status that each gets.
pub fn times(target: &Target, good: u16) -> Vec<(&'static str, Value, u16)> {
    let at = |from_now| seconds(target, from_now);
    vec![
        ("exp 65 s ago", json!({"exp": at(-65)}), 401),
        ("exp 45 s ago", json!({"exp": at(-45)}), good),
        ("no exp", json!({"exp": null}), 401),
        ("exp as text", json!({"exp": at(600).to_string()}), 401),
        ("iat in 90 s", json!({"iat": at(90)}), 401),
        ("iat in 30 s", json!({"iat": at(30)}), good),
        ("nbf in 90 s", json!({"nbf": at(90)}), 401),
    ]
}

/// Headers that point to a key of the attacker's. The URLs lead to the fake, whose log would show a
/// visit.
pub fn pointing(target: &Target) -> Vec<(&'static str, Value)> {
    let bait = format!("{}/bait", target.stack.google_url);
    let jwk = json!({"kty": "RSA", "alg": "RS256", "use": "sig", "n": "AQAB", "e": "AQAB"});
    vec![
        ("kid is a path", json!({"key": "unknown", "header": {"kid": "../../../../etc/passwd"}})),
        ("kid is a URL", json!({"key": "unknown", "header": {"kid": bait}})),
        ("kid is a URL, signed by the right key", json!({"header": {"kid": bait}})),
        ("jku leads to another key set", json!({"key": "unknown", "header": {"jku": bait}})),
        ("x5u leads to a certificate", json!({"key": "unknown", "header": {"x5u": bait}})),
        ("jwk brings its own key", json!({"key": "unknown", "header": {"jwk": jwk}})),
    ]
}

//! Tokens made to order, each signed as it says, and security events.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use fake_google::{KeyName, NewPushToken, NewSecurityEvent, NewUserToken, SecurityEvent, Signing};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::{Map, Value, json};

use super::client::{Client, EMAIL, read};
use super::oauth::{GOOGLE_CERTS, USER_CERTS, verified};

const PUSH_AUDIENCE: &str = "https://connectors.example.com/pubsub";
const CLIENT_ID: &str = "local-client.apps.googleusercontent.com";

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn header(token: &str) -> Value {
    json_part(token, 0)
}

fn claims(token: &str) -> Value {
    json_part(token, 1)
}

fn json_part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap())
        .unwrap()
}

fn signature(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token.split('.').nth(2).unwrap()).unwrap()
}

async fn post(client: &Client, path: &str, body: Value) -> (u16, Value) {
    read(client.http.post(format!("{}/admin/{path}", client.google.url)).json(&body)).await
}

async fn key_set(client: &Client, certs: &str) -> JwkSet {
    serde_json::from_value(read(client.http.get(format!("{}{certs}", client.google.url))).await.1)
        .unwrap()
}

/// Whether the key verifies the token under an algorithm that a careless verifier would take from
/// its header.
fn verifies(token: &str, key: &DecodingKey, algorithm: Algorithm) -> bool {
    let mut validation = Validation::new(algorithm);
    validation.validate_aud = false;
    decode::<Value>(token, key, &validation).is_ok()
}

/// A 2048 bit RSA key with the usual exponent, as `openssl rsa -pubin` shows it.
fn pem(modulus: &str) -> String {
    let mut der = vec![
        0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
        0x01, 0x01, 0x05,
    ];
    der.extend([
        0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00,
    ]);
    der.extend(URL_SAFE_NO_PAD.decode(modulus).unwrap());
    der.extend([0x02, 0x03, 0x01, 0x00, 0x01]);
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

#[tokio::test]
async fn every_way_of_signing_is_real_and_named_in_the_header() {
    let client = Client::start().await;
    let keys = key_set(&client, GOOGLE_CERTS).await;
    let jwk = serde_json::to_value(&keys.keys[0]).unwrap();
    let rsa = DecodingKey::from_jwk(&keys.keys[0]).unwrap();
    let shared = DecodingKey::from_secret(pem(jwk["n"].as_str().unwrap()).as_bytes());
    let made = async |sign: &str| {
        let (status, answer) = post(&client, "push-tokens", json!({ "sign": sign })).await;
        assert_eq!(status, 200, "{answer}");
        let token = answer["token"].as_str().unwrap().to_owned();
        assert_eq!(
            (&header(&token)["kid"], &claims(&token)["aud"]),
            (&jwk["kid"], &json!(PUSH_AUDIENCE))
        );
        (header(&token)["alg"].as_str().unwrap().to_owned(), token)
    };
    let (alg, token) = made("rs256").await;
    assert!(alg == "RS256" && verifies(&token, &rsa, Algorithm::RS256));
    let (alg, token) = made("ps256").await;
    assert!(
        alg == "PS256"
            && verifies(&token, &rsa, Algorithm::PS256)
            && !verifies(&token, &rsa, Algorithm::RS256)
    );
    let (alg, token) = made("hs256-public-key").await;
    assert!(alg == "HS256" && verifies(&token, &shared, Algorithm::HS256));
    let (alg, token) = made("none").await;
    assert!(alg == "none" && token.ends_with('.') && signature(&token).is_empty());
    let (alg, token) = made("es256").await;
    assert_eq!((alg.as_str(), signature(&token).len()), ("ES256", 64));
    assert_ne!(signature(&made("es256").await.1), signature(&token), "each by a fresh key");
    assert_eq!(post(&client, "push-tokens", json!({ "sign": "rs512" })).await.0, 400);
}

#[tokio::test]
async fn headers_and_claims_are_laid_over_and_null_takes_out() {
    let client = Client::start().await;
    let change = json!({
        "header": { "kid": "../../etc/passwd", "alg": "hS256", "jku": "http://127.0.0.1:1/", "x5u": "x", "jwk": { "kty": "oct" }, "typ": null },
        "claims": { "exp": null, "aud": ["a", "b"], "email_verified": "true" },
        "key": "unknown", "sign": "hs256-public-key"
    });
    let (_, push) = post(&client, "push-tokens", change.clone()).await;
    let (_, user) = post(&client, "user-tokens", change).await;
    for token in [&push["token"], &user["token"]] {
        let token = token.as_str().unwrap();
        let wanted = json!({ "kid": "../../etc/passwd", "alg": "hS256", "jku": "http://127.0.0.1:1/", "x5u": "x", "jwk": { "kty": "oct" } });
        assert_eq!(header(token), wanted);
        let claims = claims(token);
        assert_eq!(
            (claims.get("exp"), &claims["aud"], &claims["email_verified"]),
            (None, &json!(["a", "b"]), &json!("true"))
        );
    }
}

#[tokio::test]
async fn any_key_may_sign_for_anybody_and_a_stranger_s_key_can_be_pointed_at() {
    let client = Client::start().await;
    let admin = &client.google.admin;
    let user = |key| admin.user_token(&NewUserToken { key, ..Default::default() });
    for (key, certs) in [
        (None, USER_CERTS),
        (Some(KeyName::Google), GOOGLE_CERTS),
        (Some(KeyName::Unknown), "/unknown/certs"),
    ] {
        for other in [USER_CERTS, GOOGLE_CERTS, "/unknown/certs"] {
            assert_eq!(
                verified(&client, other, &user(key), "email-connectors").await.is_some(),
                other == certs,
                "{key:?} {other}"
            );
        }
    }
    let push = admin.push_token(&NewPushToken { key: KeyName::Users, ..Default::default() });
    assert!(verified(&client, USER_CERTS, &push, PUSH_AUDIENCE).await.is_some());
}

#[tokio::test]
async fn ten_thousand_unknown_keys_take_one_key() {
    let client = Client::start().await;
    let started = std::time::Instant::now();
    let (status, answer) = post(
        &client,
        "push-tokens/bulk",
        json!({ "count": 10_000, "claims": { "email": "x@example.com" } }),
    )
    .await;
    assert_eq!(status, 200);
    let tokens: Vec<&str> =
        answer["tokens"].as_array().unwrap().iter().map(|token| token.as_str().unwrap()).collect();
    let kids: BTreeSet<String> =
        tokens.iter().map(|token| header(token)["kid"].to_string()).collect();
    assert_eq!((tokens.len(), kids.len()), (10_000, 10_000));
    let signer = DecodingKey::from_jwk(&key_set(&client, "/unknown/certs").await.keys[0]).unwrap();
    let of_one = [tokens[0], tokens[4_999], tokens[9_999]];
    assert!(of_one.iter().all(|token| verifies(token, &signer, Algorithm::RS256)
        && claims(token)["email"] == "x@example.com"));
    // With a new key for each it would be an hour.
    assert!(started.elapsed().as_secs() < 600, "{:?}", started.elapsed());
    let (_, users) =
        post(&client, "user-tokens/bulk", json!({ "count": 3, "sub": "owner", "sign": "none" }))
            .await;
    assert_eq!(users["tokens"].as_array().map(Vec::len), Some(3));
    assert_eq!(claims(users["tokens"][2].as_str().unwrap())["sub"], "owner");
    assert_eq!(post(&client, "push-tokens/bulk", json!({ "count": 0 })).await.0, 400);
    assert_eq!(post(&client, "push-tokens/bulk", json!({})).await.0, 400);
}

#[tokio::test]
async fn a_security_event_names_its_account_and_never_ends() {
    let client = Client::start().await;
    let sub = client.google.admin.mailbox(EMAIL).unwrap().sub;
    let of_account =
        json!({ "subject_type": "iss-sub", "iss": "https://accounts.google.com/", "sub": sub });
    for (event, uri) in [
        ("tokens-revoked", "https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked"),
        ("token-revoked", "https://schemas.openid.net/secevent/oauth/event-type/token-revoked"),
        (
            "sessions-revoked",
            "https://schemas.openid.net/secevent/risc/event-type/sessions-revoked",
        ),
        (
            "account-disabled",
            "https://schemas.openid.net/secevent/risc/event-type/account-disabled",
        ),
        ("account-enabled", "https://schemas.openid.net/secevent/risc/event-type/account-enabled"),
        (
            "account-credential-change-required",
            "https://schemas.openid.net/secevent/risc/event-type/account-credential-change-required",
        ),
    ] {
        let (status, answer) = post(
            &client,
            "security-events",
            json!({ "event": event, "email": EMAIL, "reason": "hijacking" }),
        )
        .await;
        assert_eq!(status, 200, "{answer}");
        let token = answer["token"].as_str().unwrap();
        assert_eq!(header(token)["typ"], "secevent+jwt");
        let claims = claims(token);
        assert_eq!(
            (&claims["iss"], &claims["aud"]),
            (&json!("https://accounts.google.com/"), &json!(CLIENT_ID))
        );
        assert_eq!(
            claims["events"],
            json!({ uri: { "subject": of_account, "reason": "hijacking" } })
        );
        let names: Vec<&String> = claims.as_object().unwrap().keys().collect();
        assert_eq!(names, ["aud", "events", "iat", "iss", "jti"]);
        let key = DecodingKey::from_jwk(&key_set(&client, GOOGLE_CERTS).await.keys[0]).unwrap();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.required_spec_claims.clear();
        validation.set_audience(&[CLIENT_ID]);
        assert!(decode::<Value>(token, &key, &validation).is_ok(), "{event}");
    }
}

#[tokio::test]
async fn a_security_event_may_be_wrong_repeated_or_only_a_test() {
    let client = Client::start().await;
    let (_, test) =
        post(&client, "security-events", json!({ "event": "verification", "state": "hello" }))
            .await;
    let events = &claims(test["token"].as_str().unwrap())["events"];
    assert_eq!(
        *events,
        json!({ "https://schemas.openid.net/secevent/risc/event-type/verification": { "state": "hello" } })
    );
    let repeated = NewSecurityEvent {
        event: SecurityEvent::AccountDisabled,
        sub: Some("1".into()),
        jti: Some("j-1".into()),
        claims: object(json!({ "iss": "https://accounts.google.com", "iat": null })),
        header: object(json!({ "typ": null, "kid": "k" })),
        key: KeyName::Unknown,
        sign: Signing::None,
        ..Default::default()
    };
    let token = client.google.admin.security_event(&repeated).unwrap();
    assert_eq!(header(&token), json!({ "alg": "none", "kid": "k" }));
    let claims = claims(&token);
    assert_eq!(
        (&claims["jti"], &claims["iss"], claims.get("iat")),
        (&json!("j-1"), &json!("https://accounts.google.com"), None)
    );
    for (body, status) in [
        (json!({ "event": "tokens-revoked" }), 400),
        (json!({ "event": "tokens-revoked", "email": "nobody@example.com" }), 404),
        (json!({ "event": "token-eaten", "email": EMAIL }), 400),
    ] {
        assert_eq!(post(&client, "security-events", body).await.0, status);
    }
}

//! User tokens, browsers of other origins, and the webhook's legacy route.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};
use tests::deployed::{ORIGIN, token, token_with};

use crate::security::case::Case;
use crate::security::forge::{self, NOBODY, unique};
use crate::security::keys;
use crate::security::target::{Target, status, summary};
use tests::inside::Options;

const AUDIENCE: &str = "email-connectors";

#[tokio::test]
async fn case_31_browsers_of_other_origins() {
    let mut case = Case::new(31, "API: CORS");
    let template =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml")).unwrap();
    let credentials = template.to_lowercase().contains("allowcredentials");
    case.check("template: credentials are allowed to browsers", false, credentials);
    case.check(
        "template: origins are the parameter's",
        1,
        template.matches("allowOrigins: !Ref AllowedOrigins").count(),
    );
    let Some(target) = Target::deployed().await else { return };
    let allowed = |headers: &reqwest::header::HeaderMap, name: &str| {
        headers.get(name).map_or("none".to_string(), |value| value.to_str().unwrap().to_string())
    };
    let good = token(&target.stack, "cors").await;
    for (origin, expected) in [
        (ORIGIN, ORIGIN),
        ("https://evil.example", "none"),
        ("null", "none"),
        ("https://app.example.com.evil", "none"),
        ("https://evil-app.example.com", "none"),
        ("http://app.example.com", "none"),
        ("https://app.example.com:8443", "none"),
    ] {
        for path in ["/api/connectors", "/api/auth/google/gmail", "/api/triggers"] {
            let headers = target.stack.preflight(path, origin).await;
            let what = format!("deployed: preflight of {path} from {origin}");
            case.check(
                &what,
                expected.to_string(),
                allowed(&headers, "access-control-allow-origin"),
            );
            case.check(
                format!("{what}, credentials"),
                "none".to_string(),
                allowed(&headers, "access-control-allow-credentials"),
            );
        }
        let request = target
            .stack
            .request(Method::GET, "/api/connectors")
            .header("origin", origin)
            .bearer_auth(&good);
        let headers = target.stack.answer(request).await.headers().clone();
        case.check(
            format!("deployed: an answer to {origin}"),
            expected.to_string(),
            allowed(&headers, "access-control-allow-origin"),
        );
    }
}

/// Of the target's own tokens: a deployed stack's issuer is its fake Google.
async fn issuer(target: &Target) -> String {
    let good = token(&target.stack, "user").await;
    let claims = BASE64_URL_SAFE_NO_PAD.decode(good.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["iss"].as_str().unwrap().into()
}

/// Tokens that every route refuses with 401.
async fn bad_tokens(target: &Target) -> Vec<(String, String)> {
    let of = |claims: Value| json!({ "claims": claims });
    let issuer = issuer(target).await;
    let mut orders = forge::unsigned();
    orders.extend(forge::pointing(target));
    orders.extend(
        forge::times(target, 200)
            .into_iter()
            .filter(|(_, _, expected)| *expected == 401)
            .map(|(what, claims, _)| (what, of(claims))),
    );
    orders.extend([
        ("another audience", of(json!({"aud": "other"}))),
        ("a list with ours", of(json!({"aud": [AUDIENCE]}))),
        ("a list with ours and another", of(json!({"aud": [AUDIENCE, "other"]}))),
        (
            "a list with ours and another issuer's userinfo",
            of(json!({"aud": [AUDIENCE, "https://evil.example/userinfo"]})),
        ),
        ("an audience with a slash", of(json!({"aud": format!("{AUDIENCE}/")}))),
        ("no audience", of(json!({"aud": null}))),
        ("another issuer", of(json!({"iss": "https://login.example.com.evil"}))),
        ("the issuer with a slash", of(json!({"iss": format!("{issuer}/")}))),
        ("Google's issuer", of(json!({"iss": "https://accounts.google.com"}))),
        ("no owner", of(json!({"sub": null}))),
        ("an owner that contains the key's separator", of(json!({"sub": "a#b"}))),
        ("an owner that is a number", of(json!({"sub": 7}))),
        // Not more: the gateway refuses requests with 10 KB of headers.
        ("9 KB", of(json!({"padding": "a".repeat(6000)}))),
    ]);
    let mut tokens = Vec::new();
    for (what, mut order) in orders {
        order["sub"] = json!("stranger");
        tokens.push((what.to_string(), token_with(&target.stack, order).await));
    }
    tokens.push(("Google's push token".into(), target.good_token().await));
    let as_user =
        json!({"claims": {"iss": issuer, "aud": AUDIENCE, "sub": "stranger", "role": "admin"}});
    tokens.push((
        "a token by Google's key that says it is the users' issuer's".into(),
        target.push_token(as_user).await,
    ));
    tokens.push(("no token at all".into(), "a".into()));
    tokens
}

#[tokio::test]
async fn case_35_user_tokens() {
    let mut case = Case::new(
        35,
        "API: every flaw of a push token in a user token, and each kind of token sent as the other",
    );
    for target in Target::all().await {
        let name = target.name;
        let good = token(&target.stack, "user").await;
        for (path, method, body) in [
            ("/api/connectors", Method::GET, None),
            ("/api/auth/google/gmail", Method::POST, Some(json!({"auth_code": "a"}))),
        ] {
            for (what, token) in bad_tokens(&target).await {
                let answer =
                    target.stack.api(method.clone(), path, Some(&token), body.clone()).await;
                case.check(
                    format!("{name}: {method} {path}, {what}"),
                    "401 unauthorized".to_string(),
                    summary(answer).await,
                );
            }
            let answer = target.stack.api(method.clone(), path, None, body.clone()).await;
            case.check(
                format!("{name}: {method} {path}, no token"),
                "401 unauthorized".to_string(),
                summary(answer).await,
            );
        }
        for path in [
            "/api/triggers",
            "/api/connectors/con_unknown/health",
            "/api/owner/data",
            "/api/auth/google/gmail/start",
        ] {
            let answer =
                target.stack.api(Method::GET, path, Some(&target.good_token().await), None).await;
            case.check(
                format!("{name}: GET {path}, Google's push token"),
                "401 unauthorized".to_string(),
                summary(answer).await,
            );
        }
        for (what, claims, expected) in
            forge::times(&target, 200).into_iter().filter(|(_, _, expected)| *expected == 200)
        {
            let token = token_with(&target.stack, json!({"sub": "user", "claims": claims})).await;
            let answer = target.stack.api(Method::GET, "/api/connectors", Some(&token), None).await;
            case.check(format!("{name}: {what}"), expected, status(&answer));
        }
        let issuer = issuer(&target).await;
        let both =
            json!({"sub": "user", "claims": {"aud": [AUDIENCE, format!("{issuer}/userinfo")]}});
        let answer = target
            .stack
            .api(Method::GET, "/api/connectors", Some(&token_with(&target.stack, both).await), None)
            .await;
        case.check(format!("{name}: the list that OpenID issuers make"), 200, status(&answer));
        for (what, token) in [
            ("a user's token", good.clone()),
            ("a user's token that says it is Google's", as_google(&target).await),
        ] {
            let pushed = target.stack.push(Some(&token), forge::nobodys_push()).await;
            case.check(format!("{name}: {what} as a push token"), 401, status(&pushed));
        }
        keys::users(&mut case, &target).await;
    }
}

async fn as_google(target: &Target) -> String {
    let claims = json!({"iss": "https://accounts.google.com", "aud": tests::stage::PUSH_AUDIENCE, "email": tests::stage::PUSH_ACCOUNT,
        "email_verified": true});
    token_with(&target.stack, json!({"sub": "stranger", "claims": claims})).await
}

#[tokio::test]
async fn case_40_the_legacy_route() {
    const LEGACY: &str = "/api/email/webhook/google";
    const CHANNEL: &str = "a-long-channel-token";
    let mut case = Case::new(40, "webhook: the legacy route");
    let send = async |target: &Target, token: Option<&str>, number: &str| {
        let request =
            target.stack.request(Method::POST, LEGACY).header("x-goog-message-number", number);
        let request = token
            .iter()
            .fold(request, |request, token| request.header("x-goog-channel-token", *token));
        status(
            &target
                .stack
                .answer(request.body(json!({"emailAddress": NOBODY, "historyId": 7}).to_string()))
                .await,
        )
    };
    for target in Target::all().await {
        for (what, token) in [
            ("without a token", None),
            ("with an empty token", Some("")),
            ("with a token", Some(CHANNEL)),
        ] {
            case.check(
                format!("{}, not configured: {what}", target.name),
                404,
                send(&target, token, &unique()).await,
            );
        }
    }
    let configured = Target::configured(Options {
        legacy_token: Some(CHANNEL.into()),
        queue_only: true,
        ..Options::default()
    })
    .await;
    for (what, token, expected) in [
        ("without a token", None, 401),
        ("with an empty token", Some(""), 401),
        ("with a wrong token", Some("a-long-channel-tokem"), 401),
        ("with the beginning of the token", Some("a-long-channel"), 401),
        ("with more than the token", Some("a-long-channel-token2"), 401),
        ("with the token", Some(CHANNEL), 202),
        ("with the token, the same message number again", Some(CHANNEL), 202),
    ] {
        case.check(
            format!("in process, configured: {what}"),
            expected,
            send(&configured, token, "3").await,
        );
    }
    let queued = configured.inside.as_ref().unwrap().world.wake_ups().queued().len();
    case.check("in process, configured: queued in all", 1, queued);
}

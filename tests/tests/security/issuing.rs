//! Hostile key and token endpoints, of Google, the issuer or an impostor: keys too many or too
//! weak, tokens invalid.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use email_connectors::adapters::gmail::Gmail;
use email_connectors::adapters::https;
use email_connectors::adapters::oidc::{JwksVerifier, KeySource};
use email_connectors::config::GoogleSettings;
use email_connectors::domain::retry::RetryPolicy;
use email_connectors::domain::secret::RefreshToken;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{Clock, EmailProvider, ProviderError, TokenError, TokenVerifier};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tests::deployed::User;

use crate::security::case::Case;
use crate::security::connecting::connectors;
use crate::security::target::{Target, summary};

/// The answer that the test server gives, and how many requests it got.
#[derive(Clone, Default)]
struct Answer {
    status: u16,
    body: String,
    cache_control: String,
    requests: usize,
}

#[derive(Clone)]
struct Endpoint {
    url: String,
    answer: Arc<Mutex<Answer>>,
}

impl Endpoint {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/answer", listener.local_addr().unwrap());
        let prepared = Arc::new(Mutex::new(Answer::default()));
        let app = Router::new().fallback(answer).with_state(prepared.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, answer: prepared }
    }

    fn will_answer(&self, status: u16, body: impl Into<String>, cache_control: &str) {
        *self.answer.lock().unwrap() =
            Answer { status, body: body.into(), cache_control: cache_control.into(), requests: 0 };
    }

    fn requests(&self) -> usize {
        self.answer.lock().unwrap().requests
    }

    fn verifier(&self) -> JwksVerifier {
        JwksVerifier::new(https::client().unwrap(), KeySource::Url(self.url.clone()))
    }

    fn gmail(&self) -> Gmail {
        let settings = GoogleSettings {
            client_id: "client".into(),
            client_secret: SecretString::from("secret"),
            token_url: self.url.clone(),
            revoke_url: self.url.clone(),
            api_base: self.url.clone(),
            batch_url: self.url.clone(),
            auth_url: self.url.clone(),
            pubsub_topic: "projects/a/topics/b".into(),
            retry: RetryPolicy { max_attempts: 3, statuses: vec![503] },
        };
        Gmail::new(https::client().unwrap(), settings)
    }
}

async fn answer(State(prepared): State<Arc<Mutex<Answer>>>) -> Response {
    let mut prepared = prepared.lock().unwrap();
    prepared.requests += 1;
    let mut headers = HeaderMap::new();
    headers.insert("cache-control", prepared.cache_control.parse().unwrap());
    (axum::http::StatusCode::from_u16(prepared.status).unwrap(), headers, prepared.body.clone())
        .into_response()
}

/// RSA moduli that can be factored, of 512 and 1024 bits, each with a signature made by its key.
const WEAK: [(&str, &str, &str); 2] = [
    (
        "512 bits",
        "twLXjkFW3iEgJ62tug4Qkcu1alsIgSywDEsBkYFEP3hwmJaV3adxo22lUmDGmZn8jgcQEB8t_Fn7hq4PjGF5BQ",
        "ENTkvkHaaqQXk89TdMXpPHsca_l2Q9J1o2pdYQrh1vJMWPvL3qCMRjfGDYQVfrrYL5wki9TWjxJen4V2OIFYOQ",
    ),
    (
        "1024 bits",
        "sTEim6ook-KRgOKeHzjNbWwWst5j7uPeQa9qV_O6julZSGs9Kea3rz-UpWNFjvW8WxWHDK8oppPW_PWxuidMGCI5UefXcOen1Yv-eGZVMfN7I5lAk-lRxge2l0eZdyOAJbGDoMTodqmKro9io1caH3lVM7IlB8rKqohVcZ6wlmU",
        "NWJ4rvtI_r89TqHmlFmdWIOfspFsMRKloxE0edAbBPUvfaRqjwkpMCT-VAqCHTujbKyazJTNn4S3nrvKCOTwtt5VDxcGyW9tdvKhq1LoNGy0Xn7xoGKOPzJXpGVoZyuhFpqRK5JtrB28u34VJodWhZrr7LrDykaukU5HjjcatmQ",
    ),
];
/// The signed part: `{"alg":"RS256","kid":"weak"}` and `{"sub":"weak"}`.
const SIGNED_BY_WEAK: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6IndlYWsifQ.eyJzdWIiOiJ3ZWFrIn0";

async fn believed(verifier: &JwksVerifier, token: &str, now: Timestamp) -> String {
    match verifier.verify(token, now).await {
        Ok(_) => "believed".into(),
        Err(TokenError::Invalid(_)) => "refused".into(),
        Err(TokenError::KeysUnavailable(_)) => "no keys".into(),
    }
}

#[tokio::test]
async fn case_89_hostile_keys() {
    let mut case = Case::new(
        89,
        "tokens: an issuer's keys that are too many, too weak, for another use, or good for a century",
    );
    let target = Target::configured(Default::default()).await;
    let published = reqwest::get(format!("{}/oauth2/v3/certs", target.stack.google_url))
        .await
        .unwrap()
        .json::<Value>()
        .await
        .unwrap();
    let (good, own) = (target.good_token().await, published["keys"][0].clone());
    let now = target.inside.as_ref().unwrap().machine.now();
    let endpoint = Endpoint::start().await;
    let keys = |keys: Vec<Value>| json!({ "keys": keys }).to_string();
    let own_with = |change: Value| {
        let mut key = own.clone();
        key.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        key
    };
    let many = |count: usize| {
        (0..count)
            .map(|number| own_with(json!({"kid": format!("k{number}")})))
            .chain([own.clone()])
            .collect()
    };
    let oct = json!({"kty": "oct", "kid": own["kid"], "alg": "RS256", "k": "AAAA"});
    for (what, body, expected) in [
        ("the issuer's own", keys(vec![own.clone()]), "believed"),
        (
            "behind 10 MB of blanks",
            format!("{}{}", " ".repeat(10_000_000), keys(vec![own.clone()])),
            "no keys",
        ),
        ("among 10,000 others", keys(many(10_000)), "no keys"),
        ("among 100 others", keys(many(100)), "believed"),
        ("a symmetric one under the same id", keys(vec![oct.clone()]), "no keys"),
        ("a symmetric one beside it", keys(vec![own.clone(), oct]), "believed"),
        ("one for encryption", keys(vec![own_with(json!({"use": "enc"}))]), "no keys"),
        ("one for another algorithm", keys(vec![own_with(json!({"alg": "RS512"}))]), "no keys"),
        ("without an id", keys(vec![own_with(json!({"kid": null}))]), "no keys"),
        ("with an id that is an object", keys(vec![own_with(json!({"kid": {"a": 1}}))]), "no keys"),
        ("twice under one id", keys(vec![own.clone(), own.clone()]), "believed"),
        ("with an empty exponent", keys(vec![own_with(json!({"e": ""}))]), "refused"),
        ("with an exponent of one", keys(vec![own_with(json!({"e": "AQ"}))]), "refused"),
        ("of 400 KB", keys(vec![own_with(json!({"n": "A".repeat(400_000)}))]), "no keys"),
        ("of 100 KB", keys(vec![own_with(json!({"n": "_".repeat(100_000)}))]), "refused"),
        ("an empty list", keys(vec![]), "no keys"),
        ("an HTML page", "<html>".to_string(), "no keys"),
        ("nested 100,000 deep", "[".repeat(100_000), "no keys"),
    ] {
        endpoint.will_answer(200, body, "max-age=3600");
        case.check(
            format!("keys: {what}"),
            expected.to_string(),
            believed(&endpoint.verifier(), &good, now).await,
        );
        case.check(format!("keys: {what}: fetches"), 1, endpoint.requests());
    }
    for (what, modulus, signature) in WEAK {
        endpoint.will_answer(
            200,
            keys(vec![json!({"kty": "RSA", "kid": "weak", "n": modulus, "e": "AQAB"})]),
            "max-age=3600",
        );
        let came =
            believed(&endpoint.verifier(), &format!("{SIGNED_BY_WEAK}.{signature}"), now).await;
        case.check(
            format!("keys: one of {what}, and a token that it signed"),
            "refused".to_string(),
            came,
        );
    }
    for (what, cache_control) in [
        ("a century", "max-age=3153600000"),
        ("beyond all numbers", "max-age=99999999999999999999999"),
        ("a negative time", "max-age=-1"),
    ] {
        endpoint.will_answer(200, keys(vec![own.clone()]), cache_control);
        let verifier = endpoint.verifier();
        case.check(
            format!("keys: good for {what}"),
            "believed".to_string(),
            believed(&verifier, &good, now).await,
        );
        endpoint.will_answer(200, keys(vec![own_with(json!({"kid": "another"}))]), cache_control);
        let later = believed(&verifier, &good, now.after(Duration::from_secs(25 * 3600))).await;
        case.check(
            format!("keys: good for {what}: replaced, a day later"),
            "refused".to_string(),
            later,
        );
    }
}

/// The outcome of a refresh: how many seconds the new access token lives, or why there is none.
async fn refreshed(endpoint: &Endpoint, now: Timestamp) -> String {
    match endpoint.gmail().refresh(&RefreshToken(SecretString::from("a-refresh-token")), now).await
    {
        Ok(refreshed) => format!(
            "{} for {} s",
            refreshed.access.secret.expose_secret(),
            refreshed.access.expires_at.seconds() - now.seconds()
        ),
        Err(ProviderError::Unavailable { .. }) => "unavailable".into(),
        Err(ProviderError::GrantRefused(_)) => "grant refused".into(),
        Err(ProviderError::Refused { reason, .. })
            if reason.len() <= 500 && !reason.contains(char::is_control) =>
        {
            "refused".into()
        }
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn case_90_hostile_tokens() {
    let mut case = Case::new(
        90,
        "connect: a token endpoint whose answer is huge, an HTML page, endless, or without a token",
    );
    let endpoint = Endpoint::start().await;
    let now = Timestamp::from_seconds(1_700_000_000);
    let with = |change: Value| {
        let mut answer = json!({"access_token": "good", "expires_in": 3599, "scope": "openid", "token_type": "Bearer"});
        answer.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        answer.to_string()
    };
    for (what, status, body, expected) in [
        ("as it should be", 200, with(json!({})), "good for 3599 s"),
        (
            "after 10 MB of blanks",
            200,
            format!("{}{}", " ".repeat(10_000_000), with(json!({}))),
            "unavailable",
        ),
        ("scopes of 1 MB", 200, with(json!({"scope": "a ".repeat(500_000)})), "unavailable"),
        (
            "an access token of 1 MB",
            200,
            with(json!({"access_token": "a".repeat(1_000_000)})),
            "unavailable",
        ),
        ("an HTML page", 200, "<html>".into(), "unavailable"),
        ("an empty body", 200, String::new(), "unavailable"),
        ("no access token", 200, with(json!({"access_token": null})), "unavailable"),
        ("an empty access token", 200, with(json!({"access_token": ""})), "unavailable"),
        (
            "an access token with a line end",
            200,
            with(json!({"access_token": "a\r\nX-Evil: b"})),
            "unavailable",
        ),
        (
            "an access token with other letters",
            200,
            with(json!({"access_token": "ä"})),
            "unavailable",
        ),
        (
            "a refresh token with a line end",
            200,
            with(json!({"refresh_token": "a\r\nb"})),
            "unavailable",
        ),
        ("no lifetime", 200, with(json!({"expires_in": null})), "unavailable"),
        ("a negative lifetime", 200, with(json!({"expires_in": -1})), "unavailable"),
        ("a lifetime as text", 200, with(json!({"expires_in": "3599"})), "unavailable"),
        ("a lifetime of 0", 200, with(json!({"expires_in": 0})), "good for 0 s"),
        (
            "a lifetime beyond all numbers",
            200,
            with(json!({"expires_in": u64::MAX})),
            "good for 86400 s",
        ),
        ("scopes that are no text", 200, with(json!({"scope": ["openid"]})), "unavailable"),
        ("nested 100,000 deep", 200, "[".repeat(100_000), "unavailable"),
        ("a refusal of 1 MB", 400, json!({"error": "a".repeat(1_000_000)}).to_string(), "refused"),
        (
            "a refusal with line ends",
            400,
            json!({"error": "a\r\n{\"forged\":1}"}).to_string(),
            "refused",
        ),
        (
            "a refusal of the grant",
            400,
            json!({"error": "invalid_grant"}).to_string(),
            "grant refused",
        ),
    ] {
        endpoint.will_answer(status, body, "no-store");
        case.check(
            format!("tokens: {what}"),
            expected.to_string(),
            refreshed(&endpoint, now).await,
        );
        case.check(format!("tokens: {what}: requests for it"), 1, endpoint.requests());
    }
    for target in Target::all().await {
        let (name, user) = (target.name, User::new(&target.stack, "hostile").await);
        for (what, fault) in [
            ("an answer without an end", json!({"endless": true})),
            ("one that inflates", json!({"gzip_bomb_mb": 100})),
        ] {
            let mut fault = fault;
            fault["method"] = json!("token");
            let body = json!({"auth_code": user.code(&target.stack).await});
            target.fault(fault).await;
            let answer = target
                .stack
                .api(Method::POST, "/api/auth/google/gmail", Some(&user.token), Some(body))
                .await;
            target.mend().await;
            case.check(
                format!("{name}: a connect that meets {what}"),
                "502 consent_again".to_string(),
                summary(answer).await,
            );
        }
        case.check(format!("{name}: connectors after these"), 0, connectors(&target, &user).await);
        let connected = user.connect(&target.stack).await;
        case.check(
            format!("{name}: a connect afterwards"),
            json!("connected"),
            connected["status"].clone(),
        );
    }
}

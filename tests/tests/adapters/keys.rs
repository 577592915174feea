//! The token verifier against published keys: pinned algorithm, bounded fetches, stale keys before
//! none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use email_connectors::adapters::https;
use email_connectors::adapters::oidc::{JwksVerifier, KeySource};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{TokenError, TokenVerifier};
use fake_google::{Config, FakeGoogle, Fault, KeyName, NewPushToken, NewUserToken, Running};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::aws;

async fn start() -> (Running, JwksVerifier) {
    let fake = FakeGoogle::start(Config::default()).await.unwrap();
    let verifier = JwksVerifier::new(
        https::client().unwrap(),
        KeySource::Url(format!("{}/oauth2/v3/certs", fake.url)),
    );
    (fake, verifier)
}

fn fetches(fake: &Running) -> usize {
    fake.admin.calls().iter().filter(|call| call.method == "certs").count()
}

fn push(fake: &Running, key: KeyName) -> String {
    fake.admin.push_token(&NewPushToken { key, ..NewPushToken::default() })
}

async fn refused(verifier: &JwksVerifier, token: &str, now: Timestamp) -> bool {
    matches!(verifier.verify(token, now).await, Err(TokenError::Invalid(_)))
}

#[tokio::test]
async fn a_good_token_costs_one_fetch_however_often_it_comes() {
    let (fake, verifier) = start().await;
    let token = push(&fake, KeyName::Google);
    for _ in 0..5 {
        assert_eq!(
            verifier.verify(&token, aws::now()).await.unwrap()["iss"],
            "https://accounts.google.com"
        );
    }
    assert_eq!(fetches(&fake), 1);
}

#[tokio::test]
async fn unknown_keys_are_looked_for_once_a_minute() {
    let (fake, verifier) = start().await;
    let now = aws::now();
    verifier.verify(&push(&fake, KeyName::Google), now).await.unwrap();
    for seconds in 0..60 {
        assert!(
            refused(
                &verifier,
                &push(&fake, KeyName::Unknown),
                now.after(Duration::from_secs(seconds))
            )
            .await
        );
    }
    assert_eq!(fetches(&fake), 1, "within the minute of the first fetch");
    assert!(
        refused(&verifier, &push(&fake, KeyName::Unknown), now.after(Duration::from_secs(61)))
            .await
    );
    assert_eq!(fetches(&fake), 2);
}

#[tokio::test]
async fn a_new_key_is_found_when_it_appears() {
    let (fake, verifier) = start().await;
    let now = aws::now();
    verifier.verify(&push(&fake, KeyName::Google), now).await.unwrap();
    fake.admin.rotate_key(KeyName::Google, true);
    verifier
        .verify(&push(&fake, KeyName::Google), now.after(Duration::from_secs(61)))
        .await
        .unwrap();
    assert_eq!(fetches(&fake), 2);
}

#[tokio::test]
async fn stale_keys_serve_while_the_issuer_is_away_and_no_keys_is_not_a_refusal() {
    let (fake, verifier) = start().await;
    let now = aws::now();
    let token = push(&fake, KeyName::Google);
    verifier.verify(&token, now).await.unwrap();
    fake.admin.add_fault(Fault {
        method: "certs".into(),
        times: 0,
        status: 503,
        ..Fault::default()
    });
    verifier.verify(&token, now.after(Duration::from_secs(7200))).await.unwrap();

    let fresh = JwksVerifier::new(
        https::client().unwrap(),
        KeySource::Url(format!("{}/oauth2/v3/certs", fake.url)),
    );
    assert!(matches!(fresh.verify(&token, now).await, Err(TokenError::KeysUnavailable(_))));
    fake.admin.clear_faults();
    fresh.verify(&token, now.after(Duration::from_secs(61))).await.unwrap();
}

/// An issuer that never answers its first fetches, and notifies the test of each.
struct Slow {
    url: String,
    requested: Arc<Notify>,
    fetches: Arc<AtomicUsize>,
}

impl Slow {
    async fn start(fake: &Running, unanswered: usize) -> Self {
        let keys = https::client()
            .unwrap()
            .get(format!("{}/oauth2/v3/certs", fake.url))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let (requested, fetches) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
        let (notify, fetched) = (requested.clone(), fetches.clone());
        let answer = move || {
            let (keys, notify, fetched) = (keys.clone(), notify.clone(), fetched.clone());
            async move {
                notify.notify_one();
                match fetched.fetch_add(1, Ordering::SeqCst) < unanswered {
                    true => std::future::pending().await,
                    false => keys,
                }
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/certs", listener.local_addr().unwrap());
        tokio::spawn(async move {
            axum::serve(listener, Router::new().route("/certs", get(answer))).await
        });
        Self { url, requested, fetches }
    }

    /// Drops the future as soon as the issuer got a request.
    async fn given_up<T>(&self, waiting: impl Future<Output = T>) {
        tokio::select! {
            _ = waiting => panic!("the issuer does not answer"),
            () = self.requested.notified() => {}
        }
    }
}

#[tokio::test]
async fn an_abandoned_fetch_does_not_count() {
    let (fake, _) = start().await;
    let (token, now) = (push(&fake, KeyName::Google), aws::now());
    let slow = Slow::start(&fake, 2).await;
    let verifier = JwksVerifier::new(https::client().unwrap(), KeySource::Url(slow.url.clone()));
    slow.given_up(verifier.ready(now)).await;
    slow.given_up(verifier.verify(&token, now)).await;
    verifier.verify(&token, now).await.expect("an abandoned fetch delays no other");
    assert_eq!(slow.fetches.load(Ordering::SeqCst), 3);
    verifier.ready(now).await.unwrap();
    assert!(refused(&verifier, &push(&fake, KeyName::Unknown), now).await);
    assert_eq!(slow.fetches.load(Ordering::SeqCst), 3, "the finished fetch counts");
}

#[tokio::test]
async fn what_is_not_rs256_by_a_published_key_causes_no_fetch_or_is_refused() {
    let (fake, verifier) = start().await;
    let now = aws::now();
    let good = push(&fake, KeyName::Google);
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("not a token")
    };
    let with_header = |header: serde_json::Value| {
        use base64::Engine;
        format!(
            "{}.{claims}.{signature}",
            base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(header.to_string())
        )
    };
    let none = with_header(json!({"alg": "none", "kid": "x"}));
    let hs256 = with_header(json!({"alg": "HS256", "kid": "x"}));
    let es256 = with_header(json!({"alg": "ES256", "kid": "x"}));
    let ps256 = with_header(json!({"alg": "PS256", "kid": "x"}));
    let no_kid = with_header(json!({"alg": "RS256"}));
    let long = format!("{header}.{}.{signature}", "a".repeat(9000));
    for token in ["", "a", "a.b.c", none.as_str(), &hs256, &es256, &ps256, &no_kid, &long] {
        assert!(refused(&verifier, token, now).await, "{token}");
    }
    assert_eq!(fetches(&fake), 0, "a token that cannot be ours causes no fetch");

    verifier.verify(&good, now).await.unwrap();
    let altered = format!("{header}.{claims}.{}", signature.chars().rev().collect::<String>());
    let user =
        fake.admin.user_token(&NewUserToken { sub: "ada".into(), ..NewUserToken::default() });
    for token in [altered.as_str(), &user] {
        assert!(refused(&verifier, token, now).await, "{token}");
    }
    for header in
        [json!({"jku": "http://127.0.0.1:9/keys"}), json!({"x5u": "http://127.0.0.1:9/cert"})]
    {
        let serde_json::Value::Object(header) = header else { unreachable!() };
        let pointing = fake.admin.push_token(&NewPushToken {
            key: KeyName::Unknown,
            header,
            ..NewPushToken::default()
        });
        assert!(refused(&verifier, &pointing, now).await);
    }
    assert_eq!(fetches(&fake), 1);
}

#[tokio::test]
async fn the_users_keys_are_found_by_discovery() {
    let (fake, _) = start().await;
    let verifier = JwksVerifier::new(
        https::client().unwrap(),
        KeySource::Discovery(format!("{}/users", fake.url)),
    );
    let token =
        fake.admin.user_token(&NewUserToken { sub: "ada".into(), ..NewUserToken::default() });
    assert_eq!(verifier.verify(&token, aws::now()).await.unwrap()["sub"], "ada");

    // The discovery document names another issuer than the configured one.
    let other = JwksVerifier::new(
        https::client().unwrap(),
        KeySource::Discovery(format!("{}/users/", fake.url)),
    );
    assert!(matches!(other.verify(&token, aws::now()).await, Err(TokenError::KeysUnavailable(_))));
}

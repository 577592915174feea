//! A fake Microsoft in the test's own process, and the settings of whoever calls it.
#![allow(clippy::disallowed_methods, reason = "where requests are recorded is the run's to say")]

use std::collections::HashMap;

use axum::extract::Query;
use axum::routing::post;
use axum::{Router, serve};
use email_connectors::config::MicrosoftSettings;
use email_connectors::domain::retry::RetryPolicy;
use fake_microsoft::{Clock, Config, FakeMicrosoft, Running};
use secrecy::SecretString;
use tokio::net::TcpListener;

/// What the template asks for.
const SCOPES: &str = "openid profile email offline_access User.Read Mail.ReadWrite Mail.Send";

/// By real time if there is no clock. `make test` reads what was requested of all fakes.
pub async fn start(clock: Option<Clock>) -> Running {
    let requests = std::env::var_os("GRAPH_REQUESTS").map(Into::into);
    FakeMicrosoft::start(Config { clock, requests, ..Config::default() })
        .await
        .expect("a fake Microsoft")
}

/// With a URL of its own for Graph's handshakes.
pub async fn settings(fake: &Running) -> MicrosoftSettings {
    settings_at(fake, handshakes().await)
}

pub fn settings_at(fake: &Running, notification_url: String) -> MicrosoftSettings {
    MicrosoftSettings {
        client_id: Config::default().client_id,
        client_secret: SecretString::from(Config::default().client_secret),
        tenant: "common".into(),
        scopes: SCOPES.split(' ').map(String::from).collect(),
        login_base: fake.url.clone(),
        graph_base: format!("{}/v1.0", fake.url),
        notification_url,
        notification_keys: vec![SecretString::from("0123456789abcdef0123456789abcdef")],
        retry: RetryPolicy { max_attempts: 3, statuses: vec![429, 500, 502, 503, 504] },
    }
}

/// Where Graph's handshakes are answered.
pub async fn handshakes() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/graph", listener.local_addr().expect("an address"));
    let echo = |Query(query): Query<HashMap<String, String>>| async move {
        query.get("validationToken").cloned().unwrap_or_default()
    };
    let router = Router::new().route("/graph", post(echo));
    tokio::spawn(async move { serve(listener, router).await });
    url
}

//! The API over HTTP: sends requests with the caller's token, and turns problem documents into
//! failures.

use std::time::Duration;

use email_connectors::adapters::https;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::failure::{Failure, Refusal};
use crate::pace::Since;
use crate::request::Request;
use crate::settings::Caller;

/// No real list is longer than this.
const MOST_PAGES: usize = 1000;
/// The gateway gives up sooner.
const TIMEOUT: Duration = Duration::from_secs(60);
/// 25 MB, over a slow line.
const LONGEST_TRANSFER: Duration = Duration::from_secs(900);
/// Longer than any answer of the API: a part of an attachment, or a page of whole messages.
const LONGEST_ANSWER: usize = 128 * 1024 * 1024;

pub struct Api {
    http: Client,
    base: String,
    caller: Caller,
    token: Mutex<Option<SecretString>>,
}

/// An answer that is no refusal.
pub struct Answer {
    pub status: u16,
    pub text: String,
    /// Gmail's quota units that it cost.
    pub units: Option<u32>,
    pub took: Duration,
}

pub struct Bytes {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    took: Duration,
}

impl Bytes {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Answer {
    /// An answer without a body is null.
    pub fn json(&self) -> Result<Value, Failure> {
        if self.text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&self.text).map_err(|error| {
            Failure::here(format!("the API answered {} and no JSON: {error}", self.status))
        })
    }
}

/// Returns a redirect as the answer: no token is sent to where it leads.
pub fn client() -> Result<Client, Failure> {
    let built = Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .timeout(TIMEOUT)
        .redirect(Policy::none())
        .build();
    built.map_err(|error| Failure::here(format!("no HTTP client can be made: {error}")))
}

impl Api {
    pub fn new(base: String, caller: Caller) -> Result<Self, Failure> {
        Ok(Self { http: client()?, base, caller, token: Mutex::new(None) })
    }

    pub async fn send(&self, request: &Request) -> Result<Answer, Failure> {
        let answer = self.bytes(request).await?;
        let units = answer.header("x-quota-units").and_then(|units| units.parse().ok());
        let (status, took) = (answer.status, answer.took);
        let text = String::from_utf8(answer.body)
            .map_err(|_| Failure::here(format!("the API answered {status} and no text")))?;
        Ok(Answer { status, text, units, took })
    }

    pub async fn bytes(&self, request: &Request) -> Result<Bytes, Failure> {
        let answer = self.once(request).await?;
        if answer.status == StatusCode::UNAUTHORIZED && self.caller.can_renew() {
            // A long command may outlive its token. A refused request changed nothing, so it is
            // safe to repeat.
            *self.token.lock().await = None;
            return accepted(self.once(request).await?);
        }
        accepted(answer)
    }

    /// Puts a file where a URL of the API's leads, which needs no token and gets none.
    pub async fn put(&self, url: &str, bytes: Vec<u8>) -> Result<(), Failure> {
        let sent = self.http.put(url).timeout(LONGEST_TRANSFER).body(bytes).send().await;
        let response = sent.map_err(|error| {
            Failure::Unreachable(format!("the upload broke off: {}", error.without_url()))
        })?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(Failure::here(format!("the upload was refused with {status}"))),
        }
    }

    /// Page after page, as one list under its name.
    pub async fn all(&self, path: &str, name: &str) -> Result<Value, Failure> {
        let (mut found, mut token) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let answer = self.send(&Request::get(path).with("page_token", token)).await?.json()?;
            found.extend_from_slice(crate::show::list(&answer, name));
            token = answer.get("next_page_token").and_then(Value::as_str).map(String::from);
            if token.is_none() {
                break;
            }
        }
        Ok(json!({ name: found }))
    }

    async fn once(&self, request: &Request) -> Result<Bytes, Failure> {
        let since = Since::now();
        let url = format!("{}{}", self.base, request.target());
        let mut built = self.http.request(request.method.clone(), url);
        if !(request.open && matches!(self.caller, Caller::Nobody)) {
            built = built.bearer_auth(self.token().await?.expose_secret());
        }
        for (name, value) in &request.headers {
            built = built.header(*name, value);
        }
        if let Some(body) = &request.body {
            built = built.json(body);
        }
        let response = built.send().await.map_err(|error| self.unreachable(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = https::body(response, LONGEST_ANSWER).await;
        let body = body.map_err(|error| {
            Failure::Unreachable(format!("the answer of {} broke off: {error}", self.base))
        })?;
        Ok(Bytes { status, headers, body, took: since.elapsed() })
    }

    async fn token(&self) -> Result<SecretString, Failure> {
        let mut token = self.token.lock().await;
        if token.is_none() {
            *token = Some(self.caller.token(&self.http).await?);
        }
        token.clone().ok_or_else(|| Failure::here("there is no token"))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let mut reason = format!("cannot reach {}", self.base);
        let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
        while let Some(next) = cause {
            reason = format!("{reason}: {next}");
            cause = next.source();
        }
        if error.is_timeout() {
            reason.push_str(" (no answer in time: what was asked for may have been done)");
        }
        Failure::Unreachable(reason)
    }
}

fn accepted(answer: Bytes) -> Result<Bytes, Failure> {
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    let retry_after =
        answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(String::from);
    Err(Refusal::read(
        answer.status,
        String::from_utf8_lossy(&answer.body).into_owned(),
        retry_after,
    )
    .into())
}

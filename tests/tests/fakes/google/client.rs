//! A running fake with one mailbox and a client that may use it.

use fake_google::{Config, FakeGoogle, NewCode, NewMailbox, NewMessage, Running};
use reqwest::Method;
use serde_json::{Value, json};

pub const EMAIL: &str = "ann@example.com";
pub const TOPIC: &str = "projects/example-project/topics/gmail";

pub struct Client {
    pub google: Running,
    pub http: reqwest::Client,
    pub access_token: String,
}

impl Client {
    pub async fn start() -> Self {
        Self::with(Config::default(), NewCode::of(EMAIL)).await
    }

    pub async fn with(config: Config, code: NewCode) -> Self {
        let google = FakeGoogle::start(config).await.unwrap();
        google
            .admin
            .create_mailbox(NewMailbox { email: EMAIL.into(), ..Default::default() })
            .unwrap();
        let http = reqwest::Client::new();
        let mut client = Self { google, http, access_token: String::new() };
        let code = client.google.admin.create_code(code).unwrap();
        let (_, tokens) = client.exchange(&code, &[]).await;
        client.access_token = tokens["access_token"].as_str().unwrap().into();
        client
    }

    /// Exchanges a code; `more` overrides or adds form fields.
    pub async fn exchange(&self, code: &str, more: &[(&str, &str)]) -> (u16, Value) {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", "postmessage"),
        ];
        form.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        form.extend_from_slice(more);
        self.token(&form).await
    }

    pub async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let mut form = form.to_vec();
        for field in [
            ("client_id", "local-client.apps.googleusercontent.com"),
            ("client_secret", "local-secret"),
        ] {
            if !form.iter().any(|(name, _)| *name == field.0) {
                form.push(field);
            }
        }
        read(self.http.post(format!("{}/token", self.google.url)).form(&form)).await
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, Some(body)).await
    }

    /// `path` follows `/gmail/v1/users/me/`.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}/gmail/v1/users/me/{path}", self.google.url);
        let request = self.http.request(method, url).bearer_auth(&self.access_token);
        read(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    pub async fn watch(&self) -> Value {
        let (status, answer) = self.post("watch", json!({ "topicName": TOPIC })).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// A mail arrives; its id.
    pub fn mail(&self, subject: &str) -> String {
        self.deliver(NewMessage { subject: Some(subject.into()), ..Default::default() })
    }

    pub fn deliver(&self, new: NewMessage) -> String {
        self.google.admin.deliver(EMAIL, new).unwrap().id
    }
}

/// Status and JSON body; null where there is none.
pub async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    (
        answer.status().as_u16(),
        serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default(),
    )
}

pub fn reason(answer: &Value) -> &str {
    answer["error"]["errors"][0]["reason"].as_str().unwrap_or_default()
}

//! A running fake with one mailbox, and a client that may use it.

use fake_microsoft::{Config, Delivered, FakeMicrosoft, NewCode, NewMailbox, NewMessage, Running};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

pub const EMAIL: &str = "ann@contoso.example";
pub const IMMUTABLE: &str = "IdType=\"ImmutableId\"";
pub const CLIENT_ID: &str = "11111111-1111-4111-8111-111111111111";
pub const REDIRECT: &str = "http://localhost/callback";

pub struct Client {
    pub microsoft: Running,
    pub http: reqwest::Client,
    pub access_token: String,
}

impl Client {
    pub async fn start() -> Self {
        Self::with(Config::default(), NewCode::of(EMAIL)).await
    }

    pub async fn with(config: Config, code: NewCode) -> Self {
        let microsoft = FakeMicrosoft::start(config).await.unwrap();
        let mailbox = NewMailbox { email: EMAIL.into(), ..NewMailbox::default() };
        microsoft.admin.create_mailbox(mailbox).unwrap();
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let mut client = Self { microsoft, http, access_token: String::new() };
        let code = client.microsoft.admin.create_code(code).unwrap();
        let (_, tokens) = client.exchange(&code, &[]).await;
        client.access_token = tokens["access_token"].as_str().unwrap_or_default().into();
        client
    }

    /// Exchanges a code; `more` overrides or adds form fields.
    pub async fn exchange(&self, code: &str, more: &[(&str, &str)]) -> (u16, Value) {
        let form =
            [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT)];
        let mut form = form.to_vec();
        form.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        form.extend_from_slice(more);
        self.token("common", &form).await
    }

    pub async fn refresh(&self, token: &str) -> (u16, Value) {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.token("common", &form).await
    }

    pub async fn token(&self, tenant: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let mut form = form.to_vec();
        for field in [("client_id", CLIENT_ID), ("client_secret", "local-secret")] {
            if !form.iter().any(|(name, _)| *name == field.0) {
                form.push(field);
            }
        }
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.microsoft.url);
        read(self.http.post(url).form(&form)).await
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> u16 {
        self.call(Method::DELETE, path, None).await.0
    }

    /// `path` follows `/v1.0/`.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.request(method, path);
        read(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/v1.0/{path}", self.microsoft.url);
        self.http.request(method, url).bearer_auth(&self.access_token).header("Prefer", IMMUTABLE)
    }

    pub fn mail(&self, subject: &str) -> Delivered {
        self.deliver(NewMessage::of(subject))
    }

    pub fn deliver(&self, new: NewMessage) -> Delivered {
        self.microsoft.admin.deliver(EMAIL, new).unwrap()
    }

    /// Subjects of a listing, page after page.
    pub async fn subjects(&self, path: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let (status, page) = self.get(&path).await;
            assert_eq!(status, 200, "{page}");
            let shown = page["value"].as_array().unwrap().iter();
            found.extend(shown.map(|one| one["subject"].as_str().unwrap_or_default().to_owned()));
            let link = page["@odata.nextLink"].as_str();
            next = link.map(|link| link.split_once("/v1.0/").unwrap().1.to_owned());
        }
        found
    }
}

/// Status and JSON body; null where there is none.
pub async fn read(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
}

pub fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_default()
}

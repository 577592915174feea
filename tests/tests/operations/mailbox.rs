//! A connected mailbox with a message, a label and a draft, and the API in front of it.

use std::time::Duration;

use email_connectors::domain::operation::Entry;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tests::deployed::{ORIGIN, Stack, User, token_with};
use tests::inside::{Inside, Options};

use super::requests::ALIAS;

pub const FULL: &str = "https://mail.google.com/";
pub const MODIFY: &str = "https://www.googleapis.com/auth/gmail.modify";

pub struct Mailbox {
    pub inside: Inside,
    pub stack: Stack,
    pub user: User,
    /// A message with an attachment and HTML, in its own thread.
    pub message: String,
    pub label: String,
    pub draft: String,
}

impl Mailbox {
    pub async fn granted(scopes: &[&str]) -> Self {
        let inside = Inside::start(Options { any_scopes: true, ..Options::default() }).await;
        let stack = inside.stack();
        let mut user = User::new(&stack, "mail").await;
        let alias = json!({"email": ALIAS, "name": "The help desk"});
        let pending = json!({"email": "soon@example.com", "pending": true});
        for alias in [alias, pending] {
            let path = format!("/admin/mailboxes/{}/aliases", user.email);
            stack.google(Method::POST, &path, alias).await;
        }
        let mail = json!({"from": "Bo <bo@example.com>", "subject": "The invoice", "text": "It is attached.", "html": "<p>It is attached.</p>",
            "attachment": {"filename": "invoice.pdf", "mime_type": "application/pdf", "size": 3000}});
        let message = user.receive(&stack, mail).await;
        // First connected with all scopes, which creating the label and the draft needs.
        user.connector = Self::connect(&stack, &user, &[FULL]).await;
        let mut mailbox =
            Self { inside, stack, user, message, label: String::new(), draft: String::new() };
        mailbox.label =
            mailbox.done(Method::POST, "/labels", Some(json!({"name": "Invoices"}))).await["id"]
                .as_str()
                .unwrap()
                .into();
        let draft = json!({"to": ["bo@example.com"], "subject": "Later", "text": "A draft."});
        mailbox.draft =
            mailbox.done(Method::POST, "/drafts", Some(draft)).await["id"].as_str().unwrap().into();
        if scopes != [FULL] {
            mailbox
                .stack
                .google(Method::POST, "/admin/grants/revoke", json!({"email": mailbox.user.email}))
                .await;
            mailbox.user.connector = Self::connect(&mailbox.stack, &mailbox.user, scopes).await;
        }
        // Waits until the connect's own wake-up was handled, whose calls would be counted.
        let looked_at = async || mailbox.inside.world.wake_ups().queued().is_empty().then_some(());
        mailbox
            .stack
            .until_within(Duration::from_secs(20), "a mailbox that was looked at", looked_at)
            .await;
        mailbox
    }

    async fn connect(stack: &Stack, user: &User, scopes: &[&str]) -> String {
        let scopes: Vec<&str> =
            ["openid", "email"].into_iter().chain(scopes.iter().copied()).collect();
        let code = stack
            .google(Method::POST, "/admin/codes", json!({"email": user.email, "scopes": scopes}))
            .await["code"]
            .clone();
        let response = stack
            .api(
                Method::POST,
                "/api/auth/google/gmail",
                Some(&user.token),
                Some(json!({"auth_code": code})),
            )
            .await;
        let (status, text) = (response.status(), response.text().await.unwrap());
        let answer: Value = serde_json::from_str(&text).unwrap();
        answer["connector_id"].as_str().unwrap_or_else(|| panic!("{status} {text}")).into()
    }

    pub async fn with_role(&self, role: &str) -> String {
        token_with(&self.stack, json!({"sub": self.user.owner, "claims": {"role": role}})).await
    }

    pub fn path(&self, entry: &Entry) -> String {
        let path =
            entry.path.replace("{message_id}", &self.message).replace("{thread_id}", &self.message);
        path.replace("{label_id}", &self.label)
            .replace("{draft_id}", &self.draft)
            .replace("{part_id}", "1")
    }

    /// A request to a path below the connector's.
    pub fn request(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> reqwest::RequestBuilder {
        let request =
            self.stack.request(method, &format!("/api/connectors/{}{path}", self.user.connector));
        let request = request.bearer_auth(token).header("origin", ORIGIN);
        if let Some(body) = body { request.json(&body) } else { request }
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        self.stack.answer(self.request(&self.user.token, method, path, body)).await
    }

    /// The body of an answer, which must be a success.
    pub async fn done(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let response = self.send(method, path, body).await;
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    pub async fn get(&self, path: &str) -> Value {
        self.done(Method::GET, path, None).await
    }

    /// The status and the problem of an answer.
    pub async fn refused(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let response = self.send(method, path, body).await;
        let status = response.status().as_u16();
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json",
            "{path}: {status}"
        );
        (status, response.json().await.unwrap())
    }

    /// The calls to Gmail since the last time, without the processor's.
    pub async fn calls(&self) -> Vec<(String, u64)> {
        let calls = self.stack.google(Method::GET, "/admin/calls", Value::Null).await;
        self.stack.google(Method::DELETE, "/admin/calls", Value::Null).await;
        let calls = calls
            .as_array()
            .cloned()
            .unwrap_or_else(|| calls["calls"].as_array().cloned().unwrap_or_default());
        let own = calls.iter().filter(|call| {
            call["email"] == json!(self.user.email) && call["method"] != "history.list"
        });
        own.map(|call| {
            (call["method"].as_str().unwrap().to_string(), call["units"].as_u64().unwrap())
        })
        .collect()
    }

    /// Asserts that no request or answer violated Gmail's API description.
    pub async fn is_clean(&self) {
        let violations = self.stack.google(Method::GET, "/admin/violations", Value::Null).await;
        assert_eq!(violations.as_array().map(Vec::len), Some(0), "{violations}");
    }
}

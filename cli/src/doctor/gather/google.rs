//! Pub/Sub's REST interface, with the operator's own token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::web::{Heard, fetch};
use crate::doctor::fact::Fact;

pub struct Google {
    pub base: String,
    pub token: Option<SecretString>,
}

const HOW: &str = "needs a Google token: --google-token-command 'gcloud auth print-access-token'";

impl Google {
    /// A resource under `projects/…`, or the answer of one of its methods; a stack without Gmail
    /// names none.
    pub async fn read(&self, http: &Client, name: &str, right: &str) -> Fact<Value> {
        if !name.starts_with("projects/") {
            return Fact::Absent;
        }
        let request = |token: &SecretString| {
            self.request(http.get(format!("{}/v1/{name}", self.base)), token)
        };
        match &self.token {
            Some(token) => understood(fetch(request(token)).await, name, right),
            None => Fact::Skipped(HOW.into()),
        }
    }

    /// Publishes a notification as Gmail does.
    pub async fn publish(
        &self,
        http: &Client,
        topic: &str,
        address: &str,
        history_id: u64,
    ) -> Fact<Value> {
        let Some(token) = &self.token else { return Fact::Skipped(HOW.into()) };
        let data =
            STANDARD.encode(json!({"emailAddress": address, "historyId": history_id}).to_string());
        let request = http
            .post(format!("{}/v1/{topic}:publish", self.base))
            .json(&json!({"messages": [{"data": data}]}));
        understood(
            fetch(self.request(request, token)).await,
            topic,
            "pubsub.topics.publish (roles/pubsub.publisher)",
        )
    }

    fn request(&self, request: RequestBuilder, token: &SecretString) -> RequestBuilder {
        request.bearer_auth(token.expose_secret())
    }
}

fn understood(answer: Fact<Heard>, name: &str, right: &str) -> Fact<Value> {
    answer.and_then(|heard| {
        let message = heard.body["error"]["message"].as_str().unwrap_or_default();
        match heard.status {
            200 => Fact::Known(heard.body),
            404 => Fact::Absent,
            401 => Fact::Unreachable(format!(
                "Google refuses the token (401): it has run out, or is none; {HOW}"
            )),
            403 if heard.body.to_string().contains("SERVICE_DISABLED") => Fact::Denied(
                "the project's Pub/Sub API: gcloud services enable pubsub.googleapis.com".into(),
            ),
            403 => Fact::Denied(format!("{right} on {name}")),
            status => Fact::Unreachable(format!("Pub/Sub answers {status} {message}")),
        }
    })
}

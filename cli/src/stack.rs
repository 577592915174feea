//! The local stack, as `make local-up` describes it in stack.json.

use std::path::Path;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::failure::Failure;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Stack {
    pub api_url: String,
    pub google_url: String,
    pub aws_endpoint: String,
    pub region: String,
    pub stack_name: String,
    pub table: String,
    pub notification_queue_url: String,
    pub dead_letter_queue_url: String,
    pub mint_user_token: Option<Mint>,
}

/// How the stack's fake Google makes a user's token.
#[derive(Debug, Clone, Deserialize)]
pub struct Mint {
    pub url: String,
    #[serde(default)]
    pub body: Value,
}

impl Stack {
    pub fn read(file: &Path) -> Result<Self, Failure> {
        let unreadable = |problem: String| {
            Failure::here(format!("{}: {problem}; `make local-up` writes it", file.display()))
        };
        let text = std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
        serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))
    }
}

impl Mint {
    /// A token of an owner who may do everything with their own.
    pub async fn token(
        &self,
        http: &reqwest::Client,
        owner: Option<&str>,
    ) -> Result<SecretString, Failure> {
        let mut order = self.body.clone();
        order["claims"] = json!({"role": "admin"});
        if let Some(owner) = owner {
            order["sub"] = json!(owner);
        }
        let failed = |error: reqwest::Error| {
            Failure::Unreachable(format!("the stack gives no token: {}", error.without_url()))
        };
        let answer = http
            .post(&self.url)
            .json(&order)
            .send()
            .await
            .map_err(failed)?
            .error_for_status()
            .map_err(failed)?;
        let made: Value = answer.json().await.map_err(failed)?;
        made["token"]
            .as_str()
            .map(SecretString::from)
            .ok_or_else(|| Failure::Unreachable("the stack gives no token".into()))
    }
}

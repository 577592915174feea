//! Signed tokens without signatures: what the world issued is valid, everything else is not.

use std::collections::BTreeMap;

use email_connectors::domain::claims::Claims;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{TokenError, TokenVerifier};
use serde_json::Value;

use super::World;
use super::script::Call;

pub(crate) type Tokens = BTreeMap<String, Claims>;

#[derive(Clone)]
pub struct MemoryVerifier(World);

impl MemoryVerifier {
    pub(crate) fn new(world: World) -> Self {
        Self(world)
    }

    /// A token of these claims, an object.
    pub fn issue(&self, claims: Value) -> String {
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        let mut state = self.0.lock();
        let token = format!("token-{}", state.tokens.len() + 1);
        state.tokens.insert(token.clone(), claims);
        token
    }
}

impl TokenVerifier for MemoryVerifier {
    async fn verify(&self, token: &str, _now: Timestamp) -> Result<Claims, TokenError> {
        let verify = |state: &mut super::State| {
            state
                .tokens
                .get(token)
                .cloned()
                .ok_or(TokenError::Invalid("the signature does not hold"))
        };
        self.0.call(Call::Verify, "", verify).await
    }

    async fn ready(&self, _now: Timestamp) -> Result<(), TokenError> {
        self.0.call(Call::Ready, "", |_| Ok(())).await
    }
}

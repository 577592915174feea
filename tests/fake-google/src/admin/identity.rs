//! Codes, grants, and tokens made to order.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Admin;
use super::error::AdminError;
use super::mailboxes::missing_mailbox;
use crate::keys::{SigningKey, overlay};
use crate::oauth::{Code, granted_name};
use crate::pubsub;
use crate::values::unguessable;

const USER_TOKEN_SECONDS: i64 = 3600;
const DEFAULT_SCOPES: [&str; 3] = ["openid", "email", "https://www.googleapis.com/auth/gmail.modify"];

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyName {
    #[default]
    Google,
    Users,
    /// Published nowhere.
    Unknown,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewCode {
    pub email: String,
    /// What the user will have granted: `openid email` and `gmail.modify` if absent.
    pub scopes: Option<Vec<String>>,
    pub with_refresh_token: bool,
    pub redirect_uri: String,
    pub nonce: Option<String>,
    /// S256.
    pub code_challenge: Option<String>,
    /// Unguessable if absent.
    pub code: Option<String>,
    pub reusable: bool,
}

impl Default for NewCode {
    fn default() -> Self {
        Self {
            email: String::new(),
            scopes: None,
            with_refresh_token: true,
            redirect_uri: "postmessage".into(),
            nonce: None,
            code_challenge: None,
            code: None,
            reusable: false,
        }
    }
}

impl NewCode {
    pub fn of(email: &str) -> Self {
        Self { email: email.into(), ..Self::default() }
    }
}

/// A token of the users' issuer. `claims` are laid over the usual ones; null takes one out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewUserToken {
    pub sub: String,
    pub claims: Map<String, Value>,
    pub header: Map<String, Value>,
}

/// A token as Pub/Sub sends it, or nearly.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewPushToken {
    pub claims: Map<String, Value>,
    pub header: Map<String, Value>,
    pub key: KeyName,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OauthChange {
    /// Seconds, of access tokens made from now on.
    pub expires_in: Option<i64>,
    /// Seconds, in the `Cache-Control` of both key sets.
    pub certs_max_age: Option<u64>,
}

impl Admin {
    /// The user consents: the code that Google would hand to the frontend.
    pub fn create_code(&self, new: NewCode) -> Result<String, AdminError> {
        let mut state = self.app.state();
        if !state.mailboxes.contains_key(&new.email) {
            return Err(missing_mailbox(&new.email));
        }
        let scopes = new.scopes.unwrap_or_else(|| DEFAULT_SCOPES.map(Into::into).to_vec());
        let given = new.code.unwrap_or_else(|| unguessable("4/0A", 48));
        let code = Code {
            email: new.email,
            scopes: scopes.iter().map(|scope| granted_name(scope)).collect(),
            with_refresh_token: new.with_refresh_token,
            redirect_uri: new.redirect_uri,
            nonce: new.nonce,
            code_challenge: new.code_challenge,
            reusable: new.reusable,
            used: false,
        };
        state.oauth.codes.insert(given.clone(), code);
        Ok(given)
    }

    /// The user withdraws consent in their Google account.
    pub fn revoke_grants(&self, email: &str) {
        self.app.state().oauth.revoke_all(email);
    }

    /// Of one mailbox, or all.
    pub fn expire_access_tokens(&self, email: Option<&str>) {
        self.app.state().oauth.expire_access_tokens(email);
    }

    pub fn change_oauth(&self, change: &OauthChange) {
        let oauth = &mut self.app.state().oauth;
        oauth.expires_in = change.expires_in.unwrap_or(oauth.expires_in);
        oauth.certs_max_age = change.certs_max_age.unwrap_or(oauth.certs_max_age);
    }

    pub fn user_token(&self, new: &NewUserToken) -> String {
        let config = &self.app.config;
        let now = self.app.now().unix_timestamp();
        let mut claims = json!({
            "iss": config.user_issuer, "aud": config.user_audience, "sub": new.sub,
            "iat": now, "exp": now + USER_TOKEN_SECONDS
        });
        let claims = claims.as_object_mut().expect("an object");
        overlay(claims, &new.claims);
        self.app.state().keys.current(KeyName::Users).sign(&new.header, claims)
    }

    pub fn push_token(&self, new: &NewPushToken) -> String {
        let state = self.app.state();
        pubsub::token(&self.app, &state, &new.header, &new.claims, new.key)
    }

    /// Signs with a new key from now on. The old one stays published unless it is forgotten.
    pub fn rotate_key(&self, name: KeyName, forget_old: bool) {
        let new = SigningKey::generate();
        self.app.state().keys.rotate(name, new, forget_old);
    }
}

//! Codes, consents, grants and keys.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Admin;
use super::error::AdminError;
use super::mailboxes::missing_mailbox;
use crate::keys::SigningKey;
use crate::oauth::{CODE_BYTES, CODE_PREFIX, Challenge, Code, Grant, IdToken, Wish, granted_name};
use crate::values::unguessable;

const DEFAULT_SCOPES: [&str; 3] =
    ["openid", "email", "https://www.googleapis.com/auth/gmail.modify"];

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyName {
    #[default]
    Google,
    Users,
    /// In no trusted key set: published only at `/unknown/certs`, for a `jku` to point at.
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
    /// The token endpoint refuses the code of another client.
    pub client_id: Option<String>,
    /// Whether the exchange returns an id_token if `openid` is granted.
    pub id_token: bool,
    /// Override the claims of the id_token; null removes one.
    pub id_token_claims: Map<String, Value>,
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
            client_id: None,
            id_token: true,
            id_token_claims: Map::new(),
        }
    }
}

impl NewCode {
    pub fn of(email: &str) -> Self {
        Self { email: email.into(), ..Self::default() }
    }
}

/// How the next consent of an account at the authorization endpoint goes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NextConsent {
    pub email: String,
    /// Requested scopes that the user does not grant.
    pub untick: Vec<String>,
    /// The user refuses: `access_denied`.
    pub deny: bool,
}

/// One exchange of a code, ever.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GrantRecord {
    pub email: String,
    pub scopes: Vec<String>,
    pub alive: bool,
    pub has_refresh_token: bool,
    /// The `n` of the last call that was logged before: a call with a greater one came later.
    pub granted_after_call: u64,
    pub revoked_after_call: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OauthChange {
    /// Seconds, of access tokens made from now on.
    pub expires_in: Option<i64>,
    /// Seconds, in the `Cache-Control` of both key sets.
    pub certs_max_age: Option<u64>,
}

/// How users sign in at `<url>/users` from now on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignInChange {
    /// Seconds, of tokens made from now on.
    pub expires_in: Option<i64>,
    /// No browser is signed in any more.
    pub end_sessions: bool,
}

impl Admin {
    pub fn change_sign_in(&self, change: &SignInChange) {
        let openid = &mut self.app.state().openid;
        openid.expires_in = change.expires_in.unwrap_or(openid.expires_in);
        if change.end_sessions {
            openid.end_sessions();
        }
    }

    /// The user consents: the code that Google would hand to the frontend.
    pub fn create_code(&self, new: NewCode) -> Result<String, AdminError> {
        let mut state = self.app.state();
        if !state.mailboxes.contains_key(&new.email) {
            return Err(missing_mailbox(&new.email));
        }
        let scopes = new.scopes.unwrap_or_else(|| DEFAULT_SCOPES.map(Into::into).to_vec());
        let given = new.code.unwrap_or_else(|| unguessable(CODE_PREFIX, CODE_BYTES));
        let code = Code {
            email: new.email,
            scopes: scopes.iter().map(|scope| granted_name(scope)).collect(),
            with_refresh_token: new.with_refresh_token,
            redirect_uri: new.redirect_uri,
            client_id: new.client_id.unwrap_or_else(|| self.app.config.client_id.clone()),
            id_token: new
                .id_token
                .then_some(IdToken { nonce: new.nonce, claims: new.id_token_claims }),
            challenge: new.code_challenge.map(Challenge::S256),
            reusable: new.reusable,
            used: false,
        };
        state.oauth.consent(given.clone(), code);
        Ok(given)
    }

    /// The user withdraws consent in their Google account.
    pub fn revoke_grants(&self, email: &str) {
        let mut state = self.app.state();
        let after_call = state.calls.last();
        state.oauth.revoke_all(email, after_call);
    }

    /// Replaces what was set before for the account.
    pub fn set_next_consent(&self, next: NextConsent) -> Result<(), AdminError> {
        let mut state = self.app.state();
        if !state.mailboxes.contains_key(&next.email) {
            return Err(missing_mailbox(&next.email));
        }
        state.oauth.wishes.insert(next.email, Wish { unticked: next.untick, denied: next.deny });
        Ok(())
    }

    /// Every grant ever made, of one account or of all, in order.
    pub fn grants(&self, email: Option<&str>) -> Vec<GrantRecord> {
        let state = self.app.state();
        let wanted = state
            .oauth
            .grants
            .iter()
            .filter(|grant| email.is_none_or(|email| grant.email == email));
        let record = |grant: &Grant| GrantRecord {
            email: grant.email.clone(),
            scopes: grant.scopes.clone(),
            alive: !grant.is_revoked(),
            has_refresh_token: grant.refresh_token.is_some(),
            granted_after_call: grant.made_after,
            revoked_after_call: grant.revoked_after,
        };
        wanted.map(record).collect()
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

    /// Signs with a new key from now on. The old one stays published unless it is forgotten.
    pub fn rotate_key(&self, name: KeyName, forget_old: bool) {
        let new = SigningKey::new();
        self.app.state().keys.rotate(name, new, forget_old);
    }
}

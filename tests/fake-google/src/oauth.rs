//! Google's OAuth: codes, grants and tokens.

mod endpoints;
mod exchange;

use std::collections::HashMap;

pub(crate) use endpoints::{google_certs, revoke, token, user_certs, user_configuration};

use crate::values::unguessable;

pub(crate) struct Oauth {
    pub codes: HashMap<String, Code>,
    pub grants: Vec<Grant>,
    access_tokens: HashMap<String, AccessToken>,
    pub expires_in: i64,
    pub certs_max_age: u64,
}

pub(crate) struct Code {
    pub email: String,
    pub scopes: Vec<String>,
    pub with_refresh_token: bool,
    pub redirect_uri: String,
    pub nonce: Option<String>,
    pub code_challenge: Option<String>,
    /// May be exchanged again and again.
    pub reusable: bool,
    pub used: bool,
}

pub(crate) struct Grant {
    pub email: String,
    pub scopes: Vec<String>,
    pub refresh_token: Option<String>,
    pub revoked: bool,
}

struct AccessToken {
    grant: usize,
    /// Milliseconds.
    expires_at: i64,
}

impl Default for Oauth {
    fn default() -> Self {
        Self { codes: HashMap::new(), grants: Vec::new(), access_tokens: HashMap::new(), expires_in: 3599, certs_max_age: 3600 }
    }
}

impl Oauth {
    /// Whose live access token this is, and what it may do.
    pub fn holder(&self, access_token: &str, now_ms: i64) -> Option<(String, Vec<String>)> {
        let token = self.access_tokens.get(access_token).filter(|token| token.expires_at > now_ms)?;
        let grant = self.grants.get(token.grant).filter(|grant| !grant.revoked)?;
        Some((grant.email.clone(), grant.scopes.clone()))
    }

    pub fn expire_access_tokens(&mut self, email: Option<&str>) {
        let grants = &self.grants;
        self.access_tokens.retain(|_, token| email.is_some_and(|email| grants[token.grant].email != email));
    }

    /// Everything the user has given this client goes, not only one token's grant.
    pub fn revoke_all(&mut self, email: &str) {
        self.grants.iter_mut().filter(|grant| grant.email == email).for_each(|grant| grant.revoked = true);
    }

    pub fn email_of(&self, token: &str) -> Option<String> {
        let by_access = self.access_tokens.get(token).map(|token| &self.grants[token.grant]);
        by_access.or_else(|| self.refreshed(token).map(|grant| &self.grants[grant])).map(|grant| grant.email.clone())
    }

    fn refreshed(&self, refresh_token: &str) -> Option<usize> {
        self.grants.iter().position(|grant| grant.refresh_token.as_deref() == Some(refresh_token))
    }

    fn new_access_token(&mut self, grant: usize, now_ms: i64) -> String {
        let token = unguessable("ya29.a0", 96);
        self.access_tokens.insert(token.clone(), AccessToken { grant, expires_at: now_ms + self.expires_in * 1000 });
        token
    }
}

/// Google grants `email` and `profile` under their long names.
pub(crate) fn granted_name(scope: &str) -> String {
    match scope {
        "email" | "profile" => format!("https://www.googleapis.com/auth/userinfo.{scope}"),
        other => other.into(),
    }
}

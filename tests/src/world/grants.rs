//! Codes and tokens: what Google remembers of a user's consent.

use std::collections::BTreeMap;

use email_connectors::domain::claims::Claims;
use email_connectors::domain::id::GoogleSub;
use email_connectors::domain::secret::{AccessToken, RefreshToken};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{Grant, ProviderError};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::gmail::{ACCESS_TOKEN_LIFE, CLIENT_ID, Consent};

#[derive(Default)]
pub(crate) struct Grants {
    issued: u64,
    codes: BTreeMap<String, (GoogleSub, Consent)>,
    refresh_tokens: BTreeMap<String, GoogleSub>,
    access_tokens: BTreeMap<String, (GoogleSub, Timestamp)>,
}

impl Grants {
    fn name(&mut self, what: &str, of: &GoogleSub) -> String {
        self.issued += 1;
        format!("{what}-{}-of-{of}", self.issued)
    }

    pub fn consent(&mut self, account: &GoogleSub, consent: Consent) -> String {
        let code = self.name("code", account);
        self.codes.insert(code.clone(), (account.clone(), consent));
        code
    }

    /// A code is good once.
    pub fn exchange(&mut self, code: &str, now: Timestamp) -> Result<Grant, ProviderError> {
        let (account, consent) = self.codes.remove(code).ok_or_else(|| ProviderError::GrantRefused("invalid_grant".into()))?;
        let refresh_token = consent.refresh_token.then(|| self.name("refresh", &account));
        if let Some(token) = &refresh_token {
            self.refresh_tokens.insert(token.clone(), account.clone());
        }
        Ok(Grant {
            access_token: self.access_token(&account, now),
            refresh_token: refresh_token.map(|token| RefreshToken(token.into())),
            scopes: consent.scopes.clone(),
            identity: identity(&account, now),
        })
    }

    fn access_token(&mut self, account: &GoogleSub, now: Timestamp) -> AccessToken {
        let (token, expires_at) = (self.name("access", account), now.after(ACCESS_TOKEN_LIFE));
        self.access_tokens.insert(token.clone(), (account.clone(), expires_at));
        AccessToken { secret: token.into(), expires_at }
    }

    fn holder(&self, token: &RefreshToken) -> Option<GoogleSub> {
        self.refresh_tokens.get(token.0.expose_secret()).cloned()
    }

    pub fn refresh(&mut self, token: &RefreshToken, now: Timestamp) -> Result<AccessToken, ProviderError> {
        let account = self.holder(token).ok_or_else(|| ProviderError::GrantRefused("invalid_grant".into()))?;
        Ok(self.access_token(&account, now))
    }

    pub fn admit(&self, access: &AccessToken, now: Timestamp) -> Result<GoogleSub, ProviderError> {
        let held = self.access_tokens.get(access.secret.expose_secret());
        held.filter(|(_, expires_at)| now < *expires_at).map(|(account, _)| account.clone()).ok_or(ProviderError::Unauthorized)
    }

    /// Whose grant ended: one token's end is the end of all that the account ever granted to this client.
    pub fn revoke(&mut self, token: &RefreshToken) -> Option<GoogleSub> {
        let account = self.holder(token)?;
        self.end(&account);
        Some(account)
    }

    pub fn end_refresh_tokens(&mut self, account: &GoogleSub) {
        self.refresh_tokens.retain(|_, of| of != account);
    }

    pub fn end(&mut self, account: &GoogleSub) {
        self.end_refresh_tokens(account);
        self.forget_access_tokens(account);
    }

    pub fn forget_access_tokens(&mut self, account: &GoogleSub) {
        self.access_tokens.retain(|_, (of, _)| of != account);
    }

    pub fn is_alive(&self, account: &GoogleSub) -> bool {
        self.refresh_tokens.values().any(|of| of == account)
    }
}

fn identity(account: &GoogleSub, now: Timestamp) -> Claims {
    let claims = json!({
        "iss": "https://accounts.google.com",
        "aud": CLIENT_ID,
        "sub": account,
        "iat": now.seconds(),
        "exp": now.after(ACCESS_TOKEN_LIFE).seconds(),
    });
    let Value::Object(claims) = claims else { unreachable!("an object was written above") };
    claims
}

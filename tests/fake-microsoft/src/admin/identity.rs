//! Codes, consents, tenants, and what ends a grant.

use serde::Deserialize;

use super::error::AdminError;
use super::{Admin, missing_mailbox};
use crate::oauth::{CODE_PREFIX, Code, OauthSettings, Refused, Tenant, Wish, scopes};
use crate::signing::SigningKey;
use crate::values::unguessable;

/// What the connector asks for.
const SCOPES: &str = "openid profile email offline_access User.Read Mail.ReadWrite Mail.Send";

/// An authorization code as if the user had consented.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewCode {
    pub email: String,
    /// Separated by spaces.
    pub scopes: String,
    pub redirect_uri: String,
    pub nonce: Option<String>,
    /// The code itself; made if absent.
    pub code: Option<String>,
    /// Never used up, and never too old.
    pub reusable: bool,
}

impl Default for NewCode {
    fn default() -> Self {
        Self {
            email: String::new(),
            scopes: SCOPES.into(),
            redirect_uri: "http://localhost/callback".into(),
            nonce: None,
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

/// Why refreshes are refused from now on.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Revocation {
    /// Of one mailbox.
    pub email: Option<String>,
    /// Of a whole organization.
    pub tid: Option<String>,
    /// The number of an AADSTS error.
    pub aadsts: u32,
    pub claims: Option<String>,
    /// Access tokens end as well.
    pub at_once: bool,
}

impl Default for Revocation {
    fn default() -> Self {
        Self { email: None, tid: None, aadsts: 50_173, claims: None, at_once: false }
    }
}

impl Admin {
    pub fn create_code(&self, new: NewCode) -> Result<String, AdminError> {
        let mut state = self.app.state();
        if !state.mailboxes.contains_key(&new.email) {
            return Err(missing_mailbox(&new.email));
        }
        let scopes = scopes::parsed(&new.scopes)
            .ok_or_else(|| AdminError::Invalid(format!("unknown scope in {}", new.scopes)))?;
        let given = new.code.unwrap_or_else(|| unguessable(CODE_PREFIX, 40));
        let code = Code {
            key: new.email,
            scopes,
            redirect_uri: new.redirect_uri,
            nonce: new.nonce,
            challenge: None,
            claims: None,
            made: state.server_now(&self.app).unix_timestamp(),
            reusable: new.reusable,
            used: false,
        };
        state.oauth.codes.insert(given.clone(), code);
        Ok(given)
    }

    /// Replaces what holds for an organization.
    pub fn set_tenant(&self, tid: &str, tenant: Tenant) {
        self.app.state().oauth.tenants.insert(tid.into(), tenant);
    }

    /// The administrator withdraws the consent: refreshes of all users are AADSTS65001.
    pub fn withdraw_admin_consent(&self, tid: &str) {
        let withdrawn = Tenant { users_may_consent: false, admin_consented: false };
        self.set_tenant(tid, withdrawn);
        self.revoke(&Revocation { tid: Some(tid.into()), aadsts: 65_001, ..Revocation::default() });
    }

    pub fn revoke(&self, why: &Revocation) {
        let mut guard = self.app.state();
        let state = &mut *guard;
        let tenants: Vec<(String, String)> = state
            .mailboxes
            .iter()
            .map(|(key, mailbox)| (key.clone(), mailbox.user.tid.clone()))
            .collect();
        let hit = |key: &str| {
            let tid = tenants.iter().find(|(other, _)| other == key).map(|(_, tid)| tid.as_str());
            why.email.as_deref().is_none_or(|email| email == key)
                && why.tid.as_deref().is_none_or(|wanted| tid == Some(wanted))
        };
        let refused = Refused { number: why.aadsts, claims: why.claims.clone() };
        state.oauth.refuse(hit, &refused, why.at_once);
    }

    /// All access tokens of a mailbox, or of all.
    pub fn expire_access_tokens(&self, email: Option<&str>) {
        let mut guard = self.app.state();
        let oauth = &mut guard.oauth;
        let grants = &oauth.grants;
        for token in oauth.access_tokens.values_mut() {
            if email.is_none_or(|email| grants[token.grant].key == email) {
                token.expires = 0;
            }
        }
    }

    /// The refresh tokens of a mailbox that were used are valid no longer, as 90 days later; those
    /// that came in their place are.
    pub fn expire_used_refresh_tokens(&self, email: &str) {
        let mut guard = self.app.state();
        let oauth = &mut guard.oauth;
        let grants = &oauth.grants;
        for token in oauth.refresh_tokens.values_mut() {
            if token.used && grants[token.grant].key == email {
                token.last_used = 0;
            }
        }
    }

    /// Replaces the previous settings; what is not named is as by default.
    pub fn set_oauth(&self, settings: OauthSettings) -> OauthSettings {
        self.app.state().oauth.settings = settings.clone();
        settings
    }

    pub fn set_next_consent(&self, email: &str, wish: Wish) -> Result<(), AdminError> {
        let mut state = self.app.state();
        if !state.mailboxes.contains_key(email) {
            return Err(missing_mailbox(email));
        }
        state.oauth.wishes.insert(email.into(), wish);
        Ok(())
    }

    /// A new key signs from now on; with `forget_old` the others are no longer published.
    pub fn rotate_key(&self, forget_old: bool) {
        let new = SigningKey::new();
        let mut state = self.app.state();
        if forget_old {
            state.keys.clear();
        }
        state.keys.push(new);
    }

    /// How many refresh tokens of a mailbox are valid.
    pub fn refresh_tokens(&self, email: &str) -> usize {
        let state = self.app.state();
        let of = |grant: usize| {
            state.oauth.grants[grant].key == email && state.oauth.grants[grant].refused.is_none()
        };
        state.oauth.refresh_tokens.values().filter(|token| of(token.grant)).count()
    }
}

//! The Microsoft identity platform: authorization, tokens, keys, and an administrator's consent.

pub(crate) mod aadsts;
mod admin_consent;
mod authorize;
mod consent;
mod endpoints;
mod exchange;
pub(crate) mod scopes;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::values::{base64url, sha256, unguessable};
pub(crate) use endpoints::routes;

/// Unused refresh tokens end: <https://learn.microsoft.com/entra/identity-platform/refresh-tokens>.
const IDLE_SECONDS: i64 = 90 * 24 * 3600;
const CODE_SECONDS: i64 = 600;
/// All have a mark, so that a search finds whoever tells one.
pub(crate) const CODE_PREFIX: &str = "1.AVYA.canary-";
const REFRESH_TOKEN_PREFIX: &str = "1.AVYA.canary-";
const ACCESS_TOKEN_PREFIX: &str = "eyJ0eXAiOiJKV1QiLCJub25jZSI6Ij.canary-";

#[derive(Default)]
pub(crate) struct Oauth {
    pub codes: BTreeMap<String, Code>,
    pub grants: Vec<Grant>,
    pub refresh_tokens: BTreeMap<String, RefreshToken>,
    pub access_tokens: BTreeMap<String, AccessToken>,
    pub tenants: BTreeMap<String, Tenant>,
    /// Outcomes of the next consents, by mailbox.
    pub wishes: BTreeMap<String, Wish>,
    pub settings: OauthSettings,
}

/// What tests change of the token endpoint.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct OauthSettings {
    /// Seconds that an access token lives.
    pub expires_in: i64,
    /// AADSTS7000222, although the secret is the right one.
    pub secret_expired: bool,
    /// A refresh answers no new refresh token.
    pub keeps_refresh_token: bool,
    /// The old refresh token ends once it was used: not as Microsoft does.
    pub ends_old_refresh_token: bool,
    /// Overrides claims of the next id tokens; null removes one.
    pub id_token_claims: Map<String, Value>,
}

impl Default for OauthSettings {
    fn default() -> Self {
        Self {
            expires_in: 3599,
            secret_expired: false,
            keeps_refresh_token: false,
            ends_old_refresh_token: false,
            id_token_claims: Map::new(),
        }
    }
}

/// What an organization allows. Personal accounts consent by themselves.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenant {
    /// Users may consent to `Mail.*` by themselves; since MC1163922 not by default.
    pub users_may_consent: bool,
    /// The administrator has consented for everybody.
    pub admin_consented: bool,
}

impl Default for Tenant {
    fn default() -> Self {
        Self { users_may_consent: true, admin_consented: false }
    }
}

pub(crate) struct Code {
    pub key: String,
    pub scopes: Vec<String>,
    pub redirect_uri: String,
    pub nonce: Option<String>,
    pub challenge: Option<Challenge>,
    pub claims: Option<String>,
    /// By the server's clock.
    pub made: i64,
    pub reusable: bool,
    pub used: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Challenge {
    Plain(String),
    S256(String),
}

impl Challenge {
    pub fn is_met_by(&self, verifier: &str) -> bool {
        match self {
            Self::S256(digest) => base64url(&sha256(verifier.as_bytes())) == *digest,
            Self::Plain(itself) => verifier == itself,
        }
    }
}

/// A user's consent to the app.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub key: String,
    pub scopes: Vec<String>,
    /// Why a refresh is refused from now on, if it is.
    pub refused: Option<Refused>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refused {
    /// The number of an AADSTS error.
    pub number: u32,
    pub claims: Option<String>,
}

pub(crate) struct RefreshToken {
    pub grant: usize,
    /// Whether it led to another one.
    pub used: bool,
    /// By the server's clock.
    pub last_used: i64,
}

pub(crate) struct AccessToken {
    pub grant: usize,
    pub scopes: Vec<String>,
    /// By the server's clock.
    pub expires: i64,
}

/// The outcome of the next consent of an account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wish {
    pub denied: bool,
    /// An AADSTS error in place of an answer.
    pub aadsts: Option<u32>,
    /// Granted scopes lack these: Microsoft's page has no boxes, but an administrator's consent may
    /// be narrower than what is asked for.
    pub without: Vec<String>,
}

impl Oauth {
    pub fn new_refresh_token(&mut self, grant: usize, now: i64) -> String {
        let token = unguessable(REFRESH_TOKEN_PREFIX, 60);
        self.refresh_tokens
            .insert(token.clone(), RefreshToken { grant, used: false, last_used: now });
        token
    }

    pub fn new_access_token(&mut self, grant: usize, scopes: Vec<String>, now: i64) -> String {
        let token = unguessable(ACCESS_TOKEN_PREFIX, 60);
        let expires = now + self.settings.expires_in;
        self.access_tokens.insert(token.clone(), AccessToken { grant, scopes, expires });
        token
    }

    /// The latest live consent of a mailbox.
    pub fn grant_of(&self, key: &str) -> Option<usize> {
        self.grants.iter().rposition(|grant| grant.key == key && grant.refused.is_none())
    }

    pub fn has_consented(&self, key: &str, scopes: &[String]) -> bool {
        self.grant_of(key)
            .is_some_and(|at| scopes.iter().all(|scope| self.grants[at].scopes.contains(scope)))
    }

    /// From now on refreshes of these mailboxes' grants are refused; with `at_once` their access
    /// tokens end as well.
    pub fn refuse(&mut self, whose: impl Fn(&str) -> bool, why: &Refused, at_once: bool) {
        for grant in self.grants.iter_mut().filter(|grant| whose(&grant.key)) {
            grant.refused = Some(why.clone());
        }
        if at_once {
            let grants = &self.grants;
            self.access_tokens.retain(|_, token| !whose(&grants[token.grant].key));
        }
    }
}

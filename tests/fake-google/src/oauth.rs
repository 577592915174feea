//! Google's OAuth: codes, grants and tokens.

mod authorize;
mod consent;
mod endpoints;
mod exchange;

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

pub(crate) use authorize::Wish;
pub(crate) use endpoints::{
    GOOGLE_CERTS, UNKNOWN_CERTS, USER_CERTS, answered, authorize, consent, google_certs, guarded,
    revoke, token, unknown_certs, user_certs,
};
pub(crate) use exchange::Denied;

use crate::values::unguessable;

// Every secret contains the same word, so that tests can search for leaked secrets. Lengths are
// Google's.
pub(crate) const CODE_PREFIX: &str = "4/0canary-";
pub(crate) const CODE_BYTES: usize = 48;
const ACCESS_TOKEN_PREFIX: &str = "ya29.canary-";
const ACCESS_TOKEN_BYTES: usize = 156;
const REFRESH_TOKEN_PREFIX: &str = "1//0canary-";
const REFRESH_TOKEN_BYTES: usize = 69;

pub(crate) struct Oauth {
    pub codes: HashMap<String, Code>,
    pub grants: Vec<Grant>,
    /// How the next consents go, by account.
    pub wishes: HashMap<String, Wish>,
    /// Accounts that have consented and not revoked everything.
    consented: BTreeSet<String>,
    access_tokens: HashMap<String, AccessToken>,
    pub expires_in: i64,
    pub certs_max_age: u64,
}

pub(crate) struct Code {
    pub email: String,
    pub scopes: Vec<String>,
    pub with_refresh_token: bool,
    pub redirect_uri: String,
    pub client_id: String,
    /// None: the answer has no id_token.
    pub id_token: Option<IdToken>,
    pub challenge: Option<Challenge>,
    /// May be exchanged again and again.
    pub reusable: bool,
    pub used: bool,
}

/// The parts of an id_token that a consent sets.
#[derive(Clone, Default)]
pub(crate) struct IdToken {
    pub nonce: Option<String>,
    /// Override the claims.
    pub claims: Map<String, Value>,
}

pub(crate) enum Challenge {
    S256(String),
    Plain(String),
}

pub(crate) struct Grant {
    pub email: String,
    pub scopes: Vec<String>,
    pub refresh_token: Option<String>,
    /// The last call in the log when it was made, and when it ended.
    pub made_after: u64,
    pub revoked_after: Option<u64>,
}

impl Grant {
    pub fn is_revoked(&self) -> bool {
        self.revoked_after.is_some()
    }
}

struct AccessToken {
    grant: usize,
    /// Milliseconds.
    expires_at: i64,
}

impl Default for Oauth {
    fn default() -> Self {
        Self {
            codes: HashMap::new(),
            grants: Vec::new(),
            wishes: HashMap::new(),
            consented: BTreeSet::new(),
            access_tokens: HashMap::new(),
            expires_in: 3599,
            certs_max_age: 3600,
        }
    }
}

impl Oauth {
    pub fn consent(&mut self, given: String, code: Code) {
        self.consented.insert(code.email.clone());
        self.codes.insert(given, code);
    }

    pub fn has_consented(&self, email: &str) -> bool {
        self.consented.contains(email)
    }

    /// The account and scopes of a live access token.
    pub fn holder(&self, access_token: &str, now_ms: i64) -> Option<(String, Vec<String>)> {
        let token =
            self.access_tokens.get(access_token).filter(|token| token.expires_at > now_ms)?;
        let grant = self.grants.get(token.grant).filter(|grant| !grant.is_revoked())?;
        Some((grant.email.clone(), grant.scopes.clone()))
    }

    pub fn expire_access_tokens(&mut self, email: Option<&str>) {
        let grants = &self.grants;
        self.access_tokens
            .retain(|_, token| email.is_some_and(|email| grants[token.grant].email != email));
    }

    /// Revokes all of the user's grants to this client, not only that of one token.
    pub fn revoke_all(&mut self, email: &str, after_call: u64) {
        self.consented.remove(email);
        for grant in self.grants.iter_mut().filter(|grant| grant.email == email) {
            grant.revoked_after.get_or_insert(after_call);
        }
    }

    pub fn email_of(&self, token: &str) -> Option<String> {
        let by_access = self.access_tokens.get(token).map(|token| &self.grants[token.grant]);
        by_access
            .or_else(|| self.refreshed(token).map(|grant| &self.grants[grant]))
            .map(|grant| grant.email.clone())
    }

    fn refreshed(&self, refresh_token: &str) -> Option<usize> {
        self.grants.iter().position(|grant| grant.refresh_token.as_deref() == Some(refresh_token))
    }

    fn new_access_token(&mut self, grant: usize, now_ms: i64) -> String {
        let token = unguessable(ACCESS_TOKEN_PREFIX, ACCESS_TOKEN_BYTES);
        self.access_tokens.insert(
            token.clone(),
            AccessToken { grant, expires_at: now_ms + self.expires_in * 1000 },
        );
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

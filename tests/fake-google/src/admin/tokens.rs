//! Signed tokens made to order: of users, of Pub/Sub, and of Google's security events.

use std::thread;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Admin;
use super::error::AdminError;
use super::identity::KeyName;
use crate::keys::{Signing, SigningKey, overlay};
use crate::pubsub;
use crate::values::unguessable;

const USER_TOKEN_SECONDS: i64 = 3600;
/// With a trailing slash, unlike the issuer of other tokens.
const EVENT_ISSUER: &str = "https://accounts.google.com/";
const KID_BYTES: usize = 30;

/// A token of the users' issuer. `claims` and `header` override the defaults; null removes one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewUserToken {
    pub sub: String,
    pub claims: Map<String, Value>,
    pub header: Map<String, Value>,
    /// The users' if absent.
    pub key: Option<KeyName>,
    pub sign: Signing,
}

/// A token as Pub/Sub sends it, with optional deviations.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewPushToken {
    pub claims: Map<String, Value>,
    pub header: Map<String, Value>,
    pub key: KeyName,
    pub sign: Signing,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecurityEvent {
    #[default]
    TokensRevoked,
    TokenRevoked,
    SessionsRevoked,
    AccountDisabled,
    AccountEnabled,
    AccountCredentialChangeRequired,
    /// A test of the receiver, about no account.
    Verification,
}

/// A security event token as Google sends it to a receiver, with optional deviations.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewSecurityEvent {
    pub event: SecurityEvent,
    /// The account, unless `sub` names one. Neither is needed for a verification.
    pub email: Option<String>,
    pub sub: Option<String>,
    /// Unguessable if absent.
    pub jti: Option<String>,
    pub reason: Option<String>,
    /// Of a verification.
    pub state: Option<String>,
    pub claims: Map<String, Value>,
    pub header: Map<String, Value>,
    pub key: KeyName,
    pub sign: Signing,
}

impl SecurityEvent {
    fn uri(self) -> &'static str {
        match self {
            Self::TokensRevoked => {
                "https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked"
            }
            Self::TokenRevoked => {
                "https://schemas.openid.net/secevent/oauth/event-type/token-revoked"
            }
            Self::SessionsRevoked => {
                "https://schemas.openid.net/secevent/risc/event-type/sessions-revoked"
            }
            Self::AccountDisabled => {
                "https://schemas.openid.net/secevent/risc/event-type/account-disabled"
            }
            Self::AccountEnabled => {
                "https://schemas.openid.net/secevent/risc/event-type/account-enabled"
            }
            Self::AccountCredentialChangeRequired => {
                "https://schemas.openid.net/secevent/risc/event-type/account-credential-change-required"
            }
            Self::Verification => {
                "https://schemas.openid.net/secevent/risc/event-type/verification"
            }
        }
    }
}

impl Admin {
    pub fn user_token(&self, new: &NewUserToken) -> String {
        let key = self.key(new.key.unwrap_or(KeyName::Users));
        key.sign(new.sign, &new.header, &self.user_claims(new))
    }

    /// So many, each under another `kid` that no key set holds, all by the one unknown key.
    pub fn user_tokens(&self, new: &NewUserToken, count: usize) -> Vec<String> {
        signed_under_unknown_kids(
            &self.key(KeyName::Unknown),
            new.sign,
            &new.header,
            &self.user_claims(new),
            count,
        )
    }

    pub fn push_token(&self, new: &NewPushToken) -> String {
        self.key(new.key).sign(new.sign, &new.header, &self.push_claims(new))
    }

    /// So many, each under another `kid` that no key set holds, all by the one unknown key.
    pub fn push_tokens(&self, new: &NewPushToken, count: usize) -> Vec<String> {
        signed_under_unknown_kids(
            &self.key(KeyName::Unknown),
            new.sign,
            &new.header,
            &self.push_claims(new),
            count,
        )
    }

    pub fn security_event(&self, new: &NewSecurityEvent) -> Result<String, AdminError> {
        let event = self.event(new)?;
        let mut claims = object([
            ("iss", json!(EVENT_ISSUER)),
            ("aud", json!(self.app.config.client_id)),
            ("iat", json!(self.app.now().unix_timestamp())),
            ("jti", json!(new.jti.clone().unwrap_or_else(|| unguessable("", 16)))),
            ("events", json!({ new.event.uri(): event })),
        ]);
        overlay(&mut claims, &new.claims);
        let mut header = object([("typ", json!("secevent+jwt"))]);
        // A null still removes an entry of the key's own header later, so it is kept.
        header.extend(new.header.clone());
        Ok(self.key(new.key).sign(new.sign, &header, &claims))
    }

    fn event(&self, new: &NewSecurityEvent) -> Result<Map<String, Value>, AdminError> {
        let mut event = Map::new();
        if new.event == SecurityEvent::Verification {
            event.extend(new.state.clone().map(|state| ("state".to_owned(), state.into())));
            return Ok(event);
        }
        let sub = match (&new.sub, &new.email) {
            (Some(sub), _) => sub.clone(),
            (None, Some(email)) => self.mailbox(email)?.sub,
            (None, None) => return Err(AdminError::Invalid("email or sub is required".into())),
        };
        event.insert(
            "subject".into(),
            json!({ "subject_type": "iss-sub", "iss": EVENT_ISSUER, "sub": sub }),
        );
        event.extend(new.reason.clone().map(|reason| ("reason".to_owned(), reason.into())));
        Ok(event)
    }

    fn key(&self, name: KeyName) -> std::sync::Arc<SigningKey> {
        self.app.state().keys.current(name)
    }

    fn user_claims(&self, new: &NewUserToken) -> Map<String, Value> {
        let config = &self.app.config;
        let now = self.app.now().unix_timestamp();
        let mut claims = object([
            ("iss", json!(config.user_issuer)),
            ("aud", json!(config.user_audience)),
            ("sub", json!(new.sub)),
            ("iat", json!(now)),
            ("exp", json!(now + USER_TOKEN_SECONDS)),
        ]);
        overlay(&mut claims, &new.claims);
        claims
    }

    fn push_claims(&self, new: &NewPushToken) -> Map<String, Value> {
        let mut claims = pubsub::token_claims(&self.app, &self.app.state());
        overlay(&mut claims, &new.claims);
        claims
    }
}

/// On every core, as thousands of signatures are slow.
fn signed_under_unknown_kids(
    key: &SigningKey,
    signing: Signing,
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    count: usize,
) -> Vec<String> {
    let signed = || {
        let mut header = header.clone();
        header.insert("kid".into(), unguessable("", KID_BYTES).into());
        key.sign(signing, &header, claims)
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let share = |worker: usize| count / workers + usize::from(worker < count % workers);
        let working: Vec<_> = (0..workers)
            .map(|worker| {
                scope.spawn(move || (0..share(worker)).map(|_| signed()).collect::<Vec<_>>())
            })
            .collect();
        working
            .into_iter()
            .flat_map(|worker| worker.join().expect("signing does not panic"))
            .collect()
    })
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    entries.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

//! A provider's OAuth endpoints: a consent is given at once, and every code is valid.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::reply::Reply;
use crate::domain::timestamp::Timestamp;
use crate::ports::ConsentRequest;

/// Our codes contain the nonce of their consent, so that any process can exchange them.
const CODE: &str = "dry-run/";
const ACCESS: &str = "dry-run.access.";
const REFRESH: &str = "dry-run.refresh.";
const LIVES_SECONDS: i64 = 3599;

pub struct Accounts {
    client_id: String,
    /// What each consent grants.
    scopes: Vec<String>,
    /// A refresh answers a new refresh token.
    rotates: bool,
    given: u64,
    revoked: BTreeSet<String>,
}

/// Where the browser goes for consent: back to the frontend, as if the provider had sent it.
pub fn consented(consent: &ConsentRequest<'_>) -> String {
    let (code, scope) = (format!("{CODE}{}", consent.nonce), consent.scopes.join(" "));
    let pairs = [("state", consent.state), ("code", &code), ("scope", &scope)];
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{}?{query}", consent.redirect_uri)
}

pub fn is_ours(access_token: &str) -> bool {
    access_token.starts_with(ACCESS)
}

impl Accounts {
    pub fn new(client_id: String, scopes: Vec<String>) -> Self {
        Self { client_id, scopes, rotates: false, given: 0, revoked: BTreeSet::new() }
    }

    pub fn rotating(self) -> Self {
        Self { rotates: true, ..self }
    }

    /// `identity` holds the claims that say whose account it is.
    pub fn token(&mut self, identity: Value, form: &[u8], now: Timestamp) -> Reply {
        let field = |wanted: &str| {
            form_urlencoded::parse(form)
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.into_owned())
        };
        if field("client_id").as_ref() != Some(&self.client_id) {
            return refused(401, "invalid_client", "The OAuth client was not found.");
        }
        match (field("grant_type").as_deref(), field("code"), field("refresh_token")) {
            (Some("authorization_code"), Some(code), _) if !code.is_empty() => {
                self.exchanged(identity, code.strip_prefix(CODE), now)
            }
            (Some("authorization_code"), ..) => {
                refused(400, "invalid_grant", "Malformed auth code.")
            }
            (Some("refresh_token"), _, Some(token)) if self.revoked.contains(&token) => {
                refused(400, "invalid_grant", "Token has been expired or revoked.")
            }
            (Some("refresh_token"), _, Some(token)) if token.starts_with(REFRESH) => {
                let mut answer = self.tokens(identity, None, now);
                if self.rotates {
                    answer["refresh_token"] = self.mint(REFRESH, now).into();
                }
                Reply::json(200, &answer)
            }
            (Some("refresh_token"), _, Some(_)) => foreign(),
            _ => refused(400, "unsupported_grant_type", "Invalid grant_type."),
        }
    }

    pub fn revoke(&mut self, form: &[u8]) -> Reply {
        let token = form_urlencoded::parse(form)
            .find(|(name, _)| name == "token")
            .map(|(_, value)| value.into_owned());
        match token {
            Some(token) if self.revoked.contains(&token) => {
                refused(400, "invalid_token", "Token expired or revoked")
            }
            Some(token) if token.starts_with(REFRESH) => {
                self.revoked.insert(token);
                super::log_write("POST", "/revoke", "");
                Reply::json(200, &json!({}))
            }
            Some(_) => foreign(),
            None => refused(400, "invalid_request", "Missing required parameter: token"),
        }
    }

    fn exchanged(&mut self, identity: Value, nonce: Option<&str>, now: Timestamp) -> Reply {
        let mut answer = self.tokens(identity, nonce, now);
        answer["refresh_token"] = self.mint(REFRESH, now).into();
        Reply::json(200, &answer)
    }

    fn tokens(&mut self, identity: Value, nonce: Option<&str>, now: Timestamp) -> Value {
        let mut claims = identity;
        claims["aud"] = self.client_id.as_str().into();
        claims["iat"] = now.seconds().into();
        claims["exp"] = (now.seconds() + LIVES_SECONDS).into();
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        // Nobody checks its signature: it comes straight from the token endpoint.
        let id_token =
            format!("{}.{}.", part(&json!({"alg": "none", "typ": "JWT"})), part(&claims));
        json!({
            "access_token": self.mint(ACCESS, now), "expires_in": LIVES_SECONDS, "scope": self.scopes.join(" "), "token_type": "Bearer",
            "id_token": id_token,
        })
    }

    /// Unique within a process, and without any secret: it gives access to nothing.
    fn mint(&mut self, kind: &str, now: Timestamp) -> String {
        self.given += 1;
        format!("{kind}{}.{}", now.millis(), self.given)
    }
}

/// For tokens of real grants: a dry run does not touch their mailboxes, and the answer does not end
/// the grant.
fn foreign() -> Reply {
    refused(501, "dry_run", "A dry run takes only the tokens that it gave.")
}

fn refused(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(status, &json!({"error": error, "error_description": description}))
}

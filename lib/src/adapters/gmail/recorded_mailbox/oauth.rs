//! Google's OAuth endpoints: a consent is given at once, and every code is valid.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use super::call::Reply;
use super::mailbox::Account;
use crate::domain::timestamp::Timestamp;
use crate::ports::ConsentRequest;

/// Our codes contain the nonce of their consent, so that any process can exchange them.
const CODE: &str = "dry-run/";
const ACCESS: &str = "dry-run.access.";
const REFRESH: &str = "dry-run.refresh.";
const LIVES_SECONDS: i64 = 3599;

pub struct Accounts {
    client_id: String,
    scopes: Vec<String>,
    given: u64,
    revoked: BTreeSet<String>,
}

/// Where the browser goes for consent: back to the frontend, as if Google had sent it.
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
        Self { client_id, scopes, given: 0, revoked: BTreeSet::new() }
    }

    pub fn token(&mut self, account: &Account, form: &[u8], now: Timestamp) -> Reply {
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
                self.exchanged(account, code.strip_prefix(CODE), now)
            }
            (Some("authorization_code"), ..) => {
                refused(400, "invalid_grant", "Malformed auth code.")
            }
            (Some("refresh_token"), _, Some(token)) if self.revoked.contains(&token) => {
                refused(400, "invalid_grant", "Token has been expired or revoked.")
            }
            (Some("refresh_token"), _, Some(token)) if token.starts_with(REFRESH) => {
                Reply::json(200, &self.tokens(account, None, now))
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
                tracing::info!(method = "POST", route = "/revoke", "dry run: done here, not sent");
                Reply::json(200, &json!({}))
            }
            Some(_) => foreign(),
            None => refused(400, "invalid_request", "Missing required parameter: token"),
        }
    }

    fn exchanged(&mut self, account: &Account, nonce: Option<&str>, now: Timestamp) -> Reply {
        let mut answer = self.tokens(account, nonce, now);
        answer["refresh_token"] = self.mint(REFRESH, now).into();
        Reply::json(200, &answer)
    }

    fn tokens(
        &mut self,
        account: &Account,
        nonce: Option<&str>,
        now: Timestamp,
    ) -> serde_json::Value {
        let mut claims = json!({
            "iss": "https://accounts.google.com", "aud": self.client_id, "azp": self.client_id, "sub": account.sub,
            "email": account.address, "email_verified": true, "iat": now.seconds(), "exp": now.seconds() + LIVES_SECONDS,
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        let part = |value: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
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

//! What the token endpoint decides: a code or a refresh token for an access token.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use serde_json::{Map, Value, json};

use super::{Challenge, Grant, IdToken, REFRESH_TOKEN_BYTES, REFRESH_TOKEN_PREFIX};
use crate::admin::identity::KeyName;
use crate::app::{App, State};
use crate::keys::{Signing, overlay};
use crate::query::Query;
use crate::values::{base64url, from_base64, sha256, unguessable};

const ID_TOKEN_SECONDS: i64 = 3600;
const EMAIL_SCOPE: &str = "https://www.googleapis.com/auth/userinfo.email";

#[derive(Debug)]
pub(crate) struct Denied {
    pub status: u16,
    pub error: String,
    pub description: String,
    pub retry_after: Option<u64>,
}

impl Denied {
    pub fn new(status: u16, error: &str, description: &str) -> Self {
        Self { status, error: error.into(), description: description.into(), retry_after: None }
    }
}

pub(super) fn exchange(app: &App, headers: &HeaderMap, form: &Query) -> Result<Value, Denied> {
    check_client(app, headers, form)?;
    let mut state = app.state();
    match form.first("grant_type") {
        Some("authorization_code") => by_code(app, &mut state, form),
        Some("refresh_token") => by_refresh_token(app, &mut state, form),
        Some(other) => {
            Err(Denied::new(400, "unsupported_grant_type", &format!("Invalid grant_type: {other}")))
        }
        None => Err(missing("grant_type")),
    }
}

fn by_code(app: &App, state: &mut State, form: &Query) -> Result<Value, Denied> {
    let given = form.first("code").ok_or_else(|| missing("code"))?;
    let redirect_uri = form.first("redirect_uri").ok_or_else(|| missing("redirect_uri"))?;
    let malformed = || Denied::new(400, "invalid_grant", "Malformed auth code.");
    let made_after = state.calls.last();
    let code = state.oauth.codes.get_mut(given).ok_or_else(malformed)?;
    if code.client_id != app.config.client_id {
        return Err(invalid_grant("The code was issued to another client."));
    }
    if code.redirect_uri != redirect_uri {
        return Err(Denied::new(400, "redirect_uri_mismatch", "Bad Request"));
    }
    if let Some(challenge) = &code.challenge {
        let verifier =
            form.first("code_verifier").ok_or_else(|| invalid_grant("Missing code verifier."))?;
        if !challenge.is_met_by(verifier) {
            return Err(invalid_grant("Invalid code verifier."));
        }
    }
    if code.used && !code.reusable {
        return Err(invalid_grant("Bad Request"));
    }
    code.used = true;
    let id_token = code.id_token.clone();
    let refresh_token =
        code.with_refresh_token.then(|| unguessable(REFRESH_TOKEN_PREFIX, REFRESH_TOKEN_BYTES));
    let grant = Grant {
        email: code.email.clone(),
        scopes: code.scopes.clone(),
        refresh_token: refresh_token.clone(),
        made_after,
        revoked_after: None,
    };
    state.oauth.grants.push(grant);
    let mut answer = tokens(app, state, state.oauth.grants.len() - 1, id_token);
    if let Some(refresh_token) = refresh_token {
        answer["refresh_token"] = refresh_token.into();
    }
    Ok(answer)
}

/// Google returns no new refresh token.
fn by_refresh_token(app: &App, state: &mut State, form: &Query) -> Result<Value, Denied> {
    let refresh_token = form.first("refresh_token").ok_or_else(|| missing("refresh_token"))?;
    let grant = state
        .oauth
        .refreshed(refresh_token)
        .filter(|grant| !state.oauth.grants[*grant].is_revoked());
    let grant = grant.ok_or_else(|| invalid_grant("Token has been expired or revoked."))?;
    Ok(tokens(app, state, grant, Some(IdToken::default())))
}

fn tokens(app: &App, state: &mut State, grant: usize, special: Option<IdToken>) -> Value {
    let access_token = state.oauth.new_access_token(grant, app.now_ms());
    let scopes = state.oauth.grants[grant].scopes.clone();
    let mut answer = json!({
        "access_token": access_token,
        "expires_in": state.oauth.expires_in,
        "scope": scopes.join(" "),
        "token_type": "Bearer",
    });
    if let Some(special) = special.filter(|_| scopes.iter().any(|scope| scope == "openid")) {
        answer["id_token"] = id_token(app, state, grant, &access_token, special).into();
    }
    answer
}

fn id_token(
    app: &App,
    state: &State,
    grant: usize,
    access_token: &str,
    special: IdToken,
) -> String {
    let grant = &state.oauth.grants[grant];
    let now = app.now().unix_timestamp();
    let sub =
        state.mailboxes.get(&grant.email).map(|mailbox| mailbox.sub.as_str()).unwrap_or_default();
    let mut claims = json!({
        "iss": "https://accounts.google.com",
        "azp": app.config.client_id,
        "aud": app.config.client_id,
        "sub": sub,
        "at_hash": base64url(&sha256(access_token.as_bytes())[..16]),
        "iat": now,
        "exp": now + ID_TOKEN_SECONDS,
    });
    if grant.scopes.iter().any(|scope| scope == EMAIL_SCOPE) {
        claims["email"] = grant.email.as_str().into();
        claims["email_verified"] = true.into();
    }
    if let Some(nonce) = special.nonce {
        claims["nonce"] = nonce.into();
    }
    let claims = claims.as_object_mut().expect("an object");
    overlay(claims, &special.claims);
    state.keys.current(KeyName::Google).sign(Signing::Rs256, &Map::new(), claims)
}

impl Challenge {
    fn is_met_by(&self, verifier: &str) -> bool {
        match self {
            Self::S256(digest) => base64url(&sha256(verifier.as_bytes())) == *digest,
            Self::Plain(itself) => verifier == itself,
        }
    }
}

/// The client credentials, from the form or HTTP Basic.
fn check_client(app: &App, headers: &HeaderMap, form: &Query) -> Result<(), Denied> {
    let in_form = form.first("client_id").zip(form.first("client_secret"));
    let in_form = in_form.map(|(id, secret)| (id.to_owned(), secret.to_owned()));
    let given = in_form.or_else(|| basic(headers));
    let known = (app.config.client_id.clone(), app.config.client_secret.clone());
    match given {
        Some(client) if client == known => Ok(()),
        Some((id, _)) if id == known.0 => {
            Err(Denied::new(401, "invalid_client", "The provided client secret is invalid."))
        }
        _ => Err(Denied::new(401, "invalid_client", "The OAuth client was not found.")),
    }
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(from_base64(encoded)?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((crate::query::decode_segment(id), crate::query::decode_segment(secret)))
}

fn missing(parameter: &str) -> Denied {
    Denied::new(400, "invalid_request", &format!("Missing required parameter: {parameter}"))
}

fn invalid_grant(description: &str) -> Denied {
    Denied::new(400, "invalid_grant", description)
}

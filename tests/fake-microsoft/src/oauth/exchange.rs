//! What the token endpoint decides: a code or a refresh token for an access token.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use serde_json::{Map, Value, json};

use super::aadsts::Denied;
use super::{CODE_SECONDS, Grant, IDLE_SECONDS, scopes};
use crate::app::{App, State};
use crate::mailbox::PERSONAL_TENANT;
use crate::query::{Query, decode_segment};
use crate::signing::overlay;
use crate::values::from_base64;

const ID_TOKEN_SECONDS: i64 = 3600;

pub(super) fn exchange(
    app: &App,
    tenant: &str,
    headers: &HeaderMap,
    form: &Query,
) -> Result<Value, Denied> {
    let mut guard = app.state();
    let state = &mut *guard;
    check_client(app, state, headers, form)?;
    match form.first("grant_type") {
        Some("authorization_code") => by_code(app, state, tenant, form),
        Some("refresh_token") => by_refresh_token(app, state, tenant, form),
        Some(_) => Err(Denied::of(70_003)),
        None => Err(Denied::missing("grant_type")),
    }
}

fn by_code(app: &App, state: &mut State, tenant: &str, form: &Query) -> Result<Value, Denied> {
    let given = form.first("code").ok_or_else(|| Denied::missing("code"))?;
    let redirect_uri = form.first("redirect_uri").ok_or_else(|| Denied::missing("redirect_uri"))?;
    let now = state.server_now(app).unix_timestamp();
    let code = state.oauth.codes.get_mut(given).ok_or_else(|| Denied::of(9_002_313))?;
    if code.used && !code.reusable {
        return Err(Denied::of(54_005));
    }
    if now - code.made > CODE_SECONDS && !code.reusable {
        return Err(Denied::of(70_008));
    }
    if code.redirect_uri != redirect_uri {
        return Err(Denied::of(500_112));
    }
    if let Some(challenge) = &code.challenge {
        let verifier =
            form.first("code_verifier").ok_or_else(|| Denied::missing("code_verifier"))?;
        if !challenge.is_met_by(verifier) {
            return Err(Denied::of(501_481));
        }
    }
    let (key, nonce, claims) = (code.key.clone(), code.nonce.clone(), code.claims.clone());
    let granted = code.scopes.clone();
    is_of_tenant(state, tenant, &key)?;
    if let Some(code) = state.oauth.codes.get_mut(given) {
        code.used = true;
    }
    if claims.is_some()
        && let Some(mailbox) = state.mailboxes.get_mut(&key)
    {
        mailbox.claims = None;
    }
    let granted = with_earlier(state, &key, granted);
    // A new sign-in heals what was refused of the account before.
    state.oauth.grants.push(Grant { key, scopes: granted.clone(), refused: None });
    let grant = state.oauth.grants.len() - 1;
    Ok(tokens(app, state, grant, granted, nonce))
}

/// A token carries all scopes of mail that the user has consented to so far.
fn with_earlier(state: &State, key: &str, mut granted: Vec<String>) -> Vec<String> {
    let before = state.oauth.grant_of(key).filter(|_| !state.shapes.scopes_do_not_add_up);
    for scope in before.into_iter().flat_map(|at| &state.oauth.grants[at].scopes) {
        if scopes::is_of_mail(scope) && !granted.contains(scope) {
            granted.push(scope.clone());
        }
    }
    granted
}

/// Answers a new refresh token; the old one stays valid.
fn by_refresh_token(
    app: &App,
    state: &mut State,
    tenant: &str,
    form: &Query,
) -> Result<Value, Denied> {
    let given = form.first("refresh_token").ok_or_else(|| Denied::missing("refresh_token"))?;
    let now = state.server_now(app).unix_timestamp();
    let token = state.oauth.refresh_tokens.get_mut(given).ok_or_else(|| Denied::of(9_002_313))?;
    if now - token.last_used > IDLE_SECONDS {
        return Err(Denied::of(700_082));
    }
    let grant = token.grant;
    if let Some(refused) = &state.oauth.grants[grant].refused {
        return Err(Denied::of(refused.number).with_claims(refused.claims.clone()));
    }
    is_of_tenant(state, tenant, &state.oauth.grants[grant].key)?;
    let granted = state.oauth.grants[grant].scopes.clone();
    let wanted = match form.first("scope") {
        Some(named) => scopes::parsed(named).ok_or_else(|| Denied::of(70_011))?,
        None => granted.clone(),
    };
    if !wanted.iter().all(|scope| granted.contains(scope) || !scopes::is_of_mail(scope)) {
        return Err(Denied::of(65_001));
    }
    if let Some(token) = state.oauth.refresh_tokens.get_mut(given) {
        (token.last_used, token.used) = (now, true);
    }
    if state.oauth.settings.ends_old_refresh_token {
        state.oauth.refresh_tokens.remove(given);
    }
    Ok(tokens(app, state, grant, granted, None))
}

/// A tenant's own path is for its own users.
fn is_of_tenant(state: &State, tenant: &str, key: &str) -> Result<(), Denied> {
    let tid = state.mailboxes.get(key).map(|mailbox| mailbox.user.tid.as_str()).unwrap_or_default();
    let fits = match tenant {
        "common" => true,
        "organizations" => tid != PERSONAL_TENANT,
        "consumers" => tid == PERSONAL_TENANT,
        named => named == tid,
    };
    if fits { Ok(()) } else { Err(Denied::of(50_020)) }
}

fn tokens(
    app: &App,
    state: &mut State,
    grant: usize,
    granted: Vec<String>,
    nonce: Option<String>,
) -> Value {
    let now = state.server_now(app).unix_timestamp();
    let has = |name: &str| granted.iter().any(|scope| scope == name);
    let (signs_in, stays) = (has("openid"), has("offline_access"));
    let mut answer = json!({
        "token_type": "Bearer",
        "scope": scopes::answered(&granted),
        "expires_in": state.oauth.settings.expires_in,
        "ext_expires_in": state.oauth.settings.expires_in,
    });
    if signs_in {
        answer["id_token"] = id_token(app, state, grant, &granted, nonce, now).into();
    }
    answer["access_token"] = state.oauth.new_access_token(grant, granted, now).into();
    let is_first = !state.oauth.refresh_tokens.values().any(|token| token.grant == grant);
    if stays && (is_first || !state.oauth.settings.keeps_refresh_token) {
        answer["refresh_token"] = state.oauth.new_refresh_token(grant, now).into();
    }
    answer
}

/// <https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference>
fn id_token(
    app: &App,
    state: &State,
    grant: usize,
    granted: &[String],
    nonce: Option<String>,
    now: i64,
) -> String {
    let Some(mailbox) = state.mailboxes.get(&state.oauth.grants[grant].key) else {
        return String::new();
    };
    let user = &mailbox.user;
    let mut claims = json!({
        "aud": app.config.client_id,
        "iss": format!("{}/{}/v2.0", app.issuer_base(), user.tid),
        "iat": now,
        "nbf": now,
        "exp": now + ID_TOKEN_SECONDS,
        "oid": user.oid,
        "tid": user.tid,
        "sub": user.sub,
        "ver": "2.0",
    });
    if granted.iter().any(|scope| scope == "profile") {
        claims["name"] = user.name.as_str().into();
        claims["preferred_username"] = user.upn.as_str().into();
    }
    if granted.iter().any(|scope| scope == "email") {
        claims["email"] = user.email.as_str().into();
    }
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    let mut claims: Map<String, Value> = claims.as_object().cloned().unwrap_or_default();
    overlay(&mut claims, &state.oauth.settings.id_token_claims);
    state.keys.last().map(|key| key.sign(&claims)).unwrap_or_default()
}

/// The client credentials, from the form or HTTP Basic.
fn check_client(app: &App, state: &State, headers: &HeaderMap, form: &Query) -> Result<(), Denied> {
    let basic = basic(headers);
    let (id, secret) = match &basic {
        Some((id, secret)) => (Some(id.as_str()), Some(secret.as_str())),
        None => (form.first("client_id"), form.first("client_secret")),
    };
    let id = id.ok_or_else(|| Denied::missing("client_id"))?;
    if id != app.config.client_id {
        return Err(Denied::of(700_016));
    }
    if secret != Some(app.config.client_secret.as_str()) {
        return Err(Denied::of(7_000_215));
    }
    if state.oauth.settings.secret_expired {
        return Err(Denied::of(7_000_222));
    }
    Ok(())
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(from_base64(encoded)?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((decode_segment(id), decode_segment(secret)))
}

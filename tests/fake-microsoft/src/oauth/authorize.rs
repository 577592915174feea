//! The authorization endpoint as programs use it: the account that `login_hint` names consents at
//! once. A person is asked first (`consent.rs`).

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{IntoResponse, Response};
use reqwest::Url;

use super::aadsts::Denied;
use super::{CODE_PREFIX, Challenge, Code, Tenant, scopes};
use crate::app::{App, State};
use crate::html::{escaped, hidden, page};
use crate::mailbox::PERSONAL_TENANT;
use crate::query::Query;
use crate::values::{moment, random_uuid, unguessable};

/// Lengths of a code challenge, from RFC 7636.
const CHALLENGE: std::ops::RangeInclusive<usize> = 43..=128;

/// The validated parameters of an authorization request.
pub(super) struct Request {
    pub scopes: Vec<String>,
    pub prompt: String,
    pub challenge: Option<Challenge>,
}

pub(super) fn authorized(app: &App, tenant: &str, query: &Query) -> Response {
    let back = match trusted_redirect(app, query) {
        Ok(back) => back,
        Err(denied) => return blocked(app, &denied),
    };
    let request = match request(query) {
        Ok(request) => request,
        Err(denied) => return answered(app, back, query, Err(denied)),
    };
    let hint = query.first("login_hint").unwrap_or_default();
    let Some(key) = account(app, hint) else {
        if request.prompt == "none" {
            return answered(app, back, query, Err(Denied::of(50_058)));
        }
        let said = "login_hint names no account of this fake";
        return blocked(app, &Denied { message: said.into(), ..Denied::of(50_020) });
    };
    let outcome = consent(app, tenant, query, &key, request);
    answered(app, back, query, outcome)
}

/// By the address that it was made with, or by its present names.
pub(super) fn account(app: &App, name: &str) -> Option<String> {
    let state = app.state();
    let named = |key: &String| {
        let user = &state.mailboxes[key].user;
        [key, &user.email, &user.upn].iter().any(|one| one.eq_ignore_ascii_case(name))
    };
    state.mailboxes.keys().find(|key| named(key)).cloned()
}

/// Back to the client, with a code or an error.
pub(super) fn answered(
    app: &App,
    back: Url,
    query: &Query,
    outcome: Result<String, Denied>,
) -> Response {
    let mut answer = match outcome {
        Ok(code) => vec![("code", code)],
        Err(denied) => refusal(app, &denied),
    };
    answer.extend(query.first("state").map(|state| ("state", state.to_owned())));
    if query.first("response_mode") == Some("form_post") {
        let fields: String = answer.iter().map(|(name, value)| hidden(name, value)).collect();
        let body = format!(
            "<form method=\"post\" action=\"{}\">{fields}<button>Continue</button></form>",
            escaped(back.as_str())
        );
        return page(StatusCode::OK, "Working...", &body);
    }
    redirect(back, &answer)
}

fn refusal(app: &App, denied: &Denied) -> Vec<(&'static str, String)> {
    let now = moment(app.state().server_now(app).unix_timestamp()).replace('T', " ");
    let ids = [random_uuid(), random_uuid()];
    let mut answer = vec![
        ("error", denied.error.to_string()),
        ("error_description", denied.description(&ids, &now)),
    ];
    if denied.number == 65_004 {
        answer.push(("error_subcode", "cancel".into()));
    }
    answer.push(("error_uri", format!("{}/error?code={}", app.url, denied.number)));
    answer
}

pub(super) fn redirect(mut target: Url, parameters: &[(&str, String)]) -> Response {
    target.query_pairs_mut().extend_pairs(parameters);
    let headers = [(LOCATION, String::from(target)), (CACHE_CONTROL, "no-store, no-cache".into())];
    (StatusCode::FOUND, headers).into_response()
}

/// The redirect URI of a known client; anything else gets an error page without a redirect.
pub(super) fn trusted_redirect(app: &App, query: &Query) -> Result<Url, Denied> {
    if query.first("client_id") != Some(app.config.client_id.as_str()) {
        return Err(Denied::of(700_016));
    }
    let given = query.first("redirect_uri").ok_or_else(|| Denied::missing("redirect_uri"))?;
    let registered = &app.config.redirect_uris;
    let known = registered.is_empty() || registered.iter().any(|one| one == given);
    let url = Url::parse(given).map_err(|_| Denied::of(50_011))?;
    let reachable = matches!(url.scheme(), "http" | "https") && url.has_host();
    if known && reachable && url.fragment().is_none() { Ok(url) } else { Err(Denied::of(50_011)) }
}

pub(super) fn request(query: &Query) -> Result<Request, Denied> {
    let invalid = |message: &str| {
        let denied = Denied::missing("");
        Denied { message: message.to_owned().into(), ..denied }
    };
    let twice = |name: &String| query.all(name).count() > 1;
    if let Some((name, _)) = query.pairs().iter().find(|(name, _)| twice(name)) {
        return Err(invalid(&format!("The parameter '{name}' is duplicated.")));
    }
    match query.first("response_type") {
        Some("code") => {}
        Some(_) => {
            return Err(Denied {
                error: "unsupported_response_type".into(),
                ..invalid("Only code is answered.")
            });
        }
        None => return Err(invalid("The request must contain the parameter 'response_type'.")),
    }
    if !matches!(query.first("response_mode"), None | Some("query" | "form_post")) {
        return Err(invalid("The fake answers by query or form_post."));
    }
    let named = query.first("scope").unwrap_or_default();
    let scopes = scopes::parsed(named).filter(|scopes| !scopes.is_empty());
    let scopes = scopes.ok_or_else(|| Denied::of(70_011))?;
    let prompt = query.first("prompt").unwrap_or_default();
    if !matches!(prompt, "" | "none" | "login" | "consent" | "select_account") {
        return Err(invalid("The prompt value is not supported."));
    }
    let challenge = challenge(query).map_err(invalid)?;
    Ok(Request { scopes, prompt: prompt.into(), challenge })
}

fn challenge(query: &Query) -> Result<Option<Challenge>, &'static str> {
    let method = query.first("code_challenge_method");
    let Some(value) = query.first("code_challenge") else {
        return if method.is_none() { Ok(None) } else { Err("The code_challenge is missing.") };
    };
    let safe = |letter: char| letter.is_ascii_alphanumeric() || "-._~".contains(letter);
    if !CHALLENGE.contains(&value.len()) || !value.chars().all(safe) {
        return Err("The size of the code_challenge must be an octet sequence of 43 to 128.");
    }
    match method {
        Some("S256") => Ok(Some(Challenge::S256(value.into()))),
        None | Some("plain") => Ok(Some(Challenge::Plain(value.into()))),
        Some(_) => Err("The code_challenge_method is not supported."),
    }
}

/// A code for this account, unless somebody refuses.
pub(super) fn consent(
    app: &App,
    tenant: &str,
    query: &Query,
    key: &str,
    request: Request,
) -> Result<String, Denied> {
    let mut state = app.state();
    let now = state.server_now(app).unix_timestamp();
    let wish = state.oauth.wishes.remove(key).unwrap_or_default();
    if let Some(number) = wish.aadsts {
        return Err(Denied::of(number));
    }
    allowed(&state, tenant, key, &request)?;
    if wish.denied {
        return Err(Denied::of(65_004));
    }
    let mut granted = request.scopes;
    granted.retain(|scope| !wish.without.contains(scope));
    let code = Code {
        key: key.into(),
        scopes: granted,
        redirect_uri: query.first("redirect_uri").unwrap_or_default().into(),
        nonce: query.first("nonce").map(Into::into),
        challenge: request.challenge,
        claims: query.first("claims").map(Into::into),
        made: now,
        reusable: false,
        used: false,
    };
    let given = unguessable(CODE_PREFIX, 40);
    state.oauth.codes.insert(given.clone(), code);
    Ok(given)
}

/// Whether the path is for this account, and its organization lets it consent.
fn allowed(state: &State, tenant: &str, key: &str, request: &Request) -> Result<(), Denied> {
    let tid = state.mailboxes.get(key).map(|mailbox| mailbox.user.tid.clone()).unwrap_or_default();
    let fits = match tenant {
        "common" => true,
        "organizations" => tid != PERSONAL_TENANT,
        "consumers" => tid == PERSONAL_TENANT,
        named => named == tid,
    };
    if !fits {
        return Err(Denied::of(50_020));
    }
    let policy = state.oauth.tenants.get(&tid).cloned().unwrap_or_default();
    let Tenant { users_may_consent, admin_consented } = policy;
    let of_mail = request.scopes.iter().any(|scope| scopes::is_of_mail(scope));
    if of_mail && !users_may_consent && !admin_consented && tid != PERSONAL_TENANT {
        return Err(Denied::of(90_094));
    }
    let consented = admin_consented || state.oauth.has_consented(key, &request.scopes);
    if request.prompt == "none" && !consented {
        return Err(Denied { error: "consent_required".into(), ..Denied::of(65_001) });
    }
    Ok(())
}

pub(super) fn blocked(_app: &App, denied: &Denied) -> Response {
    let said = escaped(&format!("AADSTS{}: {}", denied.number, denied.message));
    page(
        StatusCode::BAD_REQUEST,
        "Sorry, but we're having trouble signing you in.",
        &format!("<p>{said}</p>"),
    )
}

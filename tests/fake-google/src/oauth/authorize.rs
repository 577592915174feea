//! The authorization endpoint as programs use it: the account that `login_hint` names consents at
//! once. A person is asked first (`consent.rs`).

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{IntoResponse, Response};
use reqwest::Url;

use super::{Challenge, Code, IdToken, granted_name};
use crate::app::{App, State};
use crate::html::{escaped, page};
use crate::query::Query;
use crate::values::unguessable;

const ISSUER: &str = "https://accounts.google.com";
const ONE_OF_OURS: [&str; 2] = ["https://www.googleapis.com/auth/", "https://mail.google.com/"];
const OPENID: [&str; 3] = ["openid", "email", "profile"];
/// Lengths of a code challenge, from RFC 7636.
const CHALLENGE: std::ops::RangeInclusive<usize> = 43..=128;

/// The outcome of the next consent of an account.
#[derive(Default)]
pub(crate) struct Wish {
    pub unticked: Vec<String>,
    pub denied: bool,
}

/// An error that is sent to the client by a redirect.
pub(super) struct Refused {
    pub error: &'static str,
    pub description: &'static str,
}

/// The validated parameters of an authorization request.
pub(super) struct Request {
    pub scopes: Vec<String>,
    offline: bool,
    forces_consent: bool,
    pub prompt_none: bool,
    adds_granted: bool,
    challenge: Option<Challenge>,
}

pub(super) fn authorized(app: &App, query: &Query) -> Response {
    let decided = trusted_redirect(app, query)
        .and_then(|back| account(app, query).map(|email| (back, email)));
    let (back, email) = match decided {
        Ok(decided) => decided,
        Err(problem) => return blocked(problem),
    };
    let outcome = request(query).and_then(|request| consent(app, query, &email, request));
    answered(back, query, outcome)
}

/// Back to the client, with a code or an error.
pub(super) fn answered(back: Url, query: &Query, outcome: Result<String, Refused>) -> Response {
    let mut answer = match outcome {
        Ok(code) => vec![("code", code)],
        Err(refused) => vec![
            ("error", refused.error.to_owned()),
            ("error_description", refused.description.to_owned()),
        ],
    };
    answer.extend(query.first("state").map(|state| ("state", state.to_owned())));
    answer.push(("iss", ISSUER.to_owned()));
    redirect(back, &answer)
}

/// The redirect URI of a known client; anything else gets an error page without a redirect.
pub(super) fn trusted_redirect(app: &App, query: &Query) -> Result<Url, &'static str> {
    if query.first("client_id") != Some(app.config.client_id.as_str()) {
        return Err("Error 401: invalid_client. The OAuth client was not found.");
    }
    let given = query
        .first("redirect_uri")
        .ok_or("Error 400: invalid_request. Missing required parameter: redirect_uri")?;
    let url = Url::parse(given)
        .map_err(|_| "Error 400: invalid_request. redirect_uri must be absolute")?;
    let reachable = matches!(url.scheme(), "http" | "https") && url.has_host();
    let plain = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if reachable && plain { Ok(url) } else { Err("Error 400: redirect_uri_mismatch") }
}

fn account(app: &App, query: &Query) -> Result<String, &'static str> {
    let email = query.first("login_hint").ok_or("Choose an account: login_hint is missing")?;
    let known = app.state().mailboxes.contains_key(email);
    if known {
        Ok(email.to_owned())
    } else {
        Err("Couldn't find your Google Account: login_hint names no mailbox")
    }
}

pub(super) fn request(query: &Query) -> Result<Request, Refused> {
    let refused = |error, description| Refused { error, description };
    let invalid = |description| refused("invalid_request", description);
    let twice = |name: &String| query.all(name).count() > 1;
    if query.pairs().iter().any(|(name, _)| twice(name)) {
        return Err(invalid("A parameter is repeated"));
    }
    match query.first("response_type") {
        Some("code") => {}
        Some(_) => return Err(refused("unsupported_response_type", "Only code is answered")),
        None => return Err(invalid("Missing required parameter: response_type")),
    }
    let scopes: Vec<String> =
        query.first("scope").unwrap_or_default().split_whitespace().map(granted_name).collect();
    let known = |scope: &String| {
        OPENID.contains(&scope.as_str()) || ONE_OF_OURS.iter().any(|ours| scope.starts_with(ours))
    };
    if scopes.is_empty() || !scopes.iter().all(known) {
        return Err(refused(
            "invalid_scope",
            "Some requested scopes were invalid or none was given",
        ));
    }
    let prompts: Vec<&str> = query.first("prompt").unwrap_or_default().split_whitespace().collect();
    let prompt_none = prompts.contains(&"none");
    let known =
        prompts.iter().all(|prompt| matches!(*prompt, "none" | "consent" | "select_account"));
    if !known || (prompt_none && prompts.len() > 1) {
        return Err(invalid("Invalid parameter value for prompt"));
    }
    let offline = match query.first("access_type") {
        None | Some("online") => false,
        Some("offline") => true,
        Some(_) => return Err(invalid("Invalid parameter value for access_type")),
    };
    let adds_granted = match query.first("include_granted_scopes") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(invalid("Invalid parameter value for include_granted_scopes")),
    };
    let challenge = challenge(query).map_err(invalid)?;
    Ok(Request {
        scopes,
        offline,
        forces_consent: prompts.contains(&"consent"),
        prompt_none,
        adds_granted,
        challenge,
    })
}

fn challenge(query: &Query) -> Result<Option<Challenge>, &'static str> {
    let method = query.first("code_challenge_method");
    let Some(value) = query.first("code_challenge") else {
        return if method.is_none() {
            Ok(None)
        } else {
            Err("code_challenge_method without code_challenge")
        };
    };
    let safe = |letter: char| letter.is_ascii_alphanumeric() || "-._~".contains(letter);
    if !CHALLENGE.contains(&value.len()) || !value.chars().all(safe) {
        return Err("Invalid code_challenge");
    }
    match method {
        Some("S256") => Ok(Some(Challenge::S256(value.into()))),
        None | Some("plain") => Ok(Some(Challenge::Plain(value.into()))),
        Some(_) => Err("Unsupported code_challenge_method"),
    }
}

pub(super) fn consent(
    app: &App,
    query: &Query,
    email: &str,
    request: Request,
) -> Result<String, Refused> {
    let mut state = app.state();
    let first = !state.oauth.has_consented(email);
    if request.prompt_none && first {
        return Err(Refused {
            error: "interaction_required",
            description: "The user has not consented yet",
        });
    }
    let wish = state.oauth.wishes.remove(email).unwrap_or_default();
    let mut scopes = request.scopes;
    scopes.retain(|scope| !wish.unticked.iter().any(|unticked| granted_name(unticked) == *scope));
    if wish.denied || scopes.is_empty() {
        return Err(Refused { error: "access_denied", description: "The user did not consent" });
    }
    if request.adds_granted {
        add_granted(&mut scopes, &state, email);
    }
    let code = Code {
        email: email.into(),
        scopes,
        with_refresh_token: request.offline && (request.forces_consent || first),
        redirect_uri: query.first("redirect_uri").unwrap_or_default().into(),
        client_id: app.config.client_id.clone(),
        id_token: Some(IdToken {
            nonce: query.first("nonce").map(Into::into),
            ..IdToken::default()
        }),
        challenge: request.challenge,
        reusable: false,
        used: false,
    };
    let given = unguessable(super::CODE_PREFIX, super::CODE_BYTES);
    state.oauth.consent(given.clone(), code);
    Ok(given)
}

fn add_granted(scopes: &mut Vec<String>, state: &State, email: &str) {
    let live =
        state.oauth.grants.iter().filter(|grant| grant.email == email && !grant.is_revoked());
    for scope in live.flat_map(|grant| &grant.scopes) {
        if !scopes.contains(scope) {
            scopes.push(scope.clone());
        }
    }
}

fn redirect(mut target: Url, parameters: &[(&str, String)]) -> Response {
    target.query_pairs_mut().extend_pairs(parameters);
    let headers = [(LOCATION, String::from(target)), (CACHE_CONTROL, "no-store".into())];
    (StatusCode::FOUND, headers).into_response()
}

pub(super) fn blocked(problem: &str) -> Response {
    let body = format!("<p>{}</p>", escaped(problem));
    page(StatusCode::BAD_REQUEST, "Access blocked: authorization error", &body)
}

//! The authorization endpoint: a known browser goes straight back with a code, and everybody else
//! chooses a user.

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use axum::response::{IntoResponse, Response};
use reqwest::Url;

use super::{ROLES, SAMPLE_OWNER, Session, SignIn, User, is_redirect, issuer, local};
use crate::app::App;
use crate::html::{escaped, hidden, page};
use crate::query::Query;
use crate::values::unguessable;

pub(super) const COOKIE: &str = "fake_google_users";
/// The page at `….localhost` asks silently, in a frame, which another site than this gets no other
/// cookie for. Browsers take a secure one of this machine without TLS.
const COOKIE_WITH: &str = "Path=/users; HttpOnly; Secure; SameSite=None";
/// An S256 digest in base64url (RFC 7636).
const CHALLENGE_LENGTH: usize = 43;
const LONGEST_SUB: usize = 100;

/// An error that is sent to the client by a redirect (RFC 6749, section 4.1.2.1).
type Refused = (&'static str, &'static str);

struct Request {
    scope: String,
    challenge: String,
    prompts: Vec<String>,
}

impl Request {
    fn prompts(&self, prompt: &str) -> bool {
        self.prompts.iter().any(|known| known == prompt)
    }
}

/// Shows the choice, or answers at once: a browser that signed in is not asked again.
pub(super) fn asked(app: &App, query: &Query, cookie: Option<&str>) -> Response {
    let back = match trusted_redirect(app, query) {
        Ok(back) => back,
        Err(problem) => return blocked(problem),
    };
    let request = match request(query) {
        Ok(request) => request,
        Err(refused) => return redirect(app, back, query, Err(refused)),
    };
    let anew = request.prompts("login") || request.prompts("select_account");
    let known = cookie.and_then(|cookie| app.state().openid.sessions.get(cookie).cloned());
    match known.filter(|_| !anew) {
        Some(session) => {
            let code = code(app, query, request, session);
            redirect(app, back, query, Ok(code))
        }
        None if request.prompts("none") => {
            redirect(app, back, query, Err(("login_required", "Nobody signed in")))
        }
        None => choice(query),
    }
}

/// The form's answer: the user chose.
pub(super) fn chosen(app: &App, form: &Query) -> Response {
    let back = match trusted_redirect(app, form) {
        Ok(back) => back,
        Err(problem) => return blocked(problem),
    };
    let request = match request(form) {
        Ok(request) => request,
        Err(refused) => return redirect(app, back, form, Err(refused)),
    };
    let Some(user) = user(form) else {
        return redirect(app, back, form, Err(("access_denied", "The user did not sign in")));
    };
    let session = Session { user, auth_time: app.now().unix_timestamp() };
    let cookie = unguessable("", 24);
    app.state().openid.sessions.insert(cookie.clone(), session.clone());
    let code = code(app, form, request, session);
    let answer = redirect(app, back, form, Ok(code));
    ([(SET_COOKIE, format!("{COOKIE}={cookie}; {COOKIE_WITH}"))], answer).into_response()
}

/// Ends the browser's session, and leads back if that is asked for (OpenID Connect RP-Initiated
/// Logout 1.0).
pub(super) fn signed_out(app: &App, query: &Query, cookie: Option<&str>) -> Response {
    if let Some(cookie) = cookie {
        app.state().openid.sessions.remove(cookie);
    }
    let forgotten = [(SET_COOKIE, format!("{COOKIE}=; Max-Age=0; {COOKIE_WITH}"))];
    let answer = match query.first("post_logout_redirect_uri").map(local) {
        None => page(StatusCode::OK, "Signed out", "<p>You may close this page.</p>"),
        Some(None) => blocked("post_logout_redirect_uri is not a page of this machine"),
        Some(Some(mut back)) => {
            back.query_pairs_mut().extend_pairs(query.first("state").map(|state| ("state", state)));
            away(back)
        }
    };
    (forgotten, answer).into_response()
}

fn trusted_redirect(app: &App, query: &Query) -> Result<Url, &'static str> {
    if query.first("client_id") != Some(app.config.user_client_id.as_str()) {
        return Err("client_id is not the console's");
    }
    let given = query.first("redirect_uri").ok_or("redirect_uri is missing")?;
    if !is_redirect(app, given) {
        return Err("redirect_uri is not a page of the console");
    }
    Url::parse(given).map_err(|_| "redirect_uri is no URL")
}

fn request(query: &Query) -> Result<Request, Refused> {
    let invalid = |description| ("invalid_request", description);
    match query.first("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "Only code is answered")),
        None => return Err(invalid("response_type is missing")),
    }
    if !matches!(query.first("response_mode"), None | Some("query")) {
        return Err(invalid("response_mode may be query"));
    }
    let scope = query.first("scope").unwrap_or_default();
    if !scope.split_whitespace().any(|scope| scope == "openid") {
        return Err(("invalid_scope", "scope must have openid"));
    }
    let challenge = query.first("code_challenge").unwrap_or_default();
    let s256 = query.first("code_challenge_method") == Some("S256");
    if !s256 || challenge.len() != CHALLENGE_LENGTH {
        return Err(invalid("PKCE with S256 is required"));
    }
    let prompts: Vec<String> =
        query.first("prompt").unwrap_or_default().split_whitespace().map(Into::into).collect();
    if prompts.iter().any(|prompt| prompt == "none") && prompts.len() > 1 {
        return Err(invalid("prompt=none stands alone"));
    }
    Ok(Request { scope: scope.into(), challenge: challenge.into(), prompts })
}

/// One of the list, or another by name. None: the user pressed Cancel.
fn user(form: &Query) -> Option<User> {
    if form.first("decision") == Some("cancel") {
        return None;
    }
    let role = form.first("role").filter(|role| ROLES.contains(role))?;
    let sub = form.first("sub").map(str::trim).filter(|sub| !sub.is_empty());
    let sub = sub.unwrap_or(SAMPLE_OWNER);
    (sub.len() <= LONGEST_SUB).then(|| User { sub: sub.into(), role: role.into() })
}

fn code(app: &App, query: &Query, request: Request, session: Session) -> String {
    let given = unguessable("code-canary-", 32);
    let code = SignIn {
        user: session.user,
        auth_time: session.auth_time,
        issued_at: app.now().unix_timestamp(),
        redirect_uri: query.first("redirect_uri").unwrap_or_default().into(),
        nonce: query.first("nonce").map(Into::into),
        scope: request.scope,
        challenge: request.challenge,
    };
    app.state().openid.codes.insert(given.clone(), code);
    given
}

fn redirect(app: &App, mut back: Url, query: &Query, outcome: Result<String, Refused>) -> Response {
    {
        let mut pairs = back.query_pairs_mut();
        match outcome {
            Ok(code) => drop(pairs.append_pair("code", &code)),
            Err((error, description)) => {
                pairs.append_pair("error", error).append_pair("error_description", description);
            }
        }
        pairs.extend_pairs(query.first("state").map(|state| ("state", state)));
        // RFC 9207.
        pairs.append_pair("iss", &issuer(app));
    }
    away(back)
}

fn away(target: Url) -> Response {
    // 303: a form's answer becomes a GET.
    let headers = [(LOCATION, String::from(target)), (CACHE_CONTROL, "no-store".into())];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn blocked(problem: &str) -> Response {
    page(StatusCode::BAD_REQUEST, "Sign-in failed", &format!("<p>{}</p>", escaped(problem)))
}

/// The request is sent along, so that nothing is kept of a page that nobody answers.
fn choice(query: &Query) -> Response {
    let along: String = query.pairs().iter().map(|(name, value)| hidden(name, value)).collect();
    let does = |role: &str| match role {
        "admin" => "may do everything",
        "operator" => "connects, makes triggers and reads mail",
        _ => "sees connectors, triggers and times",
    };
    let button = |role: &&str| {
        format!(
            "<button class=\"wide\" name=\"role\" value=\"{role}\">{role}\
             <small>{}</small></button>",
            does(role)
        )
    };
    let known: String = ROLES.iter().map(button).collect();
    let option = |role: &&str| format!("<option>{role}</option>");
    let options: String = ROLES.iter().map(option).collect();
    let body = format!(
        "<p>A local stack asks for nobody's password. The three below share the connectors of \
         <code>{SAMPLE_OWNER}</code>.</p>\n\
         <form method=\"post\" action=\"authorize\">{along}{known}</form>\n\
         <form method=\"post\" action=\"authorize\">{along}<fieldset><legend>Somebody else</legend>\
         <label>Subject <input type=\"text\" name=\"sub\" required maxlength=\"{LONGEST_SUB}\" \
         autocomplete=\"off\"></label>\
         <label>Role <select name=\"role\">{options}</select></label>\
         <button>Sign in</button></fieldset></form>\n\
         <form method=\"post\" action=\"authorize\">{along}\
         <button name=\"decision\" value=\"cancel\">Cancel</button></form>"
    );
    page(StatusCode::OK, "Sign in to the local stack", &body)
}

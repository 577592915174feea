//! The page of consent, for a person at a browser: which account, which scopes, and Allow or
//! Cancel. What a test arranged for the account's next consent is preset.

use axum::http::StatusCode;
use axum::response::Response;

use super::authorize::{Refused, answered, blocked, consent, request, trusted_redirect};
use super::{Wish, granted_name};
use crate::app::App;
use crate::html::{escaped, hidden, page};
use crate::mailbox::Mailbox;
use crate::query::Query;
use crate::values::account_id;

/// Fields of the form; all others are the request's own.
const FORMS_OWN: [&str; 4] = ["account", "new_account", "granted", "decision"];
/// Granted without a box: they say who the user is.
const IDENTITY: [&str; 3] = [
    "openid",
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/userinfo.profile",
];

/// A request that asks for nobody's consent (`prompt=none`) is answered as a program's.
pub(super) fn shown(app: &App, query: &Query) -> Response {
    let back = match trusted_redirect(app, query) {
        Ok(back) => back,
        Err(problem) => return blocked(problem),
    };
    match request(query) {
        Err(refused) => answered(back, query, Err(refused)),
        Ok(request) if request.prompt_none => super::authorize::authorized(app, query),
        Ok(request) => form(app, query, &request.scopes),
    }
}

fn form(app: &App, query: &Query, scopes: &[String]) -> Response {
    let state = app.state();
    let hint = query.first("login_hint").unwrap_or_default();
    let unticked = state.oauth.wishes.get(hint).map(|wish| wish.unticked.as_slice());
    let chosen = |email: &str, first: bool| match state.mailboxes.contains_key(hint) {
        true => email == hint,
        false => first,
    };
    let account = |(at, email): (usize, &String)| {
        let checked = if chosen(email, at == 0) { " checked" } else { "" };
        let email = escaped(email);
        format!(
            "<label><input type=\"radio\" name=\"account\" value=\"{email}\"{checked}> {email}</label>"
        )
    };
    let accounts: String = state.mailboxes.keys().enumerate().map(account).collect();
    let boxed = scopes.iter().filter(|scope| !IDENTITY.contains(&scope.as_str()));
    let ticks = |scope: &&String| {
        !unticked.is_some_and(|unticked| unticked.iter().any(|one| granted_name(one) == **scope))
    };
    let tick = |scope: &String| {
        let checked = if ticks(&scope) { " checked" } else { "" };
        let scope = escaped(scope);
        format!(
            "<label><input type=\"checkbox\" name=\"granted\" value=\"{scope}\"{checked}> {scope}</label>"
        )
    };
    let scopes: String = boxed.map(tick).collect();
    let along: String = query.pairs().iter().map(|(name, value)| hidden(name, value)).collect();
    let body = format!(
        "<p>This stands for Google: no account and no mail of anybody is behind it.</p>\n\
         <form method=\"post\" action=\"auth\">{along}\
         <fieldset><legend>Account</legend>{accounts}\
         <label>or a new one <input type=\"email\" name=\"new_account\" autocomplete=\"off\" \
         placeholder=\"ada@example.com\"></label></fieldset>\
         <fieldset><legend>The app may</legend>{scopes}</fieldset>\
         <button name=\"decision\" value=\"allow\">Allow</button> \
         <button name=\"decision\" value=\"cancel\" formnovalidate>Cancel</button> \
         <button name=\"decision\" value=\"administrator\" formnovalidate>\
         As an administrator who forbids it</button></form>"
    );
    page(StatusCode::OK, "Connect your mailbox", &body)
}

/// The form's answer: a redirect with a code or an error, or the page that ends at Google.
pub(super) fn decided(app: &App, form: &Query) -> Response {
    let query = FORMS_OWN.iter().fold(form.clone(), |query, name| query.without(name));
    let back = match trusted_redirect(app, &query) {
        Ok(back) => back,
        Err(problem) => return blocked(problem),
    };
    let request = match request(&query) {
        Ok(request) => request,
        Err(refused) => return answered(back, &query, Err(refused)),
    };
    let denied = Refused { error: "access_denied", description: "The user did not consent" };
    match form.first("decision") {
        Some("allow") => {}
        // Google tells the user, and sends nobody back.
        Some("administrator") => {
            return blocked(
                "Error 400: admin_policy_enforced. Your organization's administrator does not allow this app.",
            );
        }
        _ => return answered(back, &query, Err(denied)),
    }
    let Some(email) = account(app, form) else {
        return blocked("Choose an account: none was chosen, or the new one is no address");
    };
    let granted: Vec<&str> = form.all("granted").collect();
    let unticked = request
        .scopes
        .iter()
        .filter(|scope| !IDENTITY.contains(&scope.as_str()) && !granted.contains(&scope.as_str()));
    let wish = Wish { unticked: unticked.cloned().collect(), denied: false };
    app.state().oauth.wishes.insert(email.clone(), wish);
    answered(back, &query, consent(app, &query, &email, request))
}

/// The chosen account; a new one gets an empty mailbox.
fn account(app: &App, form: &Query) -> Option<String> {
    let mut state = app.state();
    let new = form.first("new_account").map(str::trim).filter(|new| !new.is_empty());
    let Some(new) = new else {
        let chosen = form.first("account")?;
        return state.mailboxes.contains_key(chosen).then(|| chosen.to_owned());
    };
    let email = new.to_lowercase();
    email.split_once('@').filter(|(name, domain)| !name.is_empty() && domain.contains('.'))?;
    let start = app.config.history_start;
    state
        .mailboxes
        .entry(email.clone())
        .or_insert_with(|| Mailbox::new(email.clone(), account_id(&email), start));
    Some(email)
}

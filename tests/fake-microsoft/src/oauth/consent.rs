//! The page of consent, for a person at a browser: which account, which scopes, and Accept or
//! Cancel. What a test arranged for the account's next consent holds here too.

use axum::http::StatusCode;
use axum::response::Response;

use super::aadsts::Denied;
use super::authorize::{
    account, answered, authorized, blocked, consent, request, trusted_redirect,
};
use crate::admin::mailboxes::NewMailbox;
use crate::admin::new_mailbox;
use crate::app::App;
use crate::html::{escaped, hidden, page};
use crate::query::Query;

/// Fields of the form; all others are the request's own.
pub(super) const FORMS_OWN: [&str; 3] = ["account", "new_account", "decision"];

/// A request that asks for nobody's consent (`prompt=none`) is answered as a program's.
pub(super) fn shown(app: &App, tenant: &str, query: &Query) -> Response {
    let back = match trusted_redirect(app, query) {
        Ok(back) => back,
        Err(denied) => return blocked(app, &denied),
    };
    match request(query) {
        Err(denied) => answered(app, back, query, Err(denied)),
        Ok(request) if request.prompt == "none" => authorized(app, tenant, query),
        Ok(request) => form(app, query, &request.scopes),
    }
}

fn form(app: &App, query: &Query, scopes: &[String]) -> Response {
    let listed: String =
        scopes.iter().map(|scope| format!("<li>{}</li>", escaped(scope))).collect();
    let body = format!(
        "<p>This stands for Microsoft: no account and no mail of anybody is behind it.</p>\n\
         <form method=\"post\" action=\"authorize\">{}{}\
         <fieldset><legend>The app would like to</legend><ul>{listed}</ul></fieldset>\
         <button name=\"decision\" value=\"accept\">Accept</button> \
         <button name=\"decision\" value=\"cancel\" formnovalidate>Cancel</button> \
         <button name=\"decision\" value=\"administrator\" formnovalidate>\
         As a user who needs an administrator's approval</button></form>",
        along(query),
        accounts(app, query)
    );
    page(StatusCode::OK, "Permissions requested", &body)
}

pub(super) fn along(query: &Query) -> String {
    query.pairs().iter().map(|(name, value)| hidden(name, value)).collect()
}

pub(super) fn accounts(app: &App, query: &Query) -> String {
    let hinted = query.first("login_hint").and_then(|hint| account(app, hint));
    let state = app.state();
    let one = |(at, key): (usize, &String)| {
        let chosen = hinted.as_ref().map_or(at == 0, |hinted| hinted == key);
        let checked = if chosen { " checked" } else { "" };
        let key = escaped(key);
        format!(
            "<label><input type=\"radio\" name=\"account\" value=\"{key}\"{checked}> {key}</label>"
        )
    };
    let listed: String = state.mailboxes.keys().enumerate().map(one).collect();
    format!(
        "<fieldset><legend>Account</legend>{listed}\
         <label>or a new one <input type=\"email\" name=\"new_account\" autocomplete=\"off\" \
         placeholder=\"ada@contoso.example\"></label></fieldset>"
    )
}

/// The form's answer: a redirect with a code or an error.
pub(super) fn decided(app: &App, tenant: &str, form: &Query) -> Response {
    let query = FORMS_OWN.iter().fold(form.clone(), |query, name| query.without(name));
    let back = match trusted_redirect(app, &query) {
        Ok(back) => back,
        Err(denied) => return blocked(app, &denied),
    };
    let outcome = request(&query).and_then(|request| match form.first("decision") {
        Some("accept") => {
            let key = chosen(app, form).ok_or_else(|| Denied::of(50_058))?;
            consent(app, tenant, &query, &key, request)
        }
        Some("administrator") => Err(Denied::of(90_094)),
        _ => Err(Denied::of(65_004)),
    });
    answered(app, back, &query, outcome)
}

/// The chosen account; a new one gets an empty mailbox.
pub(super) fn chosen(app: &App, form: &Query) -> Option<String> {
    let new = form.first("new_account").map(str::trim).filter(|new| !new.is_empty());
    let Some(new) = new else { return account(app, form.first("account")?) };
    if let Some(known) = account(app, new) {
        return Some(known);
    }
    let email = new.to_lowercase();
    email.split_once('@').filter(|(name, domain)| !name.is_empty() && domain.contains('.'))?;
    let mailbox = NewMailbox { email: email.clone(), ..NewMailbox::default() };
    app.state().mailboxes.insert(email.clone(), new_mailbox(&mailbox));
    Some(email)
}

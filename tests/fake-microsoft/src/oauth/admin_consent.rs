//! An administrator consents for the whole organization:
//! <https://learn.microsoft.com/entra/identity-platform/v2-admin-consent>.

use axum::http::StatusCode;
use axum::response::Response;

use super::aadsts::Denied;
use super::authorize::{account, blocked, redirect, trusted_redirect};
use super::consent::{FORMS_OWN, accounts, along, chosen};
use crate::app::App;
use crate::html::page;
use crate::mailbox::PERSONAL_TENANT;
use crate::query::Query;

/// A program consents at once, as the administrator of the path's tenant or of `login_hint`'s.
pub(super) fn consented(app: &App, tenant: &str, query: &Query) -> Response {
    if let Err(denied) = trusted_redirect(app, query) {
        return blocked(app, &denied);
    }
    let hinted = query.first("login_hint").and_then(|hint| account(app, hint));
    finished(app, tenant, query, hinted.as_deref(), true)
}

pub(super) fn shown(app: &App, query: &Query) -> Response {
    if let Err(denied) = trusted_redirect(app, query) {
        return blocked(app, &denied);
    }
    let body = format!(
        "<p>This stands for Microsoft. If you accept, the app gets access for all users of your organization.</p>\n\
         <form method=\"post\" action=\"adminconsent\">{}{}\
         <button name=\"decision\" value=\"accept\">Accept</button> \
         <button name=\"decision\" value=\"cancel\" formnovalidate>Cancel</button></form>",
        along(query),
        accounts(app, query)
    );
    page(StatusCode::OK, "Permissions requested: review for your organization", &body)
}

pub(super) fn decided(app: &App, tenant: &str, form: &Query) -> Response {
    let query = FORMS_OWN.iter().fold(form.clone(), |query, name| query.without(name));
    let accepts = form.first("decision") == Some("accept");
    let who = if accepts { chosen(app, form) } else { None };
    finished(app, tenant, &query, who.as_deref(), accepts)
}

fn finished(app: &App, tenant: &str, query: &Query, who: Option<&str>, accepts: bool) -> Response {
    let back = match trusted_redirect(app, query) {
        Ok(back) => back,
        Err(denied) => return blocked(app, &denied),
    };
    let state = query.first("state").map(|state| ("state", state.to_owned()));
    if !accepts {
        let said = "AADSTS65004: User declined to consent to access the app.";
        let mut answer = vec![
            ("error", "access_denied".to_owned()),
            ("error_description", said.into()),
            ("admin_consent", "True".into()),
        ];
        answer.extend(state);
        return redirect(back, &answer);
    }
    let Some(tid) = organization(app, tenant, who) else {
        let said = "An administrator of an organization is wanted";
        return blocked(app, &Denied { message: said.into(), ..Denied::of(50_020) });
    };
    app.state().oauth.tenants.entry(tid.clone()).or_default().admin_consented = true;
    let mut answer = vec![("admin_consent", "True".to_owned()), ("tenant", tid)];
    answer.extend(state);
    answer.extend(query.first("scope").map(|scope| ("scope", scope.to_owned())));
    redirect(back, &answer)
}

fn organization(app: &App, tenant: &str, who: Option<&str>) -> Option<String> {
    let named = !matches!(tenant, "common" | "organizations" | "consumers");
    let tid =
        if named { tenant.to_owned() } else { app.state().mailboxes.get(who?)?.user.tid.clone() };
    (tid != PERSONAL_TENANT).then_some(tid)
}

//! The redirect flow: away to Google's consent page, and back by way of the API to the frontend.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use email_connectors::domain::callback::Callback;
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::role::Action;
use email_connectors::flows::authorize::authorize;
use email_connectors::ports::{Clock, Ports};
use email_connectors::web::Problem;
use serde::Serialize;

use crate::{Shared, invalid};

#[derive(Serialize)]
pub struct AuthorizeAnswer {
    authorization_url: String,
    state: String,
}

/// Where the frontend sends the user's browser. `login_hint` may name the address that the user is
/// to choose.
pub async fn start<P: Ports>(
    State(oauth): Shared<P>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, Problem> {
    let now = oauth.machine.now();
    let owner = oauth.gate.admit(&headers, Action::Connect, now).await?.owner;
    let hint = login_hint(query.as_deref().unwrap_or_default())?;
    let wanted = (
        oauth.settings.scopes.as_slice(),
        &*oauth.app.callback_url(),
        hint.as_ref().map(EmailAddress::as_str),
    );
    let (store, provider) = (&oauth.connect.store, &oauth.connect.provider);
    let authorization = authorize(store, provider, &oauth.machine, &owner, wanted, now).await;
    let authorization =
        authorization.map_err(|error| Problem::unavailable("unavailable", &error))?;
    let answer = AuthorizeAnswer {
        authorization_url: authorization.authorization_url,
        state: authorization.state,
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)))
}

fn login_hint(query: &str) -> Result<Option<EmailAddress>, Problem> {
    let hint = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "login_hint");
    let parsed = hint.map(|(_, address)| EmailAddress::parse(&address)).transpose();
    parsed.map_err(|error| invalid("login_hint", format!("is no email address: {error}")))
}

/// The redirect URI of clients that are registered with this URL instead of the frontend's page:
/// forwards Google's parameters and nothing else to that page. They are checked when the page posts
/// them.
pub async fn callback<P: Ports>(
    State(oauth): Shared<P>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, Problem> {
    let callback = Callback::parse(query.as_deref().unwrap_or_default())
        .map_err(|error| invalid("query", error.to_string()))?;
    let onward = format!("{}?{}", oauth.app.callback_url(), callback.query());
    // Keeps the code out of caches and of the `Referer` header.
    Ok((
        StatusCode::FOUND,
        [
            (LOCATION, onward),
            (CACHE_CONTROL, "no-store".into()),
            (REFERRER_POLICY, "no-referrer".into()),
        ],
    ))
}

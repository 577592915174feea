//! The redirect flow: away to the vendor's consent page, and back by way of the API to the frontend.

use std::borrow::Cow;

use axum::extract::{RawQuery, State};
use axum::http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use email_connectors::domain::callback::Callback;
use email_connectors::domain::connect_session::ConnectSession;
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::OwnerId;
use email_connectors::domain::provider::{Provider, registered};
use email_connectors::flows::authorize::authorize;
use email_connectors::gateway::OwnBase;
use email_connectors::ports::{Clock, Ports, Store};
use email_connectors::web::Problem;
use serde::Serialize;

use crate::caller::{self, Connecting};
use crate::{OauthConnect, Shared, callbacks, invalid, not_configured};

#[derive(Serialize)]
pub struct AuthorizeAnswer {
    authorization_url: String,
    state: String,
}

#[derive(Serialize)]
struct AdminConsent {
    admin_consent_url: String,
}

/// Where the frontend sends the user's browser. `login_hint` may name the address that the user is
/// to choose, and `callback_url` another of the pages that the vendor may return to.
pub async fn start<P: Ports>(
    State(oauth): Shared<P>,
    Extension(provider): Extension<Provider>,
    headers: HeaderMap,
    OwnBase(own): OwnBase,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, Problem> {
    let now = oauth.machine.now();
    let Connecting { owner, session } = oauth.connecting(&headers, now).await?;
    let connect = oauth.connect(provider)?;
    let query = query.as_deref().unwrap_or_default();
    let hint = match &session {
        None => login_hint(query)?,
        Some(session) => {
            if session.is_done() {
                return Err(caller::ended());
            }
            session_hint(&oauth, &owner, session).await?
        }
    };
    let callback_url = callback_url(query, callbacks(&oauth.app, own.as_ref(), provider))?;
    let scopes = connect.required_scopes.as_slice();
    let wanted = (scopes, &*callback_url, hint.as_ref().map(EmailAddress::as_str));
    let (store, from) = (&connect.store, (provider, connect.mail_provider()));
    let authorization = authorize(store, from, &oauth.machine, &owner, wanted, now).await;
    let authorization =
        authorization.map_err(|error| Problem::unavailable("unavailable", &error))?;
    let answer = AuthorizeAnswer {
        authorization_url: authorization.authorization_url,
        state: authorization.state,
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)))
}

/// The address that a session is for: that of its connector, or the one that it was opened with.
async fn session_hint<P: Ports>(
    oauth: &OauthConnect<P>,
    owner: &OwnerId,
    session: &ConnectSession,
) -> Result<Option<EmailAddress>, Problem> {
    let Some(id) = &session.connector else { return Ok(session.login_hint.clone()) };
    let connector = oauth.store.connector(owner, id).await;
    let connector = connector.map_err(|error| Problem::unavailable("unavailable", &error))?;
    let connector = connector.ok_or_else(|| Problem::not_found("connector"))?;
    Ok(Some(connector.email_address))
}

fn named<'a>(query: &'a str, wanted: &str) -> Option<Cow<'a, str>> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == wanted).map(|(_, value)| value)
}

/// One of those known, the first unless the query names another.
fn callback_url(query: &str, known: Vec<String>) -> Result<String, Problem> {
    let wanted = named(query, "callback_url");
    let refused = invalid("callback_url", format!("must be absent or `{}`", known.join("` or `")));
    let mut fitting =
        known.into_iter().filter(|known| wanted.as_ref().is_none_or(|wanted| wanted == known));
    fitting.next().ok_or(refused)
}

fn login_hint(query: &str) -> Result<Option<EmailAddress>, Problem> {
    let hint = named(query, "login_hint");
    let parsed = hint.map(|address| EmailAddress::parse(&address)).transpose();
    parsed.map_err(|error| invalid("login_hint", format!("is no email address: {error}")))
}

/// Where an administrator of an organization consents for all its users, which Microsoft's default
/// policy wants for mail. The browser comes back to the frontend's callback page, or to another that
/// `callback_url` names, with `admin_consent=True`.
pub async fn of_admin<P: Ports>(
    State(oauth): Shared<P>,
    headers: HeaderMap,
    OwnBase(own): OwnBase,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, Problem> {
    // Also the page that connects for another product: its users meet the same policy.
    let connecting = oauth.connecting(&headers, oauth.machine.now()).await?;
    if connecting.session.is_some_and(|session| session.is_done()) {
        return Err(caller::ended());
    }
    let none = || not_configured(Provider::Outlook);
    let admin_consent = oauth.admin_consent.as_ref().ok_or_else(none)?;
    let known = callbacks(&oauth.app, own.as_ref(), Provider::Outlook);
    let callback_url = callback_url(query.as_deref().unwrap_or_default(), known)?;
    let answer = AdminConsent { admin_consent_url: admin_consent(&callback_url) };
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)))
}

/// The redirect URI of clients that are registered with this URL instead of the frontend's page:
/// forwards the vendor's parameters and nothing else to that page. They are checked when the page posts
/// them.
pub async fn callback<P: Ports>(
    State(oauth): Shared<P>,
    Extension(provider): Extension<Provider>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, Problem> {
    oauth.connect(provider)?;
    let issuer = registered(provider).issuer;
    let callback = Callback::parse(query.as_deref().unwrap_or_default(), issuer)
        .map_err(|error| invalid("query", error.to_string()))?;
    let onward = format!("{}?{}", oauth.app.callback_url(provider), callback.query());
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

//! `/api/connect-sessions`: opened by a product's backend for one of its users, and what the page
//! that connects is told of one.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use email_connectors::domain::connector::{Provider, Status};
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::provider::REGISTERED;
use email_connectors::domain::role::Action;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::flows::connect_session::{self, SessionError, Wanted};
use email_connectors::gateway::OwnBase;
use email_connectors::ports::{Clock, Ports};
use email_connectors::web::{Body, Problem, bearer, json_body};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use crate::{Shared, caller, invalid};

/// The page that connects by a session, which no server is sent: it stands in the fragment.
const PAGE: &str = "/console/connect#session=";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSession {
    origin: String,
    provider: Option<String>,
    connector_id: Option<String>,
    login_hint: Option<String>,
}

#[derive(Serialize)]
pub struct Opened {
    session_token: String,
    url: String,
    expires_at: Timestamp,
}

#[derive(Serialize)]
pub struct Current {
    origin: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<Provider>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connector: Option<CurrentConnector>,
    expires_at: Timestamp,
    done: bool,
}

#[derive(Serialize)]
struct CurrentConnector {
    id: ConnectorId,
    email_address: EmailAddress,
    status: Status,
}

/// The user's own token is needed, with the right to connect.
pub async fn open<P: Ports>(
    State(oauth): Shared<P>,
    headers: HeaderMap,
    OwnBase(own): OwnBase,
    Body(body): Body,
) -> Result<(StatusCode, Json<Opened>), Problem> {
    let now = oauth.machine.now();
    let caller = oauth.gate.admit(&headers, Action::Connect, now).await?;
    let new: NewSession = serde_json::from_value(json_body(&body)?)
        .map_err(|error| invalid("body", error.to_string()))?;
    let wanted = Wanted { user: caller.user, ..wanted(new, &oauth.settings.allowed_origins)? };
    let own = own.ok_or_else(|| {
        let detail = "the gateway does not say where this API is";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail)
    })?;
    let (store, machine) = (&oauth.store, &oauth.machine);
    let opened = connect_session::open(store, machine, &caller.owner, wanted, now).await;
    let opened = opened.map_err(|error| match error {
        SessionError::NoSuchConnector => Problem::not_found("connector").at("connector_id"),
        error => Problem::unavailable("unavailable", &error),
    })?;
    let session_token = opened.token.expose_secret().to_string();
    let url = own.url(&format!("{PAGE}{session_token}"));
    Ok((StatusCode::CREATED, Json(Opened { session_token, url, expires_at: opened.expires_at })))
}

fn wanted(new: NewSession, allowed_origins: &[String]) -> Result<Wanted, Problem> {
    if !allowed_origins.contains(&new.origin) {
        return Err(invalid("origin", "must be one of the configured origins"));
    }
    let provider = new.provider.map(|named| {
        let known = REGISTERED.iter().find(|known| known.provider.as_str() == named);
        known.map(|known| known.provider).ok_or_else(|| invalid("provider", "is not known here"))
    });
    let connector = new.connector_id.map(|id| {
        ConnectorId::parse(&id).ok_or_else(|| Problem::not_found("connector").at("connector_id"))
    });
    let login_hint = new.login_hint.map(|hint| {
        EmailAddress::parse(&hint)
            .map_err(|error| invalid("login_hint", format!("is no email address: {error}")))
    });
    Ok(Wanted {
        origin: new.origin,
        provider: provider.transpose()?,
        connector: connector.transpose()?,
        login_hint: login_hint.transpose()?,
        user: None,
    })
}

/// What the page shows; also once the session has led to a connector, until it expires.
pub async fn current<P: Ports>(
    State(oauth): Shared<P>,
    headers: HeaderMap,
) -> Result<Json<Current>, Problem> {
    let token = bearer(&headers).ok_or_else(caller::ended)?;
    let (owner, session) = oauth.session(token, oauth.machine.now()).await?;
    let connector = connect_session::connector(&oauth.store, &owner, &session).await;
    let connector = connector.map_err(|error| Problem::unavailable("unavailable", &error))?;
    Ok(Json(Current {
        done: session.is_done(),
        origin: session.origin,
        provider: session.provider,
        connector: connector.map(|connector| CurrentConnector {
            id: connector.id,
            email_address: connector.email_address,
            status: connector.reading.status,
        }),
        expires_at: session.until,
    }))
}

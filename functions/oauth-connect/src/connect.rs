//! A code that came back from Google, to the flow `connect` and back.

use axum::Json;
use axum::extract::State;
use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, StatusCode};
use email_connectors::audit;
use email_connectors::config::{AppSettings, ConnectSettings};
use email_connectors::domain::audit::REPLACE;
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::metric::CONNECTED;
use email_connectors::domain::role::Action;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::watch::WatchStatus;
use email_connectors::flows::connect::{ConnectError, ConnectRequest, Connected, fingerprint_of};
use email_connectors::ports::{AuthorizationCode, Clock, Entropy, Ports, ProviderError};
use email_connectors::web::{Body, Problem, causes, json_body};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{Shared, invalid};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectBody {
    auth_code: SecretString,
    callback_url: Option<String>,
    state: Option<String>,
    code_verifier: Option<SecretString>,
    /// Whether to disconnect a connector of another Google account first.
    #[serde(default)]
    replace: bool,
}

#[derive(Serialize)]
pub struct Answer {
    status: &'static str,
    connector_id: ConnectorId,
    email_address: EmailAddress,
    watch: WatchView,
}

#[derive(Serialize)]
struct WatchView {
    status: WatchStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub async fn connect<P: Ports>(
    State(oauth): Shared<P>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Json<Answer>, Problem> {
    let now = oauth.machine.now();
    let owner_id = oauth.gate.admit(&headers, Action::Connect, now).await?.owner;
    check_caller(&headers, &oauth.settings)?;
    let text = json_body(&body)?.to_string();
    let body: ConnectBody =
        serde_json::from_str(&text).map_err(|error| invalid("body", error.to_string()))?;
    if body.replace {
        audit::is(REPLACE);
        // Replacing deletes the other connector with its triggers, which needs the right to delete.
        oauth.gate.admit(&headers, Action::Delete, now).await?;
    }
    let (redirect_uri, state) = flow(&oauth.app, &oauth.settings.popup_redirect, &body)?;
    let request = ConnectRequest {
        owner_id,
        code: AuthorizationCode {
            code: body.auth_code,
            redirect_uri,
            code_verifier: body.code_verifier,
        },
        state,
        fingerprint: fingerprint_of(body.state.as_deref().unwrap_or_default(), &text),
        replace: body.replace,
        new_id: ConnectorId::from_uuid(oauth.machine.uuid(now)),
    };
    let connected = oauth.connect.run(&request, now).await.map_err(problem)?;
    metrics::counter!(CONNECTED).increment(1);
    audit::target(&connected.connector_id);
    Ok(Json(answer(connected, now)))
}

/// A form on a stranger's page can send neither this header nor this origin.
fn check_caller(headers: &HeaderMap, settings: &ConnectSettings) -> Result<(), Problem> {
    let forbidden = |detail: &str| Problem::new(StatusCode::FORBIDDEN, "forbidden", detail);
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    if !origin
        .is_some_and(|origin| settings.allowed_origins.iter().any(|allowed| allowed == origin))
    {
        return Err(
            forbidden("the Origin header must name one of the configured origins").at("origin")
        );
    }
    match headers.contains_key("x-requested-with") {
        true => Ok(()),
        false => {
            Err(forbidden("send the header `X-Requested-With: XMLHttpRequest`")
                .at("x-requested-with"))
        }
    }
}

/// Which of the two flows a code comes from. Google wants the redirect_uri that the code was issued
/// for; a caller can only name one of the two that we know. In the redirect flow our own state must
/// come back.
fn flow(
    app: &AppSettings,
    popup: &str,
    body: &ConnectBody,
) -> Result<(String, Option<String>), Problem> {
    let callback = app.callback_url();
    match body.callback_url.as_deref() {
        None => Ok((popup.to_string(), None)),
        Some(url) if url == popup => Ok((popup.to_string(), None)),
        Some(url) if url == callback => {
            match body.state.as_deref().filter(|state| !state.is_empty()) {
                Some(state) => Ok((callback, Some(state.to_string()))),
                None => Err(unknown_state(
                    "is missing; send the one that came back to your callback page",
                )),
            }
        }
        Some(_) => {
            Err(invalid("callback_url", format!("must be absent, `{popup}` or `{callback}`")))
        }
    }
}

fn unknown_state(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "unknown_state", format!("the state {detail}"))
        .at("state")
}

fn answer(connected: Connected, now: Timestamp) -> Answer {
    let status = connected.watch.status(now);
    let watch = WatchView {
        status,
        expiration: connected.watch.expiration,
        reason: connected.watch.failure.map(|failure| failure.reason),
    };
    Answer {
        status: "connected",
        connector_id: connected.connector_id,
        email_address: connected.email_address,
        watch,
    }
}

fn problem(error: ConnectError) -> Problem {
    let bad = |code, detail: String| Problem::new(StatusCode::BAD_REQUEST, code, detail);
    match error {
        ConnectError::UnknownState => unknown_state("is not one that this user was sent away with, is over ten minutes old, or was used; begin again"),
        ConnectError::Closing => Problem::new(
            StatusCode::CONFLICT,
            "mailbox_closing",
            "the mailbox is being disconnected just now; ask the user to connect again in a moment",
        ),
        ConnectError::MissingScopes(missing) => {
            let named = missing.join(" ");
            bad("missing_scopes", format!("the user did not grant: {named}; ask again and have every box ticked")).at("scope")
        }
        ConnectError::NoRefreshToken => bad(
            "no_refresh_token",
            "Google sent no refresh token; ask with access_type=offline and prompt=consent, or remove the app's access in the Google account first".into(),
        ),
        ConnectError::Provider(ProviderError::GrantRefused(reason)) => {
            bad("invalid_grant", format!("Google refused the code ({reason}): it is used, expired, or made for another client or redirect_uri; ask the user to consent again")).at("auth_code")
        }
        ConnectError::Provider(ProviderError::Refused { status, reason }) => bad("google_refused", format!("Google refused with {status}: {reason}")),
        ConnectError::Provider(ProviderError::Unauthorized) => bad("google_refused", "Google refused the new access token".into()),
        ConnectError::Identity(refusal) => bad("invalid_identity", refusal.to_string()),
        ConnectError::AccountMismatch => Problem::new(
            StatusCode::CONFLICT,
            "account_mismatch",
            "another Google account is connected already; ask the user to consent again: with that account, or with this one and `replace: true`, which disconnects the other with all its triggers",
        ),
        ConnectError::Busy => Problem::new(
            StatusCode::CONFLICT,
            "events_pending",
            "the mailbox has another address now, and events wait for publication under the old one; ask the user to connect again in a minute",
        ),
        ConnectError::ConsentAgain(_) => {
            tracing::error!(code = "consent_again", error = %causes(&error), "request failed");
            Problem::new(
                StatusCode::BAD_GATEWAY,
                "consent_again",
                "something failed after the code may have been used, and no mailbox was connected; a code is good once: do not send it again, ask the user to consent again",
            )
        }
        error @ ConnectError::Provider(_) => Problem::unavailable("google_unavailable", &error),
        error => Problem::unavailable("unavailable", &error),
    }
}

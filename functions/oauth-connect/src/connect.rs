//! A code that came back from Google, to the flow `connect` and back.

use axum::extract::State;
use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use email_connectors::audit;
use email_connectors::config::ConnectSettings;
use email_connectors::domain::audit::REPLACE;
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::metric::{CONNECTED, PROVIDER};
use email_connectors::domain::provider::outlook::aad::Advice;
use email_connectors::domain::provider::{Provider, registered};
use email_connectors::domain::public_base::PublicBase;
use email_connectors::domain::role::Action;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::watch::WatchStatus;
use email_connectors::flows::connect::{ConnectError, ConnectRequest, Connected, fingerprint_of};
use email_connectors::flows::connect_session::SessionError;
use email_connectors::gateway::OwnBase;
use email_connectors::ports::{AuthorizationCode, Clock, Entropy, Ports, ProviderError};
use email_connectors::web::{Body, NOT_ALLOWED, Problem, causes, json_body};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::caller::{self, Connecting};
use crate::{Shared, callbacks, invalid};

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
    Extension(provider): Extension<Provider>,
    headers: HeaderMap,
    OwnBase(own): OwnBase,
    Body(body): Body,
) -> Result<Json<Answer>, Problem> {
    let now = oauth.machine.now();
    let Connecting { owner: owner_id, session } = oauth.connecting(&headers, now).await?;
    let connect = oauth.connect(provider)?;
    check_caller(&headers, &oauth.settings, own.as_ref())?;
    let text = json_body(&body)?.to_string();
    let body: ConnectBody =
        serde_json::from_str(&text).map_err(|error| invalid("body", error.to_string()))?;
    if body.replace {
        audit::is(REPLACE);
        if session.is_some() {
            let detail = "a connect session replaces no connector";
            let refused = Problem::new(StatusCode::FORBIDDEN, NOT_ALLOWED, detail);
            return Err(refused.at("replace"));
        }
        // Replacing deletes the other connector with its triggers, which needs the right to delete.
        oauth.gate.admit(&headers, Action::Delete, now).await?;
    }
    let known = callbacks(&oauth.app, own.as_ref(), provider);
    // Google's popup is none of Microsoft's.
    let popup = (provider == Provider::Gmail).then_some(oauth.settings.popup_redirect.as_str());
    let (redirect_uri, state) = flow(&known, popup, &body)?;
    let request = ConnectRequest {
        owner_id,
        code: AuthorizationCode {
            code: body.auth_code,
            redirect_uri,
            code_verifier: body.code_verifier,
        },
        state,
        fingerprint: fingerprint_of(body.state.as_deref().unwrap_or_default(), &text),
        account: None,
        replace: body.replace,
        new_id: ConnectorId::from_uuid(oauth.machine.uuid(now)),
    };
    let connected = match session {
        None => connect.run(&request, now).await.map_err(|error| problem(provider, error))?,
        Some(session) => {
            let connected = connect.run_in_session(&session, request, now).await;
            connected.map_err(|error| session_problem(provider, error))?
        }
    };
    metrics::counter!(CONNECTED, PROVIDER => provider.as_str()).increment(1);
    audit::target(&connected.connector_id);
    Ok(Json(answer(connected, now)))
}

/// A form on a stranger's page can send neither this header nor this origin. The console that this
/// stack serves has the API's own.
fn check_caller(
    headers: &HeaderMap,
    settings: &ConnectSettings,
    own: Option<&PublicBase>,
) -> Result<(), Problem> {
    let forbidden = |detail: &str| Problem::new(StatusCode::FORBIDDEN, "forbidden", detail);
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    let mut allowed =
        settings.allowed_origins.iter().map(String::as_str).chain(own.map(PublicBase::origin));
    if !origin.is_some_and(|origin| allowed.any(|allowed| allowed == origin)) {
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
/// for; a caller can only name one that we know. In the redirect flow our own state must come back.
fn flow(
    known: &[String],
    popup: Option<&str>,
    body: &ConnectBody,
) -> Result<(String, Option<String>), Problem> {
    match (body.callback_url.as_deref(), popup) {
        (None, Some(popup)) => Ok((popup.to_string(), None)),
        (Some(url), Some(popup)) if url == popup => Ok((popup.to_string(), None)),
        (Some(url), _) if known.iter().any(|known| known == url) => {
            match body.state.as_deref().filter(|state| !state.is_empty()) {
                Some(state) => Ok((url.to_string(), Some(state.to_string()))),
                None => Err(unknown_state(
                    "is missing; send the one that came back to your callback page",
                )),
            }
        }
        _ => {
            let known = known.join("` or `");
            let popup = popup.map(|popup| format!("absent, `{popup}` or ")).unwrap_or_default();
            Err(invalid("callback_url", format!("must be {popup}`{known}`")))
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

fn session_problem(provider: Provider, error: SessionError) -> Problem {
    match error {
        SessionError::Ended => caller::ended(),
        SessionError::Taken => Problem::new(
            StatusCode::CONFLICT,
            "conflict",
            "another connect of this session is under way; if it does not end, ask for another session",
        ),
        SessionError::NoSuchConnector => Problem::not_found("connector"),
        SessionError::Connect(error) => problem(provider, error),
        error => Problem::unavailable("unavailable", &error),
    }
}

/// The codes of problems that a provider's vendor makes.
struct Codes {
    refused: &'static str,
    unavailable: &'static str,
}

fn problem(provider: Provider, error: ConnectError) -> Problem {
    let vendor = registered(provider).vendor;
    let codes = match provider {
        Provider::Gmail => Codes { refused: "google_refused", unavailable: "google_unavailable" },
        Provider::Outlook => {
            Codes { refused: "microsoft_refused", unavailable: "microsoft_unavailable" }
        }
    };
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
            match provider {
                Provider::Gmail => "Google sent no refresh token; ask with access_type=offline and prompt=consent, or remove the app's access in the Google account first",
                Provider::Outlook => "Microsoft sent no refresh token; ask with the scope offline_access",
            }
            .into(),
        ),
        ConnectError::Provider(ProviderError::GrantRefused(reason))
            if reason.starts_with(Advice::AdminConsent.as_str()) =>
        {
            let path = registered(provider).connect;
            let detail = format!("an administrator of the user's organization has to consent first: `GET {path}/admin-consent` says where");
            Problem::new(StatusCode::FORBIDDEN, Advice::AdminConsent.as_str(), detail)
        }
        ConnectError::Provider(ProviderError::GrantRefused(reason)) => {
            bad("invalid_grant", format!("{vendor} refused the code ({reason}): it is used, expired, or made for another client or redirect_uri; ask the user to consent again")).at("auth_code")
        }
        ConnectError::Provider(ProviderError::Refused { status, reason }) => bad(codes.refused, format!("{vendor} refused with {status}: {reason}")),
        ConnectError::Provider(ProviderError::Unauthorized) => bad(codes.refused, format!("{vendor} refused the new access token")),
        ConnectError::Identity(refusal) => bad("invalid_identity", refusal.to_string()),
        ConnectError::AccountMismatch => Problem::new(
            StatusCode::CONFLICT,
            "account_mismatch",
            format!("another {vendor} account is connected already; ask the user to consent again: with that account, or with this one and `replace: true`, which disconnects the other with all its triggers"),
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
        error @ ConnectError::Provider(_) => Problem::unavailable(codes.unavailable, &error),
        error => Problem::unavailable("unavailable", &error),
    }
}

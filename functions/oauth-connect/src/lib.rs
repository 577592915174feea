//! The connect request of the popup flow to the flow `connect` and back.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use email_connectors::config::{AppSettings, ConnectSettings};
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::watch::WatchStatus;
use email_connectors::flows::connect::{Connect, ConnectError, ConnectRequest, Connected, fingerprint_of};
use email_connectors::ports::{AuthorizationCode, Clock, EmailProvider, Entropy, ProviderError, Store, TokenVerifier, Vault, WakeUps};
use email_connectors::web::{Body, LONGEST_BODY, Problem, UserGate, json_body, no_such_method, no_such_route};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// The world that the function runs in: AWS and Google, or a test's.
pub trait World: Send + Sync + 'static {
    type Store: Store;
    type Vault: Vault;
    type Provider: EmailProvider;
    type WakeUps: WakeUps;
    type Verifier: TokenVerifier;
    type Machine: Clock + Entropy;
}

pub struct OauthConnect<W: World> {
    pub connect: Connect<W::Store, W::Vault, W::Provider, W::WakeUps>,
    pub gate: UserGate<W::Verifier>,
    pub app: AppSettings,
    pub settings: ConnectSettings,
    pub machine: W::Machine,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectBody {
    auth_code: SecretString,
    callback_url: Option<String>,
    state: Option<String>,
    code_verifier: Option<SecretString>,
}

#[derive(Serialize)]
struct Answer {
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

pub fn router<W: World>(oauth: OauthConnect<W>) -> Router {
    Router::new()
        .route("/api/auth/google/gmail", post(connect::<W>))
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(Arc::new(oauth))
}

async fn connect<W: World>(
    State(oauth): State<Arc<OauthConnect<W>>>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Json<Answer>, Problem> {
    let now = oauth.machine.now();
    let owner_id = oauth.gate.owner(&headers, now).await?;
    check_caller(&headers, &oauth.settings)?;
    let text = json_body(&body)?.to_string();
    let body: ConnectBody = serde_json::from_str(&text).map_err(|error| invalid("body", error.to_string()))?;
    let redirect_uri = redirect_uri(&oauth.app, &oauth.settings.popup_redirect, body.callback_url.as_deref())?;
    let request = ConnectRequest {
        owner_id,
        code: AuthorizationCode { code: body.auth_code, redirect_uri, code_verifier: body.code_verifier },
        fingerprint: fingerprint_of(body.state.as_deref().unwrap_or_default(), &text),
        new_id: ConnectorId::from_uuid(oauth.machine.uuid(now)),
    };
    let connected = oauth.connect.run(&request, now).await.map_err(problem)?;
    metrics::counter!("Connected").increment(1);
    Ok(Json(answer(connected, now)))
}

/// A form on a stranger's page can send neither this header nor this origin.
fn check_caller(headers: &HeaderMap, settings: &ConnectSettings) -> Result<(), Problem> {
    let forbidden = |detail: &str| Problem::new(StatusCode::FORBIDDEN, "forbidden", detail);
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    if !origin.is_some_and(|origin| settings.allowed_origins.iter().any(|allowed| allowed == origin)) {
        return Err(forbidden("the Origin header must name one of the configured origins").at("origin"));
    }
    match headers.contains_key("x-requested-with") {
        true => Ok(()),
        false => Err(forbidden("send the header `X-Requested-With: XMLHttpRequest`").at("x-requested-with")),
    }
}

/// Google wants the redirect_uri that the code was made for; a caller can only choose between the two that we know.
fn redirect_uri(app: &AppSettings, popup: &str, asked: Option<&str>) -> Result<String, Problem> {
    let callback = app.callback_url();
    match asked {
        None => Ok(popup.to_string()),
        Some(asked) if asked == popup || asked == callback => Ok(asked.to_string()),
        Some(_) => Err(invalid("callback_url", format!("must be absent, `{popup}` or `{callback}`"))),
    }
}

fn invalid(field: &str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_request", detail).at(field)
}

fn answer(connected: Connected, now: Timestamp) -> Answer {
    let status = connected.watch.status(now);
    let watch = WatchView { status, expiration: connected.watch.expiration, reason: connected.watch.failure.map(|failure| failure.reason) };
    Answer { status: "connected", connector_id: connected.connector_id, email_address: connected.email_address, watch }
}

fn problem(error: ConnectError) -> Problem {
    let bad = |code, detail: String| Problem::new(StatusCode::BAD_REQUEST, code, detail);
    match error {
        ConnectError::MissingScopes(missing) => {
            let named = missing.join(" ");
            bad("missing_scopes", format!("the user did not grant: {named}; ask again and have every box ticked")).at("scope")
        }
        ConnectError::NoRefreshToken => bad(
            "no_refresh_token",
            "Google sent no refresh token; ask with access_type=offline and prompt=consent, or remove the app's access in the Google account first".into(),
        ),
        ConnectError::Provider(ProviderError::GrantRefused(reason)) => {
            bad("invalid_grant", format!("Google refused the code ({reason}): it is used, expired, or made for another client or redirect_uri")).at("auth_code")
        }
        ConnectError::Provider(ProviderError::Refused { status, reason }) => bad("google_refused", format!("Google refused with {status}: {reason}")),
        ConnectError::Provider(ProviderError::Unauthorized) => bad("google_refused", "Google refused the new access token".into()),
        ConnectError::Identity(refusal) => bad("invalid_identity", refusal.to_string()),
        ConnectError::AccountMismatch => Problem::new(
            StatusCode::CONFLICT,
            "account_mismatch",
            "another Google account is connected already; delete that connector first, or choose the same account",
        ),
        ConnectError::Busy => Problem::new(
            StatusCode::CONFLICT,
            "events_pending",
            "the mailbox has another address now, and events wait for publication under the old one; try again in a minute",
        ),
        error @ ConnectError::Provider(_) => Problem::unavailable("google_unavailable", &error),
        error => Problem::unavailable("unavailable", &error),
    }
}

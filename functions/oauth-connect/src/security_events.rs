//! Google's cross-account-protection events (RFC 8935) to the flow `security_events` and back.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use email_connectors::audit::{self, ProblemCode};
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::metric::SECURITY_EVENTS;
use email_connectors::flows::security_events::{Protect, ProtectError, Protected};
use email_connectors::ports::{Clock, Ports, TokenError};
use email_connectors::web::{Body, Problem};
use serde_json::json;

use crate::Shared;

/// The body is the token itself. 202 acknowledges it, 400 ends Google's retries, and anything else
/// makes Google send it again.
pub async fn risc<P: Ports>(State(oauth): Shared<P>, Body(body): Body) -> Response {
    let token = std::str::from_utf8(&body).unwrap_or_default().trim();
    audit::with_token(token);
    let protect = Protect::<P> {
        store: &oauth.connect.store,
        bus: &oauth.connect.bus,
        verifier: &oauth.google,
        policy: &oauth.events,
    };
    match protect.run(token, oauth.machine.now()).await {
        Ok(Protected::Suspended(connectors)) => {
            came("ended");
            tracing::warn!(connectors = connectors.len(), "a security event ended access");
            let ended: Vec<_> = connectors.iter().map(ConnectorId::as_str).collect();
            if !ended.is_empty() {
                audit::target(ended.join(","));
            }
            StatusCode::ACCEPTED.into_response()
        }
        Ok(Protected::Noted(what)) => {
            came("noted");
            tracing::info!(what, "a security event that ends no access");
            StatusCode::ACCEPTED.into_response()
        }
        Err(ProtectError::Token(error @ TokenError::KeysUnavailable(_))) => {
            Problem::unavailable("keys_unavailable", &error).into_response()
        }
        Err(ProtectError::Store(error)) => {
            Problem::unavailable("unavailable", &error).into_response()
        }
        Err(refused) => {
            came("refused");
            tracing::info!(why = %refused, "security event refused");
            let (err, description) = match &refused {
                ProtectError::Token(_) => {
                    ("authentication_failed", "the token is not signed by its issuer")
                }
                ProtectError::Refused(_) => {
                    ("invalid_audience", "the token is not meant for this client")
                }
                _ => ("invalid_request", "the event is not one to act on"),
            };
            let mut response =
                (StatusCode::BAD_REQUEST, Json(json!({ "err": err, "description": description })))
                    .into_response();
            response.extensions_mut().insert(ProblemCode(err));
            response
        }
    }
}

fn came(outcome: &'static str) {
    metrics::counter!(SECURITY_EVENTS, "Outcome" => outcome).increment(1);
}

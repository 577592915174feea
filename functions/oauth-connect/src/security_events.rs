//! Google's cross-account-protection events (RFC 8935) to the flow `security_events` and back.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use email_connectors::audit::{self, ProblemCode};
use email_connectors::domain::claims::Refusal;
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::metric::SECURITY_EVENTS;
use email_connectors::domain::provider::Provider;
use email_connectors::flows::security_events::{Protect, ProtectError, Protected};
use email_connectors::ports::{Clock, Ports, TokenError};
use email_connectors::web::{Body, Problem};
use serde_json::json;

use crate::{Shared, not_configured};

/// The body is the token itself. 202 acknowledges it, 400 ends Google's retries, and anything else
/// makes Google send it again.
pub async fn risc<P: Ports>(State(oauth): Shared<P>, Body(body): Body) -> Response {
    let Some(security_events) = &oauth.security_events else {
        return not_configured(Provider::Gmail).into_response();
    };
    let token = std::str::from_utf8(&body).unwrap_or_default().trim();
    audit::with_token(token);
    let protect = Protect::<P> {
        store: &oauth.store,
        bus: &oauth.bus,
        verifier: &security_events.verifier,
        policy: &security_events.policy,
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
            let (err, description) = error_code(&refused);
            let mut response =
                (StatusCode::BAD_REQUEST, Json(json!({ "err": err, "description": description })))
                    .into_response();
            response.extensions_mut().insert(ProblemCode(err));
            response
        }
    }
}

/// The code of a refusal (RFC 8935, section 2.4), and what it means here.
fn error_code(refused: &ProtectError) -> (&'static str, &'static str) {
    match refused {
        ProtectError::Token(_) => {
            ("authentication_failed", "the token is not signed by its issuer")
        }
        ProtectError::Refused(Refusal::Unauthorized("iss")) => {
            ("invalid_issuer", "the token's issuer is not the one whose events are taken")
        }
        ProtectError::Refused(Refusal::Unauthorized("aud")) => {
            ("invalid_audience", "the token is not meant for this client")
        }
        ProtectError::Refused(_) => {
            ("invalid_request", "the token's claims are not those of an event")
        }
        _ => ("invalid_request", "the event is not one to act on"),
    }
}

fn came(outcome: &'static str) {
    metrics::counter!(SECURITY_EVENTS, "Outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use email_connectors::domain::security_event::Unreadable;

    use super::*;

    #[test]
    fn a_refusal_has_its_code() {
        let of = |claim| ProtectError::Refused(Refusal::Unauthorized(claim));
        let table = [
            (ProtectError::Token(TokenError::Invalid("signature")), "authentication_failed"),
            (of("iss"), "invalid_issuer"),
            (of("aud"), "invalid_audience"),
            (of("iat"), "invalid_request"),
            (ProtectError::Unreadable(Unreadable::NoId), "invalid_request"),
            (ProtectError::Repeated, "invalid_request"),
        ];
        for (refused, expected) in table {
            assert_eq!(error_code(&refused).0, expected, "{refused}");
        }
    }
}

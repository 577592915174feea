//! What Microsoft Graph sends: the handshake of a new subscription, and notifications.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use email_connectors::domain::metric::{NOTIFICATION_DROPPED, NOTIFICATION_QUEUED};
use email_connectors::domain::provider::outlook::notification::echo;
use email_connectors::flows::notified::Outcome;
use email_connectors::ports::{Clock, Ports};
use email_connectors::web::{Body, Problem};

use crate::{Webhook, not_configured};

/// A browser takes the text for nothing but text.
const AS_TEXT: [(HeaderName, &str); 2] =
    [(CONTENT_TYPE, "text/plain; charset=utf-8"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];

/// The handshake comes first: it has no body. Everything else is answered alike, whoever sent it and
/// whatever it holds, unless the queue fails: Graph sends it again then, for up to four hours.
pub async fn notified<P: Ports>(
    State(webhook): State<Arc<Webhook<P>>>,
    RawQuery(query): RawQuery,
    Body(body): Body,
) -> Result<Response, Problem> {
    if webhook.notified.keys.is_empty() {
        let detail = "this stack takes no notifications of Outlook: its operator has not set it up";
        return Err(not_configured(detail));
    }
    if let Some(token) = validation_token(query.as_deref().unwrap_or_default()) {
        let token = echo(&token).ok_or_else(|| {
            let detail = "is longer than a handshake's, or holds other signs";
            Problem::new(StatusCode::BAD_REQUEST, "invalid_request", detail).at("validationToken")
        })?;
        return Ok((StatusCode::OK, AS_TEXT, token.to_string()).into_response());
    }
    let outcome = webhook.notified.take(&body, webhook.clock.now()).await;
    note(&outcome.map_err(|error| Problem::unavailable("queue_unavailable", &error))?);
    Ok(StatusCode::ACCEPTED.into_response())
}

fn validation_token(query: &str) -> Option<Cow<'_, str>> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "validationToken").map(|(_, token)| token)
}

fn note(outcome: &Outcome) {
    for (mailbox_group, kind) in &outcome.queued {
        let kind = kind.as_str();
        metrics::counter!(NOTIFICATION_QUEUED, "Kind" => kind).increment(1);
        tracing::info!(kind, mailbox_group, "notification queued");
    }
    for reason in &outcome.dropped {
        metrics::counter!(NOTIFICATION_DROPPED, "Reason" => *reason).increment(1);
        tracing::info!(reason, "notification dropped");
    }
}

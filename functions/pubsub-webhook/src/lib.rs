//! Pub/Sub's push, and its legacy form, to the flow `receive` and back; Graph's notifications to the
//! flow `notified`.

mod graph;

use std::sync::Arc;

use aws_lc_rs::constant_time;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use email_connectors::domain::body::LONGEST_BODY;
use email_connectors::domain::claims::Refusal;
use email_connectors::domain::metric::{PUSH_MALFORMED, PUSH_QUEUED, PUSH_REFUSED, PUSH_REPEATED};
use email_connectors::flows::notified::Notified;
use email_connectors::flows::receive::{PushError, Receive, Received};
use email_connectors::ports::{Clock, Ports, TokenError};
use email_connectors::web::{
    AnyBody, Body, Problem, bearer, no_such_method, no_such_route, taking,
};
use secrecy::{ExposeSecret, SecretString};

/// All that the gateway takes, in bytes (its quota for a payload).
const LONGEST_REQUEST: usize = 10 * 1024 * 1024;

pub struct Webhook<P: Ports> {
    /// Of Pub/Sub's pushes; absent where the stack connects no Gmail.
    pub receive: Option<Receive<P>>,
    pub notified: Notified<P>,
    /// Turns the legacy route on.
    pub legacy_token: Option<SecretString>,
    pub clock: P::Machine,
}

pub fn router<P: Ports>(webhook: Webhook<P>) -> Router {
    Router::new()
        .route("/api/email/webhook/google/pubsub", taking(post(push::<P>), LONGEST_REQUEST))
        .route("/api/email/webhook/google", post(legacy::<P>))
        .route("/api/email/webhook/microsoft/graph", post(graph::notified::<P>))
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(Arc::new(webhook))
}

/// Of Pub/Sub itself even a body that is too long or too deep is taken: refused, it would come again
/// for as long as the subscription keeps messages. A stranger's is refused.
async fn push<P: Ports>(
    State(webhook): State<Arc<Webhook<P>>>,
    headers: HeaderMap,
    body: AnyBody,
) -> Result<StatusCode, Problem> {
    let receive = receiving(&webhook)?;
    let outcome = receive.push(bearer(&headers), &body.0, webhook.clock.now()).await;
    let is_strangers = matches!(
        outcome,
        Err(PushError::NoToken | PushError::Token(TokenError::Invalid(_)) | PushError::Refused(_))
    );
    let refusal = if is_strangers { body.refusal() } else { None };
    answer(outcome).map_err(|problem| refusal.unwrap_or(problem))
}

async fn legacy<P: Ports>(
    State(webhook): State<Arc<Webhook<P>>>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<StatusCode, Problem> {
    let receive = receiving(&webhook)?;
    let Some(expected) = &webhook.legacy_token else { return Err(Problem::not_found("route")) };
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = header("x-goog-channel-token").as_bytes();
    if constant_time::verify_slices_are_equal(given, expected.expose_secret().as_bytes()).is_err() {
        return Err(Problem::unauthorized());
    }
    match header("x-goog-message-number") {
        "" => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "the header X-Goog-Message-Number is missing",
        )
        .at("x-goog-message-number")),
        number => answer(receive.legacy(number, &body, webhook.clock.now()).await),
    }
}

fn receiving<P: Ports>(webhook: &Webhook<P>) -> Result<&Receive<P>, Problem> {
    let none = "this stack takes no pushes of Gmail: its operator has not set it up";
    webhook.receive.as_ref().ok_or_else(|| not_configured(none))
}

fn not_configured(detail: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "provider_not_configured", detail)
}

/// Pub/Sub redelivers on anything but 2xx: temporary failures are retried, and a forged push is
/// refused.
fn answer(outcome: Result<Received, PushError>) -> Result<StatusCode, Problem> {
    let error = match outcome {
        Ok(Received::Queued(queued)) => {
            metrics::counter!(PUSH_QUEUED).increment(1);
            metrics::counter!(PUSH_REPEATED).increment(u64::from(queued.is_repeated));
            let (pubsub_message_id, history_id) =
                (queued.pubsub_message_id.as_deref(), queued.mark);
            tracing::info!(pubsub_message_id, %history_id, mailbox_group = queued.group, "push queued");
            return Ok(StatusCode::ACCEPTED);
        }
        Ok(Received::Quarantined(malformed)) => {
            metrics::counter!(PUSH_MALFORMED).increment(1);
            tracing::warn!(why = %malformed, "push quarantined");
            return Ok(StatusCode::ACCEPTED);
        }
        Err(error) => error,
    };
    let (reason, problem) = refusal(&error);
    metrics::counter!(PUSH_REFUSED, "Reason" => reason).increment(1);
    tracing::info!(reason, why = %error, "push refused");
    Err(problem)
}

fn refusal(error: &PushError) -> (&'static str, Problem) {
    let forbidden = || Problem::new(StatusCode::FORBIDDEN, "forbidden", error.to_string());
    match error {
        PushError::NoToken => ("no_token", Problem::unauthorized()),
        PushError::Token(TokenError::Invalid(_)) | PushError::Refused(Refusal::Unauthorized(_)) => {
            ("token", Problem::unauthorized())
        }
        PushError::Refused(Refusal::Forbidden(_)) => ("account", forbidden()),
        PushError::OtherSubscription => ("subscription", forbidden()),
        PushError::Token(error @ TokenError::KeysUnavailable(_)) => {
            ("keys", Problem::unavailable("keys_unavailable", error))
        }
        PushError::Queue(error) => ("queue", Problem::unavailable("queue_unavailable", error)),
    }
}

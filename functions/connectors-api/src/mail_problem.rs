//! What goes wrong when something is done with a mailbox, as problem documents.

use std::time::Duration;

use axum::http::StatusCode;
use email_connectors::domain::invalid::Invalid;
use email_connectors::domain::outgoing::forwarding::LONGEST_ORIGINAL;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::flows::access::AccessError;
use email_connectors::flows::mail_operations::OperateError;
use email_connectors::flows::preconditions::Unusable;
use email_connectors::ports::{ProviderError, StoreError};
use email_connectors::web::{Problem, causes};

/// How long to wait where the provider does not say.
const SOON: Duration = Duration::from_secs(5);

pub(crate) fn problem(error: OperateError, now: Timestamp) -> Problem {
    match error {
        OperateError::NotFound => Problem::not_found("connector"),
        OperateError::NothingNamed(field) => {
            let what = match field {
                "thread_id" => "thread to answer",
                "forward_message_id" => "message to forward",
                _ => "message to answer",
            };
            Problem::not_found(what).at(field)
        }
        OperateError::Invalid(refused) => invalid(refused),
        OperateError::TooLargeToForward => {
            let detail = format!(
                "the message to forward is larger than the {LONGEST_ORIGINAL} bytes that can be passed on at once; send its text, with its attachments uploaded (GET …/attachments/{{part_id}}/url, POST …/uploads)"
            );
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "mail_too_large", detail)
                .at("forward_message_id")
        }
        OperateError::Bucket(error) => Problem::unavailable("unavailable", &error),
        OperateError::Unusable(unusable) => self::unusable(unusable, now),
    }
}

fn invalid(refused: Invalid) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_request", refused.problem).at(refused.field)
}

pub(crate) fn unusable(unusable: Unusable, now: Timestamp) -> Problem {
    match unusable {
        Unusable::Closing => closing(),
        Unusable::NeedsReauth => needs_reauth(),
        Unusable::CircuitOpen(until) => {
            let detail = format!(
                "the mail provider failed again and again, and is left alone until {until}; nothing was sent to it"
            );
            let wait = Duration::from_millis(
                u64::try_from(until.millis() - now.millis()).unwrap_or_default(),
            );
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "circuit_open", detail).again_in(wait)
        }
        Unusable::MissingScope(scope) => {
            let detail = format!(
                "the user did not grant what this needs; connect again with the scope {scope}"
            );
            Problem::new(StatusCode::FORBIDDEN, "insufficient_scope", detail).needing(scope)
        }
        Unusable::Access(error) => access(error),
    }
}

pub(crate) fn closing() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "connector_closing",
        "this connector is being disconnected; connect the mailbox again",
    )
}

pub(crate) fn needs_reauth() -> Problem {
    let detail = "Google no longer honours the grant; let the user connect again, and this connector goes on";
    Problem::new(StatusCode::CONFLICT, "needs_reauth", detail)
}

fn access(error: AccessError) -> Problem {
    match error {
        AccessError::Provider(error) => provider(error),
        AccessError::Store(StoreError::Conflict) => Problem::new(
            StatusCode::CONFLICT,
            "conflict",
            "the mailbox was connected again at the same moment; try again",
        ),
        AccessError::Store(error) => Problem::unavailable("unavailable", &error),
        AccessError::Vault(error) => Problem::unavailable("unavailable", &error),
    }
}

fn provider(error: ProviderError) -> Problem {
    match error {
        ProviderError::GrantRefused(_) | ProviderError::Unauthorized => needs_reauth(),
        ProviderError::RateLimited { reason, retry_after } => {
            tracing::info!(reason, "the provider's quota is used up");
            let detail = "the mail provider's quota for this mailbox or project is used up for now; nothing was done";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail)
                .again_in(retry_after.unwrap_or(SOON))
        }
        ProviderError::OutcomeUnknown(reason) => {
            tracing::warn!(reason, "nobody knows whether it was done");
            let detail = "the mail provider broke off: this may have been done, or not. Look before you send it again (SENT, drafts, labels)";
            Problem::new(StatusCode::BAD_GATEWAY, "outcome_unknown", detail)
        }
        ProviderError::Unavailable { reason, retry_after } => {
            tracing::warn!(reason, "the provider is not available");
            let detail = "the mail provider is not available; nothing was done, try again shortly";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "gmail_unavailable", detail)
                .again_in(retry_after.unwrap_or(SOON))
        }
        ProviderError::TooLarge { unread } => {
            let detail = "there is more to read than can be answered; ask for a smaller page_size, for format=metadata, or for each by itself";
            let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "answer_too_large", detail);
            problem.leaving_unread(unread.into_iter().map(|id| id.to_string()).collect())
        }
        ProviderError::Invalid(refused) => invalid(refused),
        ProviderError::Unreadable(why) => {
            let detail = format!(
                "{why}; this will not change. Ask for another format, or for the mail as it was sent: GET …/messages/{{message}}/attachments/message"
            );
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "message_unreadable", detail)
        }
        ProviderError::PageLost => Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_page_token",
            "list again from the first page",
        )
        .at("page_token"),
        ProviderError::Refused { status, reason } => refused(status, &reason),
        error @ (ProviderError::ClientRefused(_)
        | ProviderError::HistoryExpired
        | ProviderError::WatchTaken
        | ProviderError::NotConfigured) => {
            tracing::error!(error = %causes(&error), "request failed");
            Problem::unavailable("unavailable", &error)
        }
    }
}

/// A refusal by the provider with its own reason, which may name labels and addresses of this mailbox
/// only.
fn refused(status: u16, reason: &str) -> Problem {
    let with_reason = |detail: &str| {
        if reason.is_empty() { detail.to_string() } else { format!("{detail}: {reason}") }
    };
    match status {
        404 => Problem::not_found("message, thread, label, draft or attachment in this mailbox"),
        409 => Problem::new(
            StatusCode::CONFLICT,
            "already_exists",
            with_reason("the mailbox has one like this already"),
        ),
        413 => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "mail_too_large",
            with_reason("the mail provider takes no mail as large as this"),
        ),
        403 if reason.starts_with("insufficientPermissions") => Problem::new(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            with_reason("the grant does not allow this; let the user connect again"),
        ),
        403 if reason.starts_with("domainPolicy") => Problem::new(
            StatusCode::FORBIDDEN,
            "domain_policy",
            "an administrator of the user's domain does not allow this app",
        ),
        403 => Problem::new(
            StatusCode::FORBIDDEN,
            "gmail_refused",
            with_reason("the mail provider does not allow this"),
        ),
        400 if reason.starts_with("failedPrecondition") => Problem::new(
            StatusCode::CONFLICT,
            "failed_precondition",
            with_reason("the mail provider cannot do this in the mailbox's present state"),
        ),
        _ => Problem::new(
            StatusCode::BAD_REQUEST,
            "gmail_refused",
            with_reason("the mail provider refused this"),
        ),
    }
}

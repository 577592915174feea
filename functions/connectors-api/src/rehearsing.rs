//! `/api/triggers/{id}/test`: which of the last days' mails would fire a trigger, and why the others would not.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::AppendHeaders;
use email_connectors::domain::rehearsal::{Looked, Reach};
use email_connectors::domain::role::Action;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::flows::access::AccessError;
use email_connectors::flows::rehearse::{Rehearse, RehearseError};
use email_connectors::ports::{ProviderError, StoreError};
use email_connectors::web::{Body, Problem, json_body};
use serde_json::{Value, json};

use crate::connectors::{closing, needs_reauth};
use crate::triggers::named;
use crate::{Shared, World};

/// How long to wait where nobody said.
const SOON: Duration = Duration::from_secs(5);

type Answer = (AppendHeaders<[(&'static str, String); 1]>, Json<Value>);

pub async fn rehearse<W: World>(
    State(api): Shared<W>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Answer, Problem> {
    let (owner, now) = api.admit(&headers, Action::ReadMail).await?;
    let asked = if body.is_empty() { json!({}) } else { json_body(&body)? };
    let reach = Reach::parse(&asked)
        .map_err(|invalid| Problem::new(StatusCode::BAD_REQUEST, "invalid_request", invalid.problem).at(invalid.field))?;
    let id = named(&id)?;
    let rehearse = Rehearse { store: &api.store, vault: &api.vault, provider: &api.provider, refreshes: &api.refreshes };
    let rehearsed = rehearse.run(&owner, &id, reach, now).await.map_err(|error| problem(error, now))?;
    let looked_at = rehearsed.looked.len();
    let (would_fire, would_not): (Vec<Looked>, Vec<Looked>) = rehearsed.looked.into_iter().partition(|looked| looked.reasons.is_empty());
    let told = json!({
        "trigger_id": id,
        "days": reach.days,
        "looked_at": looked_at,
        "truncated": rehearsed.truncated,
        "would_fire": would_fire,
        "would_not": would_not,
        "unreadable": rehearsed.unreadable,
    });
    Ok((AppendHeaders([("x-quota-units", rehearsed.units.to_string())]), Json(told)))
}

fn problem(error: RehearseError, now: Timestamp) -> Problem {
    match error {
        RehearseError::NotFound => Problem::not_found("trigger"),
        RehearseError::NotOfMail => {
            let detail = "no mail fires a trigger of type `webhook`; send it an event: `POST /api/triggers/{id}/events`";
            Problem::new(StatusCode::BAD_REQUEST, "invalid_trigger", detail).at("type")
        }
        RehearseError::Closing => closing(),
        RehearseError::NeedsReauth => needs_reauth(),
        RehearseError::CircuitOpen(until) => {
            let detail = format!("Gmail failed again and again, and is left alone until {until}; nothing was sent to it");
            let wait = Duration::from_millis(u64::try_from(until.millis() - now.millis()).unwrap_or_default());
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "circuit_open", detail).again_in(wait)
        }
        RehearseError::MissingScope(scope) => {
            let detail = format!("the user did not grant what this needs; connect again with the scope {scope}");
            Problem::new(StatusCode::FORBIDDEN, "insufficient_scope", detail).needing(scope)
        }
        RehearseError::Access(error) => access(error),
    }
}

fn access(error: AccessError) -> Problem {
    match error {
        AccessError::Provider(ProviderError::GrantRefused(_) | ProviderError::Unauthorized) => needs_reauth(),
        AccessError::Provider(ProviderError::Unavailable { reason, retry_after }) => {
            tracing::warn!(reason, "Gmail is not available");
            let detail = "Gmail is not available; nothing was done, try again shortly";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "gmail_unavailable", detail).again_in(retry_after.unwrap_or(SOON))
        }
        AccessError::Provider(ProviderError::Refused { status: 403, reason }) => {
            Problem::new(StatusCode::FORBIDDEN, "gmail_refused", format!("Gmail does not allow this: {reason}"))
        }
        AccessError::Store(StoreError::Conflict) => {
            Problem::new(StatusCode::CONFLICT, "conflict", "the mailbox was connected again at the same moment; try again")
        }
        AccessError::Provider(error) => Problem::unavailable("gmail_unavailable", &error),
        AccessError::Store(error) => Problem::unavailable("unavailable", &error),
        AccessError::Vault(error) => Problem::unavailable("unavailable", &error),
    }
}

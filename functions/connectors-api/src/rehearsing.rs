//! `/api/triggers/{id}/test`: which of the last days' mails would fire a trigger, and why the
//! others would not.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::AppendHeaders;
use email_connectors::domain::rehearsal::{Looked, RehearsalRange};
use email_connectors::domain::role::Action;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::flows::rehearse::RehearseError;
use email_connectors::ports::Ports;
use email_connectors::web::{Body, Problem, json_body};
use serde_json::{Value, json};

use crate::triggers::named;
use crate::{Shared, mail_problem};

type Answer = (AppendHeaders<[(&'static str, String); 1]>, Json<Value>);

pub async fn rehearse<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Answer, Problem> {
    let (owner, now) = api.admit(&headers, Action::ReadMail).await?;
    let request = if body.is_empty() { json!({}) } else { json_body(&body)? };
    let range = RehearsalRange::parse(&request).map_err(|invalid| {
        Problem::new(StatusCode::BAD_REQUEST, "invalid_request", invalid.problem).at(invalid.field)
    })?;
    let id = named(&id)?;
    let rehearsed = api
        .access()
        .rehearse(&owner, &id, range, now)
        .await
        .map_err(|error| problem(error, now))?;
    let looked_at = rehearsed.looked.len();
    let (would_fire, would_not): (Vec<Looked>, Vec<Looked>) =
        rehearsed.looked.into_iter().partition(|looked| looked.reasons.is_empty());
    let answer = json!({
        "trigger_id": id,
        "days": range.days,
        "looked_at": looked_at,
        "truncated": rehearsed.truncated,
        "would_fire": would_fire,
        "would_not": would_not,
        "unreadable": rehearsed.unreadable,
    });
    Ok((AppendHeaders([("x-quota-units", rehearsed.units.to_string())]), Json(answer)))
}

fn problem(error: RehearseError, now: Timestamp) -> Problem {
    match error {
        RehearseError::NotFound => Problem::not_found("trigger"),
        RehearseError::NotOfMail => {
            let detail = "no mail fires a trigger of type `webhook`; send it an event: `POST /api/triggers/{id}/events`";
            Problem::new(StatusCode::BAD_REQUEST, "invalid_trigger", detail).at("type")
        }
        RehearseError::Unusable(unusable) => mail_problem::unusable(unusable, now),
    }
}

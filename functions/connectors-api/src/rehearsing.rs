//! `/api/triggers/{id}/test` and `/api/connectors/{id}/rehearsals`: which of the last days' mails
//! would fire a trigger, or one with filters that are still being written, and why the others would
//! not.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::AppendHeaders;
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::invalid::Invalid;
use email_connectors::domain::rehearsal::{Looked, RehearsalRange};
use email_connectors::domain::role::Action;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::trigger::NewTrigger;
use email_connectors::flows::rehearse::{RehearseError, Rehearsed};
use email_connectors::flows::subscribe::SubscribeError;
use email_connectors::ports::Ports;
use email_connectors::web::{Body, Problem, json_body};
use serde_json::{Value, json};

use crate::triggers::{self, named};
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
    let range = range(&request, &[])?;
    let id = named(&id)?;
    let rehearsed = api
        .access()
        .rehearse(&owner, &id, range, now)
        .await
        .map_err(|error| problem(error, "trigger", now))?;
    Ok(answer(("trigger_id", json!(id)), range, rehearsed))
}

/// Filters are checked, and their labels looked up, as when a trigger with them is made.
pub async fn rehearse_filters<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Answer, Problem> {
    let (owner, now) = api.admit(&headers, Action::ReadMail).await?;
    let request = if body.is_empty() { json!({}) } else { json_body(&body)? };
    let range = range(&request, &["config"])?;
    let id = ConnectorId::parse(&id).ok_or_else(|| Problem::not_found("connector"))?;
    let mut config = request.get("config").cloned().unwrap_or_else(|| json!({}));
    if let Some(fields) = config.as_object_mut() {
        if fields.contains_key("connector_id") {
            let detail = "stands in the path; leave it out";
            return Err(triggers::invalid(Invalid::new("config.connector_id", detail)));
        }
        fields.insert("connector_id".into(), json!(id));
    }
    let new = NewTrigger::parse(json!({"type": "email", "config": config}));
    let new = new.map_err(triggers::invalid)?;
    let new = api.access().with_label_ids(&owner, new, now).await.map_err(|error| match error {
        SubscribeError::NoSuchConnector => Problem::not_found("connector"),
        other => triggers::problem(other, now),
    })?;
    let filters = new.config.filters;
    let rehearsed = api
        .access()
        .rehearse_filters(&owner, &id, &filters, range, now)
        .await
        .map_err(|error| problem(error, "connector", now))?;
    Ok(answer(("connector_id", json!(id)), range, rehearsed))
}

fn range(request: &Value, beside: &[&str]) -> Result<RehearsalRange, Problem> {
    RehearsalRange::parse(request, beside).map_err(|invalid| {
        Problem::new(StatusCode::BAD_REQUEST, "invalid_request", invalid.problem).at(invalid.field)
    })
}

fn answer(of: (&str, Value), range: RehearsalRange, rehearsed: Rehearsed) -> Answer {
    let looked_at = rehearsed.looked.len();
    let (would_fire, would_not): (Vec<Looked>, Vec<Looked>) =
        rehearsed.looked.into_iter().partition(|looked| looked.reasons.is_empty());
    let answer = json!({
        of.0: of.1,
        "days": range.days,
        "looked_at": looked_at,
        "truncated": rehearsed.truncated,
        "would_fire": would_fire,
        "would_not": would_not,
        "unreadable": rehearsed.unreadable,
        "quota_units": rehearsed.units,
    });
    (AppendHeaders([("x-quota-units", rehearsed.units.to_string())]), Json(answer))
}

fn problem(error: RehearseError, what: &str, now: Timestamp) -> Problem {
    match error {
        RehearseError::NotFound => Problem::not_found(what),
        RehearseError::NotOfMail => {
            let detail = "no mail fires a trigger of type `webhook`; send it an event: `POST /api/triggers/{id}/events`";
            Problem::new(StatusCode::BAD_REQUEST, "invalid_trigger", detail).at("type")
        }
        RehearseError::Unusable(unusable) => mail_problem::unusable(unusable, now),
    }
}

//! `/api/triggers`: made, read, changed and taken away by their owner.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use email_connectors::domain::id::TriggerId;
use email_connectors::domain::trigger::{InvalidTrigger, MOST_TRIGGERS, NewTrigger, Trigger, TriggerChange};
use email_connectors::flows::subscribe::{self, SubscribeError};
use email_connectors::ports::{Entropy, Store, StoreError};
use email_connectors::web::{Body, Problem, json_body};
use serde_json::{Value, json};

use crate::{Shared, World, store_problem};

pub async fn list<W: World>(State(api): Shared<W>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    let (owner, _) = api.caller(&headers).await?;
    let triggers = api.store().triggers(&owner).await.map_err(store_problem)?;
    Ok(Json(json!({ "triggers": triggers })))
}

pub async fn create<W: World>(State(api): Shared<W>, headers: HeaderMap, Body(body): Body) -> Result<(StatusCode, Json<Trigger>), Problem> {
    let (owner, now) = api.caller(&headers).await?;
    let new = NewTrigger::parse(json_body(&body)?).map_err(invalid)?;
    let id = TriggerId::from_uuid(api.machine.uuid(now));
    let trigger = subscribe::create(api.store(), &owner, new, id, now).await.map_err(problem)?;
    Ok((StatusCode::CREATED, Json(trigger)))
}

pub async fn read<W: World>(State(api): Shared<W>, headers: HeaderMap, Path(id): Path<String>) -> Result<Json<Trigger>, Problem> {
    let (owner, _) = api.caller(&headers).await?;
    let trigger = api.store().trigger(&owner, &named(&id)?).await.map_err(store_problem)?;
    trigger.map(Json).ok_or_else(|| Problem::not_found("trigger"))
}

pub async fn change<W: World>(
    State(api): Shared<W>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Json<Trigger>, Problem> {
    let (owner, now) = api.caller(&headers).await?;
    let change = TriggerChange::parse(json_body(&body)?).map_err(invalid)?;
    subscribe::change(api.store(), &owner, &named(&id)?, change, now).await.map(Json).map_err(problem)
}

pub async fn remove<W: World>(State(api): Shared<W>, headers: HeaderMap, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let (owner, _) = api.caller(&headers).await?;
    subscribe::remove(api.store(), &owner, &named(&id)?).await.map_err(problem)?;
    Ok(StatusCode::NO_CONTENT)
}

fn invalid(refusal: InvalidTrigger) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_trigger", refusal.problem).at(refusal.field)
}

fn problem(error: SubscribeError) -> Problem {
    match error {
        SubscribeError::NoSuchTrigger => Problem::not_found("trigger"),
        SubscribeError::NoSuchConnector => Problem::not_found("connector").at("config.connector_id"),
        SubscribeError::TooMany => Problem::new(
            StatusCode::CONFLICT,
            "too_many_triggers",
            format!("a connector holds at most {MOST_TRIGGERS} triggers; delete one first"),
        ),
        SubscribeError::Store(StoreError::Conflict) => {
            Problem::new(StatusCode::CONFLICT, "conflict", "others changed this connector at the same moment; try again")
        }
        SubscribeError::Store(error) => store_problem(error),
    }
}

/// What cannot be an id names nothing, as an unknown id does.
fn named(id: &str) -> Result<TriggerId, Problem> {
    TriggerId::parse(id).ok_or_else(|| Problem::not_found("trigger"))
}

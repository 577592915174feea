//! `/api/connectors`: what an owner may see of a connector, and its end.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use email_connectors::domain::circuit::{Circuit, CircuitState};
use email_connectors::domain::connector::{CONNECTOR_TYPE, Connector, Provider, Status};
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::history_id::HistoryId;
use email_connectors::domain::id::{ConnectorId, OwnerId};
use email_connectors::domain::pause::{MOST_PAUSES, is_paused};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::watch::{Watch, WatchStatus};
use email_connectors::flows::access::AccessError;
use email_connectors::flows::disconnect::DisconnectError;
use email_connectors::flows::pause::{self, PauseError};
use email_connectors::ports::{ProviderError, Store, StoreError};
use email_connectors::web::{Body, Problem, json_body};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Shared, World, store_problem};

/// A connector as its owner sees it. Nothing in it could rebuild a secret.
#[derive(Serialize)]
struct View {
    id: ConnectorId,
    owner_id: OwnerId,
    #[serde(rename = "type")]
    kind: &'static str,
    provider: Provider,
    email_address: EmailAddress,
    status: Status,
    granted_scopes: Vec<String>,
    paused: bool,
    history_id: HistoryId,
    watch: WatchView,
    circuit: CircuitView,
    /// Messages that failed again and again and were set aside; they are tried again by themselves.
    parked_messages: usize,
    credentials: &'static str,
    last_event_at: Option<Timestamp>,
    last_error: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize)]
struct WatchView {
    status: WatchStatus,
    #[serde(flatten)]
    watch: Watch,
    /// When a push arrived that proves the watch.
    verified_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct CircuitView {
    state: CircuitState,
    #[serde(flatten)]
    circuit: Circuit,
}

fn view(connector: Connector, now: Timestamp) -> View {
    View {
        id: connector.id,
        owner_id: connector.owner_id,
        kind: CONNECTOR_TYPE,
        provider: connector.provider,
        email_address: connector.email_address,
        status: connector.status,
        granted_scopes: connector.granted_scopes,
        paused: is_paused(&connector.pauses),
        history_id: connector.position.cursor,
        watch: WatchView { status: connector.watch.status(now), watch: connector.watch, verified_at: connector.verified_at },
        circuit: CircuitView { state: connector.circuit.state(now), circuit: connector.circuit },
        parked_messages: connector.position.parked.len(),
        credentials: "[redacted]",
        last_event_at: connector.last_event_at,
        last_error: connector.last_error,
        created_at: connector.created_at,
        updated_at: connector.updated_at,
    }
}

pub async fn list<W: World>(State(api): Shared<W>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    let (owner, now) = api.caller(&headers).await?;
    let connectors = api.store().connectors(&owner).await.map_err(store_problem)?;
    let views: Vec<View> = connectors.into_iter().map(|connector| view(connector, now)).collect();
    Ok(Json(json!({ "connectors": views })))
}

pub async fn read<W: World>(State(api): Shared<W>, headers: HeaderMap, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let (owner, now) = api.caller(&headers).await?;
    let connector =
        api.store().connector(&owner, &named(&id)?).await.map_err(store_problem)?.ok_or_else(|| Problem::not_found("connector"))?;
    Ok(Json(json!(view(connector, now))))
}

/// The one thing of a connector that its owner changes: whether mail that arrives from now on fires.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    paused: bool,
}

pub async fn change<W: World>(
    State(api): Shared<W>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Json<Value>, Problem> {
    let (owner, now) = api.caller(&headers).await?;
    let wrong = |error| {
        let told = format!("{error}; send {{\"paused\": true}} or {{\"paused\": false}}");
        Problem::new(StatusCode::BAD_REQUEST, "invalid_connector", told).at("paused")
    };
    let change: Change = serde_json::from_value(json_body(&body)?).map_err(wrong)?;
    let changed = pause::set(api.store(), api.patience, &owner, &named(&id)?, change.paused, now).await.map_err(|error| match error {
        PauseError::NotFound => Problem::not_found("connector"),
        PauseError::TooMany => Problem::new(
            StatusCode::CONFLICT,
            "too_many_pauses",
            format!("a connector is paused at most {MOST_PAUSES} times in three months; delete its triggers instead"),
        ),
        PauseError::Store(StoreError::Conflict) => {
            Problem::new(StatusCode::CONFLICT, "conflict", "others changed this connector at the same moment; try again")
        }
        PauseError::Store(error) => store_problem(error),
    })?;
    Ok(Json(json!(view(changed, now))))
}

/// Answers the receipt of what was done at Google and here.
pub async fn remove<W: World>(State(api): Shared<W>, headers: HeaderMap, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let (owner, now) = api.caller(&headers).await?;
    let receipt = api.disconnect.run(&owner, &named(&id)?, now).await.map_err(|error| match error {
        DisconnectError::NotFound => Problem::not_found("connector"),
        DisconnectError::Busy => Problem::new(
            StatusCode::CONFLICT,
            "events_pending",
            "events of this connector are about to be published; try again in a minute",
        ),
        DisconnectError::Access(AccessError::Provider(ProviderError::Refused { status, reason })) => Problem::new(
            StatusCode::BAD_GATEWAY,
            "google_refused",
            format!("Google refused with {status}: {reason}; the connector was not removed"),
        ),
        error => Problem::unavailable("unavailable", &error),
    })?;
    Ok(Json(json!({
        "watch_stopped": receipt.watch_stopped,
        "grant_revoked": receipt.grant_revoked,
        "data_purged": receipt.data_purged,
    })))
}

/// What cannot be an id names nothing, as an unknown id does.
fn named(id: &str) -> Result<ConnectorId, Problem> {
    ConnectorId::parse(id).ok_or_else(|| Problem::not_found("connector"))
}

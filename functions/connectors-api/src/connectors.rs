//! `/api/connectors`: what an owner may see of a connector, and its end.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use email_connectors::domain::circuit::{Circuit, CircuitState};
use email_connectors::domain::connector::{CONNECTOR_TYPE, Closing, Connector, Provider, Status};
use email_connectors::domain::connector_change::ConnectorChange;
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::{ConnectorId, OwnerId};
use email_connectors::domain::mark::Mark;
use email_connectors::domain::pause::{MOST_PAUSES, is_paused};
use email_connectors::domain::role::Action;
use email_connectors::domain::scopes::{Capability, capabilities};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::watch::{Watch, WatchStatus};
use email_connectors::flows::disconnect::{DisconnectError, Receipt};
use email_connectors::flows::sync::{self, SyncError};
use email_connectors::flows::update_connector::{self, ChangeError};
use email_connectors::ports::{Ports, Store, StoreError};
use email_connectors::web::{Body, Problem, json_body};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::mail_problem::{closing, needs_reauth};
use crate::paging::Page;
use crate::{Shared, store_problem};

/// A connector as its owner sees it. Nothing in it could rebuild a secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Connector)]
pub struct View {
    id: ConnectorId,
    owner_id: OwnerId,
    #[serde(rename = "type")]
    kind: &'static str,
    provider: Provider,
    email_address: EmailAddress,
    /// What its owner calls it.
    label: Option<String>,
    status: Status,
    granted_scopes: Vec<String>,
    /// What the granted scopes allow.
    capabilities: Vec<Capability>,
    paused: bool,
    history_id: Mark,
    watch: WatchView,
    circuit: CircuitView,
    /// Messages that failed again and again and were set aside; they are tried again by themselves.
    parked_messages: usize,
    credentials: &'static str,
    last_event_at: Option<Timestamp>,
    last_error: Option<String>,
    /// How far its end has come, once it was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    closing: Option<Closing>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ConnectorWatch)]
struct WatchView {
    status: WatchStatus,
    #[serde(flatten)]
    watch: Watch,
    /// When a push arrived that proves the watch.
    verified_at: Option<Timestamp>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ConnectorCircuit)]
struct CircuitView {
    state: CircuitState,
    #[serde(flatten)]
    circuit: Circuit,
}

pub(crate) fn view(connector: Connector, now: Timestamp) -> View {
    View {
        id: connector.id,
        owner_id: connector.owner_id,
        kind: CONNECTOR_TYPE,
        provider: connector.provider,
        email_address: connector.email_address,
        label: connector.reading.label,
        status: connector.reading.status,
        capabilities: capabilities(&connector.grant.scopes),
        granted_scopes: connector.grant.scopes,
        paused: is_paused(&connector.reading.pauses),
        history_id: connector.reading.position.cursor,
        watch: WatchView {
            status: connector.watch.status(now),
            // Its id is between us and the provider.
            watch: Watch { id: None, ..connector.watch },
            verified_at: connector.reading.verified_at,
        },
        circuit: CircuitView {
            state: connector.reading.circuit.state(now),
            circuit: connector.reading.circuit,
        },
        parked_messages: connector.reading.position.parked.len(),
        credentials: "[redacted]",
        last_event_at: connector.outbox.last_event_at,
        last_error: connector.reading.last_error,
        closing: connector.closing,
        created_at: connector.created_at,
        updated_at: connector.updated_at,
    }
}

pub async fn list<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let (owner, now) = api.admit(&headers, Action::See).await?;
    let page = Page::of_query(query.as_deref())?;
    let connectors = api.store.connectors(&owner).await.map_err(store_problem)?;
    page.cut(
        "connectors",
        "con_",
        connectors,
        |connector| connector.id.to_string(),
        |connector| json!(view(connector, now)),
    )
}

pub async fn read<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (owner, now) = api.admit(&headers, Action::See).await?;
    let connector = api
        .store
        .connector(&owner, &named(&id)?)
        .await
        .map_err(store_problem)?
        .ok_or_else(|| Problem::not_found("connector"))?;
    Ok(Json(json!(view(connector, now))))
}

pub async fn change<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Json<Value>, Problem> {
    let (owner, now) = api.admit(&headers, Action::Operate).await?;
    let change = ConnectorChange::parse(&json_body(&body)?).map_err(|invalid| {
        Problem::new(StatusCode::BAD_REQUEST, "invalid_connector", invalid.problem)
            .at(invalid.field)
    })?;
    let changed = update_connector::apply(&api.store, api.thresholds.sweep_times, &owner, &named(&id)?, &change, now).await.map_err(
        |error| match error {
            ChangeError::NotFound => Problem::not_found("connector"),
            ChangeError::TooManyPauses => Problem::new(
                StatusCode::CONFLICT,
                "too_many_pauses",
                format!("a connector is paused at most {MOST_PAUSES} times in three months; delete its triggers instead"),
            ),
            ChangeError::Store(StoreError::Conflict) => {
                Problem::new(StatusCode::CONFLICT, "conflict", "others changed this connector at the same moment; try again")
            }
            ChangeError::Store(error) => store_problem(error),
        },
    )?;
    Ok(Json(json!(view(changed, now))))
}

/// Has the mailbox looked at now, and what was set aside in it tried again.
pub async fn sync<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (owner, now) = api.admit(&headers, Action::Operate).await?;
    sync::request(&api.store, &api.wake_ups, &owner, &named(&id)?, now).await.map_err(|error| {
        match error {
            SyncError::NotFound => Problem::not_found("connector"),
            SyncError::Closing => closing(),
            SyncError::NeedsReauth => needs_reauth(),
            SyncError::Store(error) => store_problem(error),
            SyncError::Queue(error) => Problem::unavailable("queue_unavailable", &error),
        }
    })?;
    Ok((StatusCode::ACCEPTED, Json(json!({"status": "queued"}))))
}

/// Answers the receipt of what was done at Google and here: 200 when all is, 202 while the rest
/// goes on by itself.
pub async fn remove<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (owner, now) = api.admit(&headers, Action::Delete).await?;
    let receipt =
        api.disconnecting().run(&owner, &named(&id)?, now).await.map_err(|error| match error {
            DisconnectError::NotFound => Problem::not_found("connector"),
            DisconnectError::Store(StoreError::Conflict) => Problem::new(
                StatusCode::CONFLICT,
                "conflict",
                "others changed this connector at the same moment; try again",
            ),
            DisconnectError::Store(error) => store_problem(error),
        })?;
    let status = if receipt.data_purged { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(receipt_json(receipt))))
}

pub(crate) fn receipt_json(receipt: Receipt) -> Value {
    json!({
        "watch_stopped": receipt.watch_stopped,
        "grant_revoked": receipt.grant_revoked,
        "data_purged": receipt.data_purged,
    })
}

/// A malformed id is answered like an unknown one.
pub(crate) fn named(id: &str) -> Result<ConnectorId, Problem> {
    ConnectorId::parse(id).ok_or_else(|| Problem::not_found("connector"))
}

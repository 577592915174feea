//! `/api/connectors/{id}/health` and `/api/system/health`: what is wrong, and what to do about it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use email_connectors::domain::health::system::SystemHealth;
use email_connectors::domain::health::{self, Health, HealthStatus};
use email_connectors::domain::role::Action;
use email_connectors::ports::{Clock, Ports, Store};
use email_connectors::web::Problem;

use crate::connectors::named;
use crate::{Shared, store_problem};

pub async fn connector<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Health>, Problem> {
    let (owner, now) = api.admit(&headers, Action::See).await?;
    let connector = api.store.connector(&owner, &named(&id)?).await.map_err(store_problem)?;
    let connector = connector.ok_or_else(|| Problem::not_found("connector"))?;
    let mut triggers = api.store.triggers(&owner).await.map_err(store_problem)?;
    triggers.retain(|trigger| trigger.config.connector_id == connector.id);
    let missing = api.access().missing_labels(&connector, &triggers, now).await;
    let health = health::health(&connector, triggers.len(), &api.thresholds, now);
    Ok(Json(health.with_missing_labels(&missing)))
}

/// Needs no token, so that a load balancer can call it; a degraded system still answers 200.
pub async fn system<P: Ports>(State(api): Shared<P>) -> (StatusCode, Json<SystemHealth>) {
    let health =
        api.checked.health(&api.store, &api.gate.verifier, &api.depths, api.machine.now()).await;
    let status = if health.status == HealthStatus::Down {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    (status, Json(health))
}

//! `/api/owner/data`: all that is kept of an owner, to take out or to delete.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use email_connectors::domain::id::{ConnectorId, EventId};
use email_connectors::domain::role::Action;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::flows::own::{self, Place};
use email_connectors::web::Problem;
use serde_json::{Value, json};

use crate::connectors::{told, view};
use crate::{Shared, World, store_problem};

/// Page after page: connectors and triggers first, then the records of the last thirty days, each an event as it was published.
/// Secrets are no data of the owner's: they are Google's word to this service, and are not shown.
pub async fn export<W: World>(State(api): Shared<W>, headers: HeaderMap, RawQuery(query): RawQuery) -> Result<Json<Value>, Problem> {
    let (owner, now) = api.admit(&headers, Action::Export).await?;
    let place = page_token(query.as_deref().unwrap_or_default())?;
    let export = own::export(&api.store, &owner, place).await.map_err(store_problem)?;
    let records: Vec<Value> = export
        .records
        .iter()
        .map(|record| {
            // Rendered by us as JSON, and read back as such.
            let detail: Value = serde_json::from_str(&record.detail).unwrap_or_default();
            json!({"detail_type": record.detail_type, "decided_at": record.decided_at, "detail": detail})
        })
        .collect();
    let connectors: Vec<_> = export.connectors.into_iter().map(|connector| view(connector, now)).collect();
    Ok(Json(json!({
        "connectors": connectors,
        "triggers": export.triggers,
        "records": records,
        "next_page_token": export.next.map(|place| written(&place)),
    })))
}

/// Disconnects everything. 200 when nothing is left, 202 while the rest goes on by itself.
pub async fn erase<W: World>(State(api): Shared<W>, headers: HeaderMap) -> Result<(StatusCode, Json<Value>), Problem> {
    let (owner, now) = api.admit(&headers, Action::Erase).await?;
    let receipts = own::erase(&api.disconnecting(), &owner, now).await.map_err(store_problem)?;
    let done = receipts.iter().all(|(_, receipt)| receipt.data_purged);
    let connectors: Vec<Value> = receipts.into_iter().map(|(id, receipt)| json!({"id": id, "receipt": told(receipt)})).collect();
    let status = if done { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(json!({ "connectors": connectors, "data_purged": done }))))
}

fn written(place: &Place) -> String {
    match &place.after {
        Some((at, event)) => format!("{}.{}.{event}", place.connector, at.millis()),
        None => place.connector.to_string(),
    }
}

fn page_token(query: &str) -> Result<Option<Place>, Problem> {
    let Some(token) = query.split('&').find_map(|pair| pair.strip_prefix("page_token=")) else { return Ok(None) };
    let read = || {
        let mut parts = token.split('.');
        let connector = ConnectorId::parse(parts.next()?)?;
        let after = match (parts.next(), parts.next()) {
            (None, None) => None,
            (Some(at), Some(event)) if ConnectorId::parse(event).is_some() => {
                Some((Timestamp::from_millis(at.parse().ok()?), EventId::new(event)))
            }
            _ => return None,
        };
        parts.next().is_none().then_some(Place { connector, after })
    };
    let unread =
        || Problem::new(StatusCode::BAD_REQUEST, "invalid_page_token", "send the next_page_token of the page before").at("page_token");
    read().map(Some).ok_or_else(unread)
}

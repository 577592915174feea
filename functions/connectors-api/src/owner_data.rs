//! `/api/owner/data`: all that is kept of an owner, to take out or to delete.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use email_connectors::domain::event::Event;
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::role::Action;
use email_connectors::flows::data_export::{self, ExportCursor};
use email_connectors::flows::erasure;
use email_connectors::ports::Ports;
use email_connectors::web::Problem;
use serde_json::{Value, json};

use crate::connectors::{receipt_json, view};
use crate::paging::{Page, cursor, read_cursor};
use crate::{Shared, store_problem};

/// Page after page: connectors and triggers first, then the records of the last thirty days, each
/// an event as it was published. Secrets are not exported: Google issued them to this service and
/// not to the owner.
pub async fn export<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let (owner, now) = api.admit(&headers, Action::Export).await?;
    let page = Page::of_query(query.as_deref())?;
    let export = data_export::export(&api.store, &owner, page.after(read)?, page.size)
        .await
        .map_err(store_problem)?;
    let records: Vec<Value> = export
        .records
        .iter()
        .map(|record| json!({"detail_type": record.detail_type, "decided_at": record.decided_at, "detail": detail(record)}))
        .collect();
    let connectors: Vec<_> =
        export.connectors.into_iter().map(|connector| view(connector, now)).collect();
    Ok(Json(json!({
        "connectors": connectors,
        "triggers": export.triggers,
        "records": records,
        "next_page_token": export.next.map(|next| written(&next)),
    })))
}

/// Disconnects everything. 200 when nothing is left, 202 while the rest goes on by itself.
pub async fn erase<P: Ports>(
    State(api): Shared<P>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (owner, now) = api.admit(&headers, Action::Erase).await?;
    let receipts =
        erasure::erase(&api.disconnecting(), &owner, now).await.map_err(store_problem)?;
    let done = receipts.iter().all(|(_, receipt)| receipt.data_purged);
    let connectors: Vec<Value> = receipts
        .into_iter()
        .map(|(id, receipt)| json!({"id": id, "receipt": receipt_json(receipt)}))
        .collect();
    let status = if done { StatusCode::OK } else { StatusCode::ACCEPTED };
    let remains = api.retention.remaining(now);
    Ok((status, Json(json!({ "connectors": connectors, "data_purged": done, "remains": remains }))))
}

/// Rendered by us as JSON, and read back as such.
pub(crate) fn detail(record: &Event) -> Value {
    serde_json::from_str(&record.detail).unwrap_or_default()
}

fn written(next: &ExportCursor) -> String {
    match &next.after {
        Some((at, event)) => format!("{}.{}", next.connector, cursor(*at, event)),
        None => next.connector.to_string(),
    }
}

fn read(token: &str) -> Option<ExportCursor> {
    match token.split_once('.') {
        None => Some(ExportCursor { connector: ConnectorId::parse(token)?, after: None }),
        Some((connector, after)) => Some(ExportCursor {
            connector: ConnectorId::parse(connector)?,
            after: Some(read_cursor(after)?),
        }),
    }
}

//! Connectors of all owners, out of the table page by page: an operator has no user's token.

use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::system::System;
use email_connectors::config::thresholds;
use email_connectors::domain::connector::Connector;
use email_connectors::domain::health::{HealthStatus, health as judged};
use email_connectors::domain::pause::is_paused;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::watch::WatchStatus;
use email_connectors::ports::{Clock, StoreError};
use serde_json::{Value, json};

use super::named;
use crate::args::connectors::Only;
use crate::aws;
use crate::deployed::Deployed;
use crate::failure::Failure;
use crate::health as shown;
use crate::session::Session;
use crate::show::connector;

/// The function that judges connectors for their owners; its settings apply here too.
const FUNCTION: &str = "ConnectorsApiFunction";

pub async fn list(session: &Session, only: Only) -> Result<(), Failure> {
    let settings = session.settings()?;
    let store = DynamoStore::new(&settings.aws().await, settings.table().await?);
    let (now, status) = (System.now(), named(only.status).map(Value::from));
    let mut connectors = Vec::new();
    let unread = each(session, &store, |connector| {
        let wanted = !only.lapsed || has_lapsed(&connector, now);
        if wanted && status.as_ref().is_none_or(|status| json!(connector.reading.status) == *status)
        {
            connectors.push(document(&connector, now));
        }
    });
    let unread = unread.await?;
    let answer = json!({ "connectors": connectors });
    session.output.document(&answer, &connector::everyone(&answer))?;
    all_read(unread)
}

pub async fn health(session: &Session) -> Result<(), Failure> {
    let settings = session.settings()?;
    let config = settings.aws().await;
    let deployed = Deployed::read(&config, settings.stack_name()?).await?;
    settings.know(&deployed.outputs);
    let thresholds = thresholds(&deployed.environment(FUNCTION).await?);
    let thresholds =
        thresholds.map_err(|error| Failure::Aws(format!("the settings of {FUNCTION}: {error}")))?;
    let store = DynamoStore::new(&config, settings.table().await?);
    let now = System.now();
    let (mut unwell, mut counts) = (Vec::new(), [0_u64; 3]);
    let unread = each(session, &store, |connector| {
        // Triggers are not read: 1 stands for their number, which is left out below.
        let health = judged(&connector, 1, &thresholds, now);
        counts[health.status as usize] += 1;
        if health.status != HealthStatus::Healthy {
            let mut row = json!(health);
            row["owner_id"] = json!(connector.owner_id);
            row.as_object_mut().and_then(|fields| fields.remove("triggers"));
            unwell.push(row);
        }
    });
    let unread = unread.await?;
    let [healthy, degraded, down] = counts;
    let summary =
        json!({"connectors": unwell, "healthy": healthy, "degraded": degraded, "down": down});
    session.output.document(&summary, &shown::everyone(&summary))?;
    if down > 0 { Err(Failure::Down) } else { all_read(unread) }
}

/// Whether a live connector's watch has ended, or Gmail refused its last renewal.
pub fn has_lapsed(connector: &Connector, now: Timestamp) -> bool {
    connector.is_live()
        && (connector.watch.status(now) == WatchStatus::Failed || connector.watch.failure.is_some())
}

/// Hands each connector to `seen`; returns how many rows could not be read, each of which was
/// noted.
pub async fn each(
    session: &Session,
    store: &DynamoStore,
    seen: impl FnMut(Connector),
) -> Result<u64, Failure> {
    let spinner = session.output.spinner("connectors are read");
    let read =
        read(session, store, seen, |count| spinner.set_message(format!("{count} connectors read")))
            .await;
    spinner.finish_and_clear();
    read.map_err(|error| Failure::Aws(aws::describe(&error)))
}

async fn read(
    session: &Session,
    store: &DynamoStore,
    mut seen: impl FnMut(Connector),
    progress: impl Fn(u64),
) -> Result<u64, StoreError> {
    let (mut count, mut unread, mut scan_key) = (0, 0, None);
    loop {
        let page = store.every_connector(scan_key).await?;
        for row in page.rows {
            match row {
                Ok(connector) => {
                    count += 1;
                    seen(connector);
                }
                Err(error) => {
                    unread += 1;
                    session.output.note(&aws::describe(&error));
                }
            }
        }
        progress(count);
        scan_key = page.next;
        if scan_key.is_none() {
            return Ok(unread);
        }
    }
}

pub fn all_read(unread: u64) -> Result<(), Failure> {
    if unread == 0 { Ok(()) } else { Err(Failure::NeedsPerson) }
}

/// As the API shows a connector to its owner, as far as an operator needs it. Nothing in it could
/// rebuild a secret.
fn document(connector: &Connector, now: Timestamp) -> Value {
    let (watch, circuit) = (&connector.watch, &connector.reading.circuit);
    json!({
        "id": connector.id,
        "owner_id": connector.owner_id,
        "email_address": connector.email_address,
        "label": connector.reading.label,
        "status": connector.reading.status,
        "paused": is_paused(&connector.reading.pauses),
        "watch": {
            "status": watch.status(now),
            "expiration": watch.expiration,
            "renewed_at": watch.renewed_at,
            "verified_at": connector.reading.verified_at,
            "failure": watch.failure,
        },
        "circuit": {"state": circuit.state(now), "failures": circuit.failures, "open_until": circuit.open_until},
        "parked_messages": connector.reading.position.parked.len(),
        "last_event_at": connector.outbox.last_event_at,
        "last_error": connector.reading.last_error,
        "closing": connector.closing,
        "created_at": connector.created_at,
        "updated_at": connector.updated_at,
    })
}

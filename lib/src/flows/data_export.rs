//! What is stored of an owner, read page by page.

use crate::domain::connector::Connector;
use crate::domain::event::{Event, how_many_fit};
use crate::domain::id::{ConnectorId, EventId, OwnerId};
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::Trigger;
use crate::ports::{Store, StoreError};

/// Where the next page of an export begins: after this record of this connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportCursor {
    pub connector: ConnectorId,
    pub after: Option<(Timestamp, EventId)>,
}

/// One page of an export. Connectors and triggers stand on the first one, delivery records on all.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    pub connectors: Vec<Connector>,
    pub triggers: Vec<Trigger>,
    pub records: Vec<Event>,
    pub next: Option<ExportCursor>,
}

/// Holds at most `records` delivery records, and no more bytes of them than fit on a page.
pub async fn export(
    store: &impl Store,
    owner: &OwnerId,
    from: Option<ExportCursor>,
    records: u32,
) -> Result<Export, StoreError> {
    let first = from.is_none();
    // By id, so that the order is the same on every page.
    let connectors = store.connectors(owner).await?;
    let triggers = if first { store.triggers(owner).await? } else { Vec::new() };
    let cursor = from.or_else(|| {
        connectors
            .first()
            .map(|connector| ExportCursor { connector: connector.id.clone(), after: None })
    });
    let cursor = cursor.and_then(|cursor| resume_at(&connectors, cursor));
    let (records, next) = match cursor {
        Some(cursor) => page(store, &connectors, cursor, records).await?,
        None => (Vec::new(), None),
    };
    let connectors = if first { connectors } else { Vec::new() };
    Ok(Export { connectors, triggers, records, next })
}

/// The cursor itself while its connector exists; else the start of the next connector, since one
/// may have been disconnected since the last page.
fn resume_at(connectors: &[Connector], cursor: ExportCursor) -> Option<ExportCursor> {
    let first = connectors.iter().find(|connector| connector.id >= cursor.connector)?;
    Some(if first.id == cursor.connector {
        cursor
    } else {
        ExportCursor { connector: first.id.clone(), after: None }
    })
}

async fn page(
    store: &impl Store,
    connectors: &[Connector],
    cursor: ExportCursor,
    most: u32,
) -> Result<(Vec<Event>, Option<ExportCursor>), StoreError> {
    let mut records = store.delivery_records(&cursor.connector, cursor.after, most).await?;
    let fitting = how_many_fit(records.iter().map(|record| record.detail.len()));
    let full = fitting < records.len() || records.len() >= most as usize;
    records.truncate(fitting);
    let next = match records.last().filter(|_| full) {
        Some(last) => Some(ExportCursor {
            after: Some((last.decided_at, last.event_id.clone())),
            connector: cursor.connector,
        }),
        None => {
            let following =
                connectors.iter().skip_while(|connector| connector.id != cursor.connector).nth(1);
            following.map(|connector| ExportCursor { connector: connector.id.clone(), after: None })
        }
    };
    Ok((records, next))
}

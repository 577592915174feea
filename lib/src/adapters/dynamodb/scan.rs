//! The whole table, page by page: for an operator's command line alone. No function may scan.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;

use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;

use super::indexes::Deliveries;
use super::keys::{self, CONNECTOR_PREFIX, Indexed, Item, TRIGGER_PREFIX};
use super::rows::{ConnectorRow, EventRow, read, text};
use super::{DynamoStore, unavailable};
use crate::domain::connector::{Connector, Location};
use crate::domain::id::{ConnectorId, EventId, OwnerId};
use crate::ports::StoreError;

/// A page, and the key from which the next one goes on.
pub struct Page<T> {
    pub rows: Vec<T>,
    pub next: Option<ScanKey>,
}

/// The key after which a scan goes on.
#[derive(Debug, Clone)]
pub struct ScanKey(Item);

/// A raw row, to be copied. It may hold sealed secrets, so it has no `Debug`.
pub struct Row(pub(super) Item);

/// What a row belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    Connector(Location, OwnerId),
    /// Belongs to a connector, and is restored with it.
    ItsConnector,
    Event(EventId, ConnectorId),
    /// Belongs to the whole stack.
    Service,
    /// Expires within a day, or means nothing later; it is not restored.
    Passing,
}

impl Row {
    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
    }

    /// What the row belongs to, by its key and the ids of its owner and its connector alone.
    pub fn of(&self) -> Of {
        let (pk, sk) = (self.text("pk"), self.text("sk"));
        let (of, _) = pk.split_once('#').unwrap_or((pk, ""));
        match of {
            "MAILBOX" if keys::is_trigger(sk) => Of::ItsConnector,
            "OWNER"
                if [CONNECTOR_PREFIX, TRIGGER_PREFIX, "SLOT#"]
                    .iter()
                    .any(|prefix| sk.starts_with(prefix)) =>
            {
                Of::ItsConnector
            }
            "ACCOUNT" | "HOOK" => Of::ItsConnector,
            "SERVICE" => Of::Service,
            _ => match keys::read_indexed(pk, sk) {
                Some(Indexed::Connector(location)) => {
                    Of::Connector(location, OwnerId::new(self.text("owner_id")))
                }
                Some(Indexed::Event(event)) => {
                    Of::Event(event, ConnectorId::new(self.text("connector_id")))
                }
                None => Of::Passing,
            },
        }
    }
}

impl DynamoStore {
    /// The locations of the connectors of all owners.
    pub async fn all_connectors(
        &self,
        from: Option<ScanKey>,
    ) -> Result<Page<Location>, StoreError> {
        let scan = self.scan_connectors(from).consistent_read(true).projection_expression("pk, sk");
        let answer = scan.send().await.map_err(unavailable)?;
        let found = answer.items.unwrap_or_default();
        let rows = found
            .iter()
            .map(|item| (part(item, "pk"), part(item, "sk")))
            .filter(|(_, sk)| !keys::is_trigger(sk));
        let location = |(pk, sk): (&str, &str)| match keys::read_indexed(pk, sk) {
            Some(Indexed::Connector(location)) => Ok(location),
            _ => Err(StoreError::Unreadable(format!("no connector lies at {sk}"))),
        };
        Ok(Page {
            rows: rows.map(location).collect::<Result<_, _>>()?,
            next: answer.last_evaluated_key.map(ScanKey),
        })
    }

    /// The connectors of all owners; eventually consistent, which costs half. An unreadable one is
    /// an error in its position, so that it does not hide the others.
    pub async fn every_connector(
        &self,
        from: Option<ScanKey>,
    ) -> Result<Page<Result<Connector, StoreError>>, StoreError> {
        let answer = self.scan_connectors(from).send().await.map_err(unavailable)?;
        let found = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .filter(|item| !keys::is_trigger(part(item, "sk")));
        let rows = found.map(|item| {
            let sk = part(&item, "sk").to_string();
            read::<ConnectorRow>(item)
                .map(Connector::from)
                .map_err(|error| StoreError::Unreadable(format!("{sk}: {error}")))
        });
        Ok(Page { rows: rows.collect(), next: answer.last_evaluated_key.map(ScanKey) })
    }

    /// The connector's location in its newest event, if the ledger has one from the last thirty
    /// days.
    pub async fn last_location(&self, of: &ConnectorId) -> Result<Option<Location>, StoreError> {
        let newest: Vec<EventRow> = self.newest(Deliveries::Of(of), None, 1).await?;
        Ok(newest
            .into_iter()
            .next()
            .map(|row| Location { mailbox: row.mailbox, connector: row.connector_id }))
    }

    fn scan_connectors(&self, from: Option<ScanKey>) -> ScanFluentBuilder {
        let scan = self
            .scan(from)
            .filter_expression("begins_with(pk, :mailbox) AND begins_with(sk, :connector)");
        let scan = scan.expression_attribute_values(":mailbox", text("MAILBOX#"));
        scan.expression_attribute_values(":connector", text(CONNECTOR_PREFIX))
    }

    /// Every row, whatever it is.
    pub async fn all_rows(&self, from: Option<ScanKey>) -> Result<Page<Row>, StoreError> {
        self.rows(self.scan(from)).await
    }

    /// Every event of any connector, published or not.
    pub async fn all_events(&self, from: Option<ScanKey>) -> Result<Page<Row>, StoreError> {
        let events = self
            .scan(from)
            .filter_expression("begins_with(pk, :event)")
            .expression_attribute_values(":event", text("EVENT#"));
        self.rows(events).await
    }

    fn scan(&self, from: Option<ScanKey>) -> ScanFluentBuilder {
        self.client.scan().table_name(&self.table).set_exclusive_start_key(from.map(|key| key.0))
    }

    async fn rows(&self, scan: ScanFluentBuilder) -> Result<Page<Row>, StoreError> {
        let answer = scan.consistent_read(true).send().await.map_err(unavailable)?;
        let rows = answer.items.unwrap_or_default().into_iter().map(Row).collect();
        Ok(Page { rows, next: answer.last_evaluated_key.map(ScanKey) })
    }

    /// Writes a row unless its key exists; returns whether it did.
    pub async fn insert_absent(&self, row: &Row) -> Result<bool, StoreError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(row.0.clone()));
        match put.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Whether a row with the key of this one exists.
    pub async fn lies(&self, row: &Row) -> Result<bool, StoreError> {
        let key = ["pk", "sk"]
            .into_iter()
            .filter_map(|name| Some((name.to_string(), row.0.get(name)?.clone())))
            .collect();
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .projection_expression("pk")
            .consistent_read(true);
        Ok(get.send().await.map_err(unavailable)?.item.is_some())
    }
}

fn part<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).unwrap_or_default()
}

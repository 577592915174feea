//! The whole table, page by page: for an operator's command line alone. No function may scan.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;

use super::keys::{self, CONNECTOR_PREFIX, Indexed, Item};
use super::rows::text;
use super::{DynamoStore, unavailable};
use crate::domain::connector::Location;
use crate::ports::StoreError;

/// A page of something, and from where the next one goes on.
pub struct Page<T> {
    pub rows: Vec<T>,
    pub next: Option<Place>,
}

/// Where a scan goes on.
#[derive(Debug, Clone)]
pub struct Place(Item);

/// A row as it lies there, to be laid elsewhere. It may hold sealed secrets, so it does not print itself.
pub struct Row(Item);

impl Row {
    /// What tells it from others, and what kind of row it is; nothing of what it holds.
    pub fn kind(&self) -> &str {
        let pk = self.0.get("pk").and_then(|pk| pk.as_s().ok());
        pk.and_then(|pk| pk.split('#').next()).unwrap_or("?")
    }
}

impl DynamoStore {
    /// Where connectors lie, of all owners.
    pub async fn all_connectors(&self, from: Option<Place>) -> Result<Page<Location>, StoreError> {
        let scan = self.client.scan().table_name(&self.table).consistent_read(true).set_exclusive_start_key(from.map(|place| place.0));
        let scan = scan.filter_expression("begins_with(pk, :mailbox) AND begins_with(sk, :connector)").projection_expression("pk, sk");
        let scan = scan.expression_attribute_values(":mailbox", text("MAILBOX#"));
        let scan = scan.expression_attribute_values(":connector", text(CONNECTOR_PREFIX));
        let answer = scan.send().await.map_err(unavailable)?;
        let found = answer.items.unwrap_or_default();
        let key = |item: &Item, name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
        let rows = found.iter().map(|item| (key(item, "pk"), key(item, "sk"))).filter(|(_, sk)| !keys::is_trigger(sk));
        let location = |(pk, sk): (String, String)| match keys::read_indexed(&pk, &sk) {
            Some(Indexed::Connector(location)) => Ok(location),
            _ => Err(StoreError::Unreadable(format!("no connector lies at {sk}"))),
        };
        Ok(Page { rows: rows.map(location).collect::<Result<_, _>>()?, next: answer.last_evaluated_key.map(Place) })
    }

    /// Every row, whatever it is.
    pub async fn all_rows(&self, from: Option<Place>) -> Result<Page<Row>, StoreError> {
        let scan = self.client.scan().table_name(&self.table).consistent_read(true).set_exclusive_start_key(from.map(|place| place.0));
        let answer = scan.send().await.map_err(unavailable)?;
        let rows = answer.items.unwrap_or_default().into_iter().map(Row).collect();
        Ok(Page { rows, next: answer.last_evaluated_key.map(Place) })
    }

    /// Lays a row where none lies; whether it did.
    pub async fn lay(&self, row: &Row) -> Result<bool, StoreError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(row.0.clone()));
        match put.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Whether a row lies where this one came from.
    pub async fn lies(&self, row: &Row) -> Result<bool, StoreError> {
        let key = ["pk", "sk"].into_iter().filter_map(|name| Some((name.to_string(), row.0.get(name)?.clone()))).collect();
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key)).projection_expression("pk").consistent_read(true);
        Ok(get.send().await.map_err(unavailable)?.item.is_some())
    }
}

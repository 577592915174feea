//! The three indexes: `due` (what the renewer must look at), `told` (the events of a connector) and
//! `fired` (the events of a trigger). Keys only, and eventually consistent: each row is read again.

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::join_all;

use super::keys::{self, Indexed, Item};
use super::rows::{EventRow, attribute, number, read, text};
use super::{DynamoStore, unavailable};
use crate::domain::connector::Location;
use crate::domain::id::{ConnectorId, EventId, TriggerId};
use crate::domain::timestamp::Timestamp;
use crate::ports::{Due, StoreError};

/// How many pages of due rows are read until there are enough readable ones.
const MOST_PAGES: usize = 20;

/// Whose events are queried: chooses the index, its key attribute and the value.
#[derive(Clone, Copy)]
pub(super) enum Deliveries<'a> {
    Of(&'a ConnectorId),
    FiredBy(&'a TriggerId),
}

impl Deliveries<'_> {
    fn index(self) -> (&'static str, &'static str, AttributeValue) {
        match self {
            Self::Of(connector) => ("told", "told_of", text(connector)),
            Self::FiredBy(trigger) => ("fired", "trigger_id", text(trigger)),
        }
    }

    /// The start key of a query that continues after this event.
    fn start_key(self, decided_at: Timestamp, event: &EventId) -> Result<Item, StoreError> {
        let (_, attribute_name, value) = self.index();
        let mut key = keys::event(event).attributes();
        key.insert(attribute_name.into(), value);
        key.insert("decided_at".into(), attribute(&decided_at)?);
        Ok(key)
    }
}

impl DynamoStore {
    pub(super) async fn due_by(
        &self,
        shard: u8,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<Due>, StoreError> {
        let (connectors, events) = (keys::connector_shard(shard), keys::event_shard(shard));
        let (connectors, events) =
            tokio::join!(self.due_rows(&connectors, now, most), self.due_rows(&events, now, most));
        Ok([connectors?, events?].concat())
    }

    /// Rows that are unreadable or done by now are replaced by the next ones, so that they do not
    /// keep others from being looked at.
    async fn due_rows(
        &self,
        shard: &str,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<Due>, StoreError> {
        let wanted = usize::try_from(most).unwrap_or(usize::MAX);
        let (mut due, mut from) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let request = self
                .client
                .query()
                .table_name(&self.table)
                .index_name("due")
                .key_condition_expression("due_shard = :shard AND due_at <= :now")
                .expression_attribute_values(":shard", text(shard))
                .expression_attribute_values(":now", number(now.seconds()))
                .set_exclusive_start_key(from)
                .limit(i32::try_from(wanted - due.len()).unwrap_or(i32::MAX));
            let page = request.send().await.map_err(unavailable)?;
            let rows = page.items.unwrap_or_default();
            let looked_up = join_all(rows.iter().map(|item| self.read_due(item))).await;
            due.extend(looked_up.into_iter().filter_map(|row| {
                row.unwrap_or_else(|error| {
                    tracing::error!(%error, "a due row cannot be read");
                    None
                })
            }));
            from = page.last_evaluated_key;
            if from.is_none() || due.len() >= wanted {
                break;
            }
        }
        Ok(due)
    }

    /// The mailbox of an event is read from its row. `None` if the row is gone or published by now.
    async fn read_due(&self, item: &Item) -> Result<Option<Due>, StoreError> {
        let part = |name: &str| {
            item.get(name)
                .and_then(|value| value.as_s().ok())
                .map(String::as_str)
                .unwrap_or_default()
        };
        match keys::read_indexed(part("pk"), part("sk")) {
            Some(Indexed::Connector(location)) => Ok(Some(Due::Connector(location))),
            Some(Indexed::Event(event_id)) => {
                let Some(row) = self.get(keys::event(&event_id)).await? else { return Ok(None) };
                let row: EventRow = read(row)?;
                let connector =
                    Location { mailbox: row.mailbox.clone(), connector: row.connector_id.clone() };
                Ok(row.published_at.is_none().then_some(Due::Event { event_id, connector }))
            }
            None => Err(StoreError::Unreadable(format!(
                "the index names {} {}",
                part("pk"),
                part("sk")
            ))),
        }
    }

    /// Newest first. Index entries whose row is gone are replaced by the next ones.
    pub(super) async fn newest<T: From<EventRow>>(
        &self,
        of: Deliveries<'_>,
        after: Option<(Timestamp, EventId)>,
        most: u32,
    ) -> Result<Vec<T>, StoreError> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let (index, attribute_name, value) = of.index();
        let mut from =
            after.map(|(decided_at, event)| of.start_key(decided_at, &event)).transpose()?;
        let mut found = Vec::new();
        while found.len() < most {
            let request = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(index)
                .key_condition_expression(format!("{attribute_name} = :of"))
                .expression_attribute_values(":of", value.clone())
                .scan_index_forward(false)
                .limit(i32::try_from(most - found.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(from);
            let page = request.send().await.map_err(unavailable)?;
            found.extend(self.in_order(page.items.unwrap_or_default()).await?);
            from = page.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// The rows that the index names, in its order.
    async fn in_order<T: From<EventRow>>(&self, named: Vec<Item>) -> Result<Vec<T>, StoreError> {
        let ids: Vec<EventId> = named
            .iter()
            .filter_map(|item| keys::read_event(item.get("pk")?.as_s().ok()?))
            .collect();
        let rows = self.get_all(ids.iter().map(keys::event).collect(), None).await?;
        let mut rows = rows.into_iter().map(read::<EventRow>).collect::<Result<Vec<_>, _>>()?;
        rows.sort_by_cached_key(|row| ids.iter().position(|id| *id == row.event_id));
        Ok(rows.into_iter().map(T::from).collect())
    }
}

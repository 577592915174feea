//! The store's contract, told in rows: each method is one read, one update or one transaction, but for the pointers of an owner.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use futures_util::future::join_all;

use super::change::{Change, put};
use super::keys::{self, Indexed, Item, Key};
use super::rows::{AccessTokenRow, ConnectorRow, DataKeyRow, EventRow, PointerRow, attribute, item, number, read, text};
use super::{DynamoStore, unavailable};
use crate::domain::connector::{Connector, Location, Slot};
use crate::domain::email_address::EmailAddress;
use crate::domain::event::{DetailType, Event, LEDGER_HORIZON};
use crate::domain::id::{ConnectorId, EventId, OwnerId, TriggerId};
use crate::domain::secret::{Sealed, SealedAccessToken, WrappedKey};
use crate::domain::sweep::first_sweep;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::Trigger;
use crate::domain::watch::Watch;
use crate::ports::{Commit, Due, Exchange, Store, StoreError};

const KEEP_EXCHANGES: Duration = Duration::from_secs(600);
/// How old an unpublished event is before the renewer wakes its mailbox.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);
/// The attributes that a reconnect overwrites.
const RECONNECTED: [&str; 7] = ["status", "granted_scopes", "refresh_token", "access_token", "last_error", "generation", "updated_at"];
/// The attributes that a commit writes where they differ; all others have writers of their own.
const COMMITTED: [&str; 9] = ["position", "status", "last_error", "pauses", "circuit", "spent", "verified_at", "lapse_told", "flushed_at"];

impl Store for DynamoStore {
    async fn in_slot(&self, owner: &OwnerId, slot: &Slot) -> Result<Option<Connector>, StoreError> {
        self.pointed(keys::slot(owner, slot)).await
    }

    async fn create_connector(&self, connector: &Connector, exchange: &Exchange) -> Result<(), StoreError> {
        let row = due_row(connector, first_sweep(exchange.at))?;
        let pointer = pointer(connector);
        self.transact(vec![
            put(&self.table, row, true),
            put(&self.table, item(&keys::owned_connector(&connector.owner_id, &connector.id), &pointer)?, true),
            put(&self.table, item(&keys::slot(&connector.owner_id, &connector.slot), &pointer)?, true),
            self.exchange_row(connector, exchange)?,
        ])
        .await
    }

    async fn reconnect(&self, connector: &Connector, version: u64, exchange: &Exchange, events: &[Event]) -> Result<(), StoreError> {
        let location = connector.location();
        // A token of the old grant and an old error end with it.
        let granted = Connector { access_token: None, last_error: None, ..connector.clone() };
        let row = attributes(&granted)?;
        let raised = raise(&location, version);
        let change = RECONNECTED.into_iter().fold(raised, |change, name| change.set_or_remove(name, row.get(name).cloned()));
        let mut writes = self.with_events(due(change, &location, Some(first_sweep(exchange.at))), &location, events)?;
        writes.push(self.exchange_row(connector, exchange)?);
        self.transact(writes).await
    }

    async fn rename(&self, connector: &Connector, triggers: &[Trigger], to: &EmailAddress, now: Timestamp) -> Result<(), StoreError> {
        // The condition says that nothing waits for publication, whatever was read.
        let moved = Connector {
            email_address: to.clone(),
            version: connector.version + 1,
            unpublished: Default::default(),
            updated_at: now,
            ..connector.clone()
        };
        let (here, there, pointer) = (connector.location(), moved.location(), pointer(&moved));
        let unmoved = Change::of(keys::connector(&here)).if_equal("version", number(connector.version)).if_absent("unpublished");
        let mut writes = vec![
            unmoved.into_deletion(&self.table),
            put(&self.table, due_row(&moved, now)?, true),
            put(&self.table, item(&keys::owned_connector(&moved.owner_id, &moved.id), &pointer)?, false),
            put(&self.table, item(&keys::slot(&moved.owner_id, &moved.slot), &pointer)?, false),
        ];
        for trigger in triggers {
            writes.push(Change::of(keys::trigger(&here, &trigger.id)).into_deletion(&self.table));
            writes.push(put(&self.table, item(&keys::trigger(&there, &trigger.id), trigger)?, false));
        }
        self.transact(writes).await
    }

    async fn exchanged(&self, owner: &OwnerId, exchange: &Exchange) -> Result<Option<ConnectorId>, StoreError> {
        let Some(item) = self.get(keys::exchange(owner, exchange)).await? else { return Ok(None) };
        let row: PointerRow = read(item)?;
        // DynamoDB deletes expired rows when it gets to it.
        Ok(row.expires_at.is_none_or(|expires| expires > exchange.at.seconds()).then_some(row.connector_id))
    }

    async fn connector(&self, owner: &OwnerId, id: &ConnectorId) -> Result<Option<Connector>, StoreError> {
        self.pointed(keys::owned_connector(owner, id)).await
    }

    async fn connectors(&self, owner: &OwnerId) -> Result<Vec<Connector>, StoreError> {
        let pointers = self.query(keys::owner(owner), keys::CONNECTOR_PREFIX).await?;
        let pointers = pointers.into_iter().map(read::<PointerRow>).collect::<Result<Vec<_>, _>>()?;
        let located = |pointer: PointerRow| keys::connector(&Location { mailbox: pointer.mailbox, connector: pointer.connector_id });
        let rows = self.get_all(pointers.into_iter().map(located).collect(), None).await?;
        let mut connectors = rows.into_iter().map(connector).collect::<Result<Vec<_>, _>>()?;
        connectors.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(connectors)
    }

    async fn remove_connector(&self, connector: &Connector, triggers: &[TriggerId]) -> Result<(), StoreError> {
        let location = connector.location();
        let unmoved = Change::of(keys::connector(&location)).if_equal("version", number(connector.version));
        let mut gone = vec![
            unmoved.if_absent("unpublished"),
            Change::of(keys::owned_connector(&connector.owner_id, &connector.id)),
            Change::of(keys::slot(&connector.owner_id, &connector.slot)),
        ];
        for trigger in triggers {
            gone.push(Change::of(keys::trigger(&location, trigger)));
            gone.push(Change::of(keys::owned_trigger(&connector.owner_id, trigger)));
        }
        self.transact(gone.into_iter().map(|row| row.into_deletion(&self.table)).collect()).await
    }

    async fn trigger(&self, owner: &OwnerId, id: &TriggerId) -> Result<Option<Trigger>, StoreError> {
        self.get(keys::owned_trigger(owner, id)).await?.map(read).transpose()
    }

    async fn triggers(&self, owner: &OwnerId) -> Result<Vec<Trigger>, StoreError> {
        self.query(keys::owner(owner), keys::TRIGGER_PREFIX).await?.into_iter().map(read).collect()
    }

    async fn put_trigger(&self, trigger: &Trigger, connector: &Location, version: u64) -> Result<(), StoreError> {
        self.transact(vec![
            raise(connector, version).into_transaction(&self.table),
            put(&self.table, item(&keys::trigger(connector, &trigger.id), trigger)?, false),
            put(&self.table, item(&keys::owned_trigger(&trigger.owner_id, &trigger.id), trigger)?, false),
        ])
        .await
    }

    async fn remove_trigger(&self, trigger: &Trigger, connector: &Location, version: u64) -> Result<(), StoreError> {
        self.transact(vec![
            raise(connector, version).into_transaction(&self.table),
            Change::of(keys::trigger(connector, &trigger.id)).into_deletion(&self.table),
            Change::of(keys::owned_trigger(&trigger.owner_id, &trigger.id)).into_deletion(&self.table),
        ])
        .await
    }

    async fn mailbox(&self, mailbox: &EmailAddress) -> Result<Vec<(Connector, Vec<Trigger>)>, StoreError> {
        let mut members: Vec<(Connector, Vec<Trigger>)> = Vec::new();
        for item in self.query(keys::mailbox(mailbox), keys::CONNECTOR_PREFIX).await? {
            let is_trigger = item.get("sk").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| keys::is_trigger(sk));
            match (is_trigger, members.last_mut()) {
                (false, _) => members.push((connector(item)?, Vec::new())),
                (true, Some((_, triggers))) => triggers.push(read(item)?),
                (true, None) => return Err(StoreError::Unreadable("a trigger without its connector".into())),
            }
        }
        Ok(members)
    }

    async fn connector_at(&self, location: &Location) -> Result<Option<Connector>, StoreError> {
        self.get(keys::connector(location)).await?.map(connector).transpose()
    }

    async fn decided(&self, events: &[EventId]) -> Result<Vec<EventId>, StoreError> {
        let rows = self.get_all(events.iter().map(keys::event).collect(), Some("event_id")).await?;
        let id = |item: &Item| item.get("event_id").and_then(|id| id.as_s().ok()).map(EventId::new);
        Ok(rows.iter().filter_map(id).collect())
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<(), StoreError> {
        let location = commit.before.location();
        let (before, after) = (attributes(commit.before)?, attributes(commit.after)?);
        let changed = COMMITTED.into_iter().filter(|name| before.get(*name) != after.get(*name));
        let raised = raise(&location, commit.before.version).set("updated_at", attribute(&commit.now)?);
        let change = changed.fold(raised, |change, name| change.set_or_remove(name, after.get(name).cloned()));
        let change = due(change, &location, commit.next_sweep);
        // An update of its own costs half of what it costs in a transaction.
        if commit.events.is_empty() {
            return self.update(change).await;
        }
        let fired = commit.events.iter().any(|event| event.detail_type == DetailType::TriggerFired);
        let change = if fired { change.set("last_event_at", attribute(&commit.now)?) } else { change };
        self.transact(self.with_events(change, &location, commit.events)?).await
    }

    async fn unpublished(&self, events: &[EventId]) -> Result<Vec<Event>, StoreError> {
        let rows = self.get_all(events.iter().map(keys::event).collect(), None).await?;
        let rows = rows.into_iter().map(read::<EventRow>).collect::<Result<Vec<_>, _>>()?;
        Ok(rows.into_iter().filter(|row| row.published_at.is_none()).map(Event::from).collect())
    }

    async fn mark_published(&self, connector: &Location, events: &[Event], now: Timestamp) -> Result<(), StoreError> {
        let quiet = Change::of(keys::connector(connector)).delete("unpublished", event_set(events)).if_exists();
        let mut writes = vec![quiet.into_transaction(&self.table)];
        for event in events {
            let marked = Change::of(keys::event(&event.event_id)).set("published_at", attribute(&now)?);
            writes.push(marked.remove("due_shard").remove("due_at").if_exists().into_transaction(&self.table));
        }
        self.transact(writes).await
    }

    async fn cache_access_token(&self, connector: &Location, generation: u64, token: &SealedAccessToken) -> Result<(), StoreError> {
        self.update(of_generation(connector, generation).set("access_token", attribute(&AccessTokenRow::from(token))?)).await
    }

    async fn record_watch(&self, connector: &Location, generation: u64, watch: &Watch) -> Result<(), StoreError> {
        self.update(of_generation(connector, generation).set("watch", attribute(watch)?)).await
    }

    async fn schedule(
        &self,
        connector: &Location,
        version: u64,
        checked_at: Option<Timestamp>,
        next_sweep: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let unmoved = Change::of(keys::connector(connector)).if_equal("version", number(version));
        let change = match checked_at {
            Some(checked_at) => unmoved.set("checked_at", attribute(&checked_at)?),
            None => unmoved,
        };
        self.update(due(change, connector, next_sweep)).await
    }

    async fn due(&self, shard: u8, now: Timestamp, most: u32) -> Result<Vec<Due>, StoreError> {
        let (connectors, events) = (keys::connector_shard(shard), keys::event_shard(shard));
        let (connectors, events) = tokio::join!(self.due_rows(&connectors, now, most), self.due_rows(&events, now, most));
        let rows = [connectors?, events?].concat();
        let looked_up = join_all(rows.iter().map(|item| self.read_due(item))).await;
        // One row that cannot be read must not keep the others from being looked at.
        let readable = looked_up.into_iter().filter_map(|row| {
            row.unwrap_or_else(|error| {
                tracing::error!(%error, "a due row cannot be read");
                None
            })
        });
        Ok(readable.collect())
    }

    async fn data_key(&self) -> Result<Option<WrappedKey>, StoreError> {
        let Some(item) = self.get(keys::data_key()).await? else { return Ok(None) };
        Ok(Some(Sealed(read::<DataKeyRow>(item)?.key.into_vec())))
    }

    async fn keep_data_key(&self, key: WrappedKey) -> Result<WrappedKey, StoreError> {
        let row = item(&keys::data_key(), &DataKeyRow { key: serde_bytes::ByteBuf::from(key.0.clone()) })?;
        match self.transact(vec![put(&self.table, row, true)]).await {
            Err(StoreError::Conflict) => self.data_key().await?.ok_or(StoreError::Conflict),
            kept => kept.map(|()| key),
        }
    }
}

impl DynamoStore {
    async fn pointed(&self, pointer: Key) -> Result<Option<Connector>, StoreError> {
        let Some(item) = self.get(pointer).await? else { return Ok(None) };
        let pointer: PointerRow = read(item)?;
        self.connector_at(&Location { mailbox: pointer.mailbox, connector: pointer.connector_id }).await
    }

    /// The change of a connector together with the events that come of it, each of which must be new.
    fn with_events(&self, change: Change, connector: &Location, events: &[Event]) -> Result<Vec<TransactWriteItem>, StoreError> {
        let change = if events.is_empty() { change } else { change.add("unpublished", event_set(events)) };
        let mut writes = vec![change.into_transaction(&self.table)];
        for event in events {
            let (due_at, expires_at) = (event.decided_at.after(FORGOTTEN_AFTER), event.decided_at.after(LEDGER_HORIZON));
            let row = EventRow::new(event, connector, keys::event_shard(keys::shard(&connector.connector)), due_at, expires_at);
            writes.push(put(&self.table, item(&keys::event(&event.event_id), &row)?, true));
        }
        Ok(writes)
    }

    fn exchange_row(&self, connector: &Connector, exchange: &Exchange) -> Result<TransactWriteItem, StoreError> {
        let row = PointerRow { expires_at: Some(exchange.at.after(KEEP_EXCHANGES).seconds()), ..pointer(connector) };
        Ok(put(&self.table, item(&keys::exchange(&connector.owner_id, exchange), &row)?, false))
    }

    async fn due_rows(&self, shard: &str, now: Timestamp, most: u32) -> Result<Vec<Item>, StoreError> {
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("due")
            .key_condition_expression("due_shard = :shard AND due_at <= :now")
            .expression_attribute_values(":shard", text(shard))
            .expression_attribute_values(":now", number(now.seconds()))
            .limit(i32::try_from(most).unwrap_or(i32::MAX));
        Ok(request.send().await.map_err(unavailable)?.items.unwrap_or_default())
    }

    /// The index tells keys only; of an event, its row tells the mailbox. A row that is gone by now is not due.
    async fn read_due(&self, item: &Item) -> Result<Option<Due>, StoreError> {
        let part = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).unwrap_or_default();
        match keys::read_indexed(part("pk"), part("sk")) {
            Some(Indexed::Connector(location)) => Ok(Some(Due::Connector(location))),
            Some(Indexed::Event(event_id)) => {
                let Some(row) = self.get(keys::event(&event_id)).await? else { return Ok(None) };
                let row: EventRow = read(row)?;
                let connector = Location { mailbox: row.mailbox.clone(), connector: row.connector_id.clone() };
                Ok(row.published_at.is_none().then_some(Due::Event { event_id, connector }))
            }
            None => Err(StoreError::Unreadable(format!("the index names {} {}", part("pk"), part("sk")))),
        }
    }
}

fn connector(item: Item) -> Result<Connector, StoreError> {
    read::<ConnectorRow>(item).map(Connector::from)
}

/// A connector's attributes, as its row holds them.
fn attributes(connector: &Connector) -> Result<Item, StoreError> {
    item(&keys::connector(&connector.location()), &ConnectorRow::from(connector))
}

/// A connector's row, in its lane of the sparse index.
fn due_row(connector: &Connector, next_sweep: Timestamp) -> Result<Item, StoreError> {
    let mut row = attributes(connector)?;
    row.insert("due_shard".into(), text(keys::connector_shard(keys::shard(&connector.id))));
    row.insert("due_at".into(), number(next_sweep.seconds()));
    Ok(row)
}

fn pointer(connector: &Connector) -> PointerRow {
    PointerRow { connector_id: connector.id.clone(), mailbox: connector.email_address.clone(), expires_at: None }
}

/// The connector's one version: every deciding write finds it unmoved and moves it.
fn raise(connector: &Location, version: u64) -> Change {
    Change::of(keys::connector(connector)).set("version", number(version + 1)).if_equal("version", number(version))
}

fn of_generation(connector: &Location, generation: u64) -> Change {
    Change::of(keys::connector(connector)).if_equal("generation", number(generation))
}

fn due(change: Change, connector: &Location, at: Option<Timestamp>) -> Change {
    let shard = at.map(|_| text(keys::connector_shard(keys::shard(&connector.connector))));
    change.set_or_remove("due_shard", shard).set_or_remove("due_at", at.map(|at| number(at.seconds())))
}

fn event_set(events: &[Event]) -> AttributeValue {
    AttributeValue::Ss(events.iter().map(|event| event.event_id.to_string()).collect())
}

//! The parts of the store's writes: a connector's row, and the rows that are written with it.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use super::DynamoStore;
use super::change::{Change, put, put_over};
use super::keys::{self, Item};
use super::rows::{
    ConnectorRow, EventRow, MembershipRow, PointerRow, attribute, item, number, text,
};
use crate::domain::connector::{Connector, Location};
use crate::domain::event::Event;
use crate::domain::id::{AccountId, EventId};
use crate::domain::membership::{KEPT_WHEN_EMPTY, Membership};
use crate::domain::secret::Sealed;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::{Trigger, TriggerType};
use crate::domain::watch::Watch;
use crate::ports::{Exchange, StoreError};

const KEEP_EXCHANGES: Duration = Duration::from_secs(600);
/// How old an unpublished event is before the renewer wakes its mailbox.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);
/// The row of an unpublished event outlives every outage of the bus: its publication sets the real
/// expiry. It has an expiry, since older versions cannot read a row without one.
const WHILE_OWED: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

impl DynamoStore {
    /// The change of a connector together with its events, each of which must be new.
    pub(super) fn with_events(
        &self,
        change: Change,
        connector: &Location,
        events: &[Event],
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let change =
            if events.is_empty() { change } else { change.add("unpublished", event_set(events)) };
        let mut writes = vec![change.into_transaction(&self.table)];
        writes.extend(self.event_rows(connector, events)?);
        Ok(writes)
    }

    pub(super) fn event_rows(
        &self,
        connector: &Location,
        events: &[Event],
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let row = |event: &Event| {
            let (due_at, expires_at) =
                (event.decided_at.after(FORGOTTEN_AFTER), event.decided_at.after(WHILE_OWED));
            let row = EventRow::new(
                event,
                connector,
                keys::event_shard(keys::shard(&connector.connector)),
                due_at,
                expires_at,
            );
            Ok(put(&self.table, item(&keys::event(&event.event_id), &row)?, true))
        };
        events.iter().map(row).collect()
    }

    /// A trigger's two rows: one in its mailbox, one at its owner.
    pub(super) fn trigger_rows(
        &self,
        trigger: &Trigger,
        connector: &Location,
    ) -> Result<[TransactWriteItem; 2], StoreError> {
        let row = |key| Ok::<_, StoreError>(put(&self.table, item(&key, trigger)?, false));
        Ok([
            row(keys::trigger(connector, &trigger.id))?,
            row(keys::owned_trigger(&trigger.owner_id, &trigger.id))?,
        ])
    }

    pub(super) fn exchange_row(
        &self,
        connector: &Connector,
        exchange: &Exchange,
    ) -> Result<TransactWriteItem, StoreError> {
        let row = PointerRow {
            expires_at: Some(exchange.at.after(KEEP_EXCHANGES).seconds()),
            ..pointer(connector)
        };
        Ok(put(&self.table, item(&keys::exchange(&connector.owner_id, exchange), &row)?, false))
    }

    /// The account's next version, which overwrites the one before it.
    pub(super) fn membership_row(
        &self,
        account: &AccountId,
        membership: &Membership,
    ) -> Result<TransactWriteItem, StoreError> {
        let before = membership.version.checked_sub(1).ok_or(StoreError::Conflict)?;
        let row =
            item(&keys::membership(account), &MembershipRow::new(membership, KEPT_WHEN_EMPTY))?;
        Ok(put_over(&self.table, row, before))
    }
}

/// The rows of a trigger: in its mailbox, at its owner, and its hook.
pub fn rows_of(trigger: &Trigger, connector: &Location) -> Vec<Change> {
    let mut rows = vec![
        Change::of(keys::trigger(connector, &trigger.id)),
        Change::of(keys::owned_trigger(&trigger.owner_id, &trigger.id)),
    ];
    if trigger.kind == TriggerType::Webhook {
        rows.push(Change::of(keys::hook(&trigger.id)));
    }
    rows
}

/// The attributes of a connector's row.
pub fn attributes(connector: &Connector) -> Result<Item, StoreError> {
    item(&keys::connector(&connector.location()), &ConnectorRow::from(connector))
}

/// A connector's row with its keys in the sparse index.
pub fn due_row(connector: &Connector, next_sweep: Timestamp) -> Result<Item, StoreError> {
    let mut row = attributes(connector)?;
    row.insert("due_shard".into(), text(keys::connector_shard(keys::shard(&connector.id))));
    row.insert("due_at".into(), number(next_sweep.seconds()));
    Ok(row)
}

pub fn pointer(connector: &Connector) -> PointerRow {
    PointerRow {
        connector_id: connector.id.clone(),
        mailbox: connector.mailbox(),
        expires_at: None,
    }
}

/// Raises the connector's version, on condition that it is still `version`.
pub fn raise(connector: &Location, version: u64) -> Change {
    Change::of(keys::connector(connector))
        .set("version", number(version + 1))
        .if_equal("version", number(version))
}

pub fn of_generation(connector: &Location, generation: u64) -> Change {
    Change::of(keys::connector(connector)).if_equal("generation", number(generation))
}

/// On condition that the connector has this watch.
pub fn of_watch(change: Change, watch: &Watch) -> Result<Change, StoreError> {
    let renewed_at = watch.renewed_at.as_ref().map(attribute).transpose()?;
    Ok(change
        .if_still("watch.id", watch.id.as_ref().map(text))
        .if_still("watch.renewed_at", renewed_at))
}

/// A change of a row that is written anew from what was read: nothing waits for publication, and
/// what is written without raising the version is still as it was.
pub fn as_read(connector: &Connector) -> Result<Change, StoreError> {
    let unmoved = Change::of(keys::connector(&connector.location()))
        .if_equal("version", number(connector.version))
        .if_equal("refresh_token", bytes(&connector.grant.refresh_token)?)
        .if_absent("unpublished");
    of_watch(unmoved, &connector.watch)
}

pub fn rotated(change: Change, replaced: &Sealed, by: &Sealed) -> Result<Change, StoreError> {
    Ok(change.if_equal("refresh_token", bytes(replaced)?).set("refresh_token", bytes(by)?))
}

fn bytes(sealed: &Sealed) -> Result<AttributeValue, StoreError> {
    attribute(&serde_bytes::ByteBuf::from(sealed.0.clone()))
}

pub fn due(change: Change, connector: &Location, at: Option<Timestamp>) -> Change {
    let shard = at.map(|_| text(keys::connector_shard(keys::shard(&connector.connector))));
    change
        .set_or_remove("due_shard", shard)
        .set_or_remove("due_at", at.map(|at| number(at.seconds())))
}

pub fn event_set(events: &[Event]) -> AttributeValue {
    AttributeValue::Ss(events.iter().map(|event| event.event_id.to_string()).collect())
}

pub fn ids(events: &[Event]) -> BTreeSet<EventId> {
    events.iter().map(|event| event.event_id.clone()).collect()
}

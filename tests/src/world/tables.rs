//! The rows of the store and the conditions of its contract: every check comes before the first
//! change.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use email_connectors::domain::connect_session::ConnectSession;
use email_connectors::domain::connector::{Connector, Location, Outbox, Slot, Status, StoredGrant};
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::event::{DetailType, Event, LEDGER_HORIZON};
use email_connectors::domain::id::{
    AccountId, ConnectorId, EventId, OwnerId, TriggerId, fingerprint,
};
use email_connectors::domain::membership::Membership;
use email_connectors::domain::position::Position;
use email_connectors::domain::secret::WrappedKey;
use email_connectors::domain::sweep::first_sweep;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::trigger::Trigger;
use email_connectors::ports::{
    ClaimedKey, Commit, Delivery, Due, Exchange, Hook, PendingConsent, SWEEP_SHARDS, StoreError,
};
use uuid::Uuid;

/// From this age on, an unpublished event is due for the renewer.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);
const KEEP_EXCHANGES: Duration = Duration::from_secs(600);

#[derive(Default)]
pub(crate) struct Tables {
    pub connectors: BTreeMap<Location, Row>,
    pub slots: BTreeMap<(OwnerId, Slot), Location>,
    pub exchanges: BTreeMap<(OwnerId, Uuid), (ConnectorId, Timestamp)>,
    pub memberships: BTreeMap<AccountId, Membership>,
    pub consents: BTreeMap<(OwnerId, Uuid), PendingConsent>,
    pub sessions: BTreeMap<(OwnerId, Uuid), ConnectSession>,
    pub seen: BTreeMap<String, Timestamp>,
    pub requests: BTreeMap<(OwnerId, Uuid), ClaimedKey>,
    pub triggers: BTreeMap<TriggerId, (Location, Trigger)>,
    pub hooks: BTreeMap<TriggerId, Hook>,
    pub ledger: BTreeMap<EventId, Entry>,
    /// Events that were removed from the ledger, kept for the assertions of stories.
    pub forgotten: BTreeMap<EventId, Entry>,
    pub data_key: Option<WrappedKey>,
}

#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub connector: Connector,
    pub next_sweep: Option<Timestamp>,
}

impl Row {
    /// A watch is another one if it has another id or was renewed since.
    pub fn has_watch_of(&self, read: &Connector) -> Result<(), StoreError> {
        let told_by = |one: &Connector| (one.watch.id.clone(), one.watch.renewed_at);
        (told_by(&self.connector) == told_by(read)).then_some(()).ok_or(StoreError::Conflict)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub event: Event,
    pub connector: Location,
    pub published_at: Option<Timestamp>,
}

impl Tables {
    pub fn at(&self, location: &Location) -> Option<Connector> {
        self.connectors.get(location).map(|row| row.connector.clone())
    }

    pub fn of_owner(&self, owner: &OwnerId) -> impl Iterator<Item = &Connector> {
        self.connectors
            .values()
            .map(|row| &row.connector)
            .filter(move |connector| connector.owner_id == *owner)
    }

    pub fn raise_version(&mut self, owner: &str, generation: bool) {
        for row in
            self.connectors.values_mut().filter(|row| row.connector.owner_id.as_str() == owner)
        {
            row.connector.version += 1;
            if generation {
                row.connector.grant.generation += 1;
                row.connector.access_token = None;
            }
        }
    }

    pub fn triggers_of(&self, location: &Location) -> Vec<Trigger> {
        self.triggers
            .values()
            .filter(|(at, _)| at == location)
            .map(|(_, trigger)| trigger.clone())
            .collect()
    }

    pub(super) fn at_version(
        &mut self,
        location: &Location,
        version: u64,
    ) -> Result<&mut Row, StoreError> {
        self.connectors
            .get_mut(location)
            .filter(|row| row.connector.version == version)
            .ok_or(StoreError::Conflict)
    }

    pub fn of_generation(
        &mut self,
        location: &Location,
        generation: u64,
    ) -> Result<&mut Row, StoreError> {
        self.connectors
            .get_mut(location)
            .filter(|row| row.connector.grant.generation == generation)
            .ok_or(StoreError::Conflict)
    }

    pub fn create(
        &mut self,
        connector: &Connector,
        triggers: &[Trigger],
        membership: &Membership,
        exchange: &Exchange,
        events: &[Event],
    ) -> Result<(), StoreError> {
        self.are_new(events)?;
        self.is_next(&connector.account, membership)?;
        let (location, slot) =
            (connector.location(), (connector.owner_id.clone(), connector.slot.clone()));
        if self.slots.contains_key(&slot) || self.connectors.contains_key(&location) {
            return Err(StoreError::Conflict);
        }
        self.slots.insert(slot, location.clone());
        let outbox = Outbox { unpublished: ids(events), ..connector.outbox.clone() };
        let created = Connector { outbox, ..connector.clone() };
        self.connectors.insert(
            location.clone(),
            Row { connector: created, next_sweep: Some(first_sweep(exchange.at)) },
        );
        self.triggers.extend(
            triggers
                .iter()
                .map(|trigger| (trigger.id.clone(), (location.clone(), trigger.clone()))),
        );
        self.memberships.insert(connector.account.clone(), membership.clone());
        self.decide(&location, events);
        self.remember(connector, exchange);
        Ok(())
    }

    pub fn reconnect(
        &mut self,
        before: &Connector,
        grant: &StoredGrant,
        exchange: &Exchange,
        events: &[Event],
    ) -> Result<(), StoreError> {
        self.are_new(events)?;
        let row = self.at_version(&before.location(), before.version)?;
        let stored = &mut row.connector;
        stored.grant = grant.clone();
        stored.email_address = before.email_address.clone();
        stored.access_token = None;
        stored.reading.status = Status::Active;
        stored.reading.last_error = None;
        stored.updated_at = exchange.at;
        stored.version += 1;
        stored.outbox.unpublished.extend(ids(events));
        row.next_sweep = Some(first_sweep(exchange.at));
        self.decide(&before.location(), events);
        self.remember(before, exchange);
        Ok(())
    }

    /// As on DynamoDB, the row is written anew from what the caller read.
    pub fn rename(
        &mut self,
        connector: &Connector,
        triggers: &[Trigger],
        membership: &Membership,
        to: &EmailAddress,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let here = connector.location();
        if connector.email_address == *to {
            return Err(StoreError::Unavailable("a transaction takes each row once".into()));
        }
        self.is_next(&connector.account, membership)?;
        let row = self.at_version(&here, connector.version)?;
        row.has_watch_of(connector)?;
        let is_rotated = row.connector.grant.refresh_token != connector.grant.refresh_token;
        if is_rotated || !row.connector.outbox.unpublished.is_empty() {
            return Err(StoreError::Conflict);
        }
        let moved = Connector {
            email_address: to.clone(),
            version: connector.version + 1,
            updated_at: now,
            ..connector.clone()
        };
        let there = moved.location();
        self.connectors.remove(&here);
        self.slots.insert((moved.owner_id.clone(), moved.slot.clone()), there.clone());
        self.memberships.insert(moved.account.clone(), membership.clone());
        self.connectors.insert(there.clone(), Row { connector: moved, next_sweep: Some(now) });
        for trigger in triggers {
            self.triggers.insert(trigger.id.clone(), (there.clone(), trigger.clone()));
        }
        Ok(())
    }

    fn remember(&mut self, connector: &Connector, exchange: &Exchange) {
        self.exchanges.insert(
            (connector.owner_id.clone(), exchange.fingerprint),
            (connector.id.clone(), exchange.at),
        );
    }

    pub fn exchanged(&self, owner: &OwnerId, exchange: &Exchange) -> Option<ConnectorId> {
        let (connector, at) = self.exchanges.get(&(owner.clone(), exchange.fingerprint))?;
        (exchange.at < at.after(KEEP_EXCHANGES)).then(|| connector.clone())
    }

    pub fn remove(
        &mut self,
        connector: &Connector,
        triggers: &[Trigger],
        membership: &Membership,
    ) -> Result<(), StoreError> {
        let location = connector.location();
        self.is_next(&connector.account, membership)?;
        if !self.at_version(&location, connector.version)?.connector.outbox.unpublished.is_empty() {
            return Err(StoreError::Conflict);
        }
        self.connectors.remove(&location);
        self.slots.remove(&(connector.owner_id.clone(), connector.slot.clone()));
        self.memberships.insert(connector.account.clone(), membership.clone());
        for trigger in triggers {
            self.triggers.remove(&trigger.id);
            self.hooks.remove(&trigger.id);
        }
        Ok(())
    }

    pub fn put_trigger(
        &mut self,
        trigger: &Trigger,
        hook: Option<&Hook>,
        location: &Location,
        version: u64,
    ) -> Result<(), StoreError> {
        self.at_version(location, version)?.connector.version += 1;
        self.hooks.extend(hook.map(|hook| (trigger.id.clone(), hook.clone())));
        self.triggers.insert(trigger.id.clone(), (location.clone(), trigger.clone()));
        Ok(())
    }

    pub fn remove_trigger(
        &mut self,
        trigger: &Trigger,
        location: &Location,
        version: u64,
    ) -> Result<(), StoreError> {
        self.at_version(location, version)?.connector.version += 1;
        self.triggers.remove(&trigger.id);
        self.hooks.remove(&trigger.id);
        Ok(())
    }

    pub fn commit(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        let (before, after, location) = (commit.before, commit.after, commit.before.location());
        if commit.events.len() > Commit::MOST_EVENTS {
            return Err(StoreError::Unavailable(
                "a transaction takes no more than a hundred rows".into(),
            ));
        }
        self.are_new(commit.events)?;
        let row = self.at_version(&location, before.version)?;
        let stored = &mut row.connector;
        stored.version += 1;
        stored.updated_at = commit.now;
        let (reading, before) = (&mut stored.reading, &before.reading);
        differing(&mut reading.position, &before.position, &as_stored(&after.position));
        differing(&mut reading.status, &before.status, &after.status);
        differing(&mut reading.last_error, &before.last_error, &after.last_error);
        differing(&mut reading.label, &before.label, &after.label);
        differing(&mut reading.pauses, &before.pauses, &after.pauses);
        differing(&mut reading.circuit, &before.circuit, &after.circuit);
        differing(&mut reading.spent, &before.spent, &after.spent);
        differing(&mut reading.verified_at, &before.verified_at, &after.verified_at);
        differing(
            &mut reading.lapse_notified_at,
            &before.lapse_notified_at,
            &after.lapse_notified_at,
        );
        differing(&mut reading.outbox_taken_at, &before.outbox_taken_at, &after.outbox_taken_at);
        if commit.events.iter().any(|event| event.detail_type == DetailType::TriggerFired) {
            stored.outbox.last_event_at = Some(commit.now);
        }
        stored.outbox.unpublished.extend(ids(commit.events));
        row.next_sweep = commit.next_sweep;
        self.decide(&location, commit.events);
        Ok(())
    }

    pub fn announce(&mut self, location: &Location, events: &[Event]) -> Result<(), StoreError> {
        self.are_new(events)?;
        let row = self
            .connectors
            .get_mut(location)
            .filter(|row| row.connector.closing.is_none())
            .ok_or(StoreError::Conflict)?;
        row.connector.outbox.unpublished.extend(ids(events));
        self.decide(location, events);
        Ok(())
    }

    pub fn delivery_records(
        &self,
        connector: &ConnectorId,
        after: Option<(Timestamp, EventId)>,
        most: u32,
    ) -> Vec<Event> {
        let entries = self.newest(|entry| entry.connector.connector == *connector, after, most);
        entries.into_iter().map(|entry| entry.event).collect()
    }

    pub fn firings(
        &self,
        trigger: &TriggerId,
        after: Option<(Timestamp, EventId)>,
        most: u32,
    ) -> Vec<Delivery> {
        let fired =
            self.newest(|entry| entry.event.trigger_id.as_ref() == Some(trigger), after, most);
        fired
            .into_iter()
            .map(|entry| Delivery { event: entry.event, published_at: entry.published_at })
            .collect()
    }

    fn newest(
        &self,
        is_meant: impl Fn(&Entry) -> bool,
        after: Option<(Timestamp, EventId)>,
        most: u32,
    ) -> Vec<Entry> {
        let key = |entry: &Entry| (entry.event.decided_at, entry.event.event_id.clone());
        let meant = self.ledger.values().filter(|entry| is_meant(entry));
        let mut newest: Vec<Entry> = meant
            .filter(|entry| after.as_ref().is_none_or(|after| key(entry) < *after))
            .cloned()
            .collect();
        newest.sort_by_key(|entry| std::cmp::Reverse(key(entry)));
        newest.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        newest
    }

    pub fn forget(&mut self, events: &[EventId]) {
        let gone = events.iter().filter_map(|event| self.ledger.remove_entry(event));
        self.forgotten.extend(gone);
    }

    pub(super) fn are_new(&self, events: &[Event]) -> Result<(), StoreError> {
        if ids(events).len() != events.len() {
            return Err(StoreError::Unavailable("a transaction takes each row once".into()));
        }
        let known = events.iter().any(|event| self.ledger.contains_key(&event.event_id));
        if known { Err(StoreError::Conflict) } else { Ok(()) }
    }

    pub(super) fn decide(&mut self, connector: &Location, events: &[Event]) {
        let entry = |event: &Event| Entry {
            event: event.clone(),
            connector: connector.clone(),
            published_at: None,
        };
        self.ledger.extend(events.iter().map(|event| (event.event_id.clone(), entry(event))));
    }

    pub fn unpublished(&self, events: &[EventId]) -> Vec<Event> {
        let waiting = events
            .iter()
            .filter_map(|event| self.ledger.get(event))
            .filter(|entry| entry.published_at.is_none());
        waiting.map(|entry| entry.event.clone()).collect()
    }

    pub fn mark_published(
        &mut self,
        location: &Location,
        events: &[Event],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let known = events.iter().all(|event| self.ledger.contains_key(&event.event_id));
        let row =
            self.connectors.get_mut(location).filter(|_| known).ok_or(StoreError::Conflict)?;
        for event in events {
            row.connector.outbox.unpublished.remove(&event.event_id);
            if let Some(entry) = self.ledger.get_mut(&event.event_id) {
                entry.published_at = Some(now);
            }
        }
        Ok(())
    }

    pub fn schedule(
        &mut self,
        location: &Location,
        version: u64,
        checked_at: Option<Timestamp>,
        next_sweep: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let row = self.at_version(location, version)?;
        row.connector.checked_at = checked_at.or(row.connector.checked_at);
        row.next_sweep = next_sweep;
        Ok(())
    }

    pub fn put_off(&mut self, location: &Location, until: Timestamp) -> Result<(), StoreError> {
        let row = self.connectors.get_mut(location).ok_or(StoreError::Conflict)?;
        row.next_sweep = Some(row.next_sweep.map(|_| until).ok_or(StoreError::Conflict)?);
        Ok(())
    }

    /// Deletes the published events whose time to live is over.
    pub fn expire_ledger(&mut self, now: Timestamp) {
        let is_over = |entry: &Entry| {
            entry.published_at.is_some() && entry.event.decided_at.after(LEDGER_HORIZON) <= now
        };
        let gone: Vec<EventId> = self
            .ledger
            .iter()
            .filter(|(_, entry)| is_over(entry))
            .map(|(event, _)| event.clone())
            .collect();
        let gone = gone.iter().filter_map(|event| self.ledger.remove_entry(event));
        self.forgotten.extend(gone.collect::<Vec<_>>());
    }

    fn sweeps(&self) -> impl Iterator<Item = (Timestamp, Due)> {
        self.connectors
            .iter()
            .filter_map(|(at, row)| Some((row.next_sweep?, Due::Connector(at.clone()))))
    }

    fn forgotten(&self) -> impl Iterator<Item = (Timestamp, Due)> {
        self.ledger.values().filter(|entry| entry.published_at.is_none()).map(
            |Entry { event, connector, .. }| {
                (
                    event.decided_at.after(FORGOTTEN_AFTER),
                    Due::Event { event_id: event.event_id.clone(), connector: connector.clone() },
                )
            },
        )
    }

    pub fn next_due(&self) -> Option<Timestamp> {
        self.sweeps().chain(self.forgotten()).map(|(at, _)| at).min()
    }

    /// Connectors first, so that events whose publication keeps failing do not delay the renewal of
    /// watches.
    pub fn due(&self, of_shard: u8, now: Timestamp, most: u32) -> Vec<Due> {
        let by_now = |due: &mut dyn Iterator<Item = (Timestamp, Due)>| {
            let mut due: Vec<_> =
                due.filter(|(at, due)| *at <= now && shard(due) == of_shard).collect();
            due.sort_by_key(|(at, _)| *at);
            due.into_iter()
                .map(|(_, due)| due)
                .take(usize::try_from(most).unwrap_or(usize::MAX))
                .collect()
        };
        let (connectors, events): (Vec<Due>, Vec<Due>) =
            (by_now(&mut self.sweeps()), by_now(&mut self.forgotten()));
        [connectors, events].concat()
    }
}

pub(super) fn ids(events: &[Event]) -> BTreeSet<EventId> {
    events.iter().map(|event| event.event_id.clone()).collect()
}

/// Writes `after` only if it differs from what was read: other values stay as they are stored.
fn differing<T: Clone + PartialEq>(stored: &mut T, before: &T, after: &T) {
    if before != after {
        stored.clone_from(after);
    }
}

fn shard(due: &Due) -> u8 {
    let (Due::Connector(at) | Due::Event { connector: at, .. }) = due;
    fingerprint(&[at.connector.as_str()]).as_bytes()[0] % SWEEP_SHARDS
}

/// What a table gives back of what was written to it.
fn as_stored(position: &Position) -> Position {
    let written = serde_json::to_value(position).expect("a position is JSON");
    serde_json::from_value(written).expect("a position is read as it was written")
}

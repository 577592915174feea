//! The rows of the store and the conditions of its contract: every check comes before the first change.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use email_connectors::domain::connector::{Connector, Location, Slot, Status};
use email_connectors::domain::firing::Firing;
use email_connectors::domain::id::{ConnectorId, EventId, OwnerId, TriggerId, fingerprint};
use email_connectors::domain::secret::WrappedKey;
use email_connectors::domain::sweep::first_sweep;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::trigger::Trigger;
use email_connectors::ports::{Commit, Due, Exchange, SWEEP_SHARDS, StoreError};
use uuid::Uuid;

/// How old an unpublished firing is before the renewer is told of it.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);
const KEEP_EXCHANGES: Duration = Duration::from_secs(600);

#[derive(Default)]
pub(crate) struct Tables {
    pub connectors: BTreeMap<Location, Row>,
    pub slots: BTreeMap<(OwnerId, Slot), Location>,
    pub exchanges: BTreeMap<(OwnerId, Uuid), (ConnectorId, Timestamp)>,
    pub triggers: BTreeMap<TriggerId, (Location, Trigger)>,
    pub ledger: BTreeMap<EventId, Entry>,
    pub data_key: Option<WrappedKey>,
}

#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub connector: Connector,
    pub next_sweep: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub firing: Firing,
    pub connector: Location,
    pub published_at: Option<Timestamp>,
}

impl Tables {
    pub fn at(&self, location: &Location) -> Option<Connector> {
        self.connectors.get(location).map(|row| row.connector.clone())
    }

    pub fn of_owner(&self, owner: &OwnerId) -> impl Iterator<Item = &Connector> {
        self.connectors.values().map(|row| &row.connector).filter(move |connector| connector.owner_id == *owner)
    }

    pub fn triggers_of(&self, location: &Location) -> Vec<Trigger> {
        self.triggers.values().filter(|(at, _)| at == location).map(|(_, trigger)| trigger.clone()).collect()
    }

    fn at_version(&mut self, location: &Location, version: u64) -> Result<&mut Row, StoreError> {
        self.connectors.get_mut(location).filter(|row| row.connector.version == version).ok_or(StoreError::Conflict)
    }

    pub fn of_generation(&mut self, location: &Location, generation: u64) -> Result<&mut Row, StoreError> {
        self.connectors.get_mut(location).filter(|row| row.connector.generation == generation).ok_or(StoreError::Conflict)
    }

    pub fn create(&mut self, connector: &Connector, exchange: &Exchange) -> Result<(), StoreError> {
        let (location, slot) = (connector.location(), (connector.owner_id.clone(), connector.slot.clone()));
        if self.slots.contains_key(&slot) || self.connectors.contains_key(&location) {
            return Err(StoreError::Conflict);
        }
        self.slots.insert(slot, location.clone());
        self.connectors.insert(location, Row { connector: connector.clone(), next_sweep: Some(first_sweep(exchange.at)) });
        self.remember(connector, exchange);
        Ok(())
    }

    pub fn reconnect(&mut self, connector: &Connector, version: u64, exchange: &Exchange) -> Result<(), StoreError> {
        let row = self.at_version(&connector.location(), version)?;
        let held = &mut row.connector;
        held.status = connector.status;
        held.granted_scopes = connector.granted_scopes.clone();
        held.generation = connector.generation;
        held.refresh_token = connector.refresh_token.clone();
        held.access_token = None;
        held.last_error = None;
        held.updated_at = connector.updated_at;
        held.version += 1;
        row.next_sweep = Some(first_sweep(exchange.at));
        self.remember(connector, exchange);
        Ok(())
    }

    fn remember(&mut self, connector: &Connector, exchange: &Exchange) {
        self.exchanges.insert((connector.owner_id.clone(), exchange.fingerprint), (connector.id.clone(), exchange.at));
    }

    pub fn exchanged(&self, owner: &OwnerId, exchange: &Exchange) -> Option<ConnectorId> {
        let (connector, at) = self.exchanges.get(&(owner.clone(), exchange.fingerprint))?;
        (exchange.at < at.after(KEEP_EXCHANGES)).then(|| connector.clone())
    }

    pub fn remove(&mut self, connector: &Connector, triggers: &[TriggerId]) -> Result<(), StoreError> {
        let location = connector.location();
        if !self.at_version(&location, connector.version)?.connector.unpublished.is_empty() {
            return Err(StoreError::Conflict);
        }
        self.connectors.remove(&location);
        self.slots.remove(&(connector.owner_id.clone(), connector.slot.clone()));
        self.triggers.retain(|id, _| !triggers.contains(id));
        Ok(())
    }

    pub fn put_trigger(&mut self, trigger: &Trigger, location: &Location, version: u64) -> Result<(), StoreError> {
        self.at_version(location, version)?.connector.version += 1;
        self.triggers.insert(trigger.id.clone(), (location.clone(), trigger.clone()));
        Ok(())
    }

    pub fn remove_trigger(&mut self, trigger: &Trigger, location: &Location, version: u64) -> Result<(), StoreError> {
        self.at_version(location, version)?.connector.version += 1;
        self.triggers.remove(&trigger.id);
        Ok(())
    }

    pub fn commit(&mut self, location: &Location, version: u64, commit: &Commit) -> Result<(), StoreError> {
        let events: BTreeSet<EventId> = commit.firings.iter().map(|firing| firing.event_id.clone()).collect();
        if events.len() != commit.firings.len() || events.len() > Commit::MOST_FIRINGS {
            return Err(StoreError::Unavailable("a transaction takes each row once, and no more than a hundred".into()));
        }
        let decided = events.iter().any(|event| self.ledger.contains_key(event));
        let row = self.at_version(location, version)?;
        if decided {
            return Err(StoreError::Conflict);
        }
        row.connector.version += 1;
        row.connector.updated_at = commit.now;
        if let Some(progress) = commit.progress {
            row.connector.history_id = progress.cursor;
            row.connector.listed_at = Some(progress.listed_at);
        }
        if !events.is_empty() {
            row.connector.last_event_at = Some(commit.now);
            row.connector.unpublished.extend(events);
        }
        for firing in &commit.firings {
            let entry = Entry { firing: firing.clone(), connector: location.clone(), published_at: None };
            self.ledger.insert(firing.event_id.clone(), entry);
        }
        Ok(())
    }

    pub fn unpublished(&self, events: &[EventId]) -> Vec<Firing> {
        let waiting = events.iter().filter_map(|event| self.ledger.get(event)).filter(|entry| entry.published_at.is_none());
        waiting.map(|entry| entry.firing.clone()).collect()
    }

    pub fn mark_published(&mut self, location: &Location, firings: &[Firing], now: Timestamp) -> Result<(), StoreError> {
        let known = firings.iter().all(|firing| self.ledger.contains_key(&firing.event_id));
        let row = self.connectors.get_mut(location).filter(|_| known).ok_or(StoreError::Conflict)?;
        for firing in firings {
            row.connector.unpublished.remove(&firing.event_id);
            if let Some(entry) = self.ledger.get_mut(&firing.event_id) {
                entry.published_at = Some(now);
            }
        }
        Ok(())
    }

    pub fn set_status(
        &mut self,
        location: &Location,
        version: u64,
        status: Status,
        error: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = self.at_version(location, version)?;
        row.connector.version += 1;
        row.connector.status = status;
        row.connector.last_error = error.map(String::from);
        row.connector.updated_at = now;
        row.next_sweep = (status == Status::Active).then_some(now);
        Ok(())
    }

    /// Connectors first, so that firings that nobody can publish keep no watch from being renewed.
    pub fn due(&self, of_shard: u8, now: Timestamp, most: u32) -> Vec<Due> {
        let swept = self.connectors.iter().filter_map(|(at, row)| Some((row.next_sweep?, Due::Connector(at.clone()))));
        let waiting = self.ledger.values().filter(|entry| entry.published_at.is_none());
        let forgotten = waiting.map(|Entry { firing, connector, .. }| {
            (firing.decided_at.after(FORGOTTEN_AFTER), Due::Firing { event_id: firing.event_id.clone(), connector: connector.clone() })
        });
        let by_now = |due: &mut dyn Iterator<Item = (Timestamp, Due)>| {
            let mut due: Vec<_> = due.filter(|(at, due)| *at <= now && shard(due) == of_shard).collect();
            due.sort_by_key(|(at, _)| *at);
            due.into_iter().map(|(_, due)| due).take(usize::try_from(most).unwrap_or(usize::MAX)).collect()
        };
        let (connectors, firings): (Vec<Due>, Vec<Due>) = (by_now(&mut { swept }), by_now(&mut { forgotten }));
        [connectors, firings].concat()
    }
}

fn shard(due: &Due) -> u8 {
    let (Due::Connector(at) | Due::Firing { connector: at, .. }) = due;
    fingerprint(&[at.connector.as_str()]).as_bytes()[0] % SWEEP_SHARDS
}

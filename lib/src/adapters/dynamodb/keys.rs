//! The keys of all rows in the one table.
//!
//! | pk | sk | row |
//! |---|---|---|
//! | `MAILBOX#<key of the mailbox>` | `CONNECTOR#<id>` | a connector; several owners may share a mailbox |
//! | `MAILBOX#<key of the mailbox>` | `CONNECTOR#<id>#TRIGGER#<id>` | a trigger, as the processor reads it: after its connector |
//! | `OWNER#<owner>` | `CONNECTOR#<id>` | the location of the connector |
//! | `OWNER#<owner>` | `SLOT#<slot>` | the connector in the slot, which makes it unique |
//! | `OWNER#<owner>` | `TRIGGER#<id>` | the same trigger, as its owner reads it |
//! | `OWNER#<owner>` | `EXCHANGE#<fingerprint>` | which connector a code led to, for ten minutes |
//! | `OWNER#<owner>` | `CONSENT#<state's fingerprint>` | a pending consent: its PKCE verifier, for ten minutes, taken once |
//! | `OWNER#<owner>` | `SESSION#<token's fingerprint>` | a connect session, for a quarter of an hour |
//! | `OWNER#<owner>` | `REQUEST#<fingerprint>` | the answer to a request with an Idempotency-Key, for a day |
//! | `ACCOUNT#<account>` | `MEMBERS` | who shares the account; kept for 40 days after the last one left |
//! | `HOOK#<trigger>` | `HOOK` | owner and sealed secret of a `webhook` trigger, found without its owner |
//! | `SEEN#<what>` | `SEEN` | an id that must be acted on only once, until it cannot come again |
//! | `EVENT#<event>` | `EVENT` | a decided event of any type: outbox row first, delivery record for 30 days |
//! | `SERVICE` | `DATA_KEY` | the wrapped data key |

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;

use crate::domain::connector::{Location, Slot};
use crate::domain::id::{AccountId, ConnectorId, EventId, OwnerId, TriggerId};
use crate::domain::mailbox_key::MailboxKey;
use crate::ports::{Exchange, SWEEP_SHARDS, StoreError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub pk: String,
    pub sk: String,
}

pub type Item = HashMap<String, AttributeValue>;

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    pub fn attributes(&self) -> Item {
        HashMap::from([
            ("pk".into(), AttributeValue::S(self.pk.clone())),
            ("sk".into(), AttributeValue::S(self.sk.clone())),
        ])
    }
}

pub fn mailbox(mailbox: &MailboxKey) -> String {
    format!("MAILBOX#{mailbox}")
}

pub fn owner(owner: &OwnerId) -> String {
    format!("OWNER#{owner}")
}

pub fn connector(location: &Location) -> Key {
    Key::new(mailbox(&location.mailbox), format!("CONNECTOR#{}", location.connector))
}

pub fn trigger(location: &Location, trigger: &TriggerId) -> Key {
    Key::new(
        mailbox(&location.mailbox),
        format!("CONNECTOR#{}#TRIGGER#{trigger}", location.connector),
    )
}

/// The triggers of a connector, in its mailbox.
pub fn triggers_of(connector: &ConnectorId) -> String {
    format!("{CONNECTOR_PREFIX}{connector}#TRIGGER#")
}

pub const CONNECTOR_PREFIX: &str = "CONNECTOR#";
pub const TRIGGER_PREFIX: &str = "TRIGGER#";
const EXCHANGE_PREFIX: &str = "EXCHANGE#";
const CONSENT_PREFIX: &str = "CONSENT#";
const REQUEST_PREFIX: &str = "REQUEST#";
const SESSION_PREFIX: &str = "SESSION#";
/// Prefixes of the rows that an owner's requests leave, for minutes or a day.
pub const OF_REQUESTS: [&str; 4] =
    [EXCHANGE_PREFIX, CONSENT_PREFIX, SESSION_PREFIX, REQUEST_PREFIX];

/// The key of a row that was read.
pub fn of(row: &Item) -> Result<Key, StoreError> {
    let text = |name: &str| row.get(name).and_then(|value| value.as_s().ok()).cloned();
    text("pk")
        .zip(text("sk"))
        .map(|(pk, sk)| Key { pk, sk })
        .ok_or_else(|| StoreError::Unreadable("it has no key".into()))
}

pub fn is_trigger(sk: &str) -> bool {
    sk.contains("#TRIGGER#")
}

pub fn owned_connector(of: &OwnerId, connector: &ConnectorId) -> Key {
    Key::new(owner(of), format!("{CONNECTOR_PREFIX}{connector}"))
}

pub fn owned_trigger(of: &OwnerId, trigger: &TriggerId) -> Key {
    Key::new(owner(of), format!("{TRIGGER_PREFIX}{trigger}"))
}

pub fn slot(of: &OwnerId, slot: &Slot) -> Key {
    Key::new(owner(of), format!("SLOT#{}", slot.as_str()))
}

pub fn exchange(of: &OwnerId, exchange: &Exchange) -> Key {
    Key::new(owner(of), format!("{EXCHANGE_PREFIX}{}", exchange.fingerprint.simple()))
}

pub fn consent(of: &OwnerId, state: Uuid) -> Key {
    Key::new(owner(of), format!("{CONSENT_PREFIX}{}", state.simple()))
}

pub fn session(of: &OwnerId, id: Uuid) -> Key {
    Key::new(owner(of), format!("{SESSION_PREFIX}{}", id.simple()))
}

pub fn request(of: &OwnerId, name: Uuid) -> Key {
    Key::new(owner(of), format!("{REQUEST_PREFIX}{}", name.simple()))
}

pub fn membership(account: &AccountId) -> Key {
    Key::new(format!("ACCOUNT#{account}"), "MEMBERS")
}

pub fn hook(trigger: &TriggerId) -> Key {
    Key::new(format!("HOOK#{trigger}"), "HOOK")
}

pub fn seen(what: &str) -> Key {
    Key::new(format!("SEEN#{what}"), "SEEN")
}

const EVENT: &str = "EVENT";

pub fn event(event: &EventId) -> Key {
    Key::new(format!("{EVENT}#{event}"), EVENT)
}

pub fn data_key() -> Key {
    Key::new("SERVICE".into(), "DATA_KEY")
}

/// What an index entry refers to: the event of an event row, or the connector of a connector row.
pub enum Indexed {
    Event(EventId),
    Connector(Location),
}

pub fn read_event(pk: &str) -> Option<EventId> {
    pk.strip_prefix("EVENT#").map(EventId::new)
}

pub fn read_indexed(pk: &str, sk: &str) -> Option<Indexed> {
    if sk == EVENT {
        return read_event(pk).map(Indexed::Event);
    }
    let mailbox = MailboxKey::parse(pk.strip_prefix("MAILBOX#")?).ok()?;
    Some(Indexed::Connector(Location {
        mailbox,
        connector: ConnectorId::new(sk.strip_prefix(CONNECTOR_PREFIX)?),
    }))
}

/// The shard of the sparse index that a connector's rows are in.
pub fn shard(connector: &ConnectorId) -> u8 {
    connector.as_str().bytes().fold(0, u8::wrapping_add) % SWEEP_SHARDS
}

/// Connectors and events have shards of their own: while many events wait, watches are still
/// renewed.
pub fn connector_shard(shard: u8) -> String {
    format!("connector#{shard}")
}

pub fn event_shard(shard: u8) -> String {
    format!("event#{shard}")
}

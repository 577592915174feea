//! The rows' shapes, and their way to and from the domain. Secrets are stored as binary, moments as RFC 3339, what the
//! table itself compares (`due_at`, `expires_at`, seconds) as numbers.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::keys::{Item, Key};
use crate::domain::connector::{Connector, Provider, Slot, Status};
use crate::domain::email_address::EmailAddress;
use crate::domain::firing::Firing;
use crate::domain::history_id::HistoryId;
use crate::domain::id::{ConnectorId, EventId, GoogleSub, MessageId, OwnerId, TriggerId};
use crate::domain::secret::{Sealed, SealedAccessToken};
use crate::domain::timestamp::Timestamp;
use crate::domain::watch::Watch;
use crate::ports::StoreError;

/// Raised when a stored row can no longer be read as it is.
pub const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
pub struct ConnectorRow {
    schema_version: u32,
    id: ConnectorId,
    owner_id: OwnerId,
    provider: Provider,
    slot: Slot,
    email_address: EmailAddress,
    google_sub: GoogleSub,
    status: Status,
    granted_scopes: Vec<String>,
    version: u64,
    generation: u64,
    history_id: HistoryId,
    #[serde(skip_serializing_if = "Option::is_none")]
    listed_at: Option<Timestamp>,
    watch: Watch,
    refresh_token: ByteBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<AccessTokenRow>,
    #[serde(default, with = "serde_dynamo::string_set", skip_serializing_if = "BTreeSet::is_empty")]
    unpublished: BTreeSet<EventId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    connected_at: Timestamp,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
pub struct AccessTokenRow {
    key: ByteBuf,
    token: ByteBuf,
    expires_at: Timestamp,
}

impl From<&Connector> for ConnectorRow {
    fn from(connector: &Connector) -> Self {
        let connector = connector.clone();
        Self {
            schema_version: SCHEMA_VERSION,
            id: connector.id,
            owner_id: connector.owner_id,
            provider: connector.provider,
            slot: connector.slot,
            email_address: connector.email_address,
            google_sub: connector.google_sub,
            status: connector.status,
            granted_scopes: connector.granted_scopes,
            version: connector.version,
            generation: connector.generation,
            history_id: connector.history_id,
            listed_at: connector.listed_at,
            watch: connector.watch,
            refresh_token: ByteBuf::from(connector.refresh_token.0),
            access_token: connector.access_token.as_ref().map(AccessTokenRow::from),
            unpublished: connector.unpublished,
            last_event_at: connector.last_event_at,
            last_error: connector.last_error,
            connected_at: connector.connected_at,
            created_at: connector.created_at,
            updated_at: connector.updated_at,
        }
    }
}

impl From<ConnectorRow> for Connector {
    fn from(row: ConnectorRow) -> Self {
        Self {
            id: row.id,
            owner_id: row.owner_id,
            provider: row.provider,
            slot: row.slot,
            email_address: row.email_address,
            google_sub: row.google_sub,
            status: row.status,
            granted_scopes: row.granted_scopes,
            version: row.version,
            generation: row.generation,
            history_id: row.history_id,
            listed_at: row.listed_at,
            watch: row.watch,
            refresh_token: Sealed(row.refresh_token.into_vec()),
            access_token: row.access_token.map(SealedAccessToken::from),
            unpublished: row.unpublished,
            last_event_at: row.last_event_at,
            last_error: row.last_error,
            connected_at: row.connected_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl From<&SealedAccessToken> for AccessTokenRow {
    fn from(sealed: &SealedAccessToken) -> Self {
        Self { key: ByteBuf::from(sealed.key.0.clone()), token: ByteBuf::from(sealed.token.0.clone()), expires_at: sealed.expires_at }
    }
}

impl From<AccessTokenRow> for SealedAccessToken {
    fn from(row: AccessTokenRow) -> Self {
        Self { key: Sealed(row.key.into_vec()), token: Sealed(row.token.into_vec()), expires_at: row.expires_at }
    }
}

/// Where one of an owner's connectors lies; also the row of a slot and of an exchange.
#[derive(Serialize, Deserialize)]
pub struct PointerRow {
    pub connector_id: ConnectorId,
    pub mailbox: EmailAddress,
    /// In seconds; only an exchange is forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

#[derive(Serialize, Deserialize)]
pub struct FiringRow {
    schema_version: u32,
    event_id: EventId,
    trigger_id: TriggerId,
    message_id: MessageId,
    pub connector_id: ConnectorId,
    pub mailbox: EmailAddress,
    decided_at: Timestamp,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    expires_at: i64,
    /// Present until published: what puts the row into the sparse index.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_shard: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<i64>,
}

impl FiringRow {
    pub fn new(
        firing: &Firing,
        connector_id: ConnectorId,
        mailbox: EmailAddress,
        expires_at: Timestamp,
        due: &(String, Timestamp),
    ) -> Self {
        let firing = firing.clone();
        Self {
            schema_version: SCHEMA_VERSION,
            event_id: firing.event_id,
            trigger_id: firing.trigger_id,
            message_id: firing.message_id,
            connector_id,
            mailbox,
            decided_at: firing.decided_at,
            detail: firing.detail,
            published_at: None,
            expires_at: expires_at.seconds(),
            due_shard: Some(due.0.clone()),
            due_at: Some(due.1.seconds()),
        }
    }
}

impl From<FiringRow> for Firing {
    fn from(row: FiringRow) -> Self {
        Self {
            event_id: row.event_id,
            trigger_id: row.trigger_id,
            message_id: row.message_id,
            decided_at: row.decided_at,
            detail: row.detail,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub struct DataKeyRow {
    pub key: ByteBuf,
}

/// A row with its key.
pub fn item(key: &Key, row: &impl Serialize) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(row).map_err(unreadable)?;
    item.extend(key.attributes());
    Ok(item)
}

pub fn read<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(unreadable)
}

pub fn attribute(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value).map_err(unreadable)
}

fn unreadable(error: serde_dynamo::Error) -> StoreError {
    StoreError::Unreadable(error.to_string())
}

pub fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

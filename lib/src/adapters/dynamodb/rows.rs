//! The rows' shapes, and their way to and from the domain. Secrets are stored as binary, moments as
//! RFC 3339, what the table itself compares (`due_at`, `expires_at`, seconds) as numbers.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::keys::{Item, Key};
use crate::domain::connect_session::ConnectSession;
use crate::domain::connector::{
    Closing, Connector, Location, Outbox, Provider, Reading, Slot, StoredGrant,
};
use crate::domain::email_address::EmailAddress;
use crate::domain::event::{DetailType, Event};
use crate::domain::id::{AccountId, ConnectorId, EventId, MessageId, OwnerId, TriggerId};
use crate::domain::mailbox_key::MailboxKey;
use crate::domain::membership::Membership;
use crate::domain::schema_version::SchemaVersion;
use crate::domain::secret::{Sealed, SealedAccessToken};
use crate::domain::timestamp::Timestamp;
use crate::domain::watch::Watch;
use crate::ports::{CONSENT_LIFE, Delivery, PendingConsent, StoreError};

/// Raised when the rows change incompatibly: an older deployment then refuses them.
type RowVersion = SchemaVersion<1>;

/// Each part of a connector has the attributes of its fields, side by side.
#[derive(Serialize, Deserialize)]
pub struct ConnectorRow {
    schema_version: RowVersion,
    id: ConnectorId,
    owner_id: OwnerId,
    provider: Provider,
    slot: Slot,
    email_address: EmailAddress,
    #[serde(rename = "google_sub")]
    account: AccountId,
    #[serde(flatten)]
    grant: GrantRow,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<AccessTokenRow>,
    #[serde(flatten)]
    reading: Reading,
    watch: Watch,
    #[serde(skip_serializing_if = "Option::is_none")]
    checked_at: Option<Timestamp>,
    #[serde(
        default,
        with = "serde_dynamo::string_set",
        skip_serializing_if = "BTreeSet::is_empty"
    )]
    unpublished: BTreeSet<EventId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closing: Option<Closing>,
    version: u64,
    connected_at: Timestamp,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
pub struct GrantRow {
    granted_scopes: Vec<String>,
    generation: u64,
    refresh_token: ByteBuf,
    /// Absent from older rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    granted_at: Option<Timestamp>,
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
            schema_version: SchemaVersion,
            id: connector.id,
            owner_id: connector.owner_id,
            provider: connector.provider,
            slot: connector.slot,
            email_address: connector.email_address,
            account: connector.account,
            grant: GrantRow::from(&connector.grant),
            access_token: connector.access_token.as_ref().map(AccessTokenRow::from),
            reading: connector.reading,
            watch: connector.watch,
            checked_at: connector.checked_at,
            unpublished: connector.outbox.unpublished,
            last_event_at: connector.outbox.last_event_at,
            closing: connector.closing,
            version: connector.version,
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
            account: row.account,
            grant: StoredGrant {
                scopes: row.grant.granted_scopes,
                generation: row.grant.generation,
                refresh_token: Sealed(row.grant.refresh_token.into_vec()),
                granted_at: row.grant.granted_at.unwrap_or(row.connected_at),
            },
            access_token: row.access_token.map(SealedAccessToken::from),
            reading: row.reading,
            watch: row.watch,
            checked_at: row.checked_at,
            outbox: Outbox { unpublished: row.unpublished, last_event_at: row.last_event_at },
            closing: row.closing,
            version: row.version,
            connected_at: row.connected_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl From<&StoredGrant> for GrantRow {
    fn from(grant: &StoredGrant) -> Self {
        Self {
            granted_scopes: grant.scopes.clone(),
            generation: grant.generation,
            refresh_token: ByteBuf::from(grant.refresh_token.0.clone()),
            granted_at: Some(grant.granted_at),
        }
    }
}

impl From<&SealedAccessToken> for AccessTokenRow {
    fn from(sealed: &SealedAccessToken) -> Self {
        Self {
            key: ByteBuf::from(sealed.key.0.clone()),
            token: ByteBuf::from(sealed.token.0.clone()),
            expires_at: sealed.expires_at,
        }
    }
}

impl From<AccessTokenRow> for SealedAccessToken {
    fn from(row: AccessTokenRow) -> Self {
        Self {
            key: Sealed(row.key.into_vec()),
            token: Sealed(row.token.into_vec()),
            expires_at: row.expires_at,
        }
    }
}

/// The location of one of an owner's connectors; also the row of a slot and of an exchange.
#[derive(Serialize, Deserialize)]
pub struct PointerRow {
    pub connector_id: ConnectorId,
    pub mailbox: MailboxKey,
    /// In seconds; only an exchange expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

#[derive(Serialize, Deserialize)]
pub struct EventRow {
    schema_version: RowVersion,
    pub event_id: EventId,
    detail_type: DetailType,
    /// With `decided_at`, the key of the index `fired`.
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger_id: Option<TriggerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<MessageId>,
    pub connector_id: ConnectorId,
    pub mailbox: MailboxKey,
    decided_at: Timestamp,
    /// The connector's id again, with `decided_at` the key of the index `told`; absent from older
    /// rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    told_of: Option<ConnectorId>,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    expires_at: i64,
    /// The key of the sparse index `due`; present until the event is published.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_shard: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<i64>,
}

impl EventRow {
    /// The row of an event that was just decided, due from `due_at` on.
    pub fn new(
        event: &Event,
        connector: &Location,
        due_shard: String,
        due_at: Timestamp,
        expires_at: Timestamp,
    ) -> Self {
        let event = event.clone();
        Self {
            schema_version: SchemaVersion,
            event_id: event.event_id,
            detail_type: event.detail_type,
            trigger_id: event.trigger_id,
            message_id: event.message_id,
            connector_id: connector.connector.clone(),
            mailbox: connector.mailbox.clone(),
            decided_at: event.decided_at,
            told_of: Some(connector.connector.clone()),
            detail: event.detail,
            published_at: None,
            expires_at: expires_at.seconds(),
            due_shard: Some(due_shard),
            due_at: Some(due_at.seconds()),
        }
    }
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Self {
        Self {
            event_id: row.event_id,
            detail_type: row.detail_type,
            trigger_id: row.trigger_id,
            message_id: row.message_id,
            decided_at: row.decided_at,
            detail: row.detail,
        }
    }
}

impl From<EventRow> for Delivery {
    fn from(row: EventRow) -> Self {
        Self { published_at: row.published_at, event: row.into() }
    }
}

#[derive(Serialize, Deserialize)]
pub struct MembershipRow {
    schema_version: RowVersion,
    #[serde(flatten)]
    membership: Membership,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

impl MembershipRow {
    /// An account without connectors expires once nothing of its revocation can be on its way any
    /// more.
    pub fn new(membership: &Membership, keep_empty: Duration) -> Self {
        let empty = membership.members.is_empty() && membership.closing.is_none();
        let expires_at = membership
            .revoked_at
            .filter(|_| empty)
            .map(|revoked| revoked.after(keep_empty).seconds());
        Self { schema_version: SchemaVersion, membership: membership.clone(), expires_at }
    }
}

impl From<MembershipRow> for Membership {
    fn from(row: MembershipRow) -> Self {
        row.membership
    }
}

#[derive(Serialize, Deserialize)]
pub struct ConsentRow {
    pub code_verifier: String,
    pub asked_at: Timestamp,
    pub expires_at: i64,
}

impl From<&PendingConsent> for ConsentRow {
    fn from(consent: &PendingConsent) -> Self {
        Self {
            code_verifier: consent.code_verifier.expose_secret().to_string(),
            asked_at: consent.asked_at,
            expires_at: consent.asked_at.after(CONSENT_LIFE).seconds(),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub struct SessionRow {
    #[serde(flatten)]
    pub session: ConnectSession,
    expires_at: i64,
}

impl From<&ConnectSession> for SessionRow {
    fn from(session: &ConnectSession) -> Self {
        Self { session: session.clone(), expires_at: session.until.seconds() }
    }
}

#[derive(Serialize, Deserialize)]
pub struct RequestRow {
    pub body: uuid::Uuid,
    pub claimed_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    pub expires_at: i64,
}

#[derive(Serialize, Deserialize)]
pub struct SeenRow {
    pub expires_at: i64,
}

#[derive(Serialize, Deserialize)]
pub struct DataKeyRow {
    pub key: ByteBuf,
}

/// A row with its key.
pub fn item(key: &Key, row: &impl Serialize) -> Result<Item, StoreError> {
    let mut item = parts(row)?;
    item.extend(key.attributes());
    Ok(item)
}

/// The attributes of a part of a row.
pub fn parts(part: &impl Serialize) -> Result<Item, StoreError> {
    serde_dynamo::to_item(part).map_err(unreadable)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::circuit::Circuit;
    use crate::domain::connector::Status;
    use crate::domain::pause;
    use crate::domain::position::Position;
    use crate::domain::quota::Spent;

    /// The row as a version reads it that does not know the parts; without it no rollback is
    /// possible.
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "it is only read")]
    struct OlderRow {
        schema_version: RowVersion,
        id: ConnectorId,
        owner_id: OwnerId,
        provider: Provider,
        slot: Slot,
        email_address: EmailAddress,
        label: Option<String>,
        #[serde(rename = "google_sub")]
        account: AccountId,
        status: Status,
        granted_scopes: Vec<String>,
        version: u64,
        generation: u64,
        position: Position,
        watch: Watch,
        verified_at: Option<Timestamp>,
        lapse_told: Option<Timestamp>,
        flushed_at: Option<Timestamp>,
        checked_at: Option<Timestamp>,
        #[serde(default)]
        circuit: Circuit,
        #[serde(default)]
        spent: Spent,
        #[serde(default)]
        pauses: Vec<pause::Pause>,
        refresh_token: ByteBuf,
        access_token: Option<BTreeMap<String, serde_dynamo::AttributeValue>>,
        #[serde(default, with = "serde_dynamo::string_set")]
        unpublished: BTreeSet<EventId>,
        last_event_at: Option<Timestamp>,
        last_error: Option<String>,
        closing: Option<Closing>,
        connected_at: Timestamp,
        granted_at: Option<Timestamp>,
        created_at: Timestamp,
        updated_at: Timestamp,
    }

    const AT: Timestamp = Timestamp::from_seconds(1_000_000);

    fn full() -> Connector {
        let bare = Connector::sample(AT);
        Connector {
            grant: StoredGrant { refresh_token: Sealed(vec![0, 159, 255]), ..bare.grant },
            reading: Reading {
                status: Status::NeedsReauth,
                last_error: Some("gone".into()),
                label: Some("Post".into()),
                pauses: pause::set(&[], true, AT),
                circuit: Circuit { failures: 7, open_until: Some(AT) },
                spent: Spent::default().and(7, AT),
                verified_at: Some(AT),
                lapse_notified_at: Some(AT),
                outbox_taken_at: Some(AT),
                ..bare.reading
            },
            checked_at: Some(AT),
            outbox: Outbox {
                unpublished: BTreeSet::from([EventId::new("evt_1")]),
                last_event_at: Some(AT),
            },
            closing: Some(Closing {
                since: AT,
                last: true,
                watch_stopped: Some(true),
                grant_revoked: None,
            }),
            ..bare
        }
    }

    #[test]
    fn an_older_version_reads_the_rows_of_this_one() {
        for connector in [Connector::sample(AT), full()] {
            let row = parts(&ConnectorRow::from(&connector)).unwrap();
            let older: OlderRow = read(row.clone()).unwrap();
            assert_eq!(older.lapse_told, connector.reading.lapse_notified_at);
            assert_eq!(older.flushed_at, connector.reading.outbox_taken_at);
            assert_eq!(older.position, connector.reading.position);
            assert_eq!(older.refresh_token.as_ref(), connector.grant.refresh_token.0);
            assert_eq!(Connector::from(read::<ConnectorRow>(row).unwrap()), connector);
        }
    }
}

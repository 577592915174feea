//! A connector: one user's Gmail, connected, with the cursor that says what was handled.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::circuit::Circuit;
use crate::domain::email_address::EmailAddress;
use crate::domain::id::{AccountId, ConnectorId, EventId, OwnerId};
use crate::domain::mailbox_key::MailboxKey;
use crate::domain::mark::Mark;
use crate::domain::pause::Pause;
use crate::domain::position::Position;
use crate::domain::provider::{Registration, registered};
use crate::domain::quota::Spent;
use crate::domain::secret::{Sealed, SealedAccessToken};
use crate::domain::timestamp::Timestamp;
use crate::domain::watch::Watch;

pub use crate::domain::provider::kind::Provider;

/// A connector, in parts: each is written as a whole by the writer that its comment names, and by
/// nobody else.
#[derive(Debug, Clone, PartialEq)]
pub struct Connector {
    pub id: ConnectorId,
    pub owner_id: OwnerId,
    pub provider: Provider,
    /// Its slot among its owner's connectors, as uniqueness was configured when it was connected.
    pub slot: Slot,
    pub email_address: EmailAddress,
    pub account: AccountId,
    pub grant: StoredGrant,
    /// Written by the session that refreshed it.
    pub access_token: Option<SealedAccessToken>,
    pub reading: Reading,
    /// Written by a connect and by the renewer.
    pub watch: Watch,
    /// When the renewer last compared the mailbox with the cursor, or woke it.
    pub checked_at: Option<Timestamp>,
    pub outbox: Outbox,
    /// Set when a disconnect begins: nothing of the connector fires any more.
    pub closing: Option<Closing>,
    /// Raised by every connect, trigger change, status change and commit; every one of those writes
    /// is conditional on it.
    pub version: u64,
    /// The first connect of this Google account; mail older than it never fires.
    pub connected_at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What its user granted; written by connects.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredGrant {
    pub scopes: Vec<String>,
    /// Counts the connects; part of the encryption context of the access token.
    pub generation: u64,
    pub refresh_token: Sealed,
    /// When the user granted access last.
    pub granted_at: Timestamp,
}

/// The cursor and the state beside it; written by commits, each field if it differs. A connect sets
/// the status to active and removes the error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub position: Position,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// What its owner calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The times in which arriving mail does not fire.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub circuit: Circuit,
    #[serde(default, skip_serializing_if = "is_default")]
    pub spent: Spent,
    /// When the last push arrived that was published after a watch was renewed: proof that
    /// notifications come through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
    /// The watch whose lapse was reported, by its expiration.
    #[serde(default, rename = "lapse_told", skip_serializing_if = "Option::is_none")]
    pub lapse_notified_at: Option<Timestamp>,
    /// When a worker last took on what an earlier one had left in the outbox.
    #[serde(default, rename = "flushed_at", skip_serializing_if = "Option::is_none")]
    pub outbox_taken_at: Option<Timestamp>,
}

impl Reading {
    /// The state before anything was read: it begins at this cursor.
    pub fn from(cursor: Mark) -> Self {
        Self {
            position: Position::at(cursor),
            status: Status::Active,
            last_error: None,
            label: None,
            pauses: Vec::new(),
            circuit: Circuit::default(),
            spent: Spent::default(),
            verified_at: None,
            lapse_notified_at: None,
            outbox_taken_at: None,
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Events on their way to the bus: whoever decides them puts them in, whoever published them takes
/// them out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outbox {
    /// Events that were decided and not yet marked as published.
    pub unpublished: BTreeSet<EventId>,
    pub last_event_at: Option<Timestamp>,
}

impl Connector {
    /// By what its mailbox is known in keys and in the queue.
    pub fn mailbox(&self) -> MailboxKey {
        self.mailbox_at(&self.email_address)
    }

    /// The same if the mailbox had this address.
    pub fn mailbox_at(&self, address: &EmailAddress) -> MailboxKey {
        (self.registration().mailbox)(address, &self.account)
    }

    /// What its provider is to other modules.
    pub fn registration(&self) -> &'static Registration {
        registered(self.provider)
    }

    /// The reading once the grant ended: the connector waits for its user. The cursor is kept.
    pub fn without_grant(&self, reason: &str) -> Reading {
        let vendor = self.registration().vendor;
        let error = format!("{vendor} refused the grant ({reason}); the user must connect again");
        Reading { status: Status::NeedsReauth, last_error: Some(error), ..self.reading.clone() }
    }

    pub fn location(&self) -> Location {
        Location { mailbox: self.mailbox(), connector: self.id.clone() }
    }

    /// Whether a push has come since the watch was last renewed.
    pub fn is_verified(&self) -> bool {
        self.reading.verified_at.is_some_and(|published_at| self.watch.is_proven_by(published_at))
    }

    /// Whether it is to be read and watched.
    pub fn is_live(&self) -> bool {
        self.reading.status == Status::Active && self.closing.is_none()
    }

    /// When the mailbox must be looked at without a push.
    pub fn look_at(&self, settle: Duration) -> Option<Timestamp> {
        self.reading.position.look_at(settle).max(
            self.reading.circuit.open_until.filter(|_| self.reading.position.put_off.is_some()),
        )
    }
}

/// How far a connector's end has come. A step that is not there yet is tried until it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Closing {
    pub since: Timestamp,
    /// Whether it is its account's last connector, with which watch and grant end.
    pub last: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch_stopped: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_revoked: Option<bool>,
}

/// The key of a connector's row: the mailbox, and the connector in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    pub mailbox: MailboxKey,
    pub connector: ConnectorId,
}

/// The only type of connector; part of its slot.
pub const CONNECTOR_TYPE: &str = "email";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Active,
    /// Google no longer honours the grant: the user must connect again. The cursor is kept.
    NeedsReauth,
    Error,
}

/// What may exist once: one connector for each owner, type and provider, or one for each of an
/// owner's mailboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Uniqueness {
    PerProvider,
    PerMailbox,
}

/// What a connector takes among its owner's connectors; only one of them can be in a slot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slot(String);

impl Slot {
    pub fn new(uniqueness: Uniqueness, provider: Provider, account: &AccountId) -> Self {
        let base = format!("{CONNECTOR_TYPE}#{}", provider.as_str());
        match uniqueness {
            Uniqueness::PerProvider => Self(base),
            // By account, not by address: a renamed mailbox is still the same connector.
            Uniqueness::PerMailbox => Self(format!("{base}#{account}")),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Connector {
        /// A connector without events that was connected at that moment, for the tests of this
        /// crate.
        pub(crate) fn sample(at: Timestamp) -> Self {
            let account = AccountId::new("108");
            Self {
                id: ConnectorId::new("con_1"),
                owner_id: OwnerId::new("owner"),
                provider: Provider::Gmail,
                slot: Slot::new(Uniqueness::PerProvider, Provider::Gmail, &account),
                email_address: EmailAddress::parse("ada@example.com").unwrap(),
                account,
                grant: StoredGrant {
                    scopes: vec![],
                    generation: 1,
                    refresh_token: Sealed(vec![]),
                    granted_at: at,
                },
                access_token: None,
                reading: Reading::from(Mark::new(1)),
                watch: Watch::default(),
                checked_at: None,
                outbox: Outbox::default(),
                closing: None,
                version: 1,
                connected_at: at,
                created_at: at,
                updated_at: at,
            }
        }
    }
}

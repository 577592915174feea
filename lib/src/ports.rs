//! The outside world as traits, each with its contract. The adapters implement them for real, the
//! tests in memory.

mod objects;
mod provider;

use std::time::Duration;

use secrecy::SecretString;
use uuid::Uuid;

use crate::domain::claims::Claims;
use crate::domain::connect_session::ConnectSession;
use crate::domain::connector::{Closing, Connector, Location, Reading, Slot, StoredGrant};
use crate::domain::email_address::EmailAddress;
use crate::domain::event::Event;
use crate::domain::id::{AccountId, ConnectorId, EventId, OwnerId, TriggerId};
use crate::domain::mailbox_key::MailboxKey;
use crate::domain::membership::Membership;
use crate::domain::secret::{AccessToken, RefreshToken, Sealed, SealedAccessToken, WrappedKey};
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::Trigger;
use crate::domain::wake_up::WakeUp;
use crate::domain::watch::Watch;

pub use self::objects::{Objects, Shown, SignedUrl};
pub use self::provider::{
    AuthorizationCode, ConsentRequest, EmailProvider, Fetched, Grant, MessagePage, Performed,
    Profile, ProviderError, Providers, Refreshed, Sender, Uploaded, WatchRequest,
};

/// The types of all ports that flows use: AWS and Google, or a test's. It has no values: each flow
/// has fields for the ports that it needs, so that no function has a client of what its role may
/// not touch.
pub trait Ports: Send + Sync + 'static {
    type Store: Store;
    type Vault: Vault;
    type Provider: Providers;
    type WakeUps: WakeUps;
    type Depths: Depths;
    type Quarantine: Quarantine;
    type Objects: Objects;
    type Bus: EventBus;
    type Signatures: Signatures;
    type Verifier: TokenVerifier;
    type Machine: Clock + Entropy;
}

/// One of the providers.
pub type ProviderOf<P> = <<P as Ports>::Provider as Providers>::One;

/// The underlying error of an adapter; for the log, never for a client.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

pub trait Entropy: Send + Sync {
    /// A new version 7 UUID with the time `now`.
    fn uuid(&self, now: Timestamp) -> Uuid;
    /// 256 random bits, as 43 characters of base64url.
    fn secret(&self) -> SecretString;
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A condition of the write failed, because another writer came first: read again, decide
    /// again.
    #[error("changed by another writer")]
    Conflict,
    #[error("the table is not available")]
    Unavailable(#[source] Cause),
    #[error("a row cannot be read: {0}")]
    Unreadable(String),
}

/// The connectors, their triggers and the ledger of events. Every read except `due`,
/// `delivery_records` and `firings` MUST be strongly consistent. A write that takes a connector's
/// version, alone or in a `Connector`, MUST fail with `Conflict` and change nothing unless the
/// stored connector has that version, and MUST raise it, unless its method says otherwise. A write
/// that takes a membership MUST fail with `Conflict` and change nothing unless the stored
/// membership is one version behind it (0: none is stored).
#[trait_variant::make(Send)]
pub trait Store: Send + Sync {
    /// Returns the connector in this slot of the owner.
    async fn in_slot(&self, owner: &OwnerId, slot: &Slot) -> Result<Option<Connector>, StoreError>;
    /// Creates the connector, its triggers, the exchange and the events, all or nothing, and makes
    /// the connector due for a sweep soon. None of the triggers may be a `webhook`. MUST fail with
    /// `Conflict` if the slot is taken.
    async fn create_connector(
        &self,
        connector: &Connector,
        triggers: &[Trigger],
        membership: &Membership,
        exchange: &Exchange,
        events: &[Event],
    ) -> Result<(), StoreError>;
    /// Overwrites the grant and the address at the version of `before`, makes the connector active,
    /// removes the last error and the cached access token, and writes the exchange and the events.
    /// Makes the connector due for a sweep soon.
    async fn reconnect(
        &self,
        before: &Connector,
        grant: &StoredGrant,
        exchange: &Exchange,
        events: &[Event],
    ) -> Result<(), StoreError>;
    /// Moves the connector and its triggers to the mailbox's new address, at the version of
    /// `connector`, and makes it due for a sweep at once. MUST fail with `Conflict` while events of
    /// the connector are unpublished, and if its watch or refresh token is another one by now.
    async fn rename(
        &self,
        connector: &Connector,
        triggers: &[Trigger],
        membership: &Membership,
        to: &EmailAddress,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Returns the connector that an exchange led to, until ten minutes after the exchange.
    async fn exchanged(
        &self,
        owner: &OwnerId,
        exchange: &Exchange,
    ) -> Result<Option<ConnectorId>, StoreError>;

    /// Returns the connectors that share the account; version 0 if none was ever stored.
    async fn membership(&self, account: &AccountId) -> Result<Membership, StoreError>;
    async fn put_membership(
        &self,
        account: &AccountId,
        membership: &Membership,
    ) -> Result<(), StoreError>;

    /// Stores a consent until it is taken or `CONSENT_LIFE` has passed.
    async fn keep_consent(
        &self,
        owner: &OwnerId,
        consent: &PendingConsent,
    ) -> Result<(), StoreError>;
    /// Removes the consent and returns it, unless it has expired. Of two concurrent calls only one
    /// MUST get it.
    async fn take_consent(
        &self,
        owner: &OwnerId,
        state: Uuid,
        now: Timestamp,
    ) -> Result<Option<PendingConsent>, StoreError>;
    /// Writes the session over the version before it. MUST fail with `Conflict` and change nothing
    /// unless the stored session is one version behind (1: none is stored).
    async fn put_session(
        &self,
        owner: &OwnerId,
        session: &ConnectSession,
    ) -> Result<(), StoreError>;
    /// Returns the session, which may have expired.
    async fn session(
        &self,
        owner: &OwnerId,
        id: Uuid,
    ) -> Result<Option<ConnectSession>, StoreError>;
    /// Remembers the id `what` until then. MUST fail with `Conflict` if it is remembered already.
    async fn note_seen(&self, what: &str, until: Timestamp) -> Result<(), StoreError>;

    /// Claims an idempotency key for `KEY_LIFE` and returns `None`. If it is claimed already, MUST
    /// return the existing claim and change nothing: of two concurrent calls one gets the key.
    async fn claim_key(
        &self,
        owner: &OwnerId,
        key: &RequestKey,
    ) -> Result<Option<ClaimedKey>, StoreError>;
    /// Stores the answer to the request that claimed the key.
    async fn keep_answer(
        &self,
        owner: &OwnerId,
        key: &RequestKey,
        answer: &str,
    ) -> Result<(), StoreError>;
    /// Removes the claim of a request that did nothing, so that it can be repeated.
    async fn release_key(&self, owner: &OwnerId, key: &RequestKey) -> Result<(), StoreError>;

    /// Deletes what the owner's requests left behind: pending consents, connect sessions, exchanges,
    /// and idempotency keys with their answers.
    async fn forget_requests(&self, owner: &OwnerId) -> Result<(), StoreError>;

    async fn connector(
        &self,
        owner: &OwnerId,
        id: &ConnectorId,
    ) -> Result<Option<Connector>, StoreError>;
    async fn connectors(&self, owner: &OwnerId) -> Result<Vec<Connector>, StoreError>;
    /// Writes `closing` and the events at the version of `before`, and makes the connector due for
    /// a sweep.
    async fn begin_closing(
        &self,
        before: &Connector,
        closing: &Closing,
        membership: &Membership,
        events: &[Event],
    ) -> Result<(), StoreError>;
    /// Writes those steps of `closing` that are done, and leaves the others as they are: another
    /// worker may have done them. MUST fail with `Conflict` unless the connector is closing. Raises no
    /// version.
    async fn record_closing(
        &self,
        connector: &Location,
        closing: &Closing,
    ) -> Result<(), StoreError>;
    /// Deletes the connector, its triggers and their hooks, at the version of `connector`. MUST
    /// fail with `Conflict` while events of the connector are unpublished.
    async fn remove_connector(
        &self,
        connector: &Connector,
        triggers: &[Trigger],
        membership: &Membership,
    ) -> Result<(), StoreError>;

    async fn trigger(&self, owner: &OwnerId, id: &TriggerId)
    -> Result<Option<Trigger>, StoreError>;
    async fn triggers(&self, owner: &OwnerId) -> Result<Vec<Trigger>, StoreError>;
    /// Creates or overwrites the trigger and, if given, its hook, at this version of its connector.
    async fn put_trigger(
        &self,
        trigger: &Trigger,
        hook: Option<&Hook>,
        connector: &Location,
        version: u64,
    ) -> Result<(), StoreError>;
    /// Returns the hook of a `webhook` trigger. It is found without the owner, since a caller knows
    /// only the trigger.
    async fn hook(&self, trigger: &TriggerId) -> Result<Option<Hook>, StoreError>;
    /// Deletes the trigger and its hook, at this version of its connector.
    async fn remove_trigger(
        &self,
        trigger: &Trigger,
        connector: &Location,
        version: u64,
    ) -> Result<(), StoreError>;

    /// Returns all connectors of a mailbox, each with its triggers. MUST be one read in which a
    /// connector is read no later than its triggers. A connector with an unreadable row is left
    /// out, so that the others go on.
    async fn mailbox(
        &self,
        mailbox: &MailboxKey,
    ) -> Result<Vec<(Connector, Vec<Trigger>)>, StoreError>;
    async fn connector_at(&self, location: &Location) -> Result<Option<Connector>, StoreError>;

    /// Returns those of the ids that the ledger has, whether their rows have expired or not.
    async fn decided(&self, events: &[EventId]) -> Result<Vec<EventId>, StoreError>;
    /// Writes the events and the changes of their connector, all or nothing, at the version of
    /// `before`. MUST fail with `Conflict` if one of the events exists.
    async fn commit(&self, commit: &Commit<'_>) -> Result<(), StoreError>;
    /// Writes events that change nothing else about their connector, and puts them into its outbox.
    /// MUST fail with `Conflict` if the connector is gone or closing, or if one of the events
    /// exists. Raises no version.
    async fn announce(&self, connector: &Location, events: &[Event]) -> Result<(), StoreError>;
    /// Returns events of a connector from the ledger, newest first: at most `most`, after the event
    /// `after`. Eventually consistent: the latest events may be missing.
    async fn delivery_records(
        &self,
        connector: &ConnectorId,
        after: Option<(Timestamp, EventId)>,
        most: u32,
    ) -> Result<Vec<Event>, StoreError>;
    /// As `delivery_records`, for the events that a trigger fired.
    async fn firings(
        &self,
        trigger: &TriggerId,
        after: Option<(Timestamp, EventId)>,
        most: u32,
    ) -> Result<Vec<Delivery>, StoreError>;
    /// Deletes events from the ledger; absent ones are no error. Only published events may be
    /// deleted.
    async fn forget(&self, events: &[EventId]) -> Result<(), StoreError>;
    /// Returns those of the events that are stored and not marked as published.
    async fn unpublished(&self, events: &[EventId]) -> Result<Vec<Event>, StoreError>;
    /// Marks stored events as published and removes them from their connector's outbox, all or
    /// nothing. MUST fail with `Conflict` if the connector or one of the events is gone. Raises no
    /// version.
    async fn mark_published(
        &self,
        connector: &Location,
        events: &[Event],
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Caches the access token. MUST fail with `Conflict` unless the connector has that generation.
    /// Raises no version.
    async fn cache_access_token(
        &self,
        connector: &Location,
        generation: u64,
        token: &SealedAccessToken,
    ) -> Result<(), StoreError>;
    /// Stores a refresh token that takes the place of `replaced`. MUST fail with `Conflict` and
    /// change nothing unless the connector has that generation and the refresh token `replaced`.
    /// Raises no version.
    async fn rotate_refresh_token(
        &self,
        connector: &Location,
        generation: u64,
        replaced: &Sealed,
        by: &Sealed,
    ) -> Result<(), StoreError>;
    /// Stores the state of the watch. MUST fail with `Conflict` unless the connector has the
    /// generation and the watch of `before`, which are told by the watch's id and when it was
    /// renewed, and is not closing. Raises no version.
    async fn record_watch(&self, before: &Connector, watch: &Watch) -> Result<(), StoreError>;
    /// Sets when the connector is due for its next sweep (`None`: never), and `checked_at` if it is
    /// given. MUST fail with `Conflict` unless the connector has that version, since whoever raised
    /// it has set the next sweep. Raises no version.
    async fn schedule(
        &self,
        connector: &Location,
        version: u64,
        checked_at: Option<Timestamp>,
        next_sweep: Option<Timestamp>,
    ) -> Result<(), StoreError>;
    /// Makes a due connector whose row is unreadable due again at `until`, so that it does not
    /// block others. MUST fail with `Conflict` if it is gone or has no next sweep. Raises no
    /// version.
    async fn put_off(&self, connector: &Location, until: Timestamp) -> Result<(), StoreError>;

    /// Returns what is due by `now` in one shard of `SWEEP_SHARDS`: at most `most` connectors,
    /// oldest first, then at most `most` unpublished events. Unreadable rows are skipped.
    /// Eventually consistent.
    async fn due(&self, shard: u8, now: Timestamp, most: u32) -> Result<Vec<Due>, StoreError>;

    async fn data_key(&self) -> Result<Option<WrappedKey>, StoreError>;
    /// Stores the key unless one is stored; returns the stored one.
    async fn keep_data_key(&self, key: WrappedKey) -> Result<WrappedKey, StoreError>;
}

/// The number of shards of the index that the renewer reads.
pub const SWEEP_SHARDS: u8 = 8;

/// One exchange of an authorization code, remembered for ten minutes, so that repeating the request
/// repeats the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Derived from state and body; the body contains the code.
    pub fingerprint: Uuid,
    pub at: Timestamp,
}

/// What was decided about one connector.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    /// As it was read.
    pub before: &'a Connector,
    /// The new state: what differs is written. Version, `updated_at` and the outbox follow by
    /// themselves.
    pub after: &'a Reading,
    /// At most `Commit::MOST_EVENTS`.
    pub events: &'a [Event],
    /// When the connector is due for its next sweep.
    pub next_sweep: Option<Timestamp>,
    pub now: Timestamp,
}

impl Commit<'_> {
    /// A DynamoDB transaction takes 100 items: the connector's row, these, and one to spare.
    pub const MOST_EVENTS: usize = 98;
}

/// An event that a trigger fired, and when it was marked as published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub event: Event,
    pub published_at: Option<Timestamp>,
}

/// The owner and the sealed secret of a `webhook` trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    pub owner: OwnerId,
    pub secret: Sealed,
    /// The secret before the last rotation, and the moment when it stops being valid.
    pub previous: Option<(Sealed, Timestamp)>,
}

impl Hook {
    /// The secrets that are valid for a signature now.
    pub fn valid_secrets(&self, now: Timestamp) -> impl Iterator<Item = &Sealed> {
        let previous =
            self.previous.iter().filter(move |(_, until)| now < *until).map(|(secret, _)| secret);
        std::iter::once(&self.secret).chain(previous)
    }
}

/// A consent for which a user was sent to Google. Its key is its state, of which only a fingerprint
/// is stored.
#[derive(Debug, Clone)]
pub struct PendingConsent {
    pub state: Uuid,
    /// The PKCE code verifier; valid for this one code, and useless without the client's secret.
    pub code_verifier: SecretString,
    pub asked_at: Timestamp,
}

/// A request with an idempotency key, so that repeating it repeats its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// Derived from the route and the client's key.
    pub name: Uuid,
    /// Derived from the body.
    pub body: Uuid,
    pub at: Timestamp,
}

/// What is stored under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedKey {
    pub body: Uuid,
    pub at: Timestamp,
    /// JSON; absent while the request runs, and for good if its outcome is unknown.
    pub answer: Option<String>,
}

/// How long an idempotency key is stored.
pub const KEY_LIFE: Duration = Duration::from_secs(24 * 3600);

/// How long a user may take to consent.
pub const CONSENT_LIFE: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    Connector(Location),
    /// An unpublished event that was decided over a minute ago.
    Event {
        event_id: EventId,
        connector: Location,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The ciphertext was changed, or was sealed for another connector, trigger or generation.
    #[error("the ciphertext does not open under this context")]
    WrongContext,
    #[error("the key service is not available")]
    Unavailable(#[source] Cause),
}

/// Encrypts secrets for their connector or trigger. Decrypting for another one, or another
/// generation, MUST fail with `WrongContext`.
#[trait_variant::make(Send)]
pub trait Vault: Send + Sync {
    async fn seal_refresh_token(
        &self,
        token: &RefreshToken,
        connector: &ConnectorId,
    ) -> Result<Sealed, VaultError>;
    async fn open_refresh_token(
        &self,
        sealed: &Sealed,
        connector: &ConnectorId,
    ) -> Result<RefreshToken, VaultError>;
    async fn seal_trigger_secret(
        &self,
        secret: &SecretString,
        trigger: &TriggerId,
    ) -> Result<Sealed, VaultError>;
    async fn open_trigger_secret(
        &self,
        sealed: &Sealed,
        trigger: &TriggerId,
    ) -> Result<SecretString, VaultError>;
    async fn new_data_key(&self) -> Result<WrappedKey, VaultError>;
    /// MUST unwrap a data key at most once per process.
    async fn seal_access_token(
        &self,
        token: &AccessToken,
        connector: &ConnectorId,
        generation: u64,
        key: &WrappedKey,
    ) -> Result<SealedAccessToken, VaultError>;
    async fn open_access_token(
        &self,
        sealed: &SealedAccessToken,
        connector: &ConnectorId,
        generation: u64,
    ) -> Result<AccessToken, VaultError>;
}

#[derive(Debug, thiserror::Error)]
#[error("{what} is not available")]
pub struct Unavailable {
    pub what: &'static str,
    #[source]
    pub cause: Cause,
}

/// The queue of the history processor, with one message group for each mailbox.
#[trait_variant::make(Send)]
pub trait WakeUps: Send + Sync {
    /// Returns once the queue has the wake-up. With a deduplication id the queue drops a second
    /// wake-up of the same id within five minutes; without one every wake-up counts.
    async fn send(
        &self,
        wake_up: &WakeUp,
        deduplication_id: Option<&str>,
    ) -> Result<(), Unavailable>;
}

/// A queue whose messages are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    WakeUps,
    /// Wake-ups that failed too often.
    DeadLetters,
    Quarantine,
}

/// The number of messages in the queues.
#[trait_variant::make(Send)]
pub trait Depths: Send + Sync {
    /// Approximate, and without messages in flight.
    async fn depth(&self, queue: Counted) -> Result<u64, Unavailable>;
}

/// Unreadable input, stored for a human to look at.
#[trait_variant::make(Send)]
pub trait Quarantine: Send + Sync {
    async fn keep(&self, body: &str, reason: &str) -> Result<(), Unavailable>;
}

/// The bus refused some events, or their outcome is unknown.
#[derive(Debug, thiserror::Error)]
#[error("{} events are not known to be published", .events.len())]
pub struct NotPublished {
    pub events: Vec<EventId>,
    #[source]
    pub cause: Cause,
}

#[trait_variant::make(Send)]
pub trait EventBus: Send + Sync {
    /// Publishes all events and resends those that the bus refused. The error MUST name exactly the
    /// events that are not known to be accepted.
    async fn publish(&self, events: &[Event]) -> Result<(), NotPublished>;
}

#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The reason, for the log.
    #[error("the token is not valid: {0}")]
    Invalid(&'static str),
    /// The token cannot be checked: the issuer's keys could not be fetched.
    #[error("the signing keys are not available")]
    KeysUnavailable(#[source] Cause),
}

/// The signature over what a `webhook` trigger is fired with: HMAC-SHA256 under the trigger's
/// secret.
pub trait Signatures: Send + Sync {
    /// Whether `signature` is the MAC of `signed` under the secret. MUST compare in constant time.
    fn is_signed(&self, secret: &SecretString, signed: &[u8], signature: &[u8]) -> bool;
}

/// Checks the signature of an RS256 token against its issuer's published keys.
#[trait_variant::make(Send)]
pub trait TokenVerifier: Send + Sync {
    /// Returns the claims of a token with a valid signature. Whether the claims are acceptable is
    /// the caller's to check.
    async fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError>;
    /// MUST fail with `KeysUnavailable` unless there are keys to verify with. MUST fetch keys no
    /// more often than `verify` does. A cancelled call of either MUST change nothing, so that the
    /// next one fetches the keys.
    async fn ready(&self, now: Timestamp) -> Result<(), TokenError>;
}

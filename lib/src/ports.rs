//! The outside world in a handful of traits, each with its contract. Adapters fulfil them for real, the tests in memory.

mod provider;

use std::time::Duration;

use secrecy::SecretString;
use uuid::Uuid;

use crate::domain::claims::Claims;
use crate::domain::connector::{Closing, Connector, Location, Reading, Slot, StoredGrant};
use crate::domain::email_address::EmailAddress;
use crate::domain::event::Event;
use crate::domain::id::{ConnectorId, EventId, GoogleSub, OwnerId, TriggerId};
use crate::domain::membership::Membership;
use crate::domain::secret::{AccessToken, RefreshToken, Sealed, SealedAccessToken, WrappedKey};
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::Trigger;
use crate::domain::wake_up::WakeUp;
use crate::domain::watch::Watch;

pub use self::provider::{
    AuthorizationCode, ConsentRequest, EmailProvider, Fetched, Grant, MessagePage, Performed, Profile, ProviderError, Sender,
};

/// The outside world that flows run in, by the types of its parts: AWS and Google, or a test's. Nobody has a value of it: each flow
/// holds the parts that it needs, so that no function holds a client of what its role may not touch.
pub trait Ports: Send + Sync + 'static {
    type Store: Store;
    type Vault: Vault;
    type Provider: EmailProvider;
    type WakeUps: WakeUps;
    type Depths: Depths;
    type Quarantine: Quarantine;
    type Bus: EventBus;
    type Signatures: Signatures;
    type Verifier: TokenVerifier;
    type Machine: Clock + Entropy;
}

/// Something of the world's own that went wrong; for the log, never for a client.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

pub trait Entropy: Send + Sync {
    /// A fresh version 7 UUID of that moment.
    fn uuid(&self, now: Timestamp) -> Uuid;
    /// 256 random bits, as 43 characters of base64url.
    fn secret(&self) -> SecretString;
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A condition did not hold: somebody else was first. Read again, decide again.
    #[error("changed by another writer")]
    Conflict,
    #[error("the table is not available")]
    Unavailable(#[source] Cause),
    #[error("a row cannot be read: {0}")]
    Unreadable(String),
}

/// The connectors, their triggers and the ledger of events. Every read but `due`, `told` and `firings` is strongly consistent. A
/// write that names a version MUST fail with `Conflict`, and change nothing, unless the connector's row is at that version, and MUST raise
/// it. A write that brings a membership MUST fail with `Conflict`, and change nothing, unless the account's is one version
/// behind it (0: never written).
#[trait_variant::make(Send)]
pub trait Store: Send + Sync {
    /// The connector that holds a slot among its owner's.
    async fn in_slot(&self, owner: &OwnerId, slot: &Slot) -> Result<Option<Connector>, StoreError>;
    /// With the triggers that it comes with, or not at all; none of them a `webhook`. MUST be `Conflict` if the connector's slot
    /// is taken. The connector is due for a sweep soon, as after a reconnect.
    async fn create_connector(
        &self,
        connector: &Connector,
        triggers: &[Trigger],
        membership: &Membership,
        exchange: &Exchange,
        events: &[Event],
    ) -> Result<(), StoreError>;
    /// Overwrites the grant at the version of `before`, makes the connector active, takes the last error and the cached access token
    /// away, and writes the events that tell of it. The connector is due for a sweep soon.
    async fn reconnect(&self, before: &Connector, grant: &StoredGrant, exchange: &Exchange, events: &[Event]) -> Result<(), StoreError>;
    /// The mailbox has another address now: moves the connector and its triggers there, at their connector's version. MUST be
    /// `Conflict` while events wait for publication. The connector is due for a sweep at once.
    async fn rename(
        &self,
        connector: &Connector,
        triggers: &[Trigger],
        membership: &Membership,
        to: &EmailAddress,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Which connector an exchange led to, if it is remembered still.
    async fn exchanged(&self, owner: &OwnerId, exchange: &Exchange) -> Result<Option<ConnectorId>, StoreError>;

    /// Who shares the account; that of an account that was never written has version 0.
    async fn membership(&self, account: &GoogleSub) -> Result<Membership, StoreError>;
    async fn put_membership(&self, account: &GoogleSub, membership: &Membership) -> Result<(), StoreError>;

    /// A consent that was asked for here is remembered until it is used, or `CONSENT_LIFE` has passed.
    async fn keep_consent(&self, owner: &OwnerId, consent: &PendingConsent) -> Result<(), StoreError>;
    /// Takes it away, so that it is used once: two that ask at the same time MUST NOT both get it.
    async fn take_consent(&self, owner: &OwnerId, state: Uuid, now: Timestamp) -> Result<Option<PendingConsent>, StoreError>;
    /// Remembers that something was seen, until then. MUST be `Conflict` if it was seen before.
    async fn note_seen(&self, what: &str, until: Timestamp) -> Result<(), StoreError>;

    /// Claims the key of a request for a day. MUST answer what is there, and change nothing, if it is claimed: of two at the
    /// same time one gets it.
    async fn claim_key(&self, owner: &OwnerId, key: &RequestKey) -> Result<Option<ClaimedKey>, StoreError>;
    /// Keeps the answer to the request that claimed the key.
    async fn keep_answer(&self, owner: &OwnerId, key: &RequestKey, answer: &str) -> Result<(), StoreError>;
    /// Lets a key go for whose request nothing was done.
    async fn release_key(&self, owner: &OwnerId, key: &RequestKey) -> Result<(), StoreError>;

    /// Forgets what the owner's requests left behind: consents under way, exchanges, and keys with their answers.
    async fn forget_requests(&self, owner: &OwnerId) -> Result<(), StoreError>;

    async fn connector(&self, owner: &OwnerId, id: &ConnectorId) -> Result<Option<Connector>, StoreError>;
    async fn connectors(&self, owner: &OwnerId) -> Result<Vec<Connector>, StoreError>;
    /// Begins a connector's end: writes `closing`, at its version, with the event that tells of it. It is due for a sweep.
    async fn begin_closing(
        &self,
        before: &Connector,
        closing: &Closing,
        membership: &Membership,
        events: &[Event],
    ) -> Result<(), StoreError>;
    /// MUST be `Conflict` unless the connector is closing. Raises no version.
    async fn record_closing(&self, connector: &Location, closing: &Closing) -> Result<(), StoreError>;
    /// Takes the connector, its triggers and their hooks away. MUST be `Conflict` while events wait for publication.
    async fn remove_connector(&self, connector: &Connector, triggers: &[Trigger], membership: &Membership) -> Result<(), StoreError>;

    async fn trigger(&self, owner: &OwnerId, id: &TriggerId) -> Result<Option<Trigger>, StoreError>;
    async fn triggers(&self, owner: &OwnerId) -> Result<Vec<Trigger>, StoreError>;
    /// Creates the trigger or overwrites it; with a hook, that of the trigger too.
    async fn put_trigger(&self, trigger: &Trigger, hook: Option<&Hook>, connector: &Location, version: u64) -> Result<(), StoreError>;
    /// What proves who may fire a `webhook` trigger: found without its owner, since who fires knows only the trigger.
    async fn hook(&self, trigger: &TriggerId) -> Result<Option<Hook>, StoreError>;
    async fn remove_trigger(&self, trigger: &Trigger, connector: &Location, version: u64) -> Result<(), StoreError>;

    /// All connectors of a mailbox, each with its triggers. MUST be one read in which a connector is read no later than
    /// its triggers. One that cannot be read whole is left out, so that its neighbours go on.
    async fn mailbox(&self, mailbox: &EmailAddress) -> Result<Vec<(Connector, Vec<Trigger>)>, StoreError>;
    async fn connector_at(&self, location: &Location) -> Result<Option<Connector>, StoreError>;

    /// Those of the events that were decided already, expired or not.
    async fn decided(&self, events: &[EventId]) -> Result<Vec<EventId>, StoreError>;
    /// Writes the events (each MUST be absent, else `Conflict`) and what changed about their connector: all or nothing, at
    /// the version of `before`.
    async fn commit(&self, commit: &Commit<'_>) -> Result<(), StoreError>;
    /// Writes events (each MUST be absent, else `Conflict`) of a connector that is there and not closing, else `Conflict`.
    /// Raises no version: what is told this way changes nothing about the connector.
    async fn announce(&self, connector: &Location, events: &[Event]) -> Result<(), StoreError>;
    /// Events of a connector that were decided, newest first, at most so many, from after one of them on; those of the last
    /// moments may be missing.
    async fn delivery_records(
        &self,
        connector: &ConnectorId,
        after: Option<(Timestamp, EventId)>,
        most: u32,
    ) -> Result<Vec<Event>, StoreError>;
    /// The delivery record of a trigger: as `told`, of what it fired.
    async fn firings(&self, trigger: &TriggerId, after: Option<(Timestamp, EventId)>, most: u32) -> Result<Vec<Delivery>, StoreError>;
    /// Forgets events; of none that is owed may this be asked.
    async fn forget(&self, events: &[EventId]) -> Result<(), StoreError>;
    /// Of these events those that are not marked as published.
    async fn unpublished(&self, events: &[EventId]) -> Result<Vec<Event>, StoreError>;
    async fn mark_published(&self, connector: &Location, events: &[Event], now: Timestamp) -> Result<(), StoreError>;

    /// MUST be `Conflict` unless the connector is of that generation. Raises no version, as the next two.
    async fn cache_access_token(&self, connector: &Location, generation: u64, token: &SealedAccessToken) -> Result<(), StoreError>;
    async fn record_watch(&self, connector: &Location, generation: u64, watch: &Watch) -> Result<(), StoreError>;
    /// MUST be `Conflict` unless the connector is at that version, since who raised it said when the next sweep is due.
    /// `checked_at` stays as it is if it is not given.
    async fn schedule(
        &self,
        connector: &Location,
        version: u64,
        checked_at: Option<Timestamp>,
        next_sweep: Option<Timestamp>,
    ) -> Result<(), StoreError>;
    /// Puts off a connector that cannot be read and is due, so that it does not stand before others. MUST be `Conflict` if it is
    /// not there, or not to be swept at all.
    async fn put_off(&self, connector: &Location, until: Timestamp) -> Result<(), StoreError>;

    /// What the renewer must look at by now, of one shard of `SWEEP_SHARDS`: at most `most` connectors, oldest first, then
    /// at most `most` events.
    async fn due(&self, shard: u8, now: Timestamp, most: u32) -> Result<Vec<Due>, StoreError>;

    async fn data_key(&self) -> Result<Option<WrappedKey>, StoreError>;
    /// Stores the key unless there is one; answers the one that is there afterwards.
    async fn keep_data_key(&self, key: WrappedKey) -> Result<WrappedKey, StoreError>;
}

/// Over how many parts of the index the renewer's work is spread.
pub const SWEEP_SHARDS: u8 = 8;

/// One exchange of an authorization code, remembered for ten minutes, so that repeating the request repeats the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Derived from state and body; the body holds the code.
    pub fingerprint: Uuid,
    pub at: Timestamp,
}

/// What was decided about one connector.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    /// As it was read.
    pub before: &'a Connector,
    /// As it is to be: what differs is written. Version, `updated_at` and the outbox follow by themselves.
    pub after: &'a Reading,
    /// At most `Commit::MOST_EVENTS`.
    pub events: &'a [Event],
    /// When the renewer must look at it again.
    pub next_sweep: Option<Timestamp>,
    pub now: Timestamp,
}

impl Commit<'_> {
    /// A DynamoDB transaction takes 100 items: the connector's row, these, and one to spare.
    pub const MOST_EVENTS: usize = 98;
}

/// An event that a trigger fired, and whether the bus is known to have it.
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
    /// The secret before the last rotation, and the moment from which it no longer counts.
    pub previous: Option<(Sealed, Timestamp)>,
}

impl Hook {
    /// The secrets that a signature may be made with.
    pub fn valid_secrets(&self, now: Timestamp) -> impl Iterator<Item = &Sealed> {
        let previous = self.previous.iter().filter(move |(_, until)| now < *until).map(|(secret, _)| secret);
        std::iter::once(&self.secret).chain(previous)
    }
}

/// A consent that a user was sent to Google for. It is known by its state, of which only a fingerprint is kept.
#[derive(Debug, Clone)]
pub struct PendingConsent {
    pub state: Uuid,
    /// PKCE's proof that who asked also exchanges; good for this one code, and useless without the client's secret.
    pub code_verifier: SecretString,
    pub asked_at: Timestamp,
}

/// A request that its sender gave a key, so that sending it again repeats its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// Derived from the route and the sender's key.
    pub name: Uuid,
    /// Derived from the body.
    pub body: Uuid,
    pub at: Timestamp,
}

/// What is remembered under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedKey {
    pub body: Uuid,
    pub at: Timestamp,
    /// JSON; absent while the request runs, and for good if nobody knows what came of it.
    pub answer: Option<String>,
}

/// How long a key is remembered.
pub const KEY_LIFE: Duration = Duration::from_secs(24 * 3600);

/// How long a user may take to consent.
pub const CONSENT_LIFE: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    Connector(Location),
    /// An event that was decided long ago and never marked as published.
    Event {
        event_id: EventId,
        connector: Location,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Not what was sealed, or not for this connector.
    #[error("the ciphertext does not open under this context")]
    WrongContext,
    #[error("the key service is not available")]
    Unavailable(#[source] Cause),
}

/// Seals secrets to their connector or trigger. Opening under another one, or another generation, MUST fail with `WrongContext`.
#[trait_variant::make(Send)]
pub trait Vault: Send + Sync {
    async fn seal_refresh_token(&self, token: &RefreshToken, connector: &ConnectorId) -> Result<Sealed, VaultError>;
    async fn open_refresh_token(&self, sealed: &Sealed, connector: &ConnectorId) -> Result<RefreshToken, VaultError>;
    async fn seal_trigger_secret(&self, secret: &SecretString, trigger: &TriggerId) -> Result<Sealed, VaultError>;
    async fn open_trigger_secret(&self, sealed: &Sealed, trigger: &TriggerId) -> Result<SecretString, VaultError>;
    async fn new_data_key(&self) -> Result<WrappedKey, VaultError>;
    /// A data key is unwrapped at most once per process.
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

/// The queue that the history processor drinks from, one message group for each mailbox.
#[trait_variant::make(Send)]
pub trait WakeUps: Send + Sync {
    /// Returns once the queue has it. A second wake-up under the same id within five minutes is dropped by the queue;
    /// without an id each one counts.
    async fn send(&self, wake_up: &WakeUp, deduplication_id: Option<&str>) -> Result<(), Unavailable>;
}

/// A queue, as what lies in it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    WakeUps,
    /// Wake-ups that were given up.
    DeadLetters,
    Quarantine,
}

/// How much lies in the queues.
#[trait_variant::make(Send)]
pub trait Depths: Send + Sync {
    /// Roughly, and without what somebody is at work on.
    async fn depth(&self, queue: Counted) -> Result<u64, Unavailable>;
}

/// Where input goes that nobody can read, for a human to look at.
#[trait_variant::make(Send)]
pub trait Quarantine: Send + Sync {
    async fn keep(&self, body: &str, reason: &str) -> Result<(), Unavailable>;
}

/// Some events were not taken, or nobody knows whether they were.
#[derive(Debug, thiserror::Error)]
#[error("{} events are not known to be published", .events.len())]
pub struct NotPublished {
    pub events: Vec<EventId>,
    #[source]
    pub cause: Cause,
}

#[trait_variant::make(Send)]
pub trait EventBus: Send + Sync {
    /// Publishes all, resending those that the bus refused; an error names every event that is not known to be taken, and
    /// none that is.
    async fn publish(&self, events: &[Event]) -> Result<(), NotPublished>;
}

#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Why, in words for the log.
    #[error("the token is not valid: {0}")]
    Invalid(&'static str),
    /// Nobody can say: the issuer's keys could not be fetched.
    #[error("the signing keys are not available")]
    KeysUnavailable(#[source] Cause),
}

/// The signature over what a `webhook` trigger is fired with: HMAC-SHA256 under the trigger's secret.
pub trait Signatures: Send + Sync {
    /// Compares in constant time.
    fn is_signed(&self, secret: &SecretString, signed: &[u8], signature: &[u8]) -> bool;
}

/// Checks the signature of an RS256 token against its issuer's published keys.
#[trait_variant::make(Send)]
pub trait TokenVerifier: Send + Sync {
    async fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError>;
    /// MUST be `KeysUnavailable` unless there are keys to verify with; asks the issuer no more often than `verify` does. Who gives up
    /// waiting for either MUST leave it as it was: the next one asks the issuer.
    async fn ready(&self, now: Timestamp) -> Result<(), TokenError>;
}

//! Schemas of bodies and answers that the code assembles from parts; only the description uses
//! them.
#![expect(dead_code, reason = "described, and never made")]

use email_connectors::domain::connector::{Provider, Status};
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::{ConnectorId, EventId, MessageId, TriggerId};
use email_connectors::domain::rehearsal::Looked;
use email_connectors::domain::retention::Remaining;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::trigger::{Filters, Trigger};
use email_connectors::domain::watch::WatchStatus;
use serde_json::Value;
use utoipa::ToSchema;

use crate::connectors::View;

#[derive(ToSchema)]
pub(super) struct Connect {
    /// Google's authorization code.
    auth_code: String,
    /// Absent or the popup's value for the popup flow; for the redirect flow the callback URL that it
    /// began with.
    callback_url: Option<String>,
    state: Option<String>,
    code_verifier: Option<String>,
    /// Disconnects another account's connector first.
    replace: Option<bool>,
}

#[derive(ToSchema)]
pub(super) struct Connected {
    #[schema(example = "connected")]
    status: String,
    connector_id: ConnectorId,
    email_address: EmailAddress,
    watch: ConnectedWatch,
}

#[derive(ToSchema)]
struct ConnectedWatch {
    status: WatchStatus,
    expiration: Option<Timestamp>,
    reason: Option<String>,
}

#[derive(ToSchema)]
pub(super) struct AuthorizeAnswer {
    authorization_url: String,
    state: String,
}

#[derive(ToSchema)]
pub(super) struct NewConnectSession {
    /// The page that opens the connect page, and is told how it went: one of AllowedOrigins.
    #[schema(example = "https://app.example.com")]
    origin: String,
    /// The only provider to offer; any, if absent.
    provider: Option<Provider>,
    /// The connector that is to be connected again.
    connector_id: Option<ConnectorId>,
    /// The address that the user is to choose.
    login_hint: Option<EmailAddress>,
}

#[derive(ToSchema)]
pub(super) struct OpenedSession {
    /// For `Authorization: Bearer`.
    session_token: String,
    /// The connect page with the token in its fragment.
    url: String,
    expires_at: Timestamp,
}

#[derive(ToSchema)]
pub(super) struct CurrentSession {
    /// The only origin that the page posts its outcome to.
    origin: String,
    provider: Option<Provider>,
    /// What is to be connected again, or what was connected.
    connector: Option<SessionConnector>,
    expires_at: Timestamp,
    /// Whether a connect succeeded; no other may follow.
    done: bool,
}

#[derive(ToSchema)]
struct SessionConnector {
    id: ConnectorId,
    email_address: EmailAddress,
    status: Status,
}

/// Where an administrator consents for a whole organization.
#[derive(ToSchema)]
pub(super) struct AdminConsent {
    admin_consent_url: String,
}

/// Notifications of Microsoft Graph, of several subscriptions.
#[derive(ToSchema)]
pub(super) struct Notifications {
    #[schema(value_type = Vec<Object>)]
    value: Vec<Value>,
}

/// A push of Pub/Sub's, wrapped.
#[derive(ToSchema)]
pub(super) struct Push {
    #[schema(value_type = Object)]
    message: Value,
    subscription: String,
}

#[derive(ToSchema)]
pub(super) struct ConnectorList {
    connectors: Vec<View>,
    next_page_token: Option<String>,
}

#[derive(ToSchema)]
pub(super) struct ConnectorChange {
    paused: Option<bool>,
    /// The owner's own name for it; null takes it away.
    #[schema(min_length = 1, max_length = 100)]
    label: Option<String>,
}

#[derive(ToSchema)]
pub(super) struct Queued {
    #[schema(example = "queued")]
    status: String,
}

/// How far a disconnect has come.
#[derive(ToSchema)]
pub(super) struct Receipt {
    watch_stopped: bool,
    grant_revoked: bool,
    data_purged: bool,
}

#[derive(ToSchema)]
pub(super) struct TriggerList {
    triggers: Vec<Trigger>,
    next_page_token: Option<String>,
}

#[derive(ToSchema)]
pub(super) struct NewlyMade {
    #[schema(inline)]
    #[serde(flatten)]
    trigger: Trigger,
    /// Of a `webhook` trigger, shown this once.
    secret: Option<String>,
}

/// How far to look back, and at how many messages.
#[derive(ToSchema)]
pub(super) struct RehearsalRange {
    #[schema(minimum = 1, maximum = 30)]
    days: Option<u64>,
    #[schema(minimum = 1, maximum = 100)]
    limit: Option<u64>,
}

/// Filters to try, how far to look back, and at how many messages.
#[derive(ToSchema)]
pub(super) struct FiltersRehearsed {
    config: Option<FiltersToTry>,
    #[schema(minimum = 1, maximum = 30)]
    days: Option<u64>,
    #[schema(minimum = 1, maximum = 100)]
    limit: Option<u64>,
}

#[derive(ToSchema)]
pub(super) struct FiltersToTry {
    filters: Option<Filters>,
}

#[derive(ToSchema)]
pub(super) struct FiltersRehearsal {
    connector_id: ConnectorId,
    #[schema(inline)]
    #[serde(flatten)]
    mail: Rehearsed,
}

#[derive(ToSchema)]
pub(super) struct Rehearsal {
    trigger_id: TriggerId,
    #[schema(inline)]
    #[serde(flatten)]
    mail: Rehearsed,
}

#[derive(ToSchema)]
struct Rehearsed {
    days: u64,
    looked_at: usize,
    /// Whether there is more mail of those days.
    truncated: bool,
    would_fire: Vec<Looked>,
    would_not: Vec<Looked>,
    /// Messages that could not be read.
    unreadable: Vec<MessageId>,
    /// What it cost of the mailbox's quota, as `X-Quota-Units` says too.
    quota_units: u32,
}

#[derive(ToSchema)]
pub(super) struct Firings {
    firings: Vec<Firing>,
    next_page_token: Option<String>,
}

#[derive(ToSchema)]
struct Firing {
    event_id: EventId,
    /// Whose mailbox has the message.
    connector_id: ConnectorId,
    decided_at: Timestamp,
    detail_type: String,
    published: bool,
    message_id: Option<MessageId>,
    /// As it was published; absent for a role that may not read mail.
    #[schema(value_type = Option<Object>)]
    detail: Option<Value>,
}

/// Any JSON object.
#[derive(ToSchema)]
#[schema(value_type = Object)]
pub(super) struct Anything(Value);

#[derive(ToSchema)]
pub(super) struct Rotated {
    secret: String,
    /// When the secret before ends. That before it has ended.
    previous_valid_until: Timestamp,
}

#[derive(ToSchema)]
pub(super) struct Fired {
    event_id: EventId,
}

#[derive(ToSchema)]
pub(super) struct Export {
    connectors: Vec<View>,
    triggers: Vec<Trigger>,
    records: Vec<Record>,
    #[schema(required)]
    next_page_token: Option<String>,
}

/// An event as it was published.
#[derive(ToSchema)]
struct Record {
    detail_type: String,
    decided_at: Timestamp,
    #[schema(value_type = Object)]
    detail: Value,
}

#[derive(ToSchema)]
pub(super) struct Erased {
    connectors: Vec<Ended>,
    data_purged: bool,
    /// What the functions do not delete, and until when at the latest it is kept.
    remains: Vec<Remaining>,
}

#[derive(ToSchema)]
struct Ended {
    id: ConnectorId,
    receipt: Receipt,
}

#[derive(ToSchema)]
pub(super) struct Info {
    name: String,
    version: String,
    app_public_url: String,
    callback_url: String,
    connector_types: Vec<String>,
    providers: Vec<OfferedProvider>,
}

/// A provider of connectors. A frontend needs no other knowledge of one to connect a mailbox.
#[derive(ToSchema)]
struct OfferedProvider {
    id: Provider,
    /// What people call it.
    #[schema(example = "Gmail")]
    name: String,
    /// Of its connectors.
    #[serde(rename = "type")]
    #[schema(example = "email")]
    kind: String,
    /// The path at which the consent begins (GET).
    #[schema(example = "/api/auth/google/gmail/start")]
    start: String,
    /// The path that takes the code (POST).
    #[schema(example = "/api/auth/google/gmail")]
    connect: String,
    /// The path that says where an administrator consents for an organization (GET). Absent where
    /// the provider has no such consent.
    admin_consent: Option<String>,
}

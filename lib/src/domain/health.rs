//! How a connector is, in one document: what was seen of it last, what is wrong, and what to do
//! about it.

pub mod code;
pub mod findings;
pub mod system;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::circuit::CircuitState;
use crate::domain::connector::{Connector, Status};
use crate::domain::email_address::EmailAddress;
use crate::domain::health::findings::{Finding, findings, label_finding};
use crate::domain::id::ConnectorId;
use crate::domain::pause::is_paused;
use crate::domain::provider::Provider;
use crate::domain::scopes::missing;
use crate::domain::sweep::{SweepTimes, next_look};
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::labels::MissingLabel;
use crate::domain::watch::{WatchFailure, WatchStatus};

/// What a connector is measured by: as the stack is configured.
#[derive(Debug, Clone)]
pub struct Thresholds {
    pub sweep_times: SweepTimes,
    /// Between two runs of the renewer.
    pub sweep_every: Duration,
    /// Quota units for one mailbox, where its provider allows no less.
    pub units_per_minute: u32,
    /// What a connect must bring, of each provider that is set up.
    pub required_scopes: BTreeMap<Provider, Vec<String>>,
}

impl Thresholds {
    fn missing_scopes(&self, connector: &Connector) -> Vec<String> {
        let required = self.required_scopes.get(&connector.provider);
        missing(required.map_or(&[], Vec::as_slice), &connector.grant.scopes)
    }

    fn units_per_minute(&self, connector: &Connector) -> u32 {
        self.units_per_minute.min(connector.registration().most_units_per_minute)
    }
}

/// From the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// Nothing was found that matters.
    Healthy,
    /// It works: late, or in part, or without a proof.
    Degraded,
    /// Nothing fires until a person acts or Google answers.
    Down,
}

impl HealthStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

/// A connector's health. Nothing in it could rebuild a secret.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = ConnectorHealth)]
pub struct Health {
    pub id: ConnectorId,
    pub email_address: EmailAddress,
    pub status: HealthStatus,
    pub checked_at: Timestamp,
    pub freshness: Freshness,
    pub watch: WatchHealth,
    pub auth: Auth,
    pub circuit: CircuitHealth,
    pub quota: Quota,
    pub backlog: Backlog,
    /// How many triggers it has.
    pub triggers: usize,
    /// Mail that arrives now does not fire.
    pub paused: bool,
    /// Why the last look failed, if it did.
    pub last_error: Option<String>,
    /// What is wrong and what to do, the worst first.
    pub findings: Vec<Finding>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = HealthFreshness)]
pub struct Freshness {
    /// When the last complete look at the mailbox began.
    pub last_looked_at: Option<Timestamp>,
    /// When a sweep last compared the mailbox with what was handled, or woke it.
    pub last_swept_at: Option<Timestamp>,
    /// When it is looked at next without a push; never, while only its user can mend it.
    pub next_look_at: Option<Timestamp>,
    pub last_event_at: Option<Timestamp>,
    /// Whether a look is owed by now.
    pub behind: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = HealthWatch)]
pub struct WatchHealth {
    pub status: WatchStatus,
    /// When Gmail stops notifying, unless it is renewed.
    pub expiration: Option<Timestamp>,
    pub renewed_at: Option<Timestamp>,
    /// When a push proved the watch, as it was last renewed; absent until one has.
    pub verified_at: Option<Timestamp>,
    pub failure: Option<WatchFailure>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = HealthAuth)]
pub struct Auth {
    pub status: Status,
    pub granted_at: Timestamp,
    pub granted_scopes: Vec<String>,
    /// Scopes that a connect must bring today, and that this grant does not have.
    pub missing_scopes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = HealthCircuit)]
pub struct CircuitHealth {
    pub state: CircuitState,
    /// In a row.
    pub failures: u32,
    pub open_until: Option<Timestamp>,
}

/// Gmail's quota units of this minute, as reading the mailbox spends them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = HealthQuota)]
pub struct Quota {
    pub units_per_minute: u32,
    pub spent: u32,
    pub left: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = HealthBacklog)]
pub struct Backlog {
    /// Events that were decided and are not known to be published.
    pub unpublished_events: usize,
    /// Messages that failed again and again, and were set aside.
    pub parked_messages: usize,
    /// Messages that fail, and hold the cursor meanwhile.
    pub failing_messages: usize,
    /// Whether a listing goes on that one run could not finish.
    pub listing: bool,
    pub replaying: Option<Replaying>,
    /// When a look that was put off is taken.
    pub put_off_until: Option<Timestamp>,
}

/// History that Gmail no longer had, replayed by date.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = HealthReplay)]
pub struct Replaying {
    pub since: Timestamp,
    /// All mail up to here was replayed.
    pub replayed_to: Timestamp,
    pub until: Timestamp,
    pub messages: u64,
    pub fired: u64,
}

impl Health {
    /// With what the mailbox said of its triggers' labels; it is in no row.
    pub fn with_missing_labels(mut self, missing: &[MissingLabel]) -> Self {
        self.findings.extend(missing.iter().map(|missing| label_finding(&self.id, missing)));
        self.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Self { status: worst(&self.findings), ..self }
    }
}

fn worst(findings: &[Finding]) -> HealthStatus {
    let all = findings.iter().map(|finding| finding.severity.status());
    all.max().unwrap_or(HealthStatus::Healthy)
}

/// As a connector with so many triggers is now.
pub fn health(
    connector: &Connector,
    triggers: usize,
    thresholds: &Thresholds,
    now: Timestamp,
) -> Health {
    let position = &connector.reading.position;
    let owed = connector.look_at(thresholds.sweep_times.settle).filter(|_| connector.is_live());
    let spent = connector.reading.spent.within(now);
    let units_per_minute = thresholds.units_per_minute(connector);
    let mut findings = findings(connector, triggers, thresholds, now);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Health {
        id: connector.id.clone(),
        email_address: connector.email_address.clone(),
        status: worst(&findings),
        checked_at: now,
        freshness: Freshness {
            last_looked_at: position.listed_at,
            last_swept_at: connector.checked_at,
            next_look_at: connector.is_live().then(|| next_look(connector, thresholds.sweep_times)),
            last_event_at: connector.outbox.last_event_at,
            behind: owed.is_some_and(|owed| owed <= now),
        },
        watch: WatchHealth {
            status: connector.watch.status(now),
            expiration: connector.watch.expiration,
            renewed_at: connector.watch.renewed_at,
            verified_at: connector.reading.verified_at.filter(|_| connector.is_verified()),
            failure: connector.watch.failure.clone(),
        },
        auth: Auth {
            status: connector.reading.status,
            granted_at: connector.grant.granted_at,
            granted_scopes: connector.grant.scopes.clone(),
            missing_scopes: thresholds.missing_scopes(connector),
        },
        circuit: CircuitHealth {
            state: connector.reading.circuit.state(now),
            failures: connector.reading.circuit.failures,
            open_until: connector.reading.circuit.open_until,
        },
        quota: Quota { units_per_minute, spent, left: units_per_minute.saturating_sub(spent) },
        backlog: Backlog {
            unpublished_events: connector.outbox.unpublished.len(),
            parked_messages: position.parked.len(),
            failing_messages: position.failing.len(),
            listing: position.backlog.is_some(),
            replaying: position.gap.as_ref().map(|gap| Replaying {
                since: gap.since,
                replayed_to: gap.after,
                until: gap.pinned_at,
                messages: gap.messages,
                fired: gap.fired,
            }),
            put_off_until: position.put_off.as_ref().map(|put_off| put_off.until),
        },
        triggers,
        paused: is_paused(&connector.reading.pauses),
        last_error: connector.reading.last_error.clone(),
        findings,
    }
}

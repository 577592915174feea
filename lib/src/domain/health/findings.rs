//! What is wrong with a connector, by its own row. The constants below say why they
//! are what they are; what may be configured is in `Thresholds`.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::circuit::{CircuitState, FAILURES_TO_OPEN};
use crate::domain::connector::{Connector, Status};
use crate::domain::event::MOST_UNPUBLISHED;
use crate::domain::health::Thresholds;
use crate::domain::health::code::{Code, Severity};
use crate::domain::id::ConnectorId;
use crate::domain::pause::is_paused;
use crate::domain::scopes::{Capability, capabilities};
use crate::domain::sweep::{Overdue, overdue};
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::Filter;
use crate::domain::trigger::labels::MissingLabel;
use crate::domain::watch::WatchStatus;

/// Gmail answers each `watch` with a push of its own, usually within seconds; Pub/Sub tries one
/// again for minutes.
const UNPROVEN_AFTER: Duration = Duration::from_secs(600);
/// The first sweep after a connect comes after five minutes, and requests the watch if the connect
/// did not.
const MISSING_AFTER: Duration = Duration::from_secs(600);
/// Four tries, the last after 35 minutes: a passing failure is over by then. A watch lives for a
/// week, so that some four days are left to fix it.
const RENEWAL_LATE_AFTER: Duration = Duration::from_secs(3600);
/// The waits double from 20 seconds to ten minutes: six looks that failed are ten minutes and more.
const LOOKS_TO_BE_DOWN: u32 = 6;
/// A processor has time to publish, and then two or three sweeps to find what it left.
const EVENTS_WAIT_AFTER: Duration = Duration::from_secs(300);
/// More than one transaction's worth: the bus accepts less than is decided.
const MANY_EVENTS: usize = 100;
/// A disconnect takes two calls to Google; after an hour they keep failing.
const CLOSING_LATE_AFTER: Duration = Duration::from_secs(3600);

/// One thing that is wrong, or worth saying.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = HealthFinding)]
pub struct Finding {
    pub code: Code,
    pub severity: Severity,
    /// What is so, in words.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
    /// Where that is written at length.
    #[schema(example = "docs/operations.md#circuit-open")]
    pub runbook: Option<String>,
}

/// In the order of their codes.
pub(super) fn findings(
    connector: &Connector,
    triggers: usize,
    thresholds: &Thresholds,
    now: Timestamp,
) -> Vec<Finding> {
    let mut found = Found { connector, thresholds, now, findings: Vec::new() };
    if connector.closing.is_some() {
        found.closing();
        return found.findings;
    }
    found.auth();
    if connector.is_live() {
        found.watch();
        found.looks();
        found.quota();
    }
    found.backlog();
    found.wishes(triggers);
    found.findings
}

/// What the mailbox said, which is in no row.
pub(super) fn label_finding(connector: &ConnectorId, missing: &MissingLabel) -> Finding {
    let MissingLabel { trigger, filter, label } = missing;
    let (severity, so) = match filter {
        Filter::LabelInclude => (Severity::Degraded, "it never fires"),
        _ => (Severity::Note, "that rules out nothing"),
    };
    let what = format!(
        "the mailbox has no label `{label}` any more, which {trigger} names in `{}`: {so}",
        filter.as_str()
    );
    finding(connector, Code::LabelsMissing, severity, what)
}

fn finding(connector: &ConnectorId, code: Code, severity: Severity, what: String) -> Finding {
    let entry = code.entry();
    let remedy = entry.remedy.replace("<id>", &connector.to_string());
    let runbook = entry.section.map(|section| format!("docs/operations.md#{section}"));
    Finding { code, severity, what, remedy, runbook }
}

struct Found<'a> {
    connector: &'a Connector,
    thresholds: &'a Thresholds,
    now: Timestamp,
    findings: Vec<Finding>,
}

impl Found<'_> {
    fn add(&mut self, code: Code, severity: Severity, what: impl Into<String>) {
        self.findings.push(finding(&self.connector.id, code, severity, what.into()));
    }

    fn is_past(&self, since: Timestamp, span: Duration) -> bool {
        since.after(span) <= self.now
    }

    fn closing(&mut self) {
        let Some(closing) = &self.connector.closing else { return };
        let late = self.is_past(closing.since, CLOSING_LATE_AFTER);
        let severity = if late { Severity::Degraded } else { Severity::Note };
        self.add(
            Code::Closing,
            severity,
            format!(
                "it is being disconnected since {}; nothing of it fires any more",
                closing.since
            ),
        );
    }

    fn auth(&mut self) {
        let granted = &self.connector.grant.scopes;
        match self.connector.reading.status {
            Status::Active => {
                let missing = self.thresholds.missing_scopes(self.connector);
                let reads = capabilities(granted).contains(&Capability::ReadHeaders);
                if !missing.is_empty() || !reads {
                    let severity = if reads { Severity::Degraded } else { Severity::Down };
                    let lost = if reads { "" } else { "; what is left does not read mail" };
                    self.add(
                        Code::ScopesMissing,
                        severity,
                        format!("the grant lacks [{}]{lost}", missing.join(" ")),
                    );
                }
            }
            Status::NeedsReauth => {
                let since = self.connector.updated_at;
                let vendor = self.connector.registration().vendor;
                self.add(
                    Code::NeedsReauth,
                    Severity::Down,
                    format!("{vendor} refuses the grant, as was last seen at {since}"),
                );
            }
            Status::Error => self.add(
                Code::StatusError,
                Severity::Down,
                "its status is `error`: it is neither read nor watched",
            ),
        }
    }

    fn watch(&mut self) {
        let watch = &self.connector.watch;
        let reason =
            watch.failure.as_ref().map_or("no reason is known", |failure| failure.reason.as_str());
        let next = watch.failure.as_ref().map(|_| {
            format!("; the next try is due at {}", watch.next_renewal(&self.connector.id))
        });
        let next = next.unwrap_or_default();
        match (watch.status(self.now), watch.expiration, watch.renewed_at) {
            (WatchStatus::Pending, ..) => {
                if self.is_past(self.connector.grant.granted_at, MISSING_AFTER) {
                    self.add(
                        Code::WatchMissing,
                        Severity::Degraded,
                        "nobody has asked Gmail for a watch since the connect",
                    );
                }
            }
            (WatchStatus::Failed, None, _) => {
                self.add(
                    Code::WatchFailed,
                    Severity::Degraded,
                    format!("Gmail does not notify ({reason}){next}"),
                );
            }
            (WatchStatus::Failed, Some(ended), _) => {
                let why = watch
                    .failure
                    .as_ref()
                    .map(|failure| format!(" ({})", failure.reason))
                    .unwrap_or_default();
                self.add(
                    Code::WatchLapsed,
                    Severity::Degraded,
                    format!("the watch ended at {ended} and was not renewed{why}{next}"),
                );
            }
            (WatchStatus::Active, _, Some(renewed)) => {
                let late =
                    self.is_past(watch.planned_renewal(&self.connector.id), RENEWAL_LATE_AFTER);
                if late || watch.failure.is_some() {
                    let severity = if late { Severity::Degraded } else { Severity::Note };
                    self.add(
                        Code::WatchRenewalLate,
                        severity,
                        format!("the watch of {renewed} was not renewed ({reason}){next}"),
                    );
                }
                if !self.connector.is_verified() && self.is_past(renewed, UNPROVEN_AFTER) {
                    self.add(
                        Code::WatchUnverified,
                        Severity::Degraded,
                        format!("no push has come since the watch was renewed at {renewed}"),
                    );
                }
            }
            (WatchStatus::Active, _, None) => {}
        }
    }

    fn looks(&mut self) {
        let circuit = &self.connector.reading.circuit;
        let (failures, tries) = (
            circuit.failures,
            self.connector.reading.position.put_off.as_ref().map_or(0, |put_off| put_off.times),
        );
        match (circuit.state(self.now), circuit.open_until, &self.connector.reading.last_error) {
            (CircuitState::Open, Some(until), _) => {
                let severity =
                    if failures >= FAILURES_TO_OPEN { Severity::Down } else { Severity::Degraded };
                self.add(
                    Code::CircuitOpen,
                    severity,
                    format!(
                        "Gmail failed {failures} times in a row, and is not asked before {until}"
                    ),
                );
            }
            (CircuitState::HalfOpen, ..) => {
                self.add(
                    Code::CircuitHalfOpen,
                    Severity::Degraded,
                    format!("Gmail failed {failures} times in a row; the next look decides"),
                );
            }
            (_, _, Some(error)) => {
                let severity =
                    if tries >= LOOKS_TO_BE_DOWN { Severity::Down } else { Severity::Degraded };
                self.add(
                    Code::LooksFail,
                    severity,
                    format!("the last look failed: {}", error.trim_end_matches('.')),
                );
            }
            _ => {}
        }
        if circuit.state(self.now) == CircuitState::Open {
            return;
        }
        match overdue(
            self.connector,
            self.thresholds.sweep_times,
            self.thresholds.sweep_every,
            self.now,
        ) {
            Some(Overdue::NotLookedAt { since }) => {
                self.add(
                    Code::LookOverdue,
                    Severity::Down,
                    format!(
                        "a look is owed since {since}; the mailbox was woken, and nobody looked"
                    ),
                );
            }
            Some(Overdue::NotSwept { since }) => {
                self.add(
                    Code::LookedTooLongAgo,
                    Severity::Degraded,
                    format!("a look was due at {since}, and no sweep has come for it"),
                );
            }
            None => {}
        }
    }

    /// A mailbox with several connectors is read in equal parts: one whose part is spent has put
    /// off its look, without an error.
    fn quota(&mut self) {
        let connector = self.connector;
        let (spent, units) =
            (connector.reading.spent.within(self.now), self.thresholds.units_per_minute(connector));
        let nothing_wrong = connector.reading.last_error.is_none()
            && connector.reading.circuit.state(self.now) == CircuitState::Closed;
        let waits = connector.reading.position.put_off.is_some()
            && nothing_wrong
            && connector.outbox.unpublished.len() <= MOST_UNPUBLISHED;
        if connector.reading.spent.messages_left(units, &connector.registration().prices, self.now)
            == 0
            || (waits && spent > 0)
        {
            self.add(
                Code::QuotaSpent,
                Severity::Degraded,
                format!("{spent} of {units} units of this minute are spent; the rest waits"),
            );
        }
    }

    fn backlog(&mut self) {
        let (connector, position) = (self.connector, &self.connector.reading.position);
        let waiting = connector.outbox.unpublished.len();
        let long = connector
            .outbox
            .last_event_at
            .is_none_or(|decided| self.is_past(decided, EVENTS_WAIT_AFTER));
        if waiting >= MANY_EVENTS || (waiting > 0 && long) {
            let severity =
                if waiting > MOST_UNPUBLISHED { Severity::Down } else { Severity::Degraded };
            self.add(
                Code::EventsWait,
                severity,
                format!("{waiting} events are decided and not known to be published"),
            );
        }
        if let Some(failed) = position.failing.values().min_by_key(|failed| failed.since) {
            let (count, since, why) = (position.failing.len(), failed.since, &failed.reason);
            self.add(
                Code::MessagesFail,
                Severity::Degraded,
                format!("{count} messages cannot be read, the oldest since {since} ({why})"),
            );
        }
        if let Some(failed) = position.parked.values().min_by_key(|failed| failed.since) {
            let (count, since, why) = (position.parked.len(), failed.since, &failed.reason);
            self.add(
                Code::MessagesParked,
                Severity::Degraded,
                format!("{count} messages are set aside, the oldest since {since} ({why})"),
            );
        }
        if let Some(gap) = &position.gap {
            let what = format!(
                "mail from {} to {} is replayed, and was so up to {}",
                gap.since, gap.pinned_at, gap.after
            );
            self.add(Code::HistoryGapReplaying, Severity::Degraded, what);
        }
    }

    fn wishes(&mut self, triggers: usize) {
        if let Some(pause) =
            self.connector.reading.pauses.iter().find(|pause| pause.until.is_none())
        {
            self.add(Code::Paused, Severity::Note, format!("it is paused since {}", pause.from));
        }
        if triggers == 0 && !is_paused(&self.connector.reading.pauses) {
            self.add(Code::NoTriggers, Severity::Note, "it has no trigger");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::circuit::Circuit;
    use crate::domain::connector::{Closing, Provider};

    use crate::domain::gap::Gap;
    use crate::domain::health::code::CODES;
    use crate::domain::health::{HealthStatus, health};
    use crate::domain::id::{EventId, MessageId, TriggerId};
    use crate::domain::mark::Mark;
    use crate::domain::pause;
    use crate::domain::position::{FetchFailure, PutOff};
    use crate::domain::quota::Spent;

    use crate::domain::sweep::SweepTimes;
    use crate::domain::watch::Watch;

    const NOW: Timestamp = Timestamp::from_seconds(1_900_000_000);
    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3600);
    const SCOPES: [&str; 2] = ["openid", "https://www.googleapis.com/auth/gmail.modify"];
    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn ago(span: Duration) -> Timestamp {
        NOW.before(span)
    }

    fn thresholds() -> Thresholds {
        Thresholds {
            sweep_times: SweepTimes { settle: MINUTE * 10, quiet_after: MINUTE * 10 },
            sweep_every: MINUTE,
            units_per_minute: 6000,
            required_scopes: BTreeMap::from([
                (Provider::Gmail, SCOPES.map(String::from).into()),
                (Provider::Outlook, ["openid", "Mail.Read"].map(String::from).into()),
            ]),
        }
    }

    /// Looked at a minute ago, watched since an hour ago, and proven.
    fn well() -> Connector {
        let mut well = Connector::sample(ago(DAY * 9));
        (well.reading.position.listed_at, well.reading.position.changed_at) =
            (Some(ago(MINUTE)), Some(ago(MINUTE * 20)));
        well.grant.scopes = SCOPES.map(String::from).into();
        well.watch = Watch::default().renewed(NOW.after(DAY * 6), ago(HOUR));
        (well.reading.verified_at, well.outbox.last_event_at) = (Some(ago(HOUR)), Some(ago(HOUR)));
        well.updated_at = ago(MINUTE);
        well
    }

    fn fails(connector: &mut Connector, message: &str, times: u32) {
        for _ in 0..times {
            let message = MessageId::new(message);
            let failure = FetchFailure {
                message: &message,
                identity: None,
                reason: "400",
                arrived: true,
                in_gap: false,
                others_went_well: true,
            };
            connector.reading.position.record_failure(&failure, ago(MINUTE));
        }
    }

    fn waiting(connector: &mut Connector, events: usize) {
        let id = |number| {
            EventId::derive(
                &connector.account,
                &crate::domain::id::MessageIdentity::new(format!("{number}")),
                &crate::domain::id::TriggerId::new("trg_1"),
            )
        };
        connector.outbox.unpublished = (0..events).map(id).collect();
    }

    fn put_off(connector: &mut Connector, times: u32) {
        connector.reading.position.put_off = Some(PutOff { until: NOW.after(SECOND * 20), times });
    }

    fn closing(since: Timestamp) -> Option<Closing> {
        Some(Closing { since, last: true, watch_stopped: None, grant_revoked: None })
    }

    type Case = (&'static str, fn(&mut Connector), &'static [(Code, Severity)]);

    const TABLE: &[Case] = {
        use Code::*;
        use Severity::*;
        &[
            ("nothing is wrong", |_| {}, &[]),
            (
                "the grant is refused",
                |c| c.reading.status = Status::NeedsReauth,
                &[(NeedsReauth, Down)],
            ),
            (
                "nothing is said of a watch or a circuit that only the user can mend",
                |c| (c.reading.status, c.watch) = (Status::NeedsReauth, Watch::default()),
                &[(NeedsReauth, Down)],
            ),
            ("an error", |c| c.reading.status = Status::Error, &[(StatusError, Down)]),
            ("a scope less", |c| drop(c.grant.scopes.remove(0)), &[(ScopesMissing, Degraded)]),
            ("nothing to read with", |c| drop(c.grant.scopes.pop()), &[(ScopesMissing, Down)]),
            (
                "full access is more than modify",
                |c| c.grant.scopes[1] = "https://mail.google.com/".into(),
                &[],
            ),
            (
                "refused from the first",
                |c| c.watch = Watch::default().failed("403".into(), NOW),
                &[(WatchFailed, Degraded)],
            ),
            ("ended", |c| c.watch.expiration = Some(NOW), &[(WatchLapsed, Degraded)]),
            (
                "no watch requested",
                |c| (c.watch, c.grant.granted_at) = (Watch::default(), ago(MINUTE * 10)),
                &[(WatchMissing, Degraded)],
            ),
            (
                "no watch requested yet",
                |c| (c.watch, c.grant.granted_at) = (Watch::default(), ago(MINUTE * 9)),
                &[],
            ),
            (
                "a renewal failed",
                |c| c.watch = c.watch.failed("503".into(), NOW),
                &[(WatchRenewalLate, Note)],
            ),
            (
                "renewed a day ago",
                |c| (c.watch.renewed_at, c.reading.verified_at) = (Some(ago(DAY)), Some(ago(DAY))),
                &[],
            ),
            (
                "not renewed for three days and more",
                |c| {
                    (c.watch.renewed_at, c.reading.verified_at) =
                        (Some(ago(DAY * 3 + HOUR * 2)), Some(ago(DAY)));
                    c.watch.expiration = Some(NOW.after(DAY * 4));
                },
                &[(WatchRenewalLate, Degraded)],
            ),
            (
                "no push in ten minutes",
                |c| {
                    (c.watch.renewed_at, c.reading.verified_at) =
                        (Some(ago(MINUTE * 10)), Some(ago(HOUR)))
                },
                &[(WatchUnverified, Degraded)],
            ),
            (
                "no push in nine minutes",
                |c| (c.watch.renewed_at, c.reading.verified_at) = (Some(ago(MINUTE * 9)), None),
                &[],
            ),
            (
                "five failures",
                |c| {
                    c.reading.circuit = Circuit { failures: 5, open_until: Some(NOW.after(SECOND)) }
                },
                &[(CircuitOpen, Down)],
            ),
            (
                "Gmail named a time to retry",
                |c| {
                    c.reading.circuit = Circuit { failures: 1, open_until: Some(NOW.after(SECOND)) }
                },
                &[(CircuitOpen, Degraded)],
            ),
            (
                "one error, reported once",
                |c| {
                    c.reading.circuit =
                        Circuit { failures: 5, open_until: Some(NOW.after(SECOND)) };
                    c.reading.last_error = Some("503".into());
                    put_off(c, 9)
                },
                &[(CircuitOpen, Down)],
            ),
            (
                "rested",
                |c| c.reading.circuit = Circuit { failures: 5, open_until: Some(NOW) },
                &[(CircuitHalfOpen, Degraded)],
            ),
            ("failures that open nothing", |c| c.reading.circuit.failures = 4, &[]),
            (
                "a look failed",
                |c| {
                    c.reading.last_error = Some("the key service is not available".into());
                    put_off(c, 5)
                },
                &[(LooksFail, Degraded)],
            ),
            (
                "six looks failed",
                |c| {
                    c.reading.last_error = Some("403".into());
                    put_off(c, 6)
                },
                &[(LooksFail, Down)],
            ),
            (
                "not compared for long",
                |c| {
                    (c.reading.position.listed_at, c.reading.position.changed_at, c.updated_at) =
                        (Some(ago(MINUTE * 17)), Some(ago(MINUTE * 17)), ago(MINUTE * 17))
                },
                &[(LookedTooLongAgo, Degraded)],
            ),
            (
                "compared in good time",
                |c| {
                    (c.reading.position.listed_at, c.reading.position.changed_at, c.updated_at) =
                        (Some(ago(MINUTE * 16)), Some(ago(MINUTE * 16)), ago(MINUTE * 16))
                },
                &[],
            ),
            (
                "a quiet mailbox may wait",
                |c| {
                    (c.reading.position.listed_at, c.reading.position.changed_at) =
                        (Some(ago(HOUR * 4)), Some(ago(HOUR * 13)))
                },
                &[],
            ),
            (
                "just connected again",
                |c| {
                    (c.reading.position.listed_at, c.grant.granted_at) =
                        (Some(ago(DAY)), ago(MINUTE))
                },
                &[],
            ),
            (
                "owed, and not swept",
                |c| {
                    put_off(c, 1);
                    c.reading.position.put_off = Some(PutOff { until: ago(MINUTE * 7), times: 1 });
                    c.updated_at = ago(MINUTE * 8)
                },
                &[(LookedTooLongAgo, Degraded)],
            ),
            (
                "woken, and not looked at",
                |c| {
                    c.reading.position.put_off = Some(PutOff { until: ago(MINUTE * 7), times: 1 });
                    (c.updated_at, c.checked_at) = (ago(MINUTE * 8), Some(ago(MINUTE)))
                },
                &[(LookOverdue, Down)],
            ),
            (
                "owed for a while, and being committed",
                |c| c.reading.position.put_off = Some(PutOff { until: ago(MINUTE * 7), times: 1 }),
                &[],
            ),
            (
                "the minute's units are spent",
                |c| c.reading.spent = Spent::default().and(5990, NOW),
                &[(QuotaSpent, Degraded)],
            ),
            (
                "the last minute's units were spent",
                |c| c.reading.spent = Spent::default().and(6000, ago(MINUTE)),
                &[],
            ),
            (
                "its part of them is",
                |c| {
                    c.reading.spent = Spent::default().and(3000, NOW);
                    put_off(c, 1)
                },
                &[(QuotaSpent, Degraded)],
            ),
            (
                "events under way",
                |c| {
                    waiting(c, 9);
                    c.outbox.last_event_at = Some(NOW)
                },
                &[],
            ),
            (
                "events that wait",
                |c| {
                    waiting(c, 1);
                    c.outbox.last_event_at = Some(ago(MINUTE * 5))
                },
                &[(EventsWait, Degraded)],
            ),
            (
                "many events",
                |c| {
                    waiting(c, 100);
                    c.outbox.last_event_at = Some(NOW)
                },
                &[(EventsWait, Degraded)],
            ),
            ("more events than may wait", |c| waiting(c, 2001), &[(EventsWait, Down)]),
            (
                "what was decided is owed even when the grant is gone",
                |c| {
                    waiting(c, 1);
                    c.reading.status = Status::NeedsReauth
                },
                &[(NeedsReauth, Down), (EventsWait, Degraded)],
            ),
            ("a message fails", |c| fails(c, "m", 1), &[(MessagesFail, Degraded)]),
            ("a message was set aside", |c| fails(c, "m", 3), &[(MessagesParked, Degraded)]),
            (
                "expired history",
                |c| {
                    c.reading.position.gap =
                        Some(Gap::found(Mark::new(7), ago(DAY), None, MINUTE * 10, NOW))
                },
                &[(HistoryGapReplaying, Degraded)],
            ),
            (
                "its end",
                |c| {
                    (c.closing, c.reading.status, c.reading.last_error) =
                        (closing(ago(MINUTE)), Status::NeedsReauth, Some("x".into()))
                },
                &[(Closing, Note)],
            ),
            ("an end that takes long", |c| c.closing = closing(ago(HOUR)), &[(Closing, Degraded)]),
            ("a pause", |c| c.reading.pauses = pause::set(&[], true, ago(HOUR)), &[(Paused, Note)]),
        ]
    };

    #[test]
    fn each_thing_that_can_be_wrong_is_found_and_nothing_else() {
        for (case, change, expected) in TABLE {
            let mut connector = well();
            change(&mut connector);
            let found = findings(&connector, 1, &thresholds(), NOW);
            let reported: Vec<(Code, Severity)> =
                found.iter().map(|finding| (finding.code, finding.severity)).collect();
            assert_eq!(reported, *expected, "{case}: {found:?}");
            for finding in &found {
                assert!(finding.code.entry().severities.contains(&finding.severity), "{case}");
                assert!(
                    !finding.remedy.contains("<id>") && !finding.what.is_empty(),
                    "{case}: {finding:?}"
                );
            }
            let worst = expected
                .iter()
                .map(|(_, severity)| severity.status())
                .max()
                .unwrap_or(HealthStatus::Healthy);
            assert_eq!(health(&connector, 1, &thresholds(), NOW).status, worst, "{case}");
        }
    }

    #[test]
    fn a_connector_is_measured_by_its_own_provider() {
        let mut outlook = Connector { provider: Provider::Outlook, ..well() };
        outlook.grant.scopes = ["openid", "Mail.ReadWrite"].map(String::from).into();
        let found = health(&outlook, 1, &thresholds(), NOW);
        assert_eq!(found.status, HealthStatus::Healthy, "{found:?}");
        assert_eq!((found.auth.missing_scopes, found.quota.units_per_minute), (vec![], 800));
        outlook.grant.scopes.remove(1);
        let found = &findings(&outlook, 1, &thresholds(), NOW)[0];
        assert!(found.what.contains("lacks [Mail.Read]"), "{found:?}");
        outlook.reading.status = Status::NeedsReauth;
        let found = &findings(&outlook, 1, &thresholds(), NOW)[0];
        assert!(found.what.starts_with("Microsoft refuses the grant"), "{found:?}");
    }

    #[test]
    fn every_code_and_severity_stands_in_the_table() {
        let tried: Vec<(Code, Severity)> =
            TABLE.iter().flat_map(|(_, _, expected)| *expected).copied().collect();
        for entry in &CODES {
            for severity in entry.severities {
                assert!(
                    [Code::NoTriggers, Code::LabelsMissing].contains(&entry.code)
                        || tried.contains(&(entry.code, *severity)),
                    "{} {severity:?}",
                    entry.name
                );
            }
        }
        let found = findings(&well(), 0, &thresholds(), NOW);
        assert_eq!(
            found.iter().map(|finding| finding.code).collect::<Vec<_>>(),
            [Code::NoTriggers]
        );
    }

    #[test]
    fn a_label_that_is_gone_matters_where_a_trigger_waits_for_it() {
        let missing = |filter| MissingLabel {
            trigger: TriggerId::new("trg_1"),
            filter,
            label: "Label_7".into(),
        };
        for (filter, severity) in
            [(Filter::LabelInclude, Severity::Degraded), (Filter::LabelExclude, Severity::Note)]
        {
            let health = health(&well(), 1, &thresholds(), NOW);
            let health = health.with_missing_labels(&[missing(filter)]);
            let [found] = &health.findings[..] else { panic!("{:?}", health.findings) };
            assert_eq!((found.code, found.severity), (Code::LabelsMissing, severity));
            assert!(Code::LabelsMissing.entry().severities.contains(&severity));
            assert_eq!(health.status, severity.status());
            assert!(found.what.contains("Label_7") && found.what.contains("trg_1"));
            assert!(found.remedy.contains("con_1"), "{}", found.remedy);
        }
    }

    #[test]
    fn the_worst_comes_first_and_says_what_to_do() {
        let mut connector = well();
        (connector.reading.status, connector.reading.pauses) =
            (Status::NeedsReauth, pause::set(&[], true, NOW));
        fails(&mut connector, "m", 3);
        let health = health(&connector, 1, &thresholds(), NOW);
        assert_eq!(
            health.findings.iter().map(|finding| finding.code).collect::<Vec<_>>(),
            [Code::NeedsReauth, Code::MessagesParked, Code::Paused]
        );
        assert_eq!(
            health.findings[0].runbook.as_deref(),
            Some("docs/operations.md#token-refresh-failure")
        );
        assert!(
            health.findings[1].remedy.contains("connectors replay parked con_1"),
            "{}",
            health.findings[1].remedy
        );
        assert_eq!(health.freshness.next_look_at, None, "only its user can mend it");
    }
}

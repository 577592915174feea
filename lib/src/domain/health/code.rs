//! What can be found, each under a stable code: when it is, what to do about it, and where that is
//! written at length.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::health::HealthStatus;

/// How much a finding matters, from the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// As it should be, and worth saying.
    Note,
    Degraded,
    Down,
}

impl Severity {
    pub const fn status(self) -> HealthStatus {
        match self {
            Self::Note => HealthStatus::Healthy,
            Self::Degraded => HealthStatus::Degraded,
            Self::Down => HealthStatus::Down,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

/// Programs may rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    NeedsReauth,
    StatusError,
    ScopesMissing,
    WatchFailed,
    WatchLapsed,
    WatchMissing,
    WatchRenewalLate,
    WatchUnverified,
    CircuitOpen,
    CircuitHalfOpen,
    LooksFail,
    LookOverdue,
    LookedTooLongAgo,
    QuotaSpent,
    EventsWait,
    MessagesFail,
    MessagesParked,
    HistoryGapReplaying,
    Closing,
    Paused,
    LabelsMissing,
    NoTriggers,
}

/// What is always the same about a code.
pub struct Entry {
    pub code: Code,
    pub name: &'static str,
    pub severities: &'static [Severity],
    /// When it is found, for the documentation.
    pub when: &'static str,
    /// What to do; `<id>` stands for the connector's.
    pub remedy: &'static str,
    /// The section of docs/operations.md.
    pub section: Option<&'static str>,
}

const NOTE: &[Severity] = &[Severity::Note];
const DEGRADED: &[Severity] = &[Severity::Degraded];
const DOWN: &[Severity] = &[Severity::Down];
const DEGRADED_OR_DOWN: &[Severity] = &[Severity::Degraded, Severity::Down];

pub const CODES: [Entry; 22] = [
    Entry {
        code: Code::NeedsReauth,
        name: "needs_reauth",
        severities: DOWN,
        when: "Google no longer honours the grant",
        remedy: "Have the user connect the same Google account again; the mail that came meanwhile fires then.",
        section: Some("token-refresh-failure"),
    },
    Entry {
        code: Code::StatusError,
        name: "status_error",
        severities: DOWN,
        when: "the connector's status is `error`",
        remedy: "Read `last_error`, then have the user connect again.",
        section: Some("token-refresh-failure"),
    },
    Entry {
        code: Code::ScopesMissing,
        name: "scopes_missing",
        severities: DEGRADED_OR_DOWN,
        when: "the grant lacks scopes that `GoogleScopes` or `MicrosoftScopes` names; down if none is left to read mail with",
        remedy: "Have the user connect again and tick every box, or take the scopes out of the parameter.",
        section: Some("token-refresh-failure"),
    },
    Entry {
        code: Code::WatchFailed,
        name: "watch_failed",
        severities: DEGRADED,
        when: "Gmail refused every `watch` so far: mail is found by comparing, every `QuietAfterMinutes`",
        remedy: "Mend what the reason names (usually Gmail's right to publish to the topic), then: connectors renew <id>",
        section: Some("push-notifications-stopped"),
    },
    Entry {
        code: Code::WatchLapsed,
        name: "watch_lapsed",
        severities: DEGRADED,
        when: "the watch has ended without a renewal: mail is found by comparing",
        remedy: "See that the watch-renewer runs and what it logs; at once: connectors renew <id>",
        section: Some("watch-lapsed"),
    },
    Entry {
        code: Code::WatchMissing,
        name: "watch_missing",
        severities: DEGRADED,
        when: "ten minutes after the connect nobody has asked Gmail for a watch: the sweep should have, after five",
        remedy: "See that the watch-renewer runs; at once: connectors renew <id>",
        section: Some("watch-lapsed"),
    },
    Entry {
        code: Code::WatchRenewalLate,
        name: "watch_renewal_late",
        severities: &[Severity::Note, Severity::Degraded],
        when: "a renewal failed, and is tried again after five minutes, then twice as long each time, six hours at most; degraded once it is an hour late",
        remedy: "Mend what the reason names, or see that the watch-renewer runs; at once: connectors renew <id>",
        section: Some("watch-lapsed"),
    },
    Entry {
        code: Code::WatchUnverified,
        name: "watch_unverified",
        severities: DEGRADED,
        when: "ten minutes after `watch` no push has come, though Gmail sends one at once",
        remedy: "Look at the Pub/Sub push subscription: its endpoint, audience and service account, and what it says of undelivered messages.",
        section: Some("push-notifications-stopped"),
    },
    Entry {
        code: Code::CircuitOpen,
        name: "circuit_open",
        severities: DEGRADED_OR_DOWN,
        when: "Gmail is not asked until the circuit closes: because Gmail said when to come again, or, then down, after five failures in a row",
        remedy: "Nothing, if it passes: the mailbox is tried again by itself, and nothing is lost. If not, see Google's status page and `last_error`.",
        section: Some("circuit-open"),
    },
    Entry {
        code: Code::CircuitHalfOpen,
        name: "circuit_half_open",
        severities: DEGRADED,
        when: "the circuit has rested; the next look decides",
        remedy: "Wait for the next look, or ask for it: connectors sync <id>",
        section: Some("circuit-open"),
    },
    Entry {
        code: Code::LooksFail,
        name: "looks_fail",
        severities: DEGRADED_OR_DOWN,
        when: "looks end in an error and are tried again, after 20 s at first; down after six in a row, some ten minutes",
        remedy: "Read `last_error`: of keys, look at KMS; of Google, at its status page and the project's quota. It is tried again by itself; at once: connectors sync <id>",
        section: Some("outage"),
    },
    Entry {
        code: Code::LookOverdue,
        name: "look_overdue",
        severities: DOWN,
        when: "the mailbox was woken, and for two sweeps and five minutes nobody has looked",
        remedy: "Look at the history-processor: its errors and throttles, the notification queue's oldest message, its dead letters.",
        section: Some("dead-letters"),
    },
    Entry {
        code: Code::LookedTooLongAgo,
        name: "looked_too_long_ago",
        severities: DEGRADED,
        when: "a look was due, and for two sweeps and five minutes no sweep has come for it",
        remedy: "Look at the watch-renewer: that its schedule is enabled, its errors, its duration; at once: connectors sync <id>",
        section: Some("outage"),
    },
    Entry {
        code: Code::QuotaSpent,
        name: "quota_spent",
        severities: DEGRADED,
        when: "what may be spent on the mailbox in a minute is spent, and reading goes on in the next",
        remedy: "Wait: it goes on by itself. If it stays, raise GmailUserUnitsPerMinute to what Google grants your project.",
        section: Some("rate-limit-exceeded"),
    },
    Entry {
        code: Code::EventsWait,
        name: "events_wait",
        severities: DEGRADED_OR_DOWN,
        when: "events are not published five minutes after the last was decided, or a hundred of them wait; down with more than 2000, when no more are decided",
        remedy: "Look at EventBridge: the bus, its quota and the processor's right to publish. The next sweep publishes them by itself.",
        section: Some("outage"),
    },
    Entry {
        code: Code::MessagesFail,
        name: "messages_fail",
        severities: DEGRADED,
        when: "messages cannot be read, and hold the cursor where it is until they can, or are parked",
        remedy: "Wait: they are tried again by themselves, and parked if it lasts; at once: connectors sync <id>",
        section: Some("dead-letters"),
    },
    Entry {
        code: Code::MessagesParked,
        name: "messages_parked",
        severities: DEGRADED,
        when: "messages failed again and again, and were set aside",
        remedy: "They are tried again by themselves, at last once a day; at once: connectors replay parked <id>",
        section: Some("dead-letters"),
    },
    Entry {
        code: Code::HistoryGapReplaying,
        name: "history_gap_replaying",
        severities: DEGRADED,
        when: "Gmail's history had expired, and is replayed by date: old mail fires late, new mail does not wait",
        remedy: "Wait: it goes on by itself, as fast as the quota allows.",
        section: Some("history-gap"),
    },
    Entry {
        code: Code::Closing,
        name: "closing",
        severities: &[Severity::Note, Severity::Degraded],
        when: "the connector is being disconnected, and nothing of it fires any more; degraded if that takes more than an hour",
        remedy: "Nothing: it goes on by itself, for a week at most.",
        section: None,
    },
    Entry {
        code: Code::Paused,
        name: "paused",
        severities: NOTE,
        when: "its owner paused it: mail that arrives now never fires",
        remedy: "To go on: connectors enable <id>",
        section: None,
    },
    Entry {
        code: Code::LabelsMissing,
        name: "labels_missing",
        severities: &[Severity::Note, Severity::Degraded],
        when: "a trigger names a label that the mailbox no longer has; degraded if it is one of `label_include`, so that the trigger never fires",
        remedy: "Give the trigger other filters, or delete it. The labels that there are: connectors labels list <id>",
        section: None,
    },
    Entry {
        code: Code::NoTriggers,
        name: "no_triggers",
        severities: NOTE,
        when: "it has no trigger, so that nothing fires",
        remedy: "Make one: connectors triggers create",
        section: None,
    },
];

impl Code {
    /// The entries are in the order of the codes, which a test checks.
    pub fn entry(self) -> &'static Entry {
        &CODES[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_entry_under_the_name_that_is_sent() {
        for (at, entry) in CODES.iter().enumerate() {
            assert_eq!(entry.code as usize, at, "{}", entry.name);
            assert_eq!(serde_json::to_value(entry.code).unwrap(), entry.name);
            assert!(
                entry.remedy.ends_with('.') || entry.remedy.contains(": connectors "),
                "{}",
                entry.remedy
            );
        }
        assert_eq!(CODES.last().map(|entry| entry.code), Some(Code::NoTriggers));
    }
}

//! The metrics. Tests compare `docs/metrics.md`, the dashboard and the alarms with this list.

/// One metric, in the namespace of the stack's name, with the dimension `Function` beside its own.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    pub name: &'static str,
    pub unit: Unit,
    pub dimensions: &'static [&'static str],
    /// The names of the functions that count it.
    pub functions: &'static [&'static str],
    pub tells: &'static str,
    /// Whether it is also shown for each provider, with `PROVIDER` as a dimension more. The rule
    /// stands in docs/metrics.md.
    pub by_provider: bool,
}

/// What code hands over that knows for whose mailbox it counts. Whether that is a dimension, the
/// list decides.
pub const PROVIDER: &str = "Provider";

/// Whether the metric of this name is also shown for each provider.
pub fn is_by_provider(name: &str) -> bool {
    METRICS.iter().any(|metric| metric.name == name && metric.by_provider)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Count,
    /// A distribution, of which CloudWatch shows percentiles.
    Milliseconds,
    Seconds,
}

impl Unit {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::Seconds => "Seconds",
        }
    }
}

pub const PANICS: &str = "Panics";
pub const PUSH_QUEUED: &str = "PushQueued";
pub const PUSH_REFUSED: &str = "PushRefused";
pub const PUSH_MALFORMED: &str = "PushMalformed";
pub const PUSH_REPEATED: &str = "PushRepeated";
pub const NOTIFICATION_QUEUED: &str = "NotificationQueued";
pub const NOTIFICATION_DROPPED: &str = "NotificationDropped";
pub const WAKE_UPS: &str = "WakeUps";
pub const WAKE_UPS_COALESCED: &str = "WakeUpsCoalesced";
pub const MESSAGES_SEEN: &str = "MessagesSeen";
pub const MESSAGES_MATCHED: &str = "MessagesMatched";
pub const NOTIFICATION_LAG: &str = "NotificationLag";
pub const EVENTS_PUBLISHED: &str = "EventsPublished";
pub const EVENTS_PUT_OFF: &str = "EventsPutOff";
pub const OUTBOX_AGE: &str = "OutboxAge";
pub const CIRCUITS_OPENED: &str = "CircuitsOpened";
pub const CIRCUITS_CLOSED: &str = "CircuitsClosed";
pub const GMAIL_CALLS: &str = "GmailCalls";
pub const GMAIL_LATENCY: &str = "GmailLatency";
pub const GMAIL_UNITS: &str = "GmailUnits";
pub const GRAPH_CALLS: &str = "GraphCalls";
pub const GRAPH_LATENCY: &str = "GraphLatency";
pub const TOKEN_REFRESHES: &str = "TokenRefreshes";
pub const OAUTH_CLIENT_REFUSED: &str = "OAuthClientRefused";
pub const SECRET_WRONG_CONTEXT: &str = "SecretWrongContext";
pub const CONNECTED: &str = "Connected";
pub const SECURITY_EVENTS: &str = "SecurityEvents";
pub const MAIL_OPERATIONS: &str = "MailOperations";
pub const SIGNATURES_REFUSED: &str = "SignaturesRefused";
pub const USER_TOKENS_REFUSED: &str = "UserTokensRefused";
pub const WATCHES_RENEWED: &str = "WatchesRenewed";
pub const WATCHES_NOT_RENEWED: &str = "WatchesNotRenewed";
pub const WATCHES_LAPSED: &str = "WatchesLapsed";
pub const WATCHES_UNPROVEN: &str = "WatchesUnproven";
pub const WATCH_LEFT: &str = "WatchLeft";
pub const MAILBOXES_WOKEN: &str = "MailboxesWoken";
pub const MAILBOXES_SILENT: &str = "MailboxesSilent";
pub const MAILBOXES_RENAMED: &str = "MailboxesRenamed";
pub const CONNECTORS_CLOSED: &str = "ConnectorsClosed";
pub const SWEEPS_FAILED: &str = "SweepsFailed";

const WEBHOOK: &[&str] = &["pubsub-webhook"];
const PROCESSOR: &[&str] = &["history-processor"];
const RENEWER: &[&str] = &["watch-renewer"];
const API: &[&str] = &["connectors-api"];
const CONNECT: &[&str] = &["oauth-connect"];
const TALKS_TO_PROVIDERS: &[&str] =
    &["oauth-connect", "connectors-api", "history-processor", "watch-renewer"];
const ALL: &[&str] = &[
    "oauth-connect",
    "connectors-api",
    "pubsub-webhook",
    "history-processor",
    "watch-renewer",
    "console",
];
const PUBLISHES: &[&str] = &["oauth-connect", "connectors-api", "history-processor"];
const ADMITS: &[&str] = &["oauth-connect", "connectors-api"];

const fn count(
    name: &'static str,
    dimensions: &'static [&'static str],
    functions: &'static [&'static str],
    tells: &'static str,
) -> Metric {
    Metric { name, unit: Unit::Count, dimensions, functions, tells, by_provider: false }
}

impl Metric {
    const fn by_provider(self) -> Self {
        Self { by_provider: true, ..self }
    }
}

pub static METRICS: [Metric; 40] = [
    count(
        PANICS,
        &[],
        ALL,
        "errors of our own that ended a request (it was answered 500) or a wake-up (it comes again), and nothing else: the log says where (`panicked`)",
    ),
    count(PUSH_QUEUED, &[], WEBHOOK, "pushes that became a wake-up in the queue"),
    count(
        PUSH_REFUSED,
        &["Reason"],
        WEBHOOK,
        "pushes that were answered with an error: `no_token`, `token`, `account`, `subscription`, `keys` (Google's keys could not be had), `queue` (SQS did not take it)",
    ),
    count(
        PUSH_MALFORMED,
        &[],
        WEBHOOK,
        "pushes of ours that cannot be read, put into the quarantine queue",
    ),
    count(
        PUSH_REPEATED,
        &[],
        WEBHOOK,
        "pushes that Pub/Sub delivered before; SQS drops them if the first one arrived. Counted where the subscription has a dead-letter topic, without which Pub/Sub does not say",
    ),
    count(
        NOTIFICATION_QUEUED,
        &["Kind"],
        WEBHOOK,
        "mailboxes that notifications of Microsoft Graph woke: `changed`, `missed` (some were lost), `reauthorization_required` and `subscription_removed` (the subscription is renewed at once)",
    ),
    count(
        NOTIFICATION_DROPPED,
        &["Reason"],
        WEBHOOK,
        "notifications of Microsoft Graph that woke nobody: `signature` (the clientState is not of this stack's keys), `client_state` (none of our form), `kind`, `unreadable`",
    ),
    count(
        WAKE_UPS,
        &["Outcome"],
        PROCESSOR,
        "wake-ups by what came of them, once for each connector of the mailbox: `listed`, `interrupted` (goes on by itself), `stale` (the cursor covered it), `inactive` (only the user can mend the connector), `put_off` (the provider or KMS failed; there is a time to look again), `unknown_mailbox`, `failed` (delivered again), `unreadable` (quarantined)",
    ).by_provider(),
    count(
        WAKE_UPS_COALESCED,
        &[],
        PROCESSOR,
        "wake-ups that were handled by another one of the same mailbox and batch",
    ),
    count(MESSAGES_SEEN, &[], PROCESSOR, "messages that were looked at").by_provider(),
    count(MESSAGES_MATCHED, &[], PROCESSOR, "messages of those that fired at least one trigger"),
    Metric {
        name: NOTIFICATION_LAG,
        unit: Unit::Milliseconds,
        dimensions: &[],
        functions: PROCESSOR,
        tells: "from the provider's notification to the event on the bus, of each lot that a push led to; each connector's own stands in the log line `mailbox looked at`",
        by_provider: true,
    },
    count(
        EVENTS_PUBLISHED,
        &["DetailType"],
        PUBLISHES,
        "events that the bus took, by detail type: `TRIGGER_FIRED` is what fired, `MESSAGE_PARKED` what was set aside, `CONNECTOR_NEEDS_REAUTH` who must connect again",
    ).by_provider(),
    count(
        EVENTS_PUT_OFF,
        &[],
        PUBLISHES,
        "events that the bus did not take, and that wait in the table",
    ),
    Metric {
        name: OUTBOX_AGE,
        unit: Unit::Seconds,
        dimensions: &[],
        functions: PROCESSOR,
        tells: "age of the oldest event that an earlier run decided and left unpublished, when they were taken on",
        by_provider: false,
    },
    count(
        CIRCUITS_OPENED,
        &[],
        PROCESSOR,
        "mailboxes that rest from now on, because the provider failed for them",
    ).by_provider(),
    count(
        CIRCUITS_CLOSED,
        &[],
        PROCESSOR,
        "mailboxes that had rested, and for which the provider answers again",
    ).by_provider(),
    count(
        GMAIL_CALLS,
        &["Method", "Outcome"],
        TALKS_TO_PROVIDERS,
        "calls to Google by Gmail's name of the method (a batch counts as its parts) and outcome: `ok`, `refused`, `unauthorized`, `rate_limited`, `unavailable`, `no_answer`",
    ),
    Metric {
        name: GMAIL_LATENCY,
        unit: Unit::Milliseconds,
        dimensions: &["Method"],
        functions: TALKS_TO_PROVIDERS,
        tells: "time of each HTTP request to Google; a batch is one, `batch`",
        by_provider: false,
    },
    count(
        GMAIL_UNITS,
        &["Method"],
        TALKS_TO_PROVIDERS,
        "quota units of those calls, at the prices of projects made since May 2026",
    ),
    count(
        GRAPH_CALLS,
        &["Method", "Outcome"],
        TALKS_TO_PROVIDERS,
        "calls to Microsoft Graph by method (a batch counts as its parts) and outcome: `ok`, `refused`, `unauthorized`, `rate_limited`, `unavailable`, `no_answer`",
    ),
    Metric {
        name: GRAPH_LATENCY,
        unit: Unit::Milliseconds,
        dimensions: &["Method"],
        functions: TALKS_TO_PROVIDERS,
        tells: "time of each HTTP request to Microsoft Graph; a batch is one, `batch`",
        by_provider: false,
    },
    count(
        TOKEN_REFRESHES,
        &["Outcome"],
        TALKS_TO_PROVIDERS,
        "access tokens that were asked for: `refreshed`, `grant_refused` (the user must connect again), `client_refused`, `unavailable`",
    ).by_provider(),
    count(
        OAUTH_CLIENT_REFUSED,
        &[],
        TALKS_TO_PROVIDERS,
        "the provider refused our own client id or secret: no connector works until an operator mends it",
    ).by_provider(),
    count(
        SECRET_WRONG_CONTEXT,
        &[],
        TALKS_TO_PROVIDERS,
        "a sealed secret was opened where it does not belong",
    ),
    count(CONNECTED, &[], CONNECT, "connects and reconnects").by_provider(),
    count(
        SECURITY_EVENTS,
        &["Outcome"],
        CONNECT,
        "Google's security events: `ended` access, `noted`, `refused`",
    ),
    count(
        MAIL_OPERATIONS,
        &["Operation", "Outcome"],
        API,
        "operations on mail by name: `done`, `failed`",
    ),
    count(
        SIGNATURES_REFUSED,
        &[],
        API,
        "`webhook` triggers that were fired with a wrong, late or missing signature",
    ),
    count(
        USER_TOKENS_REFUSED,
        &[],
        ADMITS,
        "calls with a token that does not hold, or whose role does not suffice",
    ),
    count(WATCHES_RENEWED, &[], RENEWER, "watches that were renewed").by_provider(),
    count(
        WATCHES_NOT_RENEWED,
        &[],
        RENEWER,
        "`watch` calls that the provider did not grant: each mailbox is tried again after five minutes, then twice as long each time, six hours at most, so that one counts a few times on its first day and four times a day from then on",
    ).by_provider(),
    count(
        WATCHES_LAPSED,
        &[],
        RENEWER,
        "watches that ended before they were renewed: their mailboxes are compared, not notified of",
    ).by_provider(),
    count(
        WATCHES_UNPROVEN,
        &[],
        RENEWER,
        "looks at mailboxes of which no push has come since their watch was renewed, over `QuietAfterMinutes` ago: notifications may not come through. Looks, not mailboxes: each of these counts again at every sweep that comes for it, once in `QuietAfterMinutes` at least",
    ),
    Metric {
        name: WATCH_LEFT,
        unit: Unit::Seconds,
        dimensions: &[],
        functions: RENEWER,
        tells: "how long each renewed watch would still have lasted; 0 for one that had lapsed",
        by_provider: true,
    },
    count(MAILBOXES_WOKEN, &[], RENEWER, "mailboxes that a sweep woke"),
    count(
        MAILBOXES_SILENT,
        &[],
        RENEWER,
        "mailboxes that were compared without a push, and in which nothing had happened",
    ),
    count(MAILBOXES_RENAMED, &[], RENEWER, "mailboxes that have another address now"),
    count(
        CONNECTORS_CLOSED,
        &[],
        RENEWER,
        "disconnects that were begun before, and that a sweep brought to their end",
    ),
    count(
        SWEEPS_FAILED,
        &[],
        RENEWER,
        "connectors or shards that a sweep failed on; due again in a minute",
    ).by_provider(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_once() {
        let names: std::collections::BTreeSet<&str> =
            METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), METRICS.len());
    }

    /// Each of them costs a metric more for each provider: the list grows by a decision, not by
    /// the way.
    #[test]
    fn these_are_shown_for_each_provider_and_no_others() {
        let split: Vec<&str> =
            METRICS.iter().map(|metric| metric.name).filter(|name| is_by_provider(name)).collect();
        let expected = [
            WAKE_UPS,
            MESSAGES_SEEN,
            NOTIFICATION_LAG,
            EVENTS_PUBLISHED,
            CIRCUITS_OPENED,
            CIRCUITS_CLOSED,
            TOKEN_REFRESHES,
            OAUTH_CLIENT_REFUSED,
            CONNECTED,
            WATCHES_RENEWED,
            WATCHES_NOT_RENEWED,
            WATCHES_LAPSED,
            WATCH_LEFT,
            SWEEPS_FAILED,
        ];
        assert_eq!(split, expected);
    }

    #[test]
    fn no_metric_that_is_one_providers_own_is_shown_for_each() {
        let own = |metric: &Metric| {
            metric.functions == WEBHOOK
                || ["Gmail", "Graph"].iter().any(|name| metric.name.starts_with(name))
        };
        for metric in METRICS.iter().filter(|metric| own(metric)) {
            assert!(!metric.by_provider, "{} is one provider's own", metric.name);
        }
        assert!(METRICS.iter().all(|metric| !metric.dimensions.contains(&PROVIDER)));
    }
}

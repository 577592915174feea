//! How many metrics CloudWatch charges for: of each metric every function, and every value of its
//! own dimensions, is one.

use std::collections::BTreeSet;

use email_connectors::domain::event::DetailType;
use email_connectors::domain::metric::{
    CONNECTED, EVENTS_PUBLISHED, GMAIL_CALLS, GMAIL_LATENCY, GMAIL_UNITS, GRAPH_CALLS,
    GRAPH_LATENCY, MAIL_OPERATIONS, MAILBOXES_SILENT, MAILBOXES_WOKEN, MESSAGES_MATCHED,
    MESSAGES_SEEN, METRICS, Metric, NOTIFICATION_LAG, PUSH_QUEUED, TOKEN_REFRESHES,
    USER_TOKENS_REFUSED, WAKE_UPS, WAKE_UPS_COALESCED, WATCH_LEFT, WATCHES_RENEWED,
};
use email_connectors::domain::operation::OPERATIONS;
use email_connectors::domain::provider::REGISTERED;
use email_connectors::domain::provider::gmail::METHODS;
use email_connectors::domain::provider::outlook::methods::METHODS as GRAPH_METHODS;

/// The metrics that a healthy stack has in any hour; the others count failures, and are charged
/// only in those hours.
const USUAL: [&str; 11] = [
    PUSH_QUEUED,
    WAKE_UPS_COALESCED,
    MESSAGES_SEEN,
    MESSAGES_MATCHED,
    NOTIFICATION_LAG,
    CONNECTED,
    USER_TOKENS_REFUSED,
    WATCHES_RENEWED,
    WATCH_LEFT,
    MAILBOXES_WOKEN,
    MAILBOXES_SILENT,
];

/// What each function calls at Google while all is well, and what it calls besides. Of the API's
/// methods and operations those that agents use who read, label, draft and answer mail.
const CALLED: [(&str, &[&str], &[&str]); 4] = [
    ("oauth-connect", &["oauth.token", "getProfile", "watch"], &["stop", "oauth.revoke"]),
    (
        "connectors-api",
        &[
            "oauth.token",
            "batch",
            "messages.list",
            "messages.get",
            "messages.send",
            "messages.modify",
            "messages.attachments.get",
            "threads.list",
            "threads.get",
            "labels.list",
            "drafts.create",
            "drafts.send",
        ],
        &["stop", "oauth.revoke"],
    ),
    (
        "history-processor",
        &["oauth.token", "history.list", "messages.get", "batch"],
        &["messages.list", "getProfile"],
    ),
    ("watch-renewer", &["oauth.token", "getProfile", "watch"], &["stop", "oauth.revoke"]),
];
const USUAL_OPERATIONS: [&str; 10] = [
    "messages.list",
    "messages.get",
    "messages.send",
    "messages.modify",
    "attachments.get",
    "threads.list",
    "threads.get",
    "labels.list",
    "drafts.create",
    "drafts.send",
];
/// Event types that are published in any hour, and all that are counted.
const USUAL_TYPES: usize = 1;
const TYPES: usize = DetailType::MessageParked as usize + 1;
/// `listed`, and `stale` for what the cursor covered.
const USUAL_WAKE_UPS: usize = 2;

/// How many metrics there are in any hour, and how many there can be, in a stack of one provider.
pub fn combinations() -> (usize, usize) {
    sum(METRICS.iter())
}

/// What is added to them in a stack that connects mailboxes of all providers: each metric that is
/// shown by provider, once for each.
pub fn combinations_by_provider() -> (usize, usize) {
    let (usual, most) = sum(METRICS.iter().filter(|metric| metric.by_provider));
    (usual * REGISTERED.len(), most * REGISTERED.len())
}

fn sum<'a>(metrics: impl Iterator<Item = &'a Metric>) -> (usize, usize) {
    let each =
        metrics.flat_map(|metric| metric.functions.iter().map(|function| of(metric, function)));
    each.fold((0, 0), |(usual, most), (more, at_most)| (usual + more, most + at_most))
}

/// The same for one metric of one function.
fn of(metric: &Metric, function: &str) -> (usize, usize) {
    let outcomes = outcomes(metric);
    match (metric.name, metric.dimensions) {
        (name, []) => (usize::from(USUAL.contains(&name)), 1),
        (GMAIL_CALLS, _) => {
            let (usual, most) = methods(function, |method| method != "batch");
            (usual, most * outcomes)
        }
        // Token calls cost no units.
        (GMAIL_UNITS, _) => {
            methods(function, |method| method != "batch" && !method.starts_with("oauth."))
        }
        (GMAIL_LATENCY, _) => methods(function, |_| true),
        // Of a stack that connects Outlook too; none of them is usual here.
        (GRAPH_CALLS, _) => (0, GRAPH_METHODS.len() * outcomes),
        (GRAPH_LATENCY, _) => (0, GRAPH_METHODS.len()),
        (MAIL_OPERATIONS, _) => (USUAL_OPERATIONS.len(), OPERATIONS.len() * outcomes),
        (EVENTS_PUBLISHED, _) => (USUAL_TYPES, TYPES),
        (WAKE_UPS, _) => (USUAL_WAKE_UPS, outcomes),
        (TOKEN_REFRESHES, _) => (1, outcomes),
        (_, [_]) => (0, outcomes),
        (name, dimensions) => {
            panic!("nobody said which values of {dimensions:?} there are of {name}")
        }
    }
}

/// How many outcomes or reasons a metric names.
fn outcomes(metric: &Metric) -> usize {
    metric.tells.matches('`').count() / 2
}

fn methods(function: &str, counts: impl Fn(&str) -> bool) -> (usize, usize) {
    let (_, usual, others) = CALLED
        .into_iter()
        .find(|(name, ..)| *name == function)
        .expect("a function that calls Google");
    let operated =
        METHODS.iter().map(|method| method.name).filter(|_| function == "connectors-api");
    let all: BTreeSet<&str> = usual.iter().chain(others).copied().chain(operated).collect();
    (
        usual.iter().filter(|method| counts(method)).count(),
        all.into_iter().filter(|method| counts(method)).count(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_is_part_of_what_there_can_be() {
        for metric in &METRICS {
            for function in metric.functions {
                let (usual, most) = of(metric, function);
                assert!(
                    usual <= most && most > 0,
                    "{} of {function}: {usual} of {most}",
                    metric.name
                );
            }
        }
        let (usual, most) = combinations();
        assert!((60..=150).contains(&usual), "a stack that reads and sends mail has {usual}");
        // A whole run of the tests on the local stack counts some 250.
        assert!((300..=1200).contains(&most), "{most}");
        let (usual, most) = combinations_by_provider();
        assert!((20..=40).contains(&usual), "by provider there are {usual} more");
        assert!(most <= 160, "by provider there can be {most} more");
    }

    #[test]
    fn what_is_named_here_is_there() {
        let own =
            ["getProfile", "watch", "stop", "history.list", "oauth.token", "oauth.revoke", "batch"];
        for (function, usual, others) in CALLED {
            assert!(
                METRICS.iter().any(
                    |metric| metric.name == GMAIL_CALLS && metric.functions.contains(&function)
                ),
                "{function}"
            );
            for method in usual.iter().chain(others) {
                assert!(
                    own.contains(method) || METHODS.iter().any(|known| known.name == *method),
                    "{method}"
                );
            }
        }
        for operation in USUAL_OPERATIONS {
            assert!(OPERATIONS.iter().any(|entry| entry.name == operation), "{operation}");
        }
        let outcomes_of =
            |name: &str| METRICS.iter().find(|metric| metric.name == name).map(outcomes);
        let named = [(GMAIL_CALLS, 6), (WAKE_UPS, 8), (TOKEN_REFRESHES, 4), (MAIL_OPERATIONS, 2)];
        for (name, expected) in named {
            assert_eq!(outcomes_of(name), Some(expected), "{name}");
        }
    }
}

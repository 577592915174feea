//! A provider's words stay in its own rooms: what the engine says, it says of every provider.

use std::collections::BTreeMap;

use super::rooms::{code, files};

/// In any letter case.
const WORDS: [&str; 6] = ["gmail", "google", "pubsub", "pub_sub", "history_id", "historyid"];

/// Whose words they are: the provider itself, its adapter, its settings, and the function that takes
/// its pushes.
const ROOMS: [&str; 4] = [
    "lib/src/domain/provider/gmail",
    "lib/src/adapters/gmail",
    "lib/src/config/google.rs",
    "functions/pubsub-webhook/",
];

/// How often each other file still has one of the words in its code, comments and tests aside. A
/// number may only fall, and a file may only leave.
const LEFT: &[(&str, usize)] = &[
    ("functions/connectors-api/src/connectors.rs", 2),
    ("functions/connectors-api/src/mail_problem.rs", 4),
    ("functions/connectors-api/src/main.rs", 1),
    ("functions/connectors-api/src/openapi.rs", 1),
    ("functions/connectors-api/src/openapi/examples.rs", 15),
    ("functions/connectors-api/src/openapi/routes.rs", 16),
    ("functions/connectors-api/src/openapi/shapes.rs", 5),
    ("functions/history-processor/src/lib.rs", 3),
    ("functions/history-processor/src/main.rs", 1),
    ("functions/oauth-connect/src/connect.rs", 7),
    ("functions/oauth-connect/src/lib.rs", 2),
    ("functions/oauth-connect/src/security_events.rs", 1),
    ("functions/oauth-connect/src/wiring.rs", 5),
    ("functions/watch-renewer/src/main.rs", 1),
    ("lib/src/adapters.rs", 1),
    ("lib/src/adapters/dynamodb/rows.rs", 1),
    ("lib/src/adapters/outlook/operations.rs", 2),
    ("lib/src/adapters/outlook/wire.rs", 2),
    ("lib/src/adapters/providers.rs", 25),
    ("lib/src/config.rs", 11),
    ("lib/src/config/functions.rs", 22),
    ("lib/src/domain/audit.rs", 7),
    ("lib/src/domain/claims.rs", 5),
    ("lib/src/domain/firing.rs", 5),
    ("lib/src/domain/health/code.rs", 14),
    ("lib/src/domain/health/findings.rs", 4),
    ("lib/src/domain/identity.rs", 6),
    ("lib/src/domain/mark.rs", 2),
    ("lib/src/domain/message.rs", 5),
    ("lib/src/domain/metric.rs", 16),
    ("lib/src/domain/operation/answer.rs", 2),
    ("lib/src/domain/operation/parameter.rs", 2),
    ("lib/src/domain/operation/request.rs", 1),
    ("lib/src/domain/outgoing.rs", 1),
    ("lib/src/domain/outgoing/forwarding.rs", 4),
    ("lib/src/domain/outgoing/identity.rs", 1),
    ("lib/src/domain/position/soon.rs", 1),
    ("lib/src/domain/provider.rs", 4),
    ("lib/src/domain/provider/kind.rs", 3),
    ("lib/src/domain/restore.rs", 2),
    ("lib/src/domain/retention.rs", 2),
    ("lib/src/domain/scopes.rs", 17),
    ("lib/src/domain/security_event.rs", 1),
    ("lib/src/domain/trigger.rs", 2),
    ("lib/src/domain/trigger/possible.rs", 3),
    ("lib/src/domain/upload.rs", 1),
    ("lib/src/domain/wake_up.rs", 5),
    ("lib/src/flows/connect.rs", 2),
    ("lib/src/flows/disconnect.rs", 2),
    ("lib/src/flows/receive.rs", 10),
    ("lib/src/flows/rehearse.rs", 2),
    ("lib/src/flows/trigger_labels.rs", 3),
];

fn count(text: &str) -> usize {
    let code = code(text).to_lowercase();
    WORDS.iter().map(|word| code.matches(word).count()).sum()
}

#[test]
fn a_providers_words_stay_in_its_rooms() {
    let left: BTreeMap<&str, usize> = LEFT.iter().copied().collect();
    assert!(LEFT.is_sorted(), "the list is in order");
    let found: BTreeMap<String, usize> = ["lib/src", "functions"]
        .into_iter()
        .flat_map(files)
        .filter(|(path, _)| !ROOMS.iter().any(|room| path.starts_with(room)))
        .map(|(path, text)| (path, count(&text)))
        .filter(|(_, count)| *count > 0)
        .collect();
    for (path, count) in &found {
        let allowed = left.get(path.as_str()).copied().unwrap_or(0);
        assert!(
            *count <= allowed,
            "{path} has a provider's words {count} times, and may have them {allowed} times: \
             say it of every provider, or in the provider's room"
        );
    }
    for (path, allowed) in LEFT {
        let count = found.get(*path).copied().unwrap_or(0);
        assert_eq!(count, *allowed, "{path} has fewer of them now: lower its number");
    }
}

//! One push on its whole way: published like Gmail's own, and seen by the look that it leads to.

use std::time::Duration;

use email_connectors::domain::timestamp::Timestamp;
use serde_json::Value;

use super::Probe;
use crate::api::Api;
use crate::doctor::fact::Fact;
use crate::doctor::facts::Push;
use crate::pace::{Since, pause};
use crate::request::{Request, connector_path};
use crate::show::at;

const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// Gmail's first notification may be faster than the answer that dates the watch.
const EARLY: Duration = Duration::from_secs(10);

/// Which connector's mailbox to push for, and how long to wait.
pub struct Trial {
    pub connector: Option<String>,
    pub patience: Duration,
}

pub async fn tried(probe: &Probe<'_>, connectors: &Fact<Vec<Value>>) -> Fact<Push> {
    let parameter = |name: &str| probe.deployed.parameters.get(name).map_or("", String::as_str);
    if parameter("GoogleClientId").is_empty() {
        return Fact::Skipped("the stack connects no Gmail".into());
    }
    if !probe.wants("push") {
        return Fact::Skipped("not asked for".into());
    }
    let (api, connectors) =
        match (&probe.api, connectors) {
            (Some(api), Fact::Known(connectors)) => (api, connectors),
            (_, Fact::Unreachable(why)) => {
                return Fact::Unreachable(format!("no connector is known: {why}"));
            }
            _ => return Fact::Skipped(
                "needs a connected mailbox: a user's token by --token-command or CONNECTORS_TOKEN"
                    .into(),
            ),
        };
    let chosen = match &probe.trial.connector {
        Some(_) => connectors.iter().find(|connector| at(connector, "/status") == "active"),
        None => connectors
            .iter()
            .find(|connector| at(connector, "/status") == "active" && is_proven(connector)),
    };
    let Some(connector) = chosen else {
        let how = "no connector is active and proven by a push; for another one: --connector ID (its watch then counts as proven)";
        return Fact::Skipped(how.into());
    };
    if probe.session.dry_run {
        return Fact::Skipped(format!(
            "dry run: would publish a notification for {}",
            at(connector, "/email_address")
        ));
    }
    published(probe, api, connector, parameter("PubSubTopic")).await
}

/// Whether a push of Gmail's has proven the watch: ours must not be the one that does.
fn is_proven(connector: &Value) -> bool {
    let time = |pointer: &str| Timestamp::parse(&at(connector, pointer));
    match (time("/watch/verified_at"), time("/watch/renewed_at")) {
        (Some(verified), Some(renewed)) => verified >= renewed.before(EARLY),
        _ => false,
    }
}

/// One beyond the cursor, so that the mailbox is looked at: a notification says no more than "look
/// now".
async fn published(probe: &Probe<'_>, api: &Api, connector: &Value, topic: &str) -> Fact<Push> {
    let (id, address, before) =
        (at(connector, "/id"), at(connector, "/email_address"), at(connector, "/updated_at"));
    let Ok(cursor) = at(connector, "/history_id").parse::<u64>() else {
        return Fact::Unreachable(format!("{id} tells no history id"));
    };
    let since = Since::now();
    match probe.google.publish(&probe.http, topic, &address, cursor.saturating_add(1)).await {
        Fact::Known(_) => {}
        other => return other.and_then(|_| Fact::Absent),
    }
    let (spinner, connector) = (
        probe
            .session
            .output
            .spinner("published a notification; waiting until the mailbox is looked at"),
        id.clone(),
    );
    let looked_after = loop {
        match api.send(&Request::get(connector_path(&id))).await.and_then(|answer| answer.json()) {
            Ok(now) if at(&now, "/updated_at") != before => {
                break Some(u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX));
            }
            Err(failure) if !failure.is_passing() => return Fact::Unreachable(failure.to_string()),
            _ if since.elapsed() > probe.trial.patience => break None,
            _ => pause(LOOK_AGAIN).await,
        }
    };
    spinner.finish_and_clear();
    Fact::Known(Push { connector, looked_after, waited_seconds: probe.trial.patience.as_secs() })
}

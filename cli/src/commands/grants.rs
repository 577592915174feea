//! Withdraws the grants of some connectors or of all for the operator; without `--apply` they are
//! only counted. Google revokes a whole account's grant, so connectors that share the account are
//! reported as well.

use std::collections::BTreeMap;

use email_connectors::adapters::Production;
use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::eventbridge::EventBridge;
use email_connectors::adapters::https;
use email_connectors::adapters::kms::KmsVault;
use email_connectors::adapters::providers::MailProviders;
use email_connectors::adapters::system::System;
use email_connectors::config::{DryRun, GoogleSettings, MicrosoftSettings, SettingError};
use email_connectors::domain::connector::Location;
use email_connectors::flows::withdraw::{Withdraw, WithdrawError, Withdrawn};
use email_connectors::ports::{Clock, StoreError};
use futures_util::StreamExt;
use futures_util::stream::iter;
use serde_json::{Value, json};

use crate::args::operate::RevokeGrants;
use crate::aws;
use crate::deployed::Deployed;
use crate::failure::Failure;
use crate::session::Session;

/// The function that connects users; withdrawing needs its settings.
const FUNCTION: &str = "OauthConnectFunction";
/// How many connectors are withdrawn side by side.
const AT_ONCE: usize = 16;

pub async fn run(session: &Session, options: RevokeGrants) -> Result<(), Failure> {
    if options.apply && !options.all && options.connectors.is_empty() {
        return Err(Failure::here(
            "say whose grants are withdrawn: --connector con_… (as often as you like), or --all, after which every user must connect \
             again; without --apply they are counted",
        ));
    }
    let settings = session.settings()?;
    let config = settings.aws().await;
    let deployed = Deployed::read(&config, settings.stack_name()?).await?;
    let env = deployed.environment(FUNCTION).await?;
    let unfit = |error: SettingError| Failure::Aws(format!("the settings of {FUNCTION}: {error}"));
    let store = DynamoStore::new(&config, env.text("TABLE_NAME").map_err(unfit)?);
    let mut locations = all(&store).await.map_err(|error| Failure::Aws(aws::describe(&error)))?;
    if !options.connectors.is_empty() {
        let known =
            |id: &String| locations.iter().any(|location| location.connector.as_str() == id);
        if let Some(unknown) = options.connectors.iter().find(|id| !known(id)) {
            return Err(Failure::NotFound(format!("there is no connector {unknown}")));
        }
        locations.retain(|location| {
            options.connectors.iter().any(|id| location.connector.as_str() == id)
        });
    }
    let count = locations.len();
    if session.dry_run || !options.apply {
        let document = json!({"dry_run": true, "connectors": count});
        let text = format!(
            "{count} connectors hold a grant; --apply withdraws them, and whoever shares their accounts loses it too"
        );
        return session.output.document(&document, &text);
    }
    let http = https::client()
        .map_err(|error| Failure::here(format!("no HTTPS client can be made: {error}")))?;
    let google = GoogleSettings::read(&env).map_err(unfit)?;
    let microsoft = MicrosoftSettings::read(&env).map_err(unfit)?;
    let dry_run = DryRun::read(&env).map_err(unfit)?;
    let provider = MailProviders::as_set(&http, google, microsoft, dry_run);
    let vault = KmsVault::new(&config, env.text("KMS_KEY_ID").map_err(unfit)?);
    let bus = EventBridge::new(&config, env.text("EVENT_BUS_NAME").map_err(unfit)?);
    let withdraw =
        Withdraw::<Production> { store: &store, vault: &vault, provider: &provider, bus: &bus };
    let bar = session.output.progress(count as u64, "grants withdrawn");
    let mut tally = Tally::default();
    let withdrawing = iter(&locations)
        .map(async |location| (location, withdraw.run(location, System.now()).await));
    let mut withdrawing = std::pin::pin!(withdrawing.buffer_unordered(AT_ONCE));
    while let Some((location, ended)) = withdrawing.next().await {
        tally.count(location, ended);
        bar.inc(1);
    }
    bar.finish_and_clear();
    tally
        .failed
        .iter()
        .for_each(|(connector, why)| session.output.note(&format!("{connector}: {why}")));
    session.output.document(&tally.document(&locations), &tally.summary(&locations))?;
    if tally.failed.is_empty() { Ok(()) } else { Err(Failure::NeedsPerson) }
}

/// What came of all of them.
#[derive(Default)]
struct Tally {
    /// By the connector that waits for its user: its owner, and the connector whose grant was
    /// withdrawn.
    suspended: BTreeMap<String, (String, String)>,
    /// By connector, and why.
    failed: BTreeMap<String, String>,
}

impl Tally {
    fn count(&mut self, location: &Location, ended: Result<Withdrawn, WithdrawError>) {
        let withdrawn = match ended {
            Ok(withdrawn) => withdrawn,
            Err(error) => {
                return drop(
                    self.failed.insert(location.connector.to_string(), aws::describe(&error)),
                );
            }
        };
        for suspended in withdrawn.suspended {
            let by = (suspended.owner.to_string(), location.connector.to_string());
            self.failed.remove(suspended.connector.as_str());
            self.suspended.insert(suspended.connector.to_string(), by);
        }
        for (id, error) in
            withdrawn.failed.iter().filter(|(id, _)| !self.suspended.contains_key(id.as_str()))
        {
            let why = format!(
                "revoked, and not suspended: {}; again with --connector {id} --apply",
                aws::describe(error)
            );
            self.failed.insert(id.to_string(), why);
        }
    }

    /// How many of the chosen ones waited for their users already, or are gone.
    fn idle(&self, chosen: &[Location]) -> usize {
        let reported = |id: &str| self.suspended.contains_key(id) || self.failed.contains_key(id);
        chosen.iter().filter(|location| !reported(location.connector.as_str())).count()
    }

    fn document(&self, chosen: &[Location]) -> Value {
        let suspended = self.suspended.iter();
        let suspended = suspended.map(|(connector, (owner, by))| json!({"connector_id": connector, "owner_id": owner, "with": by}));
        let suspended: Vec<Value> = suspended.collect();
        let failed: Vec<Value> = self
            .failed
            .iter()
            .map(|(connector, why)| json!({"connector_id": connector, "why": why}))
            .collect();
        json!({"withdrawn": suspended.len(), "suspended": suspended, "waited_already": self.idle(chosen), "failed": failed})
    }

    fn summary(&self, chosen: &[Location]) -> String {
        let line = |(connector, (owner, by)): (&String, &(String, String))| match connector == by {
            true => format!("{connector} of {owner} waits for its user\n"),
            false => format!(
                "{connector} of {owner} waits for its user: it shares the Google account of {by}\n"
            ),
        };
        let lines: String = self.suspended.iter().map(line).collect();
        let (withdrawn, idle, failed) =
            (self.suspended.len(), self.idle(chosen), self.failed.len());
        format!("{lines}{withdrawn} grants withdrawn, {idle} had none in use, {failed} failed")
    }
}

async fn all(store: &DynamoStore) -> Result<Vec<Location>, StoreError> {
    let (mut found, mut scan_key) = (Vec::new(), None);
    loop {
        let page = store.all_connectors(scan_key).await?;
        found.extend(page.rows);
        scan_key = page.next;
        if scan_key.is_none() {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use email_connectors::domain::id::{ConnectorId, OwnerId};
    use email_connectors::domain::mailbox_key::MailboxKey;
    use email_connectors::flows::withdraw::Suspended;

    use super::*;

    fn location(id: &str) -> Location {
        Location {
            mailbox: MailboxKey::parse("ada@example.com").unwrap(),
            connector: ConnectorId::new(id),
        }
    }

    fn suspending(ids: &[&str]) -> Withdrawn {
        let of = |id: &&str| Suspended {
            connector: ConnectorId::new(*id),
            owner: OwnerId::new(format!("owner-of-{id}")),
        };
        Withdrawn { suspended: ids.iter().map(of).collect(), failed: Vec::new() }
    }

    #[test]
    fn each_connector_is_reported_once_even_if_it_was_not_chosen() {
        let (mut tally, chosen) = (Tally::default(), ["con_1", "con_3", "con_4"].map(location));
        tally.count(&chosen[0], Ok(suspending(&["con_1", "con_2"])));
        tally.count(&chosen[1], Ok(suspending(&[])));
        let broken = Withdrawn {
            failed: vec![(ConnectorId::new("con_5"), StoreError::Conflict)],
            ..suspending(&["con_4"])
        };
        tally.count(&chosen[2], Ok(broken));
        let lines = [
            "con_1 of owner-of-con_1 waits for its user",
            "con_2 of owner-of-con_2 waits for its user: it shares the Google account of con_1",
            "con_4 of owner-of-con_4 waits for its user",
            "3 grants withdrawn, 1 had none in use, 1 failed",
        ];
        assert_eq!(tally.summary(&chosen), lines.join("\n"));
        let document = tally.document(&chosen);
        assert_eq!(
            document["suspended"][1],
            json!({"connector_id": "con_2", "owner_id": "owner-of-con_2", "with": "con_1"})
        );
        assert_eq!((&document["withdrawn"], &document["waited_already"]), (&json!(3), &json!(1)));
        assert_eq!(document["failed"][0]["connector_id"], "con_5");
    }

    #[test]
    fn one_that_its_own_turn_suspended_is_not_called_failed() {
        for turns in [[0, 1], [1, 0]] {
            let (mut tally, chosen) = (Tally::default(), ["con_1", "con_2"].map(location));
            for turn in turns {
                let failed = Withdrawn {
                    failed: vec![(ConnectorId::new("con_2"), StoreError::Conflict)],
                    ..suspending(&["con_1"])
                };
                tally.count(
                    &chosen[turn],
                    Ok(if turn == 0 { failed } else { suspending(&["con_2"]) }),
                );
            }
            assert_eq!(
                tally.summary(&chosen).lines().last(),
                Some("2 grants withdrawn, 0 had none in use, 0 failed")
            );
        }
    }

    /// Two of one account that are withdrawn side by side: the second finds the grant dead, and the
    /// first had suspended it.
    #[test]
    fn one_that_went_with_another_is_not_called_idle() {
        let (mut tally, chosen) = (Tally::default(), ["con_1", "con_2"].map(location));
        tally.count(&chosen[1], Ok(suspending(&[])));
        tally.count(&chosen[0], Ok(suspending(&["con_1", "con_2"])));
        assert_eq!(
            tally.summary(&chosen).lines().last(),
            Some("2 grants withdrawn, 0 had none in use, 0 failed")
        );
    }
}

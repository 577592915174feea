//! Puts lost connectors back from a table that was restored beside the stack's: the chosen ones,
//! each with all that belongs to it. Existing rows stay, and temporary rows are not copied.

use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::dynamodb::restore::Kinds;
use email_connectors::adapters::dynamodb::restore::run::{
    Choice, Ended, Report, Restore, Restored,
};
use email_connectors::adapters::system::System;
use email_connectors::domain::id::{ConnectorId, OwnerId};
use email_connectors::ports::Clock;
use serde_json::{Value, json};

use crate::args::operate;
use crate::aws;
use crate::deployed::Deployed;
use crate::failure::Failure;
use crate::session::Session;

/// Longer lists are for `--json`.
const MOST_LINES: usize = 100;

pub async fn run(session: &Session, options: operate::Restore) -> Result<(), Failure> {
    let chosen = options.all || !options.connectors.is_empty() || !options.owners.is_empty();
    if options.apply && !chosen {
        return Err(Failure::here(
            "say what comes back: --connector con_… or --owner … (each as often as you like), or --all, with which all comes back that \
             the table knew then; without --apply it is compared",
        ));
    }
    let settings = session.settings()?;
    let config = settings.aws().await;
    let deployed = Deployed::read(&config, settings.stack_name()?).await?;
    let table = deployed.output("TableName")?.to_string();
    if options.from == table {
        return Err(Failure::here(
            "--from is the stack's own table; name the one that was restored beside it",
        ));
    }
    let (from, to, apply) = (
        DynamoStore::new(&config, &options.from),
        DynamoStore::new(&config, &table),
        options.apply && !session.dry_run,
    );
    let choice = Choice {
        connectors: options.connectors.iter().map(|id| ConnectorId::new(id.as_str())).collect(),
        owners: options.owners.iter().map(OwnerId::new).collect(),
    };
    let spinner =
        session.output.spinner(if apply { "rows are laid back" } else { "rows are compared" });
    let report =
        Restore { from: &from, to: &to, choice: choice.clone(), apply }.run(System.now()).await;
    spinner.finish_and_clear();
    let outcome =
        Outcome { report: report.map_err(|error| Failure::Aws(aws::describe(&error)))?, apply };
    session.output.document(&outcome.document(&options.from, &table), &outcome.text())?;
    if let Some(unknown) =
        choice.connectors.iter().find(|id| !outcome.report.connectors.contains_key(*id))
    {
        return Err(Failure::NotFound(format!("{} holds no connector {unknown}", options.from)));
    }
    if let Some(unknown) = choice.owners.iter().find(|owner| {
        !outcome.report.connectors.values().any(|connector| connector.owner == **owner)
    }) {
        return Err(Failure::NotFound(format!("{} holds no connector of {unknown}", options.from)));
    }
    if outcome.failed() == 0 { Ok(()) } else { Err(Failure::NeedsPerson) }
}

/// The report as it is printed.
struct Outcome {
    report: Report,
    apply: bool,
}

impl Outcome {
    /// Connectors of which rows are missing, or were put back.
    fn restored(&self) -> impl Iterator<Item = (&Restored, &Kinds)> {
        let restored =
            self.report.connectors.values().filter_map(|connector| match &connector.ended {
                Ended::Complete(kinds) => Some((connector, kinds)),
                _ => None,
            });
        restored.filter(|(_, kinds)| !kinds.is_empty())
    }

    fn kept_out(&self) -> impl Iterator<Item = (&Restored, String)> {
        self.report.connectors.values().filter_map(|connector| match &connector.ended {
            Ended::KeptOut(why) => Some((connector, why.to_string())),
            _ => None,
        })
    }

    fn failures(&self) -> impl Iterator<Item = (&Restored, String)> {
        self.report.connectors.values().filter_map(|connector| match &connector.ended {
            Ended::Failed(error) => Some((connector, aws::describe(error))),
            _ => None,
        })
    }

    fn failed(&self) -> usize {
        self.failures().count()
    }

    fn kinds(&self) -> Kinds {
        let mut all = Kinds::new();
        for (_, kinds) in self.restored() {
            kinds.iter().for_each(|(kind, count)| *all.entry(kind).or_default() += count);
        }
        if self.report.service > 0 {
            all.insert("data key", self.report.service);
        }
        all
    }

    fn document(&self, from: &str, to: &str) -> Value {
        let with = |connector: &Restored, name: &str, value: Value| json!({"connector_id": connector.location.connector, "owner_id": connector.owner, name: value});
        let restored: Vec<Value> = self
            .restored()
            .map(|(connector, kinds)| with(connector, "rows", json!(kinds)))
            .collect();
        let kept_out: Vec<Value> =
            self.kept_out().map(|(connector, why)| with(connector, "why", json!(why))).collect();
        let failed: Vec<Value> =
            self.failures().map(|(connector, why)| with(connector, "why", json!(why))).collect();
        let (rows, passing) = (self.report.rows, self.report.passing);
        let what = if self.apply { "laid_back" } else { "missing" };
        json!({"from": from, "to": to, "rows": rows, "passing": passing, what: self.kinds(), "connectors": restored,
            "kept_out": kept_out, "failed": failed, "applied": self.apply})
    }

    fn text(&self) -> String {
        let line = |connector: &Restored, what: String| {
            format!("{} of {}{what}", connector.location.connector, connector.owner)
        };
        let restored = self
            .restored()
            .map(|(connector, kinds)| line(connector, format!(": {}", listed(kinds))));
        let kept_out =
            self.kept_out().map(|(connector, why)| line(connector, format!(" kept out: {why}")));
        let failed =
            self.failures().map(|(connector, why)| line(connector, format!(" failed: {why}")));
        let mut lines: Vec<String> = restored.chain(kept_out).chain(failed).collect();
        if lines.len() > MOST_LINES {
            let more = lines.len() - MOST_LINES;
            lines.truncate(MOST_LINES);
            lines.push(format!("… and {more} connectors more; --json names all"));
        }
        let kinds = self.kinds();
        let count: u64 = kinds.values().sum();
        let of = if kinds.is_empty() { String::new() } else { format!(" ({})", listed(&kinds)) };
        let (what, how) = match self.apply {
            true => ("laid back", ""),
            false => ("are missing", "; --apply with --connector, --owner or --all lays them back"),
        };
        lines.push(format!(
            "{count} rows {what}{of}, {} connectors kept out, {} failed{how}",
            self.kept_out().count(),
            self.failed()
        ));
        lines.join("\n")
    }
}

fn listed(kinds: &Kinds) -> String {
    kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use email_connectors::domain::connector::Location;
    use email_connectors::domain::mailbox_key::MailboxKey;
    use email_connectors::domain::restore::KeptOut;
    use email_connectors::ports::StoreError;

    use super::*;

    fn outcome(apply: bool, connectors: Vec<(&str, Ended)>) -> Outcome {
        let restored = |(id, ended): (&str, Ended)| {
            let connector = ConnectorId::new(id);
            let location = Location {
                mailbox: MailboxKey::parse("ada@example.com").unwrap(),
                connector: connector.clone(),
            };
            (connector, Restored::new(location, OwnerId::new("ada"), ended))
        };
        let connectors: BTreeMap<_, _> = connectors.into_iter().map(restored).collect();
        Outcome { report: Report { rows: 9, passing: 2, service: 1, connectors }, apply }
    }

    fn ended() -> Vec<(&'static str, Ended)> {
        vec![
            ("con_1", Ended::Complete(Kinds::from([("connector", 1), ("trigger", 4)]))),
            ("con_2", Ended::Complete(Kinds::new())),
            ("con_3", Ended::KeptOut(KeptOut::SlotTaken(ConnectorId::new("con_9")))),
            ("con_4", Ended::Failed(StoreError::Conflict)),
        ]
    }

    #[test]
    fn each_connector_is_shown_with_its_outcome() {
        let lines = [
            "con_1 of ada: 1 connector, 4 trigger",
            "con_3 of ada kept out: con_9 holds its place among its owner's connectors: disconnect that one first, or leave it",
            "con_4 of ada failed: changed by another writer",
        ];
        let missing = "6 rows are missing (1 connector, 1 data key, 4 trigger), 1 connectors kept out, 1 failed; \
                       --apply with --connector, --owner or --all lays them back";
        assert_eq!(outcome(false, ended()).text(), [&lines[..], &[missing]].concat().join("\n"));
        let applied = "6 rows laid back (1 connector, 1 data key, 4 trigger), 1 connectors kept out, 1 failed";
        assert_eq!(outcome(true, ended()).text(), [&lines[..], &[applied]].concat().join("\n"));

        let document = outcome(true, ended()).document("then", "now");
        assert_eq!(document["laid_back"], json!({"connector": 1, "trigger": 4, "data key": 1}));
        assert_eq!(
            document["connectors"],
            json!([{"connector_id": "con_1", "owner_id": "ada", "rows": {"connector": 1, "trigger": 4}}])
        );
        assert_eq!(
            (&document["kept_out"][0]["connector_id"], &document["failed"][0]["connector_id"]),
            (&json!("con_3"), &json!("con_4"))
        );
    }

    #[test]
    fn a_long_list_is_cut_for_people() {
        let names: Vec<String> =
            (0..MOST_LINES + 7).map(|number| format!("con_{number:03}")).collect();
        let many =
            names.iter().map(|name| (name.as_str(), Ended::KeptOut(KeptOut::Left))).collect();
        let text = outcome(true, many).text();
        assert_eq!(text.lines().count(), MOST_LINES + 2);
        assert!(text.contains("… and 7 connectors more; --json names all"), "{text}");
    }
}

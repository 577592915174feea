//! Rows that are gone come back from a table that was restored beside the stack's. What lies there stays.

use std::collections::BTreeMap;

use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::ports::StoreError;
use serde_json::json;

use crate::args::operate::Restore;
use crate::aws;
use crate::deployed::Deployed;
use crate::failure::Failure;
use crate::session::Session;

pub async fn run(session: &Session, asked: Restore) -> Result<(), Failure> {
    let settings = session.settings()?;
    let config = aws::config(settings).await;
    let deployed = Deployed::read(&config, settings.stack_name()?).await?;
    let table = deployed.output("TableName")?.to_string();
    if asked.from == table {
        return Err(Failure::here("--from is the stack's own table; name the one that was restored beside it"));
    }
    let (from, to) = (DynamoStore::new(&config, &asked.from), DynamoStore::new(&config, &table));
    let apply = asked.apply && !session.dry_run;
    let spinner = session.output.spinner(if apply { "rows are laid back" } else { "rows are compared" });
    let compared = compare(&from, &to, apply).await;
    spinner.finish_and_clear();
    let (rows, missing) = compared.map_err(|error| Failure::Aws(aws::told(&error)))?;
    let count: u64 = missing.values().sum();
    let kinds: Vec<String> = missing.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let what = if apply { "laid back" } else { "missing" };
    let of = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    let told = match apply {
        true => format!("{count} rows laid back{of}, {} were there", rows - count),
        false => format!("{count} rows are missing{of}, {} are there; --apply lays them back", rows - count),
    };
    session.output.document(&json!({"from": asked.from, "to": table, "rows": rows, what: missing, "applied": apply}), &told)
}

/// How many rows the other table holds, and of those that lie nowhere in the stack's how many of each kind; they are laid
/// there, if `apply` says so.
async fn compare(from: &DynamoStore, to: &DynamoStore, apply: bool) -> Result<(u64, BTreeMap<String, u64>), StoreError> {
    let (mut rows, mut missing, mut place) = (0, BTreeMap::new(), None);
    loop {
        let page = from.all_rows(place).await?;
        for row in &page.rows {
            rows += 1;
            let was_missing = if apply { to.lay(row).await? } else { !to.lies(row).await? };
            if was_missing {
                *missing.entry(row.kind().to_lowercase()).or_insert(0) += 1;
            }
        }
        place = page.next;
        if place.is_none() {
            return Ok((rows, missing));
        }
    }
}

//! What holds data: the key, the table, the bus.

use super::either;
use crate::doctor::facts::{Facts, Key, Table};
use crate::doctor::finding::Finding;

const KEYS: &str = "https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html";
const INDEXES: [&str; 3] = ["due", "told", "fired"];
const EXPIRES_AT: &str = "expires_at";

pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    match facts.key.known("key.enabled", |finding| {
        finding.because("the key is gone: no secret can be opened").see(KEYS)
    }) {
        Ok(key) => findings.extend([enabled(facts, key), either(rotation(facts, key))]),
        Err(finding) => findings.push(finding),
    }
    let lost = |finding: Finding| {
        finding
            .because("the table was deleted")
            .mend("restore it from a point in time")
            .see("docs/cli.md#for-operators")
    };
    match facts.table.known("table.active", lost) {
        Ok(table) => {
            findings.extend([
                active(facts, table),
                indexes(facts, table),
                either(restores(facts, table)),
            ]);
            findings.extend([either(expires(facts, table)), protected(facts, table)]);
        }
        Err(finding) => findings.push(finding),
    }
    findings.push(either(bus(facts)));
    findings
}

fn output<'a>(facts: &'a Facts, name: &str) -> &'a str {
    facts.outputs.get(name).map_or("", String::as_str)
}

fn enabled(facts: &Facts, key: &Key) -> Finding {
    let id = output(facts, "SecretsKeyId");
    Finding::if_not(
        key.state == "Enabled",
        "key.enabled",
        format!("the key is {}", key.state),
        |bad| {
            let fix = match key.state.as_str() {
                "PendingDeletion" => format!(
                    "aws kms cancel-key-deletion --key-id {id} && aws kms enable-key --key-id {id}"
                ),
                _ => format!("aws kms enable-key --key-id {id}"),
            };
            bad.because("no secret can be sealed or opened, and the table cannot be read")
                .mend(fix)
                .see(KEYS)
        },
    )
}

fn rotation(facts: &Facts, key: &Key) -> Result<Finding, Finding> {
    let id = "key.rotation";
    let rotates = key.rotates.known(id, |finding| finding)?;
    let finding = Finding::if_not(
        *rotates,
        id,
        format!("rotation is {}", if *rotates { "on" } else { "off" }),
        |bad| {
            bad.because("the template turns it on; somebody turned it off")
                .mend(format!(
                    "aws kms enable-key-rotation --key-id {}",
                    output(facts, "SecretsKeyId")
                ))
                .see("https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html")
        },
    );
    Ok(finding.only_warns())
}

fn active(facts: &Facts, table: &Table) -> Finding {
    Finding::if_not(
        matches!(table.status.as_str(), "ACTIVE" | "UPDATING"),
        "table.active",
        format!("the table is {}", table.status),
        |bad| {
            bad.because("it cannot be used; INACCESSIBLE_ENCRYPTION_CREDENTIALS tells of its key")
                .mend(format!("aws dynamodb describe-table --table-name {}", output(facts, "TableName")))
                .see("https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html")
        },
    )
}

fn indexes(facts: &Facts, table: &Table) -> Finding {
    let lacking: Vec<&str> =
        INDEXES.into_iter().filter(|name| !table.indexes.contains_key(*name)).collect();
    let building: Vec<String> = table
        .indexes
        .iter()
        .filter(|(_, status)| !matches!(status.as_str(), "ACTIVE" | ""))
        .map(|(name, status)| format!("{name} is {status}"))
        .collect();
    if lacking.is_empty() && !building.is_empty() {
        return Finding::warn("table.indexes", building.join(", "))
            .because("an index is being built")
            .mend("wait, then look again");
    }
    let found = if lacking.is_empty() {
        INDEXES.join(", ")
    } else {
        format!("missing: {}", lacking.join(", "))
    };
    Finding::if_not(lacking.is_empty(), "table.indexes", found, |bad| {
        bad.because("what is due, told or fired is found by them")
            .mend(format!("sam deploy --stack-name {}", facts.stack_name))
            .see("https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.OnlineOps.html")
    })
}

fn restores(facts: &Facts, table: &Table) -> Result<Finding, Finding> {
    let id = "table.backup";
    let on = table.restores.known(id, |finding| finding)?;
    let finding = Finding::if_not(
        *on,
        id,
        format!("point-in-time recovery is {}", if *on { "on" } else { "off" }),
        |bad| {
            let table = output(facts, "TableName");
            bad.because("what is deleted or spoilt by mistake cannot be restored")
            .mend(format!("aws dynamodb update-continuous-backups --table-name {table} --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"))
            .see("https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html")
        },
    );
    Ok(finding.only_warns())
}

fn expires(facts: &Facts, table: &Table) -> Result<Finding, Finding> {
    let id = "table.expiry";
    let by = table.expires_by.known(id, |finding| finding)?;
    let found = by.as_ref().map_or("rows never expire".into(), |by| format!("rows expire by {by}"));
    let finding = Finding::if_not(by.as_deref() == Some(EXPIRES_AT), id, found, |bad| {
        let table = output(facts, "TableName");
        bad.because("delivery records and consents that were used up stay for ever, and cost")
            .mend(format!(
                "aws dynamodb update-time-to-live --table-name {table} --time-to-live-specification Enabled=true,AttributeName={EXPIRES_AT}"
            ))
            .see("https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html")
    });
    Ok(finding.only_warns())
}

fn protected(facts: &Facts, table: &Table) -> Finding {
    let found = format!("deletion protection is {}", if table.protected { "on" } else { "off" });
    let finding = Finding::if_not(table.protected, "table.protection", found, |bad| {
        bad.because("one call deletes all connectors")
            .mend(format!("aws dynamodb update-table --table-name {} --deletion-protection-enabled", output(facts, "TableName")))
            .see("https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html")
    });
    finding.only_warns()
}

fn bus(facts: &Facts) -> Result<Finding, Finding> {
    let (id, name) = ("bus.exists", output(facts, "EventBusName"));
    facts.bus.known(id, |finding| {
        let finding = finding.because(format!(
            "the bus {name} was deleted: events are decided and wait, and nothing fires"
        ));
        finding
            .mend(format!(
                "aws events create-event-bus --name {name}, then sam deploy --stack-name {}",
                facts.stack_name
            ))
            .see("docs/cli.md#for-operators")
    })?;
    Ok(Finding::ok(id, name))
}

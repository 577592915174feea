//! What the facts mean. Pure: no I/O, no clock.

mod client;
mod data;
mod microsoft;
mod pubsub;
mod queues;
mod reach;
mod running;
mod settings;

use super::facts::Facts;
use super::finding::Finding;

pub fn judge(facts: &Facts) -> Vec<Finding> {
    let parts = [
        settings::judge,
        running::judge,
        client::judge,
        pubsub::judge,
        microsoft::judge,
        data::judge,
        queues::judge,
        reach::judge,
    ];
    parts.iter().flat_map(|part| part(facts)).collect()
}

/// The stack itself could not be read, so that nothing else is known either.
pub fn no_stack(why: &str) -> Vec<Finding> {
    let finding = Finding::fail("settings.stack", why).because(
        "no stack of this name was deployed in this account and region, or it may not be read",
    );
    let fix = "aws cloudformation list-stacks --query 'StackSummaries[].StackName', then --stack-name NAME; AWS_PROFILE and AWS_REGION say where";
    vec![finding.mend(fix).see("docs/cli.md#doctor")]
}

/// A finding, or the one that replaces it.
fn either(finding: Result<Finding, Finding>) -> Finding {
    finding.unwrap_or_else(|other| other)
}

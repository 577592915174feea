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
    let findings = parts.iter().flat_map(|part| part(facts));
    findings.filter(|finding| facts.connects_gmail() || !is_of_gmail(&finding.id)).collect()
}

/// Of what a stack without Google's client has not.
fn is_of_gmail(id: &str) -> bool {
    let groups = ["client.", "topic.", "subscription.", "webhook.", "push."];
    let others = ["settings.project", "settings.push-keys", "clock.google"];
    groups.iter().any(|group| id.starts_with(group)) || others.contains(&id)
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

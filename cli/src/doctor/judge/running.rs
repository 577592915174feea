//! The functions: that each can start with its settings, and that what wakes them does.

use super::either;
use crate::doctor::fact::Fact;
use crate::doctor::facts::{Facts, Function};
use crate::doctor::finding::Finding;

const STATES: &str = "https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html";

pub fn judge(facts: &Facts) -> Vec<Finding> {
    let each = facts.functions.iter().flat_map(|(name, fact)| function(facts, name, fact));
    let woken = [either(wake_ups(facts)), either(sweeps(facts))];
    each.chain(woken).collect()
}

fn function(facts: &Facts, name: &str, fact: &Fact<Function>) -> Vec<Finding> {
    let (running, reads) = (format!("functions.{name}"), format!("settings.{name}"));
    let deploy = format!("sam deploy --stack-name {}", facts.stack_name);
    let known = match fact.known(&running, |finding| {
        finding.because("the function was deleted").mend(&*deploy).see(STATES)
    }) {
        Ok(known) => known,
        Err(finding) => return vec![finding],
    };
    // An idle function is made active by its next call.
    let good = matches!(known.state.as_str(), "Active" | "Inactive")
        && !matches!(known.last_update.as_str(), "Failed" | "InProgress");
    let found = format!("{}, last update {}", known.state, known.last_update);
    let passing = known.state == "Pending" || known.last_update == "InProgress";
    let runs = Finding::if_not(good, &running, found, |bad| {
        let reason = if known.reason.is_empty() {
            "AWS tells no reason".into()
        } else {
            known.reason.clone()
        };
        let bad = bad
            .because(reason)
            .mend(if passing { "wait, then look again" } else { &deploy })
            .see(STATES);
        if passing { bad.only_warns() } else { bad }
    });
    let settings = known.refused.clone().unwrap_or_else(|| "its settings can be read".into());
    let settings = Finding::if_not(known.refused.is_none(), &reads, settings, |bad| {
        bad.because("the function ends at its start, each time")
            .mend(format!("{deploy}, with the parameter that fills it"))
            .see("docs/parameters.md")
    });
    vec![runs, settings]
}

fn wake_ups(facts: &Facts) -> Result<Finding, Finding> {
    let id = "functions.wake-ups";
    let bad = |finding: Finding, fix: String| {
        finding
            .because("the processor takes nothing from its queue: no mail fires")
            .mend(fix)
            .see("https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html")
    };
    let mapping = facts.wake_ups.known(id, |finding| {
        bad(finding, format!("sam deploy --stack-name {}", facts.stack_name))
    })?;
    let enable =
        format!("aws lambda update-event-source-mapping --uuid {} --enabled", mapping.uuid);
    let found = format!("the processor's queue is {}", mapping.state);
    let finding =
        Finding::if_not(mapping.state == "Enabled", id, found, |finding| bad(finding, enable));
    Ok(if mapping.state.ends_with("ing") { finding.only_warns() } else { finding })
}

fn sweeps(facts: &Facts) -> Result<Finding, Finding> {
    let id = "functions.sweeps";
    let bad = |finding: Finding| {
        finding
            .because("nothing wakes the renewer: watches lapse within a week, and what was put off stays so")
            .mend(format!("sam deploy --stack-name {}, or enable the schedule in EventBridge Scheduler's console", facts.stack_name))
            .see("https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-state.html")
    };
    let state = facts.sweeps.known(id, bad)?;
    Ok(Finding::if_not(state == "ENABLED", id, format!("the renewer's schedule is {state}"), bad))
}

//! The queues: that they exist, that they have their dead-letter queues, and messages where none
//! should be.

use super::either;
use crate::doctor::facts::{Facts, Queue};
use crate::doctor::finding::Finding;

const QUEUES: &str = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html";
/// More waiting wake-ups than this are a backlog.
const BACKLOG: u64 = 1000;

const NOTIFICATIONS: &str = "notifications";
const DEAD_LETTERS: &str = "dead-letters";
const QUARANTINE: &str = "quarantine";
const AGENT_RUNS: &str = "agent-runs";
const AGENT_DEAD_LETTERS: &str = "agent-dead-letters";

pub fn judge(facts: &Facts) -> Vec<Finding> {
    let backlog = facts.queues.get(NOTIFICATIONS).and_then(|fact| fact.value()).map(backlog);
    let others = [
        either(works(facts, "queues.notifications", NOTIFICATIONS, DEAD_LETTERS)),
        either(empty(
            facts,
            "queues.dead-letters",
            DEAD_LETTERS,
            "wake-ups were given up after ten tries: the processor fails, or is too slow",
            |_| "connectors replay dead-letters, once what failed is mended".into(),
        )),
        either(empty(
            facts,
            "queues.quarantine",
            QUARANTINE,
            "authenticated pushes or wake-ups that could not be read: another format, or another publisher",
            look,
        )),
        either(works(facts, "queues.agent-runs", AGENT_RUNS, AGENT_DEAD_LETTERS)),
        either(empty(
            facts,
            "queues.agent-dead-letters",
            AGENT_DEAD_LETTERS,
            "events were given up by whoever runs the agents, or could not be delivered",
            look,
        )),
    ];
    others.into_iter().chain(backlog).collect()
}

fn look(queue: &Queue) -> String {
    format!(
        "aws sqs receive-message --queue-url {} --max-number-of-messages 10 --visibility-timeout 0 --attribute-names All",
        queue.url
    )
}

fn of<'a>(facts: &'a Facts, id: &str, name: &str) -> Result<&'a Queue, Finding> {
    let Some(fact) = facts.queues.get(name) else {
        return Err(Finding::unchecked(id, "the stack has no output that names it"));
    };
    fact.known(id, |finding| {
        let finding = finding.because("the queue was deleted: whoever sends to it fails");
        finding
            .mend(format!(
                "a deployment does not bring it back; sam delete --stack-name {0} keeps table, key and bus; sam deploy --stack-name {0}",
                facts.stack_name
            ))
            .see(QUEUES)
    })
}

fn works(facts: &Facts, id: &str, name: &str, gives_up_to: &str) -> Result<Finding, Finding> {
    let queue = of(facts, id, name)?;
    let last = |text: &str, by: char| text.rsplit(by).next().unwrap_or_default().to_string();
    let wanted = facts.queues.get(gives_up_to).and_then(|fact| Some(last(&fact.value()?.url, '/')));
    let given = queue.gives_up_to.as_deref().map(|arn| last(arn, ':'));
    let found = given
        .as_ref()
        .map_or("it gives nothing up".into(), |name| format!("it gives up to {name}"));
    // A queue that could not be read cannot be compared with.
    let good = given.is_some() && (wanted.is_none() || wanted == given);
    Ok(Finding::if_not(good, id, found, |bad| {
        bad.because("what fails again and again is tried until it is too old, and then is lost without a trace")
            .mend(format!(
                "sam deploy --stack-name {}; aws sqs set-queue-attributes --queue-url {} --attributes RedrivePolicy=…",
                facts.stack_name, queue.url
            ))
            .see(QUEUES)
    }))
}

fn backlog(queue: &Queue) -> Finding {
    let id = "queues.backlog";
    let finding = Finding::if_not(
        queue.waiting <= BACKLOG,
        id,
        format!("{} wake-ups are on their way", queue.waiting),
        |bad| {
            bad.because("the processor does not keep up, or does not take from its queue")
            .mend("see functions.wake-ups; aws lambda get-account-settings tells how many functions may run at once")
            .see("https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html")
        },
    );
    finding.only_warns()
}

fn empty(
    facts: &Facts,
    id: &str,
    name: &str,
    cause: &str,
    fix: impl Fn(&Queue) -> String,
) -> Result<Finding, Finding> {
    let queue = of(facts, id, name)?;
    let found =
        if queue.waiting == 0 { "empty".into() } else { format!("{} lie there", queue.waiting) };
    let finding = Finding::if_not(queue.waiting == 0, id, found, |bad| {
        bad.because(cause).mend(fix(queue)).see("docs/cli.md#for-operators")
    });
    Ok(finding.only_warns())
}

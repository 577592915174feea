//! What answers: the API, the webhook, clocks, connectors, and a push on its whole way.

use super::either;
use crate::doctor::fact::Fact;
use crate::doctor::facts::Facts;
use crate::doctor::finding::Finding;
use crate::show::{at, list};

/// The leeway that tokens have.
const MOST_SKEW_SECONDS: i64 = 30;

pub fn judge(facts: &Facts) -> Vec<Finding> {
    let clocks = facts.skews.iter().map(|(whose, skew)| either(clock(whose, skew)));
    let mut findings = vec![either(api(facts)), either(webhook(facts))];
    findings.extend(clocks);
    findings.extend(connectors(facts));
    findings.push(either(push(facts)));
    findings
}

fn answers<'a, T>(
    id: &str,
    fact: &'a Fact<T>,
    bad: impl Fn(Finding) -> Finding,
) -> Result<&'a T, Finding> {
    if let Fact::Unreachable(why) = fact {
        return Err(bad(Finding::fail(id, format!("cannot be reached: {why}"))));
    }
    fact.known(id, &bad)
}

fn api(facts: &Facts) -> Result<Finding, Finding> {
    let id = "api.answers";
    let base = facts.bases.last().map_or("", String::as_str);
    let bad = |finding: Finding| {
        finding
            .because(format!("the API at {base} does not answer as it should; the logs of connectors-api tell why"))
            .mend(format!("curl -i {base}/api/system/info; sam logs --stack-name {} --name ConnectorsApiFunction --tail", facts.stack_name))
            .see("https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html")
    };
    let answer = answers(id, &facts.api, bad)?;
    let (served, wanted) = (
        answer.body["app_public_url"].as_str().unwrap_or_default(),
        facts.parameter("AppPublicUrl").trim_end_matches('/'),
    );
    if answer.status == 200 && served != wanted {
        let failed = Finding::fail(id, format!("it serves {served}"))
            .because(format!("AppPublicUrl is {wanted}: this API is another stack's"));
        return Ok(failed
            .mend("--api-url with the stack's own, or none")
            .see("docs/cli.md#doctor"));
    }
    Ok(Finding::if_not(answer.status == 200, id, format!("{base} answers {}", answer.status), bad))
}

fn webhook(facts: &Facts) -> Result<Finding, Finding> {
    let id = "webhook.refuses";
    let bad = |finding: Finding| {
        finding
            .because("a push without a token must be answered 401; the logs of pubsub-webhook tell why it is not")
            .mend(format!("sam logs --stack-name {} --name PubsubWebhookFunction --tail", facts.stack_name))
            .see("https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html")
    };
    let answer = answers(id, &facts.webhook, bad)?;
    Ok(Finding::if_not(
        answer.status == 401,
        id,
        format!("a push without a token is answered {}", answer.status),
        bad,
    ))
}

fn clock(whose: &str, skew: &Fact<i64>) -> Result<Finding, Finding> {
    let id = format!("clock.{whose}");
    let skew = *skew.known(&id, |finding| finding)?;
    let found = match skew {
        0 => "this machine's clock agrees".into(),
        ahead if ahead > 0 => format!("this machine's clock is {ahead} s ahead"),
        behind => format!("this machine's clock is {} s behind", -behind),
    };
    let finding = Finding::if_not(skew.abs() <= MOST_SKEW_SECONDS, &id, found, |bad| {
        bad.because("AWS refuses requests that are signed five minutes off, and what is told here of times is wrong")
            .mend("timedatectl set-ntp true")
            .see("https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html")
    });
    Ok(finding.only_warns())
}

fn connectors(facts: &Facts) -> Vec<Finding> {
    let connectors = match answers("connectors.listed", &facts.connectors, |finding| {
        finding.because("the caller's connectors cannot be listed")
    }) {
        Ok(connectors) => connectors,
        Err(finding) => return vec![finding],
    };
    if connectors.is_empty() {
        return vec![Finding::ok("connectors.listed", "the caller has none")];
    }
    let each = connectors.iter().map(|connector| {
        let (id, health) =
            (format!("connectors.{}", at(connector, "/id")), at(connector, "/health/status"));
        let found = format!("{} is {health}", at(connector, "/email_address"));
        if health == "healthy" {
            return Finding::ok(&id, found);
        }
        let findings = list(&connector["health"], "findings");
        let causes: Vec<String> = findings.iter().map(|finding| at(finding, "/what")).collect();
        let finding = Finding::fail(&id, found)
            .because(causes.join("; "))
            .mend(format!("connectors health {}", at(connector, "/id")))
            .see("docs/health.md");
        if health == "down" { finding } else { finding.only_warns() }
    });
    each.collect()
}

fn push(facts: &Facts) -> Result<Finding, Finding> {
    let id = "push.end-to-end";
    let push = facts
        .push
        .known(id, |finding| finding.because("the topic is gone").mend("see topic.exists"))?;
    if let Some(took) = push.looked_after {
        return Ok(Finding::ok(
            id,
            format!("{} was looked at {took} ms after a push was published", push.connector),
        ));
    }
    let failed = Finding::fail(
        id,
        format!(
            "{} was not looked at within {} s after a push was published",
            push.connector, push.waited_seconds
        ),
    );
    let cause = "Pub/Sub does not push, the webhook refuses, or the processor does not run: the findings above tell which; \
                 if all are well, the webhook's logs";
    let fix = format!(
        "sam logs --stack-name {0} --name PubsubWebhookFunction; sam logs --stack-name {0} --name HistoryProcessorFunction",
        facts.stack_name
    );
    Err(failed
        .because(cause)
        .mend(fix)
        .see("https://cloud.google.com/pubsub/docs/troubleshooting#push"))
}

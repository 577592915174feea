//! The way from Gmail to the webhook: topic, publisher binding, and the push subscription.

use serde_json::Value;

use super::either;
use crate::doctor::facts::Facts;
use crate::doctor::finding::Finding;

const GMAIL: &str = "serviceAccount:gmail-api-push@system.gserviceaccount.com";
const PUBLISHER: &str = "roles/pubsub.publisher";
const WATCH: &str = "https://developers.google.com/workspace/gmail/api/guides/push#grant_publish_rights_on_your_topic";
const PUSH: &str = "https://cloud.google.com/pubsub/docs/create-push-subscription";
const OIDC: &str = "https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions";
const PROPERTIES: &str = "https://cloud.google.com/pubsub/docs/subscription-properties";
const RETRIES: &str = "https://cloud.google.com/pubsub/docs/handling-failures";
/// The webhook has ten seconds; a longer deadline only delays the redelivery after a crash.
const DEADLINE: std::ops::RangeInclusive<u64> = 10..=60;
const SHORTEST_RETENTION: f64 = 86_400.0;

pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = vec![either(topic(facts)), either(publisher(facts))];
    match subscription(facts) {
        Err(finding) => findings.push(finding),
        Ok(found) => {
            let checks = [
                belongs,
                active,
                endpoint,
                audience,
                account,
                wrapping,
                filter,
                expiry,
                deadline,
                retry,
                dead_letter,
                retention,
            ];
            findings.push(Finding::ok(
                "subscription.exists",
                found["name"].as_str().unwrap_or_default(),
            ));
            findings.extend(checks.iter().map(|check| check(facts, found)));
        }
    }
    findings
}

/// `projects/P/topics/T` as gcloud names it.
fn gcloud(resource: &str) -> String {
    let mut parts = resource.split('/');
    let (project, name) = (parts.nth(1).unwrap_or_default(), parts.nth(1).unwrap_or_default());
    format!("{name} --project={project}")
}

fn topic(facts: &Facts) -> Result<Finding, Finding> {
    let (id, name) = ("topic.exists", facts.parameter("PubSubTopic"));
    facts.topic.known(id, |finding| {
        let finding = finding.because(format!("{name} does not exist: Gmail refuses every watch"));
        finding
            .mend(format!("gcloud pubsub topics create {}", gcloud(name)))
            .see("docs/google/README.md")
    })?;
    Ok(Finding::ok(id, name))
}

fn publisher(facts: &Facts) -> Result<Finding, Finding> {
    let (id, name) = ("topic.publisher", facts.parameter("PubSubTopic"));
    let bad = |finding: Finding| {
        finding
            .because("Gmail may not publish to the topic: every watch is refused, and what was watched falls silent")
            .mend(format!("gcloud pubsub topics add-iam-policy-binding {} --member={GMAIL} --role={PUBLISHER}", gcloud(name)))
            .see(WATCH)
    };
    let policy = facts.policy.known(id, bad)?;
    let bound = policy["bindings"].as_array().into_iter().flatten().any(|binding| {
        let members = binding["members"].as_array().into_iter().flatten();
        binding["role"] == PUBLISHER
            && binding["condition"].is_null()
            && members.into_iter().any(|member| member == GMAIL)
    });
    let summary =
        if bound { "Gmail may publish" } else { "Gmail is not among the topic's publishers" };
    Ok(Finding::if_not(bound, id, summary, bad))
}

fn subscription(facts: &Facts) -> Result<&Value, Finding> {
    let name = facts.parameter("PubSubSubscription");
    facts.subscription.known("subscription.exists", |finding| {
        let finding =
            finding.because(format!("{name} does not exist, or it expired: nobody is told of new mail, until the slow comparison"));
        finding.mend(create(facts)).see("docs/google/README.md")
    })
}

fn create(facts: &Facts) -> String {
    let (topic, endpoint) = (facts.parameter("PubSubTopic"), expected_endpoint(facts));
    let (account, audience) =
        (facts.parameter("PubSubServiceAccount"), facts.parameter("PubSubAudience"));
    let name = gcloud(facts.parameter("PubSubSubscription"));
    format!(
        "gcloud pubsub subscriptions create {name} --topic={topic} --push-endpoint={endpoint} --push-auth-service-account={account} \
         --push-auth-token-audience={audience} --ack-deadline=30 --expiration-period=never --min-retry-delay=10s --max-retry-delay=600s"
    )
}

fn expected_endpoint(facts: &Facts) -> String {
    facts.push_endpoints().last().cloned().unwrap_or_default()
}

fn update(facts: &Facts, flags: &str) -> String {
    format!(
        "gcloud pubsub subscriptions update {} {flags}",
        gcloud(facts.parameter("PubSubSubscription"))
    )
}

/// Endpoint, account and audience go together: gcloud replaces the three at once.
fn update_push(facts: &Facts) -> String {
    let (account, audience) =
        (facts.parameter("PubSubServiceAccount"), facts.parameter("PubSubAudience"));
    let endpoint = expected_endpoint(facts);
    update(
        facts,
        &format!(
            "--push-endpoint={endpoint} --push-auth-service-account={account} --push-auth-token-audience={audience}"
        ),
    )
}

fn text<'a>(found: &'a Value, pointer: &str) -> &'a str {
    found.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn belongs(facts: &Facts, found: &Value) -> Finding {
    let (topic, wanted) = (text(found, "/topic"), facts.parameter("PubSubTopic"));
    Finding::if_not(
        topic == wanted,
        "subscription.topic",
        format!("it is subscribed to {topic}"),
        |bad| {
            let cause = match topic {
                "_deleted-topic_" => {
                    "its topic was deleted; a new topic of that name is another one".to_string()
                }
                _ => format!("Gmail publishes to {wanted}, which it does not hear"),
            };
            let delete = format!(
                "gcloud pubsub subscriptions delete {}",
                gcloud(facts.parameter("PubSubSubscription"))
            );
            bad.because(cause)
                .mend(format!("a subscription keeps its topic: {delete} && {}", create(facts)))
                .see(PUSH)
        },
    )
}

fn active(facts: &Facts, found: &Value) -> Finding {
    let (state, detached) = (text(found, "/state"), found["detached"] == true);
    let good = !detached && matches!(state, "" | "ACTIVE" | "STATE_UNSPECIFIED");
    let summary = if detached {
        "it is detached from its topic"
    } else if state.is_empty() {
        "no state is told"
    } else {
        state
    };
    Finding::if_not(good, "subscription.active", summary, |bad| {
        let delete = format!(
            "gcloud pubsub subscriptions delete {}",
            gcloud(facts.parameter("PubSubSubscription"))
        );
        bad.because("it delivers nothing")
            .mend(format!("{delete} && {}", create(facts)))
            .see(PROPERTIES)
    })
}

fn endpoint(facts: &Facts, found: &Value) -> Finding {
    let (id, endpoint) = ("subscription.endpoint", text(found, "/pushConfig/pushEndpoint"));
    if endpoint.is_empty() {
        let failed = Finding::fail(id, "it is a pull subscription")
            .because("nobody pulls: notifications pile up and then expire");
        return failed.mend(update_push(facts)).see(PUSH);
    }
    let good = facts.push_endpoints().iter().any(|wanted| wanted == endpoint);
    Finding::if_not(good, id, format!("it pushes to {endpoint}"), |bad| {
        bad.because(format!("the webhook is {}", facts.push_endpoints().join(" or ")))
            .mend(update_push(facts))
            .see(PUSH)
    })
}

fn audience(facts: &Facts, found: &Value) -> Finding {
    let id = "subscription.audience";
    if found.pointer("/pushConfig/oidcToken").is_none_or(Value::is_null) {
        let failed = Finding::fail(id, "its pushes carry no token")
            .because("who pushes is not proven: each push is answered 401");
        return failed.mend(update_push(facts)).see(OIDC);
    }
    // Without one, Pub/Sub takes the endpoint itself.
    let configured = text(found, "/pushConfig/oidcToken/audience");
    let (audience, wanted) = (
        if configured.is_empty() { text(found, "/pushConfig/pushEndpoint") } else { configured },
        facts.parameter("PubSubAudience"),
    );
    Finding::if_not(audience == wanted, id, format!("its tokens are for {audience}"), |bad| {
        bad.because(format!("PubSubAudience is {wanted}: each push is answered 401"))
            .mend(update_push(facts))
            .see(OIDC)
    })
}

fn account(facts: &Facts, found: &Value) -> Finding {
    let (account, wanted) = (
        text(found, "/pushConfig/oidcToken/serviceAccountEmail"),
        facts.parameter("PubSubServiceAccount"),
    );
    let summary = if account.is_empty() {
        "no account signs its tokens".into()
    } else {
        format!("its tokens are of {account}")
    };
    Finding::if_not(account == wanted, "subscription.account", summary, |bad| {
        bad.because(format!("PubSubServiceAccount is {wanted}: each push is answered 401"))
            .mend(update_push(facts))
            .see(OIDC)
    })
}

fn wrapping(facts: &Facts, found: &Value) -> Finding {
    let bare = found.pointer("/pushConfig/noWrapper").is_some_and(|wrapper| !wrapper.is_null());
    let summary =
        if bare { "it pushes without the envelope" } else { "it pushes with the envelope" };
    Finding::if_not(!bare, "subscription.wrapping", summary, |bad| {
        let bad = bad.because("the webhook reads message and subscription from the envelope: each push lands in quarantine");
        bad.mend(update(facts, "--clear-push-no-wrapper-config"))
            .see("https://cloud.google.com/pubsub/docs/payload-unwrapping")
    })
}

fn filter(facts: &Facts, found: &Value) -> Finding {
    let filter = text(found, "/filter");
    let summary =
        if filter.is_empty() { "no filter".into() } else { format!("it filters by {filter}") };
    Finding::if_not(filter.is_empty(), "subscription.filter", summary, |bad| {
        let delete = format!(
            "gcloud pubsub subscriptions delete {}",
            gcloud(facts.parameter("PubSubSubscription"))
        );
        bad.because("Gmail's notifications carry no attributes: most filters drop them all, and a filter cannot be changed")
            .mend(format!("{delete} && {}", create(facts)))
            .see("https://cloud.google.com/pubsub/docs/subscription-message-filter")
    })
}

fn expiry(facts: &Facts, found: &Value) -> Finding {
    let id = "subscription.expiry";
    let ttl = match found.get("expirationPolicy") {
        Some(Value::Object(policy)) => policy.get("ttl").and_then(Value::as_str),
        // Without a policy Pub/Sub takes its own.
        _ => Some("2678400s"),
    };
    let summary = ttl.map_or("it never expires".into(), |ttl| {
        format!("it expires after {ttl} without a delivery")
    });
    Finding::if_not(ttl.is_none(), id, summary, |bad| {
        let bad = bad.because("a quiet month deletes it, and then nobody is told of new mail");
        bad.mend(update(facts, "--expiration-period=never")).see(PROPERTIES)
    })
}

fn deadline(facts: &Facts, found: &Value) -> Finding {
    let (id, seconds) =
        ("subscription.deadline", found["ackDeadlineSeconds"].as_u64().unwrap_or(10));
    let mended =
        |finding: Finding| finding.mend(update(facts, "--ack-deadline=30")).see(PROPERTIES);
    let summary = format!("the webhook has {seconds} s to answer");
    if *DEADLINE.start() > seconds {
        return mended(
            Finding::fail(id, summary)
                .because("a cold start may take longer: what was accepted is pushed again"),
        );
    }
    if seconds < 20 {
        return mended(Finding::warn(id, summary).because(
            "the webhook may take its whole ten seconds: what it then accepted is pushed again",
        ));
    }
    if seconds > *DEADLINE.end() {
        return mended(
            Finding::warn(id, summary)
                .because("a push whose answer was lost comes again only after that"),
        );
    }
    Finding::ok(id, summary)
}

fn retry(facts: &Facts, found: &Value) -> Finding {
    let (id, policy) = ("subscription.retry", &found["retryPolicy"]);
    if policy.is_null() {
        let warned = Finding::warn(id, "it pushes again at once")
            .because("while the webhook is away it is asked without pause");
        return warned
            .mend(update(facts, "--min-retry-delay=10s --max-retry-delay=600s"))
            .see(RETRIES);
    }
    Finding::ok(
        id,
        format!(
            "it pushes again after {} to {}",
            text(policy, "/minimumBackoff"),
            text(policy, "/maximumBackoff")
        ),
    )
}

fn dead_letter(_: &Facts, found: &Value) -> Finding {
    let (id, topic) =
        ("subscription.dead-letter", text(found, "/deadLetterPolicy/deadLetterTopic"));
    match topic {
        "" => Finding::ok(id, "none: what is refused is pushed again until it is too old"),
        "_deleted-topic_" => Finding::warn(id, "its dead-letter topic was deleted")
            .because("what is refused too often has nowhere to go")
            .mend("docs/google/setup.sh makes it anew")
            .see("https://cloud.google.com/pubsub/docs/dead-letter-topics"),
        topic => Finding::ok(
            id,
            format!(
                "what is refused {} times goes to {topic}",
                found["deadLetterPolicy"]["maxDeliveryAttempts"].as_u64().unwrap_or(5)
            ),
        ),
    }
}

fn retention(facts: &Facts, found: &Value) -> Finding {
    let duration = text(found, "/messageRetentionDuration");
    let seconds = duration.trim_end_matches('s').parse().unwrap_or(604_800.0);
    let finding = Finding::if_not(
        seconds >= SHORTEST_RETENTION,
        "subscription.retention",
        format!("it keeps what was not delivered for {seconds} s"),
        |bad| {
            let bad = bad.because("after a longer outage mailboxes wait for the slow comparison");
            bad.mend(update(facts, "--message-retention-duration=7d")).see(PROPERTIES)
        },
    );
    finding.only_warns()
}

//! The stack's parameters, each by itself and beside the others.

use reqwest::Url;
use serde_json::Value;

use super::either;
use crate::doctor::fact::Fact;
use crate::doctor::facts::Facts;
use crate::doctor::finding::Finding;

const SAM: &str = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html";
const OIDC: &str = "https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata";
const WATCH: &str = "https://developers.google.com/workspace/gmail/api/guides/push";

pub fn judge(facts: &Facts) -> Vec<Finding> {
    vec![
        stack(facts),
        public_url(facts),
        origins(facts),
        times(facts),
        dry_run(facts),
        project(facts),
        either(keys(
            facts,
            "settings.user-keys",
            &facts.user_keys,
            "AuthJwksUrl",
            "no user's token can be verified: every call is answered 401",
        )),
        either(keys(
            facts,
            "settings.push-keys",
            &facts.push_keys,
            "GoogleCertsUrl",
            "no push can be verified: each is answered 401",
        )),
    ]
}

fn stack(facts: &Facts) -> Finding {
    let id = "settings.stack";
    let found = format!("{} is {}", facts.stack_name, facts.status);
    if facts.status.ends_with("_IN_PROGRESS") {
        return Finding::warn(id, found)
            .because("it is being changed just now")
            .mend("wait, then look again");
    }
    let good = matches!(
        facts.status.as_str(),
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE"
    );
    Finding::if_not(good, id, found, |bad| {
        bad.because("the last deployment did not end well")
            .mend(format!("aws cloudformation describe-stack-events --stack-name {}", facts.stack_name))
            .see("https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html")
    })
}

fn public_url(facts: &Facts) -> Finding {
    let (id, url) = ("settings.public-url", facts.parameter("AppPublicUrl"));
    Finding::if_not(url.starts_with("https://"), id, format!("AppPublicUrl is {url}"), |bad| {
        let is_here = Url::parse(url)
            .is_ok_and(|url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")));
        let bad =
            bad.because("providers return codes to it, which http shows to everybody on the way");
        let bad = bad.mend(facts.redeploy("AppPublicUrl", "https://app.example.com"));
        let bad = bad.see(
            "https://developers.google.com/identity/protocols/oauth2/web-server#uri-validation",
        );
        if is_here { bad.only_warns() } else { bad }
    })
}

fn origins(facts: &Facts) -> Finding {
    let (id, origins, url) =
        ("settings.origins", facts.parameter("AllowedOrigins"), facts.parameter("AppPublicUrl"));
    let good = origins.split(',').any(|origin| origin.trim() == url.trim_end_matches('/'));
    Finding::if_not(good, id, format!("AllowedOrigins is {origins}"), |bad| {
        bad.because(format!("the frontend at {url} may not call the API: browsers refuse it, and a connect is answered 403"))
            .mend(facts.redeploy("AllowedOrigins", url))
            .see("https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html")
    })
}

fn times(facts: &Facts) -> Finding {
    let id = "settings.times";
    let (Some(timeout), Some(hidden)) =
        (facts.number("ProcessorTimeout"), facts.number("VisibilityTimeout"))
    else {
        let failed = Finding::fail(id, "ProcessorTimeout or VisibilityTimeout is no number")
            .because("the stack was not made of this template");
        return failed
            .mend(facts.redeploy("ProcessorTimeout", "45 VisibilityTimeout=270").replace('"', ""))
            .see(SAM);
    };
    let found = format!("VisibilityTimeout is {hidden} s, ProcessorTimeout {timeout} s");
    Finding::if_not(hidden >= timeout * 6, id, found, |bad| {
        bad.because("a wake-up that is still at work is delivered again, and ends among the dead letters; AWS asks for six times")
            .mend(facts.redeploy("VisibilityTimeout", &(timeout * 6).to_string()))
            .see(SAM)
    })
}

fn dry_run(facts: &Facts) -> Finding {
    let is_on = facts.parameter("DryRun") == "true";
    Finding::if_not(
        !is_on,
        "settings.dry-run",
        format!("DryRun is {}", if is_on { "on" } else { "off" }),
        |bad| {
            bad.because("a recorded mailbox stands in for Google: no user's mail is read, and nothing is sent")
            .mend(facts.redeploy("DryRun", "false"))
            .see("docs/dry-run.md")
        },
    )
}

fn project_of(name: &str) -> &str {
    name.split('/').nth(1).unwrap_or_default()
}

fn project(facts: &Facts) -> Finding {
    let (topic, subscription) = (
        project_of(facts.parameter("PubSubTopic")),
        project_of(facts.parameter("PubSubSubscription")),
    );
    let found = format!("topic in {topic}, subscription in {subscription}");
    Finding::if_not(topic == subscription, "settings.project", found, |bad| {
        bad.because("a subscription may lie elsewhere, but seldom does on purpose; the topic must lie in the OAuth client's project")
            .mend(facts.redeploy("PubSubSubscription", &format!("projects/{topic}/subscriptions/NAME")))
            .see(WATCH)
            .only_warns()
    })
}

/// Whether a published key may verify an RS256 signature (RFC 7517).
fn verifies(key: &Value) -> bool {
    let is = |name: &str, wanted: &str| key.get(name).is_none_or(|value| value == wanted);
    key["kty"] == "RSA"
        && is("use", "sig")
        && is("alg", "RS256")
        && key["kid"].is_string()
        && key["n"].is_string()
}

fn keys(
    facts: &Facts,
    id: &'static str,
    answer: &Fact<Value>,
    parameter: &str,
    cause: &str,
) -> Result<Finding, Finding> {
    let bad = |finding: Finding| {
        let url = if facts.parameter(parameter).is_empty() {
            facts.parameter("AuthIssuer")
        } else {
            facts.parameter(parameter)
        };
        finding
            .because(cause)
            .mend(format!(
                "curl -i {url}; then {}",
                facts.redeploy(parameter, "https://…/jwks.json")
            ))
            .see(OIDC)
    };
    if let Fact::Unreachable(why) = answer {
        return Err(bad(Finding::fail(id, format!("cannot be read: {why}"))));
    }
    let document = answer.known(id, bad)?;
    let keys = document["keys"]
        .as_array()
        .map_or(0, |keys| keys.iter().filter(|key| verifies(key)).count());
    Ok(Finding::if_not(keys > 0, id, format!("{keys} keys for RS256"), bad))
}

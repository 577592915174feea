//! What the doctor makes of facts: a healthy stack is well, and each broken set-up is named.

use std::collections::BTreeSet;

use connectors_cli::doctor::fact::Fact;
use connectors_cli::doctor::facts::{Answer, Facts, Function, Key, Push, Queue, Table};
use connectors_cli::doctor::finding::{Finding, Verdict, fails, report};
use connectors_cli::doctor::judge::{judge, no_stack};
use serde_json::{Value, json};

use crate::server::{Folder, Reply, Server, TOKEN, run};

const API: &str = "https://api.example.com";
const PUSH: &str = "https://api.example.com/api/email/webhook/google/pubsub";

fn answer(status: u16, body: Value) -> Fact<Answer> {
    Fact::Known(Answer { status, body })
}

fn keys(change: Value) -> Fact<Value> {
    let mut key = json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k", "n": "AQAB", "e": "AQAB"});
    key.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    Fact::Known(json!({"keys": [key]}))
}

fn queue(name: &str, gives_up_to: Option<&str>) -> (&'static str, Fact<Queue>) {
    let url = format!("https://sqs.eu-central-1.amazonaws.com/1/{name}");
    let gives_up_to = gives_up_to.map(|name| format!("arn:aws:sqs:eu-central-1:1:{name}"));
    let kept = ["notifications", "dead-letters", "quarantine", "agent-runs", "agent-dead-letters"];
    (kept.into_iter().find(|kept| *kept == name).unwrap(), Fact::Known(Queue { url, gives_up_to, ..Queue::default() }))
}

fn connector() -> Value {
    json!({
        "id": "con_1", "email_address": "ada@example.com", "status": "active", "paused": false, "parked_messages": 0, "last_error": null,
        "watch": {"status": "active", "verified_at": "2026-01-01T00:00:00.000Z"}, "circuit": {"state": "closed", "failures": 0}
    })
}

fn healthy() -> Facts {
    let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let function = Function { state: "Active".into(), last_update: "Successful".into(), ..Function::default() };
    let functions = ["oauth-connect", "connectors-api", "pubsub-webhook", "history-processor", "watch-renewer"];
    Facts {
        stack_name: "email-connectors".into(),
        status: "UPDATE_COMPLETE".into(),
        parameters: pairs(&[
            ("AppPublicUrl", "https://app.example.com"),
            ("AllowedOrigins", "https://other.example.com,https://app.example.com"),
            ("AuthIssuer", "https://login.example.com"),
            ("ProcessorTimeout", "45"),
            ("VisibilityTimeout", "270"),
            ("DryRun", "false"),
            ("GoogleScopes", "openid email https://www.googleapis.com/auth/gmail.modify"),
            ("GoogleTokenUrl", "https://oauth2.googleapis.com/token"),
            ("GoogleCertsUrl", "https://www.googleapis.com/oauth2/v3/certs"),
            ("PubSubTopic", "projects/p/topics/gmail"),
            ("PubSubSubscription", "projects/p/subscriptions/gmail"),
            ("PubSubAudience", "https://connectors.example.com/pubsub"),
            ("PubSubServiceAccount", "push@p.iam.gserviceaccount.com"),
        ]),
        outputs: pairs(&[("PubSubPushEndpoint", PUSH), ("TableName", "t"), ("SecretsKeyId", "k"), ("EventBusName", "b")]),
        bases: vec![API.into()],
        functions: functions.into_iter().map(|name| (name, Fact::Known(function.clone()))).collect(),
        wake_ups: Fact::Known("Enabled".into()),
        sweeps: Fact::Known("ENABLED".into()),
        bus: Fact::Known(()),
        key: Fact::Known(Key { state: "Enabled".into(), rotates: Fact::Known(true) }),
        table: Fact::Known(Table {
            status: "ACTIVE".into(),
            protected: true,
            indexes: ["due", "told", "fired"].into_iter().map(|name| (name.into(), "ACTIVE".into())).collect(),
            restores: Fact::Known(true),
            expires_by: Fact::Known(Some("expires_at".into())),
        }),
        queues: [
            queue("notifications", Some("dead-letters")),
            queue("dead-letters", None),
            queue("quarantine", None),
            queue("agent-runs", Some("agent-dead-letters")),
            queue("agent-dead-letters", None),
        ]
        .into(),
        client: answer(400, json!({"error": "invalid_grant"})),
        user_keys: keys(json!({})),
        push_keys: keys(json!({})),
        topic: Fact::Known(json!({"name": "projects/p/topics/gmail"})),
        policy: Fact::Known(json!({"bindings": [
            {"role": "roles/pubsub.viewer", "members": ["user:a@b.c"]},
            {"role": "roles/pubsub.publisher", "members": ["user:a@b.c", "serviceAccount:gmail-api-push@system.gserviceaccount.com"]},
        ]})),
        subscription: Fact::Known(subscription(&json!({}))),
        api: answer(200, json!({"app_public_url": "https://app.example.com"})),
        webhook: answer(401, Value::Null),
        skews: [("api", Fact::Known(0)), ("google", Fact::Known(-2))].into(),
        connectors: Fact::Known(vec![connector()]),
        push: Fact::Known(Push { connector: "con_1".into(), looked_after: Some(900), waited_seconds: 30 }),
    }
}

/// As Pub/Sub tells it, with top-level fields replaced.
fn subscription(change: &Value) -> Value {
    let mut stands = json!({
        "name": "projects/p/subscriptions/gmail",
        "topic": "projects/p/topics/gmail",
        "pushConfig": {
            "pushEndpoint": PUSH,
            "oidcToken": {"serviceAccountEmail": "push@p.iam.gserviceaccount.com", "audience": "https://connectors.example.com/pubsub"},
        },
        "ackDeadlineSeconds": 30,
        "messageRetentionDuration": "604800s",
        "expirationPolicy": {},
        "retryPolicy": {"minimumBackoff": "10s", "maximumBackoff": "600s"},
        "deadLetterPolicy": {"deadLetterTopic": "projects/p/topics/dead", "maxDeliveryAttempts": 100},
        "state": "ACTIVE",
    });
    stands.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    stands
}

type Change = Box<dyn Fn(&mut Facts)>;

fn broken(change: &Change) -> Vec<Finding> {
    let mut facts = healthy();
    change(&mut facts);
    judge(&facts)
}

fn found<'a>(findings: &'a [Finding], id: &str) -> &'a Finding {
    findings.iter().find(|finding| finding.id == id).unwrap_or_else(|| panic!("no finding {id}: {}", report(findings)))
}

fn parameter(name: &'static str, value: &'static str) -> Change {
    Box::new(move |facts| {
        facts.parameters.insert(name.into(), value.into());
    })
}

fn subscribed(change: Value) -> Change {
    Box::new(move |facts| facts.subscription = Fact::Known(subscription(&change)))
}

fn pushing(change: Value) -> Change {
    subscribed(json!({ "pushConfig": change }))
}

fn token(audience: &str, account: &str) -> Change {
    pushing(json!({"pushEndpoint": PUSH, "oidcToken": {"serviceAccountEmail": account, "audience": audience}}))
}

fn lying(name: &'static str, count: u64) -> Change {
    with_queue(name, move |queue| queue.waiting = count)
}

fn with_queue(name: &'static str, change: impl Fn(&mut Queue) + 'static) -> Change {
    Box::new(move |facts| {
        let Some(Fact::Known(queue)) = facts.queues.get_mut(name) else { panic!("{name}") };
        change(queue);
    })
}

fn function(name: &'static str, change: fn(&mut Function)) -> Change {
    Box::new(move |facts| {
        let Some(Fact::Known(function)) = facts.functions.get_mut(name) else { panic!("{name}") };
        change(function);
    })
}

fn table(change: fn(&mut Table)) -> Change {
    Box::new(move |facts| {
        let Fact::Known(table) = &mut facts.table else { panic!("a table") };
        change(table);
    })
}

fn of(change: fn(&mut Facts)) -> Change {
    Box::new(change)
}

fn sick(change: Value) -> Change {
    Box::new(move |facts| {
        let mut connector = connector();
        connector.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        facts.connectors = Fact::Known(vec![connector]);
    })
}

const ACCOUNT: &str = "push@p.iam.gserviceaccount.com";
const AUDIENCE: &str = "https://connectors.example.com/pubsub";

/// What is broken; the finding that names it, how bad that is, and words that it must say somewhere.
fn sicknesses() -> Vec<(Change, &'static str, Verdict, &'static str)> {
    use Verdict::{Fail, Ok, Unchecked, Warn};
    vec![
        (of(|facts| facts.status = "UPDATE_ROLLBACK_FAILED".into()), "settings.stack", Fail, "describe-stack-events"),
        (of(|facts| facts.status = "UPDATE_IN_PROGRESS".into()), "settings.stack", Warn, "being changed"),
        (parameter("AppPublicUrl", "http://app.example.com"), "settings.public-url", Fail, "AppPublicUrl=\"https://"),
        (parameter("AppPublicUrl", "http://localhost:3000"), "settings.public-url", Warn, "http"),
        (parameter("AllowedOrigins", "https://app.example.org"), "settings.origins", Fail, "AllowedOrigins=\"https://app.example.com\""),
        (parameter("VisibilityTimeout", "269"), "settings.times", Fail, "VisibilityTimeout=\"270\""),
        (parameter("VisibilityTimeout", ""), "settings.times", Fail, "no number"),
        (parameter("DryRun", "true"), "settings.dry-run", Fail, "DryRun=\"false\""),
        (parameter("PubSubSubscription", "projects/q/subscriptions/gmail"), "settings.project", Warn, "projects/p/subscriptions/NAME"),
        (of(|facts| facts.user_keys = keys(json!({"use": "enc"}))), "settings.user-keys", Fail, "0 keys"),
        (of(|facts| facts.user_keys = keys(json!({"kty": "EC"}))), "settings.user-keys", Fail, "0 keys"),
        (of(|facts| facts.user_keys = Fact::Unreachable("no such host".into())), "settings.user-keys", Fail, "AuthJwksUrl"),
        (of(|facts| facts.push_keys = Fact::Unreachable("answers 404".into())), "settings.push-keys", Fail, "GoogleCertsUrl"),
        (
            function("watch-renewer", |function| function.refused = Some("the environment variable PUBSUB_TOPIC is missing or empty".into())),
            "settings.watch-renewer",
            Fail,
            "PUBSUB_TOPIC is missing",
        ),
        (function("oauth-connect", |function| function.state = "Failed".into()), "functions.oauth-connect", Fail, "sam deploy"),
        (function("connectors-api", |function| function.last_update = "Failed".into()), "functions.connectors-api", Fail, "sam deploy"),
        (function("connectors-api", |function| function.last_update = "InProgress".into()), "functions.connectors-api", Warn, "wait"),
        (function("pubsub-webhook", |function| function.state = "Inactive".into()), "functions.pubsub-webhook", Ok, "Inactive"),
        (
            of(|facts| drop(facts.functions.insert("watch-renewer", Fact::Absent))),
            "functions.watch-renewer",
            Fail,
            "the function was deleted",
        ),
        (of(|facts| facts.wake_ups = Fact::Known("Disabled".into())), "functions.wake-ups", Fail, "update-event-source-mapping"),
        (of(|facts| facts.wake_ups = Fact::Known("Enabling".into())), "functions.wake-ups", Warn, "Enabling"),
        (of(|facts| facts.wake_ups = Fact::Absent), "functions.wake-ups", Fail, "takes nothing"),
        (of(|facts| facts.sweeps = Fact::Known("DISABLED".into())), "functions.sweeps", Fail, "watches lapse"),
        (of(|facts| facts.client = answer(401, json!({"error": "invalid_client"}))), "client.credentials", Fail, "GoogleClientSecret=…"),
        (of(|facts| facts.client = answer(401, json!({"error": "unauthorized_client"}))), "client.credentials", Fail, "GoogleClientId"),
        (of(|facts| facts.client = answer(503, Value::Null)), "client.credentials", Fail, "GoogleTokenUrl"),
        (of(|facts| facts.client = Fact::Unreachable("refused".into())), "client.credentials", Fail, "cannot be reached"),
        (parameter("GoogleScopes", "openid https://www.googleapis.com/auth/gmail.modify"), "client.identity", Fail, "email is not asked for"),
        (parameter("GoogleScopes", "openid email"), "client.scopes", Fail, "no Gmail scope"),
        (parameter("GoogleScopes", "openid email https://www.googleapis.com/auth/gmail.send"), "client.scopes", Fail, "they allow send"),
        (parameter("GoogleScopes", "openid email https://www.googleapis.com/auth/gmail.metadata"), "client.scopes", Warn, "searches"),
        (of(|facts| facts.topic = Fact::Absent), "topic.exists", Fail, "gcloud pubsub topics create gmail --project=p"),
        (of(|facts| facts.policy = Fact::Known(json!({"etag": "x"}))), "topic.publisher", Fail, "add-iam-policy-binding gmail --project=p"),
        (
            of(|facts| {
                let member = "serviceAccount:gmail-api-push@system.gserviceaccount.com";
                facts.policy = Fact::Known(json!({"bindings": [{"role": "roles/pubsub.subscriber", "members": [member]}]}));
            }),
            "topic.publisher",
            Fail,
            "roles/pubsub.publisher",
        ),
        (of(|facts| facts.subscription = Fact::Absent), "subscription.exists", Fail, "subscriptions create gmail --project=p"),
        (of(|facts| facts.subscription = Fact::Denied("pubsub.subscriptions.get".into())), "subscription.exists", Unchecked, "pubsub.subscriptions.get"),
        (of(|facts| facts.subscription = Fact::Unasked("needs a token".into())), "subscription.exists", Unchecked, "needs a token"),
        (subscribed(json!({"topic": "projects/p/topics/other"})), "subscription.topic", Fail, "does not hear"),
        (subscribed(json!({"topic": "_deleted-topic_"})), "subscription.topic", Fail, "was deleted"),
        (subscribed(json!({"detached": true})), "subscription.active", Fail, "detached"),
        (subscribed(json!({"state": "RESOURCE_ERROR"})), "subscription.active", Fail, "RESOURCE_ERROR"),
        (pushing(json!({})), "subscription.endpoint", Fail, "pull subscription"),
        (pushing(json!({"pushEndpoint": "https://old.example.com"})), "subscription.endpoint", Fail, "--push-endpoint=https://api.example.com/"),
        (pushing(json!({"pushEndpoint": PUSH})), "subscription.audience", Fail, "carry no token"),
        (token("https://old.example.com", ACCOUNT), "subscription.audience", Fail, "--push-auth-token-audience=https://connectors"),
        // Without an audience of its own the endpoint is the audience.
        (token("", ACCOUNT), "subscription.audience", Fail, PUSH),
        (token(AUDIENCE, "other@p.iam.gserviceaccount.com"), "subscription.account", Fail, "--push-auth-service-account=push@p"),
        (
            pushing(json!({"pushEndpoint": PUSH, "noWrapper": {"writeMetadata": true}})),
            "subscription.wrapping",
            Fail,
            "--clear-push-no-wrapper-config",
        ),
        (subscribed(json!({"filter": "attributes:x"})), "subscription.filter", Fail, "attributes:x"),
        (subscribed(json!({"expirationPolicy": {"ttl": "2678400s"}})), "subscription.expiry", Fail, "--expiration-period=never"),
        (subscribed(json!({"expirationPolicy": null})), "subscription.expiry", Fail, "2678400s"),
        (subscribed(json!({"ackDeadlineSeconds": 10})), "subscription.deadline", Warn, "--ack-deadline=30"),
        (subscribed(json!({"ackDeadlineSeconds": 600})), "subscription.deadline", Warn, "--ack-deadline=30"),
        (subscribed(json!({"retryPolicy": null})), "subscription.retry", Warn, "--min-retry-delay=10s"),
        (subscribed(json!({"deadLetterPolicy": null})), "subscription.dead-letter", Ok, "none"),
        (subscribed(json!({"deadLetterPolicy": {"deadLetterTopic": "_deleted-topic_"}})), "subscription.dead-letter", Warn, "was deleted"),
        (subscribed(json!({"messageRetentionDuration": "600s"})), "subscription.retention", Warn, "600 s"),
        (of(|facts| facts.key = Fact::Known(Key { state: "Disabled".into(), rotates: Fact::Known(true) })), "key.enabled", Fail, "kms enable-key"),
        (
            of(|facts| facts.key = Fact::Known(Key { state: "PendingDeletion".into(), rotates: Fact::Known(true) })),
            "key.enabled",
            Fail,
            "cancel-key-deletion",
        ),
        (of(|facts| facts.key = Fact::Known(Key { state: "Enabled".into(), rotates: Fact::Known(false) })), "key.rotation", Warn, "enable-key-rotation"),
        (of(|facts| facts.key = Fact::Denied("kms:DescribeKey".into())), "key.enabled", Unchecked, "kms:DescribeKey"),
        (of(|facts| facts.table = Fact::Absent), "table.active", Fail, "was deleted"),
        (table(|table| table.status = "INACCESSIBLE_ENCRYPTION_CREDENTIALS".into()), "table.active", Fail, "cannot be used"),
        (table(|table| drop(table.indexes.remove("due"))), "table.indexes", Fail, "missing: due"),
        (table(|table| drop(table.indexes.insert("due".into(), "CREATING".into()))), "table.indexes", Warn, "due is CREATING"),
        (table(|table| table.restores = Fact::Known(false)), "table.backup", Warn, "PointInTimeRecoveryEnabled=true"),
        (table(|table| table.restores = Fact::Unreachable("not implemented".into())), "table.backup", Unchecked, "not implemented"),
        (table(|table| table.expires_by = Fact::Known(None)), "table.expiry", Warn, "AttributeName=expires_at"),
        (table(|table| table.protected = false), "table.protection", Warn, "--deletion-protection-enabled"),
        (of(|facts| facts.bus = Fact::Absent), "bus.exists", Fail, "create-event-bus --name b"),
        (of(|facts| drop(facts.queues.insert("notifications", Fact::Absent))), "queues.notifications", Fail, "the queue was deleted"),
        (with_queue("notifications", |queue| queue.gives_up_to = None), "queues.notifications", Fail, "gives nothing up"),
        (
            with_queue("agent-runs", |queue| queue.gives_up_to = Some("arn:aws:sqs:eu-central-1:1:elsewhere".into())),
            "queues.agent-runs",
            Fail,
            "elsewhere",
        ),
        (lying("notifications", 1001), "queues.backlog", Warn, "does not keep up"),
        (lying("dead-letters", 2), "queues.dead-letters", Warn, "connectors replay dead-letters"),
        (lying("quarantine", 1), "queues.quarantine", Warn, "receive-message --queue-url https://sqs"),
        (lying("agent-dead-letters", 1), "queues.agent-dead-letters", Warn, "1 lie there"),
        (of(|facts| facts.api = answer(503, Value::Null)), "api.answers", Fail, "answers 503"),
        (of(|facts| facts.api = answer(200, json!({"app_public_url": "https://x.example"}))), "api.answers", Fail, "another stack's"),
        (of(|facts| facts.webhook = answer(500, Value::Null)), "webhook.refuses", Fail, "answered 500"),
        (of(|facts| facts.webhook = answer(202, Value::Null)), "webhook.refuses", Fail, "answered 202"),
        (of(|facts| facts.webhook = Fact::Unreachable("timed out".into())), "webhook.refuses", Fail, "timed out"),
        (of(|facts| drop(facts.skews.insert("api", Fact::Known(31)))), "clock.api", Warn, "31 s ahead"),
        (of(|facts| drop(facts.skews.insert("google", Fact::Known(-400)))), "clock.google", Warn, "400 s behind"),
        (sick(json!({"status": "needs_reauth"})), "connectors.con_1", Fail, "connectors connect"),
        (sick(json!({"parked_messages": 3})), "connectors.con_1", Warn, "replay parked"),
        (of(|facts| facts.connectors = Fact::Unreachable("401 unauthorized".into())), "connectors.listed", Fail, "401"),
        (
            of(|facts| facts.push = Fact::Known(Push { connector: "con_1".into(), looked_after: None, waited_seconds: 30 })),
            "push.end-to-end",
            Fail,
            "not looked at within 30 s",
        ),
        (of(|facts| facts.push = Fact::Denied("pubsub.topics.publish".into())), "push.end-to-end", Unchecked, "pubsub.topics.publish"),
    ]
}

#[test]
fn a_healthy_stack_is_well_in_all() {
    let findings = judge(&healthy());
    let ill: Vec<&Finding> = findings.iter().filter(|finding| finding.verdict != Verdict::Ok).collect();
    assert!(ill.is_empty(), "{ill:?}");
    assert!(!fails(&findings) && findings.len() > 40, "{}", findings.len());
    let ids: BTreeSet<&str> = findings.iter().map(|finding| finding.id.as_str()).collect();
    assert_eq!(ids.len(), findings.len(), "each check has a name of its own");
}

#[test]
fn each_broken_set_up_is_named_and_nothing_else_is() {
    let sicknesses = sicknesses();
    assert!(sicknesses.len() > 80, "{}", sicknesses.len());
    for (change, id, verdict, says) in &sicknesses {
        let findings = broken(change);
        let finding = found(&findings, id);
        let told = format!("{} {} {} {}", finding.found, finding.cause, finding.fix, finding.link);
        assert!(finding.verdict == *verdict && told.contains(says), "{id} must be {verdict:?} and say `{says}`: {finding:?}");
    }
}

/// Checks that see the same fact may name it together; no other finding may change.
#[test]
fn a_finding_blames_only_what_it_is_about() {
    let together = |id: &str| match id {
        "subscription.endpoint" => &["subscription.audience", "subscription.account"][..],
        "subscription.audience" | "subscription.wrapping" => &["subscription.audience", "subscription.account"],
        "settings.public-url" => &["settings.origins", "api.answers"],
        "settings.project" => &["subscription.topic"],
        _ => &[],
    };
    for (change, id, _, _) in sicknesses() {
        for other in broken(&change) {
            let expected = other.id == id || other.verdict == Verdict::Ok || together(id).contains(&other.id.as_str());
            assert!(expected, "{id} was broken, and {other:?} found");
        }
    }
}

#[test]
fn what_is_not_well_says_why_how_it_is_mended_and_where_to_read_on() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let all = sicknesses().iter().flat_map(|(change, ..)| broken(change)).chain(no_stack("gone")).collect::<Vec<_>>();
    for finding in all.iter().filter(|finding| matches!(finding.verdict, Verdict::Warn | Verdict::Fail)) {
        let passing = finding.fix.starts_with("wait");
        let complete = !finding.cause.is_empty() && !finding.fix.is_empty() && (passing || !finding.link.is_empty());
        assert!(complete || finding.id == "connectors.listed", "{finding:?}");
        if let Some(page) = finding.link.split('#').next().filter(|page| !page.starts_with("https://") && !page.is_empty()) {
            assert!(std::path::Path::new(&format!("{root}/{page}")).exists(), "{}: there is no {page}", finding.id);
        }
    }
}

#[test]
fn the_documentation_names_every_check() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md")).unwrap();
    for finding in judge(&healthy()).iter().filter(|finding| finding.id != "connectors.con_1") {
        assert!(text.contains(&format!("`{}`", finding.id)), "docs/cli.md does not name `{}`", finding.id);
    }
}

#[test]
fn a_report_is_a_table_with_what_to_do_under_what_is_not_well() {
    let findings = [
        Finding::ok("topic.exists", "projects/p/topics/gmail"),
        Finding::fail("subscription.audience", "its tokens are for x\u{1b}").because("PubSubAudience is y").mend("gcloud a").see("https://b"),
        Finding::unchecked("key.enabled", "access denied"),
    ];
    let expected = [
        "ok           topic.exists           projects/p/topics/gmail",
        "FAIL         subscription.audience  its tokens are for x\u{fffd}",
        "             cause  PubSubAudience is y",
        "             fix    gcloud a",
        "             see    https://b",
        "not checked  key.enabled            access denied",
        "1 ok, 0 warn, 1 FAIL, 1 not checked",
    ];
    assert_eq!(report(&findings), expected.join("\n"));
}

#[test]
fn a_stack_that_is_not_there_is_a_finding_and_no_secret_is_printed() {
    let server = Server::answering(|_| Reply::new(400, "<ErrorResponse><Error><Code>ValidationError</Code><Message>no stack</Message></Error></ErrorResponse>"));
    let folder = Folder::new();
    let file = folder.file("stack.json", json!({"aws_endpoint": server.url, "api_url": server.url, "stack_name": "gone"}).to_string());
    let environment = [("CONNECTORS_TOKEN", TOKEN), ("CONNECTORS_GOOGLE_TOKEN", TOKEN)];
    let ran = run(&environment, &["doctor", "--stack-json", &file, "--json"], "").ended(1);
    let document = ran.json();
    assert_eq!((&document["well"], &document["findings"][0]["id"]), (&json!(false), &json!("settings.stack")));
    assert!(run(&[], &["doctor"], "").ended(1).err.contains("--stack-name"));
}

//! Set-ups that are broken, each in one way, and the finding that must name it.

use connectors_cli::doctor::fact::Fact;
use connectors_cli::doctor::facts::{Facts, Function, Key, Mapping, Push, Queue, Table};
use connectors_cli::doctor::finding::Verdict;
use serde_json::{Value, json};

use super::patient::{PUSH, answer, connector, keys, subscription};

pub type Change = Box<dyn Fn(&mut Facts)>;
/// What is broken; the finding that names it, how bad that is, and words that it must say
/// somewhere.
pub type Sickness = (Change, &'static str, Verdict, &'static str);

pub fn parameter(name: &'static str, value: &'static str) -> Change {
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
    pushing(
        json!({"pushEndpoint": PUSH, "oidcToken": {"serviceAccountEmail": account, "audience": audience}}),
    )
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

fn sick(health: &'static str) -> Change {
    Box::new(move |facts| {
        let mut connector = connector();
        connector["health"] = json!({"status": health, "findings": [{"what": "it rests"}]});
        facts.connectors = Fact::Known(vec![connector]);
    })
}

fn handing(state: &'static str) -> Change {
    Box::new(move |facts| {
        facts.wake_ups = Fact::Known(Mapping { uuid: "u-1".into(), state: state.into() })
    })
}

const ACCOUNT: &str = "push@p.iam.gserviceaccount.com";
const AUDIENCE: &str = "https://connectors.example.com/pubsub";

pub fn sicknesses() -> Vec<Sickness> {
    use Verdict::{Fail, Ok, Unchecked, Warn};
    vec![
        (
            of(|facts| facts.status = "UPDATE_ROLLBACK_FAILED".into()),
            "settings.stack",
            Fail,
            "describe-stack-events",
        ),
        (
            of(|facts| facts.status = "UPDATE_IN_PROGRESS".into()),
            "settings.stack",
            Warn,
            "being changed",
        ),
        (
            parameter("AppPublicUrl", "http://app.example.com"),
            "settings.public-url",
            Fail,
            "AppPublicUrl=\"https://",
        ),
        (parameter("AppPublicUrl", "http://localhost:3000"), "settings.public-url", Warn, "http"),
        (
            parameter("AllowedOrigins", "https://app.example.org"),
            "settings.origins",
            Fail,
            "AllowedOrigins=\"https://app.example.com\"",
        ),
        (
            parameter("VisibilityTimeout", "269"),
            "settings.times",
            Fail,
            "VisibilityTimeout=\"270\"",
        ),
        (parameter("VisibilityTimeout", ""), "settings.times", Fail, "no number"),
        (parameter("DryRun", "true"), "settings.dry-run", Fail, "DryRun=\"false\""),
        (
            parameter("PubSubSubscription", "projects/q/subscriptions/gmail"),
            "settings.project",
            Warn,
            "projects/p/subscriptions/NAME",
        ),
        (
            of(|facts| facts.user_keys = keys(json!({"use": "enc"}))),
            "settings.user-keys",
            Fail,
            "0 keys",
        ),
        (
            of(|facts| facts.user_keys = keys(json!({"kty": "EC"}))),
            "settings.user-keys",
            Fail,
            "0 keys",
        ),
        (
            of(|facts| facts.user_keys = Fact::Unreachable("no such host".into())),
            "settings.user-keys",
            Fail,
            "AuthJwksUrl",
        ),
        (
            of(|facts| facts.push_keys = Fact::Unreachable("answers 404".into())),
            "settings.push-keys",
            Fail,
            "GoogleCertsUrl",
        ),
        (
            function("watch-renewer", |function| {
                function.refused =
                    Some("the environment variable PUBSUB_TOPIC is missing or empty".into())
            }),
            "settings.watch-renewer",
            Fail,
            "PUBSUB_TOPIC is missing",
        ),
        (
            function("oauth-connect", |function| function.state = "Failed".into()),
            "functions.oauth-connect",
            Fail,
            "sam deploy",
        ),
        (
            function("connectors-api", |function| function.last_update = "Failed".into()),
            "functions.connectors-api",
            Fail,
            "sam deploy",
        ),
        (
            function("connectors-api", |function| function.last_update = "InProgress".into()),
            "functions.connectors-api",
            Warn,
            "wait",
        ),
        (
            function("pubsub-webhook", |function| function.state = "Inactive".into()),
            "functions.pubsub-webhook",
            Ok,
            "Inactive",
        ),
        (
            of(|facts| drop(facts.functions.insert("watch-renewer", Fact::Absent))),
            "functions.watch-renewer",
            Fail,
            "the function was deleted",
        ),
        (handing("Disabled"), "functions.wake-ups", Fail, "--uuid u-1 --enabled"),
        (handing("Enabling"), "functions.wake-ups", Warn, "Enabling"),
        (of(|facts| facts.wake_ups = Fact::Absent), "functions.wake-ups", Fail, "takes nothing"),
        (
            of(|facts| facts.sweeps = Fact::Known("DISABLED".into())),
            "functions.sweeps",
            Fail,
            "watches lapse",
        ),
        (
            of(|facts| facts.client = answer(401, json!({"error": "invalid_client"}))),
            "client.credentials",
            Fail,
            "GoogleClientSecret=…",
        ),
        (
            of(|facts| facts.client = answer(401, json!({"error": "unauthorized_client"}))),
            "client.credentials",
            Fail,
            "GoogleClientId",
        ),
        (
            of(|facts| facts.client = answer(503, Value::Null)),
            "client.credentials",
            Fail,
            "GoogleTokenUrl",
        ),
        (
            of(|facts| facts.client = Fact::Unreachable("refused".into())),
            "client.credentials",
            Fail,
            "cannot be reached",
        ),
        (
            parameter("GoogleScopes", "openid https://www.googleapis.com/auth/gmail.modify"),
            "client.identity",
            Fail,
            "email is not asked for",
        ),
        (parameter("GoogleScopes", "openid email"), "client.scopes", Fail, "no Gmail scope"),
        (
            parameter("GoogleScopes", "openid email https://www.googleapis.com/auth/gmail.send"),
            "client.scopes",
            Fail,
            "they allow send",
        ),
        (
            parameter(
                "GoogleScopes",
                "openid email https://www.googleapis.com/auth/gmail.metadata",
            ),
            "client.scopes",
            Warn,
            "searches",
        ),
        (
            of(|facts| facts.topic = Fact::Absent),
            "topic.exists",
            Fail,
            "gcloud pubsub topics create gmail --project=p",
        ),
        (
            of(|facts| facts.policy = Fact::Known(json!({"etag": "x"}))),
            "topic.publisher",
            Fail,
            "add-iam-policy-binding gmail --project=p",
        ),
        (
            of(|facts| {
                let member = "serviceAccount:gmail-api-push@system.gserviceaccount.com";
                facts.policy = Fact::Known(
                    json!({"bindings": [{"role": "roles/pubsub.subscriber", "members": [member]}]}),
                );
            }),
            "topic.publisher",
            Fail,
            "roles/pubsub.publisher",
        ),
        (
            of(|facts| facts.subscription = Fact::Absent),
            "subscription.exists",
            Fail,
            "subscriptions create gmail --project=p",
        ),
        (
            of(|facts| facts.subscription = Fact::Denied("pubsub.subscriptions.get".into())),
            "subscription.exists",
            Unchecked,
            "pubsub.subscriptions.get",
        ),
        (
            of(|facts| facts.subscription = Fact::Skipped("needs a token".into())),
            "subscription.exists",
            Unchecked,
            "needs a token",
        ),
        (
            subscribed(json!({"topic": "projects/p/topics/other"})),
            "subscription.topic",
            Fail,
            "does not hear",
        ),
        (
            subscribed(json!({"topic": "_deleted-topic_"})),
            "subscription.topic",
            Fail,
            "was deleted",
        ),
        (subscribed(json!({"detached": true})), "subscription.active", Fail, "detached"),
        (
            subscribed(json!({"state": "RESOURCE_ERROR"})),
            "subscription.active",
            Fail,
            "RESOURCE_ERROR",
        ),
        (pushing(json!({})), "subscription.endpoint", Fail, "pull subscription"),
        (
            pushing(json!({"pushEndpoint": "https://old.example.com"})),
            "subscription.endpoint",
            Fail,
            "--push-endpoint=https://api.example.com/",
        ),
        (pushing(json!({"pushEndpoint": PUSH})), "subscription.audience", Fail, "carry no token"),
        (
            token("https://old.example.com", ACCOUNT),
            "subscription.audience",
            Fail,
            "--push-auth-token-audience=https://connectors",
        ),
        // Without an audience of its own the endpoint is the audience.
        (token("", ACCOUNT), "subscription.audience", Fail, PUSH),
        (
            token(AUDIENCE, "other@p.iam.gserviceaccount.com"),
            "subscription.account",
            Fail,
            "--push-auth-service-account=push@p",
        ),
        (
            pushing(json!({"pushEndpoint": PUSH, "noWrapper": {"writeMetadata": true}})),
            "subscription.wrapping",
            Fail,
            "--clear-push-no-wrapper-config",
        ),
        (
            subscribed(json!({"filter": "attributes:x"})),
            "subscription.filter",
            Fail,
            "attributes:x",
        ),
        (
            subscribed(json!({"expirationPolicy": {"ttl": "2678400s"}})),
            "subscription.expiry",
            Fail,
            "--expiration-period=never",
        ),
        (subscribed(json!({"expirationPolicy": null})), "subscription.expiry", Fail, "2678400s"),
        (
            subscribed(json!({"ackDeadlineSeconds": 10})),
            "subscription.deadline",
            Warn,
            "--ack-deadline=30",
        ),
        (
            subscribed(json!({"ackDeadlineSeconds": 600})),
            "subscription.deadline",
            Warn,
            "--ack-deadline=30",
        ),
        (
            subscribed(json!({"retryPolicy": null})),
            "subscription.retry",
            Warn,
            "--min-retry-delay=10s",
        ),
        (subscribed(json!({"deadLetterPolicy": null})), "subscription.dead-letter", Ok, "none"),
        (
            subscribed(json!({"deadLetterPolicy": {"deadLetterTopic": "_deleted-topic_"}})),
            "subscription.dead-letter",
            Warn,
            "was deleted",
        ),
        (
            subscribed(json!({"messageRetentionDuration": "600s"})),
            "subscription.retention",
            Warn,
            "600 s",
        ),
        (
            of(|facts| {
                facts.key =
                    Fact::Known(Key { state: "Disabled".into(), rotates: Fact::Known(true) })
            }),
            "key.enabled",
            Fail,
            "kms enable-key",
        ),
        (
            of(|facts| {
                facts.key =
                    Fact::Known(Key { state: "PendingDeletion".into(), rotates: Fact::Known(true) })
            }),
            "key.enabled",
            Fail,
            "cancel-key-deletion",
        ),
        (
            of(|facts| {
                facts.key =
                    Fact::Known(Key { state: "Enabled".into(), rotates: Fact::Known(false) })
            }),
            "key.rotation",
            Warn,
            "enable-key-rotation",
        ),
        (
            of(|facts| facts.key = Fact::Denied("kms:DescribeKey".into())),
            "key.enabled",
            Unchecked,
            "kms:DescribeKey",
        ),
        (of(|facts| facts.table = Fact::Absent), "table.active", Fail, "was deleted"),
        (
            table(|table| table.status = "INACCESSIBLE_ENCRYPTION_CREDENTIALS".into()),
            "table.active",
            Fail,
            "cannot be used",
        ),
        (table(|table| drop(table.indexes.remove("due"))), "table.indexes", Fail, "missing: due"),
        (
            table(|table| drop(table.indexes.insert("due".into(), "CREATING".into()))),
            "table.indexes",
            Warn,
            "due is CREATING",
        ),
        (
            table(|table| table.restores = Fact::Known(false)),
            "table.backup",
            Warn,
            "PointInTimeRecoveryEnabled=true",
        ),
        (
            table(|table| table.restores = Fact::Unreachable("not implemented".into())),
            "table.backup",
            Unchecked,
            "not implemented",
        ),
        (
            table(|table| table.expires_by = Fact::Known(None)),
            "table.expiry",
            Warn,
            "AttributeName=expires_at",
        ),
        (
            table(|table| table.protected = false),
            "table.protection",
            Warn,
            "--deletion-protection-enabled",
        ),
        (of(|facts| facts.bus = Fact::Absent), "bus.exists", Fail, "create-event-bus --name b"),
        (
            of(|facts| drop(facts.queues.insert("notifications", Fact::Absent))),
            "queues.notifications",
            Fail,
            "the queue was deleted",
        ),
        (
            with_queue("notifications", |queue| queue.gives_up_to = None),
            "queues.notifications",
            Fail,
            "gives nothing up",
        ),
        (
            with_queue("agent-runs", |queue| {
                queue.gives_up_to = Some("arn:aws:sqs:eu-central-1:1:elsewhere".into())
            }),
            "queues.agent-runs",
            Fail,
            "elsewhere",
        ),
        (lying("notifications", 1001), "queues.backlog", Warn, "does not keep up"),
        (lying("dead-letters", 2), "queues.dead-letters", Warn, "connectors replay dead-letters"),
        (
            lying("quarantine", 1),
            "queues.quarantine",
            Warn,
            "receive-message --queue-url https://sqs",
        ),
        (lying("agent-dead-letters", 1), "queues.agent-dead-letters", Warn, "1 lie there"),
        (of(|facts| facts.api = answer(503, Value::Null)), "api.answers", Fail, "answers 503"),
        (
            of(|facts| facts.api = answer(200, json!({"app_public_url": "https://x.example"}))),
            "api.answers",
            Fail,
            "another stack's",
        ),
        (
            of(|facts| facts.webhook = answer(500, Value::Null)),
            "webhook.refuses",
            Fail,
            "answered 500",
        ),
        (
            of(|facts| facts.webhook = answer(202, Value::Null)),
            "webhook.refuses",
            Fail,
            "answered 202",
        ),
        (
            of(|facts| facts.webhook = Fact::Unreachable("timed out".into())),
            "webhook.refuses",
            Fail,
            "timed out",
        ),
        (
            of(|facts| drop(facts.skews.insert("api", Fact::Known(31)))),
            "clock.api",
            Warn,
            "31 s ahead",
        ),
        (
            of(|facts| drop(facts.skews.insert("google", Fact::Known(-400)))),
            "clock.google",
            Warn,
            "400 s behind",
        ),
        (sick("down"), "connectors.con_1", Fail, "connectors health con_1"),
        (sick("degraded"), "connectors.con_1", Warn, "it rests"),
        (
            of(|facts| facts.connectors = Fact::Unreachable("401 unauthorized".into())),
            "connectors.listed",
            Fail,
            "401",
        ),
        (
            of(|facts| {
                facts.push = Fact::Known(Push {
                    connector: "con_1".into(),
                    looked_after: None,
                    waited_seconds: 30,
                })
            }),
            "push.end-to-end",
            Fail,
            "not looked at within 30 s",
        ),
        (
            of(|facts| facts.push = Fact::Denied("pubsub.topics.publish".into())),
            "push.end-to-end",
            Unchecked,
            "pubsub.topics.publish",
        ),
    ]
}

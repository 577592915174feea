//! The doctor without most rights: each check that it cannot run is reported with the missing
//! right.

use serde_json::{Value, json};

use crate::server::{Folder, Ran, Reply, Seen, Server, TOKEN, run};
use crate::stacks::{self, xml};

const FUNCTIONS: [&str; 6] = [
    "AuditKeeperFunction",
    "ConnectorsApiFunction",
    "HistoryProcessorFunction",
    "OauthConnectFunction",
    "PubsubWebhookFunction",
    "WatchRenewerFunction",
];

fn stack(base: &str) -> Reply {
    let parameters = [
        ("AppPublicUrl", "https://app.example.com".to_string()),
        ("AllowedOrigins", "https://app.example.com".into()),
        ("ProcessorTimeout", "45".into()),
        ("VisibilityTimeout", "270".into()),
        ("GoogleClientId", "client".into()),
        ("GoogleScopes", "openid email https://www.googleapis.com/auth/gmail.modify".into()),
        ("AuthIssuer", format!("{base}/issuer")),
        ("GoogleCertsUrl", format!("{base}/keys")),
        ("PubSubTopic", "projects/p/topics/gmail".into()),
        ("PubSubSubscription", "projects/p/subscriptions/gmail".into()),
    ];
    let queue = format!("{base}/0/q");
    let outputs = [
        ("TableName", "t".to_string()),
        ("SecretsKeyId", "k".into()),
        ("EventBusName", "b".into()),
        ("NotificationQueueUrl", queue.clone()),
        ("NotificationDeadLetterQueueUrl", queue),
    ];
    stacks::stack(&parameters, &outputs)
}

fn resources() -> Reply {
    let each = FUNCTIONS.iter().chain(&["HistoryProcessorFunctionWakeUps", "WatchRenewerFunctionSweep"]).map(|name| {
        let ids = format!("<LogicalResourceId>{name}</LogicalResourceId><PhysicalResourceId>id-{name}</PhysicalResourceId>");
        let rest =
            "<ResourceType>x</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus><Timestamp>2026-01-01T00:00:00Z</Timestamp>";
        format!("<member>{ids}{rest}</member>")
    });
    xml(
        "DescribeStackResources",
        &format!("<StackResources>{}</StackResources>", each.collect::<String>()),
    )
}

/// The stack may be read, the API answers, and every other question to AWS is refused.
fn answer(seen: &Seen) -> Reply {
    let base = format!("http://{}", seen.header("host"));
    let body = String::from_utf8_lossy(&seen.body);
    match seen.line.as_str() {
        _ if body.starts_with("Action=DescribeStacks&") => stack(&base),
        _ if body.starts_with("Action=DescribeStackResources&") => resources(),
        "GET /api/system/info" => Reply::json(json!({"app_public_url": "https://app.example.com"})),
        "GET /issuer/.well-known/openid-configuration" => {
            Reply::json(json!({"jwks_uri": format!("{base}/keys")}))
        }
        "GET /keys" => {
            Reply::json(json!({"keys": [{"kty": "RSA", "kid": "k", "n": "AQAB", "e": "AQAB"}]}))
        }
        "POST /api/email/webhook/google/pubsub" => Reply::problem(401, "unauthorized"),
        line if line.starts_with("GET /v1/projects/") => {
            let reason = json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"});
            Reply::new(
                403,
                json!({"error": {"code": 403, "status": "PERMISSION_DENIED", "details": [reason]}})
                    .to_string(),
            )
        }
        _ => Reply::new(
            400,
            json!({"__type": "AccessDeniedException", "message": "not authorized"}).to_string(),
        )
        .header("x-amzn-errortype", "AccessDeniedException"),
    }
}

fn examined(google: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let (server, folder) = (Server::answering(answer), Folder::new());
    let stack = json!({"aws_endpoint": server.url, "api_url": server.url, "region": "us-east-1", "stack_name": "s"});
    let file = folder.file("stack.json", stack.to_string());
    let pubsub = [("CONNECTORS_PUBSUB_API", server.url.as_str())];
    run(
        &[&pubsub[..], google].concat(),
        &[&["doctor", "--stack-json", &file, "--json"], arguments].concat(),
        "",
    )
}

fn reported<'a>(document: &'a Value, id: &str) -> (&'a str, &'a str) {
    let findings = document["findings"].as_array().unwrap();
    let finding = findings
        .iter()
        .find(|finding| finding["id"] == id)
        .unwrap_or_else(|| panic!("{id}: {document:#}"));
    (finding["verdict"].as_str().unwrap(), finding["found"].as_str().unwrap())
}

#[test]
fn each_check_that_may_not_run_is_reported_with_the_missing_right() {
    let document = examined(&[], &[]).ended(0).json();
    for (id, right) in [
        ("functions.oauth-connect", "lambda:GetFunctionConfiguration"),
        ("functions.wake-ups", "lambda:GetEventSourceMapping"),
        ("functions.sweeps", "scheduler:GetSchedule"),
        ("client.credentials", "lambda:GetFunctionConfiguration"),
        ("key.enabled", "kms:DescribeKey"),
        ("table.active", "dynamodb:DescribeTable"),
        ("bus.exists", "events:DescribeEventBus"),
        ("queues.dead-letters", "sqs:GetQueueAttributes"),
        ("queues.quarantine", "no output QuarantineQueueUrl"),
        ("topic.exists", "gcloud auth print-access-token"),
        ("subscription.exists", "gcloud auth print-access-token"),
        ("connectors.listed", "--token-command"),
        ("push.end-to-end", "--token-command"),
    ] {
        let (verdict, found) = reported(&document, id);
        assert!(verdict == "not_checked" && found.contains(right), "{id}: {verdict}, {found}");
    }
    for id in [
        "settings.stack",
        "settings.times",
        "settings.user-keys",
        "settings.push-keys",
        "api.answers",
        "webhook.refuses",
    ] {
        assert_eq!(reported(&document, id).0, "ok", "{id}");
    }
}

#[test]
fn an_interface_that_is_off_is_named_and_the_operators_token_is_not() {
    let document =
        examined(&[("CONNECTORS_GOOGLE_TOKEN", TOKEN)], &["--only", "topic"]).ended(0).json();
    let (verdict, found) = reported(&document, "topic.exists");
    assert!(
        verdict == "not_checked" && found.contains("gcloud services enable pubsub.googleapis.com"),
        "{found}"
    );
    assert_eq!(document["findings"].as_array().unwrap().len(), 2, "only what begins so");
    let command = ["--google-token-command", "false"];
    assert!(examined(&[], &command).ended(1).err.contains("did not print a token"));
    assert!(
        examined(&[], &["--only", "nothing"])
            .ended(1)
            .err
            .contains("no check's name begins with `nothing`")
    );
    let clear = examined(
        &[("CONNECTORS_GOOGLE_TOKEN", TOKEN)],
        &["--pubsub-api", "http://pubsub.example.com"],
    )
    .ended(1)
    .err;
    assert!(clear.contains("must be https"), "{clear}");
}

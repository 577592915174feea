//! A deployed stack as CloudFormation describes it, and what follows from its name alone.

use serde_json::json;

use crate::server::{Folder, Ran, Reply, Seen, Server, TOKEN, run};

pub fn xml(action: &str, result: &str) -> Reply {
    Reply::new(
        200,
        format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"),
    )
}

fn members(tag: (&str, &str), pairs: &[(&str, String)]) -> String {
    let each = pairs.iter().map(|(name, value)| {
        format!("<member><{0}>{name}</{0}><{1}>{value}</{1}></member>", tag.0, tag.1)
    });
    each.collect()
}

pub fn stack(parameters: &[(&str, String)], outputs: &[(&str, String)]) -> Reply {
    let (parameters, outputs) = (
        members(("ParameterKey", "ParameterValue"), parameters),
        members(("OutputKey", "OutputValue"), outputs),
    );
    let head = "<StackName>s</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>";
    xml(
        "DescribeStacks",
        &format!(
            "<Stacks><member>{head}<Parameters>{parameters}</Parameters><Outputs>{outputs}</Outputs></member></Stacks>"
        ),
    )
}

/// An operator's environment in which this server is AWS.
pub fn operator(server: &Server) -> Vec<(&'static str, &str)> {
    vec![
        ("AWS_ENDPOINT_URL", server.url.as_str()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ]
}

const DESCRIBED: &str = "DescribeStacks of s";

/// The stack has these outputs, with `here` for the server itself; its API and its queues answer.
fn serving(outputs: &'static [(&'static str, &'static str)]) -> Server {
    Server::answering(move |seen| {
        let here = format!("http://{}", seen.header("host"));
        let outputs: Vec<(&str, String)> =
            outputs.iter().map(|(name, value)| (*name, value.replace("here", &here))).collect();
        match (seen.line.as_str(), operation(seen).as_str()) {
            (_, DESCRIBED) => stack(&[], &outputs),
            ("GET /api/connectors", _) => Reply::json(json!({"connectors": []})),
            (_, "GetQueueAttributes") => {
                let count = json!({"ApproximateNumberOfMessages": "3", "ApproximateNumberOfMessagesNotVisible": "0"});
                Reply::json(json!({ "Attributes": count }))
                    .header("content-type", "application/x-amz-json-1.0")
            }
            (line, _) => panic!("{line} was not expected"),
        }
    })
}

/// The operation of a request to AWS, and of which stack.
fn operation(seen: &Seen) -> String {
    let body = String::from_utf8_lossy(&seen.body).into_owned();
    if body.starts_with("Action=DescribeStacks&") && body.contains("StackName=s") {
        return DESCRIBED.into();
    }
    seen.header("x-amz-target").rsplit('.').next().unwrap_or_default().into()
}

fn described(server: &Server) -> usize {
    server.seen().iter().filter(|seen| operation(seen) == DESCRIBED).count()
}

fn ran(server: &Server, environment: &[(&'static str, &str)], arguments: &[&str]) -> Ran {
    run(&[&operator(server)[..], environment].concat(), arguments, "")
}

const ALL: &[(&str, &str)] = &[
    ("ApiUrl", "here"),
    ("TableName", "t"),
    ("NotificationQueueUrl", "here/0/queue.fifo"),
    ("NotificationDeadLetterQueueUrl", "here/0/dead.fifo"),
];

#[test]
fn a_stacks_name_gives_the_rest_and_is_looked_up_once() {
    let server = serving(ALL);
    let named = [("CONNECTORS_STACK_NAME", "s"), ("CONNECTORS_TOKEN", TOKEN)];
    assert_eq!(ran(&server, &named, &["list"]).ended(0).out, "no connectors\n");
    assert_eq!(described(&server), 1);
    let out =
        ran(&server, &named[1..], &["replay", "dead-letters", "--dry-run", "--stack-name", "s"])
            .ended(0)
            .out;
    assert_eq!(out, "would put back about 3 wake-ups\n");
    assert_eq!(described(&server), 2, "both queues of one answer");
}

#[test]
fn what_was_said_comes_before_what_the_stack_says() {
    let (server, folder) = (serving(&[("ApiUrl", "https://of-the-stack.invalid")]), Folder::new());
    let file = folder.file(
        "stack.json",
        json!({"api_url": server.url, "stack_name": "s", "aws_endpoint": server.url}).to_string(),
    );
    let wrong = folder.file(
        "wrong.json",
        json!({"api_url": "https://of-the-file.invalid", "stack_name": "s"}).to_string(),
    );
    let (named, token) = (("CONNECTORS_STACK_NAME", "s"), ("CONNECTORS_TOKEN", TOKEN));
    let here = ("CONNECTORS_API_URL", server.url.as_str());
    for (environment, arguments) in [
        (
            vec![named, token, ("CONNECTORS_API_URL", "https://of-the-environment.invalid")],
            vec!["list", "--api-url", &server.url],
        ),
        (vec![named, token, here, ("CONNECTORS_STACK_JSON", &wrong)], vec!["list"]),
        (vec![named, token, ("CONNECTORS_STACK_JSON", &file)], vec!["list"]),
    ] {
        ran(&server, &environment, &arguments).ended(0);
    }
    assert_eq!(described(&server), 0, "nothing was missing");
    let unreached = ran(&server, &[named, token], &["list"]).ended(1).err;
    assert!(unreached.contains("of-the-stack.invalid"), "{unreached}");
}

/// Or a command line that names one stack would write to another.
#[test]
fn a_stack_that_an_option_names_is_meant_whatever_the_environment_says() {
    let (server, folder) = (serving(ALL), Folder::new());
    let other = folder.file(
        "other.json",
        json!({"api_url": "https://of-the-file.invalid", "stack_name": "other", "table": "other"})
            .to_string(),
    );
    let environment = [
        ("CONNECTORS_STACK_JSON", other.as_str()),
        ("CONNECTORS_STACK_NAME", "other"),
        ("CONNECTORS_API_URL", "https://of-the-environment.invalid"),
        ("CONNECTORS_NOTIFICATION_QUEUE_URL", "https://of-the-environment.invalid/queue"),
        ("CONNECTORS_DEAD_LETTER_QUEUE_URL", "https://of-the-environment.invalid/dead"),
        ("CONNECTORS_TOKEN", TOKEN),
    ];
    ran(&server, &environment, &["list", "--stack-name", "s"]).ended(0);
    ran(&server, &environment, &["replay", "dead-letters", "--dry-run", "--stack-name", "s"])
        .ended(0);
    assert_eq!(described(&server), 2);
    ran(&server, &environment, &["list", "--stack-name", "s", "--api-url", &server.url]).ended(0);
    assert_eq!(described(&server), 2, "of options, the one that says it");
}

#[test]
fn a_missing_output_is_reported_with_the_option_that_replaces_it() {
    let server = serving(&[
        ("ApiUrl", "http://api.example.com"),
        ("NotificationQueueUrl", "here/0/queue.fifo"),
    ]);
    let token = ("CONNECTORS_TOKEN", TOKEN);
    let missing =
        ran(&server, &[token], &["replay", "dead-letters", "--stack-name", "s"]).ended(1).err;
    for expected in [
        "the stack s has no output NotificationDeadLetterQueueUrl",
        "--dead-letter-queue-url",
        "CONNECTORS_DEAD_LETTER_QUEUE_URL",
    ] {
        assert!(missing.contains(expected), "{missing}");
    }
    let clear = ran(&server, &[token], &["list", "--stack-name", "s"]).ended(1).err;
    assert!(clear.contains("must be https"), "a stack's own address is no exception: {clear}");

    let refusing = Server::answering(|_| {
        Reply::new(403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>")
    });
    let denied = ran(&refusing, &[token], &["list", "--stack-name", "s"]).ended(1).err;
    for expected in
        ["the stack s cannot be read", "AccessDenied", "--api-url", "CONNECTORS_API_URL"]
    {
        assert!(denied.contains(expected), "{denied}");
    }
    let unsaid = run(&[token], &["list"], "").ended(1).err;
    assert!(
        unsaid.contains("--stack-name") && unsaid.contains("CONNECTORS_STACK_NAME"),
        "{unsaid}"
    );
}

//! `docs/google/setup.sh` with a fake gcloud that records its calls: what it makes is what the
//! doctor expects.

use std::collections::BTreeMap;

use connectors_cli::doctor::fact::Fact;
use connectors_cli::doctor::finding::Verdict;
use connectors_cli::doctor::judge::judge;
use serde_json::{Value, json};

use crate::doctoring::patient::{PUSH, healthy};
use crate::script::{Ran, Script};

const GOOGLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/google");
const PROJECT: &str = "my-project-123";

/// Answers like gcloud: what was created is there afterwards, in a file of its name.
const GCLOUD: &str = r#"#!/bin/bash
printf '%s\n' "$*" >> "$STATE/calls"
kind="$1-$2"; [ "$1" = beta ] && kind=beta
case "$*" in
  "projects describe "*) echo 4711 ;;
  *" describe "*"--format=value(topic)"*) cat "$STATE/hears" ;;
  *" describe "*)
    if [ -e "$STATE/denied" ]; then echo "ERROR: PERMISSION_DENIED: not authorized" >&2; exit 1; fi
    if [ -e "$STATE/$kind-${4%%@*}" ]; then echo "there"; else echo "ERROR: NOT_FOUND: Resource not found (resource=$4)." >&2; exit 1; fi ;;
  *" create "*) if [ "$kind" != beta ]; then touch "$STATE/$kind-$4"; fi ;;
esac
"#;

fn project() -> Script {
    let script = Script::new("google/setup.sh", "gcloud", GCLOUD);
    script.folder.file("hears", format!("projects/{PROJECT}/topics/gmail\n"));
    script
}

fn set_up(script: &Script, more: &[&str]) -> Ran {
    let ran = script.run(
        &[&["--project", PROJECT, "--audience", "my-audience", "--push-endpoint", PUSH], more]
            .concat(),
    );
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    ran
}

fn starting_with<'a>(calls: &'a [String], begin: &str) -> Vec<&'a String> {
    calls.iter().filter(|call| call.starts_with(begin)).collect()
}

fn flags(call: &str) -> BTreeMap<&str, &str> {
    call.split_whitespace().filter_map(|word| word.strip_prefix("--")?.split_once('=')).collect()
}

/// The subscription that Pub/Sub would make of these flags.
fn subscription(call: &str) -> Value {
    let flags = flags(call);
    let days =
        |text: &str| format!("{}s", text.trim_end_matches('d').parse::<u64>().unwrap() * 86_400);
    let expiration = if flags["expiration-period"] == "never" {
        json!({})
    } else {
        json!({"ttl": flags["expiration-period"]})
    };
    json!({
        "name": format!("projects/{PROJECT}/subscriptions/gmail"),
        "topic": flags["topic"],
        "pushConfig": {
            "pushEndpoint": flags["push-endpoint"],
            "oidcToken": {"serviceAccountEmail": flags["push-auth-service-account"], "audience": flags["push-auth-token-audience"]},
        },
        "ackDeadlineSeconds": flags["ack-deadline"].parse::<u64>().unwrap(),
        "messageRetentionDuration": days(flags["message-retention-duration"]),
        "expirationPolicy": expiration,
        "retryPolicy": {"minimumBackoff": flags["min-retry-delay"], "maximumBackoff": flags["max-retry-delay"]},
        "deadLetterPolicy": {"deadLetterTopic": flags["dead-letter-topic"], "maxDeliveryAttempts": 100},
        "state": "ACTIVE",
    })
}

#[test]
fn what_it_makes_is_what_the_doctor_finds_well() {
    let project = project();
    let ran = set_up(&project, &[]);
    let calls = project.calls();
    let mut facts = healthy();
    let deploy = ran
        .out
        .lines()
        .find_map(|line| line.strip_prefix("sam deploy --parameter-overrides "))
        .unwrap();
    let parameters = deploy.split_whitespace().filter_map(|pair| pair.split_once('='));
    facts.parameters.extend(parameters.map(|(name, value)| (name.to_string(), value.to_string())));
    assert_eq!(
        facts.parameter("PubSubServiceAccount"),
        format!("gmail-push@{PROJECT}.iam.gserviceaccount.com")
    );
    facts.subscription = Fact::Known(subscription(
        starting_with(&calls, "pubsub subscriptions create gmail --topic")[0],
    ));
    let binding =
        flags(starting_with(&calls, "pubsub topics add-iam-policy-binding gmail --member")[0]);
    facts.policy = Fact::Known(
        json!({"bindings": [{"role": binding["role"], "members": [binding["member"]]}]}),
    );
    let ill: Vec<_> =
        judge(&facts).into_iter().filter(|finding| finding.verdict != Verdict::Ok).collect();
    assert!(ill.is_empty(), "{ill:?}");

    let agent = "--member=serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com";
    for (what, role) in [
        (
            format!(
                "iam service-accounts add-iam-policy-binding gmail-push@{PROJECT}.iam.gserviceaccount.com"
            ),
            "roles/iam.serviceAccountTokenCreator",
        ),
        (
            "pubsub topics add-iam-policy-binding gmail-dead-letters".into(),
            "roles/pubsub.publisher",
        ),
        ("pubsub subscriptions add-iam-policy-binding gmail".into(), "roles/pubsub.subscriber"),
    ] {
        assert_eq!(
            starting_with(&calls, &format!("{what} {agent} --role={role} --project={PROJECT}"))
                .len(),
            1,
            "{calls:#?}"
        );
    }
    let kept = flags(starting_with(&calls, "pubsub subscriptions create gmail-dead-letters")[0]);
    assert_eq!((kept["topic"], kept["expiration-period"]), ("gmail-dead-letters", "never"));
    assert!(
        calls.iter().all(|call| call.contains(&format!("--project={PROJECT}"))
            || call.starts_with("projects describe")),
        "{calls:#?}"
    );
}

#[test]
fn a_second_run_makes_nothing_anew_and_sets_the_subscription_right() {
    let project = project();
    set_up(&project, &[]);
    let created = project.calls();
    let made = created.iter().filter(|call| call.contains(" create ")).count();
    assert_eq!(made, 6, "identity, account, two topics, two subscriptions: {created:#?}");
    set_up(&project, &[]);
    let again = project.calls();
    assert!(
        again
            .iter()
            .all(|call| !call.contains(" create ")
                || call.starts_with("beta services identity create")),
        "{again:#?}"
    );
    let (first, then) = (
        starting_with(&created, "pubsub subscriptions create gmail --topic"),
        starting_with(&again, "pubsub subscriptions update gmail"),
    );
    let mut wanted = flags(first[0]);
    wanted.remove("topic");
    assert_eq!(flags(then[0]), wanted, "all that it was made with");
}

#[test]
fn a_dry_run_reads_and_prints_each_command_that_changes_something() {
    let project = project();
    let printed = set_up(&project, &["--dry-run"]).out;
    assert!(
        project.calls().iter().all(|call| call.contains(" describe ")),
        "a dry run changed something"
    );
    set_up(&project, &[]);
    let done: Vec<String> =
        project.calls().into_iter().filter(|call| !call.contains(" describe ")).collect();
    let would: Vec<&str> =
        printed.lines().filter_map(|line| line.strip_prefix("would run: gcloud ")).collect();
    let unquoted: Vec<String> = would.iter().map(|line| line.replace('\\', "")).collect();
    assert_eq!(unquoted, done);
    assert!(printed.contains("sam deploy --parameter-overrides PubSubTopic="));
}

#[test]
fn without_an_endpoint_all_but_the_subscription_is_made() {
    let project = project();
    let ran = project.run(&["--project", PROJECT, "--audience", "a"]);
    assert!(
        ran.code == 0 && ran.err.contains("run this again with --push-endpoint"),
        "{}",
        ran.err
    );
    let calls = project.calls();
    assert!(starting_with(&calls, "pubsub subscriptions create gmail ").is_empty());
    assert_eq!(starting_with(&calls, "pubsub topics create gmail").len(), 2);
}

#[test]
fn a_wrong_argument_is_named_before_any_call() {
    let good = ["--project", PROJECT, "--audience", "a"];
    let table: [(&[&str], &str); 8] = [
        (&[], "--project must be"),
        (&["--project", "My Project", "--audience", "a"], "--project must be"),
        (&["--project", PROJECT], "--audience must be"),
        (&[&good[..], &["--audience", "a b"]].concat(), "--audience must be"),
        (&[&good[..], &["--push-endpoint", "http://a/b"]].concat(), "--push-endpoint must be"),
        (&[&good[..], &["--name", "x"]].concat(), "--name must be"),
        (&[&good[..], &["--nmae", "x"]].concat(), "--nmae is not known"),
        (&[&good[..], &["--name"]].concat(), "--name wants a value"),
    ];
    for (arguments, says) in table {
        let project = project();
        let ran = project.run(arguments);
        assert!(ran.code == 1 && ran.err.contains(says), "{arguments:?}: {} {}", ran.code, ran.err);
        assert!(project.calls().is_empty(), "{arguments:?}");
    }
}

#[test]
fn what_may_not_be_seen_is_not_taken_for_absent() {
    let project = project();
    project.folder.file("denied", "");
    let ran = project.run(&["--project", PROJECT, "--audience", "a"]);
    assert!(ran.code == 1 && ran.err.contains("PERMISSION_DENIED"), "{}", ran.err);
    assert!(project.calls().iter().all(|call| !call.contains("service-accounts create")));
}

#[test]
fn a_subscription_to_another_topic_is_left_alone() {
    let project = project();
    set_up(&project, &[]);
    project.calls();
    project.folder.file("hears", "_deleted-topic_\n");
    let ran = project.run(&["--project", PROJECT, "--audience", "a", "--push-endpoint", PUSH]);
    assert!(
        ran.code == 1 && ran.err.contains("hears _deleted-topic_") && ran.err.contains("delete it"),
        "{}",
        ran.err
    );
    assert!(starting_with(&project.calls(), "pubsub subscriptions update").is_empty());
}

/// Terraform is not run here; that both make the same is seen in the text.
#[test]
fn the_terraform_module_says_the_same() {
    let text = |file: &str| std::fs::read_to_string(format!("{GOOGLE}/{file}")).unwrap();
    let squeezed: String =
        text("terraform/main.tf").split_whitespace().collect::<Vec<_>>().join(" ");
    for (flag, argument) in [
        ("--ack-deadline=30", "ack_deadline_seconds = 30"),
        ("--message-retention-duration=7d", "message_retention_duration = \"604800s\""),
        ("--expiration-period=never", "expiration_policy { ttl = \"\" }"),
        ("--min-retry-delay=10s", "minimum_backoff = \"10s\""),
        ("--max-retry-delay=600s", "maximum_backoff = \"600s\""),
        ("--max-delivery-attempts=100", "max_delivery_attempts = 100"),
        ("roles/iam.serviceAccountTokenCreator", "roles/iam.serviceAccountTokenCreator"),
        ("roles/pubsub.publisher", "roles/pubsub.publisher"),
        ("roles/pubsub.subscriber", "roles/pubsub.subscriber"),
        ("gmail-api-push@system.gserviceaccount.com", "gmail-api-push@system.gserviceaccount.com"),
        ("@gcp-sa-pubsub.iam.gserviceaccount.com", "@gcp-sa-pubsub.iam.gserviceaccount.com"),
        (
            "gmail.googleapis.com pubsub.googleapis.com iam.googleapis.com",
            "\"gmail.googleapis.com\", \"iam.googleapis.com\", \"pubsub.googleapis.com\"",
        ),
    ] {
        assert!(
            text("setup.sh").contains(flag) && squeezed.contains(argument),
            "{flag} beside {argument}"
        );
    }
}

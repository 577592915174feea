//! The rooms of docs/architecture.md: which words each must not mention.

use std::path::{Path, PathBuf};

const FUNCTIONS: [&str; 7] = [
    "oauth-connect",
    "connectors-api",
    "pubsub-webhook",
    "history-processor",
    "watch-renewer",
    "audit-keeper",
    "console",
];
/// Lines of code without comments and tests; long enough for a module's table or wire format.
const LONGEST_FILE: usize = 540;
const LONGEST_MAIN: usize = 40;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every Rust file under a folder, or the file itself, with its text.
pub fn files(path: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(&root().join(path), &mut found);
    assert!(!found.is_empty(), "{path} has no Rust file");
    let relative = |path: PathBuf| {
        (
            path.strip_prefix(root()).unwrap().display().to_string(),
            std::fs::read_to_string(&path).unwrap(),
        )
    };
    found.into_iter().map(relative).collect()
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        entries.iter().for_each(|entry| collect(entry, found));
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        found.push(path.to_path_buf());
    }
}

/// The code without comments and without the tests at its end.
pub fn code(text: &str) -> String {
    let shipped = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    shipped
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn must_not_mention(room: &str, forbidden: &[&str]) {
    for (path, text) in files(room) {
        for (number, line) in code(&text).lines().enumerate() {
            for word in forbidden {
                assert!(
                    !line.contains(word),
                    "{path} mentions `{word}`, which is not of its room (code line {}): {line}",
                    number + 1
                );
            }
        }
    }
}

const AWS: [&str; 3] = ["aws_sdk_", "aws_config", "aws_lc_rs"];
const HTTP: [&str; 4] = ["reqwest", "axum", "lambda_http", "lambda_runtime"];

#[test]
fn the_domain_decides_and_touches_nothing() {
    let world = [
        "async ",
        "tokio",
        "futures_util",
        "std::env",
        "std::fs",
        "std::net",
        "SystemTime",
        "Instant",
        "now_v7",
        "tracing",
        "metrics::",
    ];
    let rooms = ["crate::ports", "crate::flows", "crate::adapters", "crate::config", "crate::web"];
    must_not_mention("lib/src/domain", &[&AWS[..], &HTTP[..], &world[..], &rooms[..]].concat());
}

#[test]
fn the_ports_know_the_domain_alone() {
    let others =
        ["crate::flows", "crate::adapters", "crate::config", "crate::web", "tokio", "serde"];
    for path in ["lib/src/ports.rs", "lib/src/ports"] {
        must_not_mention(path, &[&AWS[..], &HTTP[..], &others[..]].concat());
    }
}

#[test]
fn a_flow_reaches_the_world_only_through_the_ports() {
    let others = [
        "crate::adapters",
        "crate::config",
        "crate::web",
        "std::env",
        "SystemTime",
        "Instant",
        "now_v7",
        "sleep",
    ];
    must_not_mention("lib/src/flows", &[&AWS[..], &HTTP[..], &others[..]].concat());
}

#[test]
fn an_adapter_knows_no_flow_and_no_other_adapter() {
    must_not_mention(
        "lib/src/adapters",
        &["crate::flows", "crate::web", "lambda_http", "lambda_runtime", "axum"],
    );
    let sdks = [
        ("dynamodb", "aws_sdk_dynamodb"),
        ("kms", "aws_sdk_kms"),
        ("sqs", "aws_sdk_sqs"),
        ("eventbridge", "aws_sdk_eventbridge"),
        ("gmail", "reqwest"),
        ("oidc", "reqwest"),
        ("outlook", "reqwest"),
    ];
    let adapters = sdks.map(|(adapter, _)| adapter);
    for (adapter, sdk) in sdks {
        let others: Vec<&str> =
            sdks.iter().map(|(_, other)| *other).filter(|other| *other != sdk).collect();
        let paths: Vec<String> = adapters
            .iter()
            .filter(|other| **other != adapter)
            .map(|other| format!("adapters::{other}"))
            .collect();
        let forbidden: Vec<&str> =
            others.into_iter().chain(paths.iter().map(String::as_str)).collect();
        for path in
            [format!("lib/src/adapters/{adapter}.rs"), format!("lib/src/adapters/{adapter}")]
        {
            if root().join(&path).exists() {
                must_not_mention(&path, &forbidden);
            }
        }
    }
}

#[test]
fn the_web_knows_no_flow_and_no_adapter() {
    must_not_mention(
        "lib/src/web.rs",
        &["crate::flows", "crate::adapters", "aws_sdk_", "reqwest", "lambda_"],
    );
}

#[test]
fn the_gateway_knows_events_and_problem_documents_alone() {
    for path in ["lib/src/gateway.rs", "lib/src/gateway"] {
        must_not_mention(
            path,
            &[
                "crate::flows",
                "crate::adapters",
                "crate::ports",
                "crate::config",
                "aws_sdk_",
                "reqwest",
            ],
        );
    }
}

#[test]
fn the_audit_depends_on_no_flow_adapter_or_port() {
    must_not_mention(
        "lib/src/audit.rs",
        &[
            "crate::flows",
            "crate::adapters",
            "crate::ports",
            "crate::config",
            "aws_sdk_",
            "reqwest",
        ],
    );
}

#[test]
fn a_function_wires_and_translates() {
    for function in FUNCTIONS {
        must_not_mention(
            &format!("functions/{function}"),
            &["aws_sdk_", "aws_config", "reqwest", "std::env::var", "sleep"],
        );
        must_not_mention(
            &format!("functions/{function}/src/lib.rs"),
            &["::adapters", "environment()"],
        );
        let main =
            std::fs::read_to_string(root().join(format!("functions/{function}/src/main.rs")))
                .unwrap();
        let lines = code(&main)
            .lines()
            .filter(|line| !line.starts_with("use ") && !line.trim().is_empty())
            .count();
        assert!(
            lines <= LONGEST_MAIN,
            "functions/{function}/src/main.rs has {lines} lines beside its imports"
        );
    }
}

#[test]
fn a_sample_knows_the_events_and_not_who_publishes_them() {
    must_not_mention("examples", &["email_connectors", "fake_google", "tests::"]);
    for room in ["claims", "consume", "event", "printing"] {
        must_not_mention(
            &format!("examples/consumer/src/{room}.rs"),
            &["aws_", "lambda_", "SystemTime::now", "now_v7", "std::env"],
        );
    }
    for program in ["consumer", "consumer-lambda"] {
        let main =
            std::fs::read_to_string(root().join(format!("examples/consumer/src/bin/{program}.rs")))
                .unwrap();
        let lines = code(&main)
            .lines()
            .filter(|line| !line.starts_with("use ") && !line.trim().is_empty())
            .count();
        assert!(lines <= LONGEST_MAIN, "{program} has {lines} lines beside its imports");
    }
}

#[test]
fn the_command_line_calls_the_api_and_only_operators_reach_aws() {
    must_not_mention("cli/src", &["aws_config", "lambda_", "axum", "std::env::var"]);
    let aside: [(&[&str], &str); 5] = [
        (&["cli/src/aws.rs", "cli/src/deployed.rs", "cli/src/doctor/gather/aws.rs"], "aws_sdk_"),
        (&["cli/src/pace.rs"], "sleep"),
        (&["cli/src/output.rs"], "stdout()"),
        // Operators have no user's token, so these run the flows themselves, for all users.
        (
            &[
                "cli/src/migration/adopting.rs",
                "cli/src/commands/grants.rs",
                "cli/src/commands/renew.rs",
            ],
            "::flows",
        ),
        (&["cli/src/fernet.rs"], "aws_lc_rs"),
    ];
    for (path, text) in files("cli/src") {
        for (only, word) in aside {
            assert!(
                only.contains(&path.as_str()) || !code(&text).contains(word),
                "{path} mentions `{word}`, which is for {only:?} alone"
            );
        }
    }
    // The doctor judges gathered facts without further calls.
    for pure in ["judge.rs", "judge", "fact.rs", "facts.rs", "finding.rs"] {
        let world = [
            "async ",
            "tokio",
            "reqwest::Client",
            "::adapters",
            "::config",
            "crate::session",
            "crate::api",
            "gather",
        ];
        must_not_mention(&format!("cli/src/doctor/{pure}"), &world);
    }
    // Arguments, requests and output are pure.
    for pure in ["cli/src/args", "cli/src/show", "cli/src/health.rs", "cli/src/request.rs"] {
        must_not_mention(
            pure,
            &[
                "async ",
                "tokio",
                "email_connectors",
                "reqwest::Client",
                "crate::session",
                "crate::api",
            ],
        );
    }
    let main = std::fs::read_to_string(root().join("cli/src/main.rs")).unwrap();
    assert!(code(&main).lines().count() <= LONGEST_MAIN);
}

#[test]
fn shipped_code_neither_panics_by_habit_nor_leaves_anything_undone() {
    for folder in ["lib/src", "functions", "cli/src", "examples"] {
        must_not_mention(
            folder,
            &[
                ".unwrap()",
                "panic!(",
                "todo!(",
                "unimplemented!(",
                "dbg!(",
                "println!(",
                "#[ignore",
            ],
        );
    }
}

#[test]
fn every_file_opens_by_saying_what_it_is_and_none_is_too_long() {
    for folder in ["lib", "functions", "cli", "examples", "tests"] {
        for (path, text) in files(folder) {
            assert!(text.starts_with("//! "), "{path} does not begin with a `//!` line");
            assert!(!path.ends_with("/mod.rs"), "{path}: a module has its own name");
            let lines = code(&text).lines().count();
            assert!(lines <= LONGEST_FILE, "{path} has {lines} lines of code: split it");
        }
    }
}

#[test]
fn each_function_has_its_samples() {
    let events: Vec<String> = std::fs::read_dir(root().join("events"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for function in FUNCTIONS {
        assert!(
            events.iter().any(|name| name.starts_with(&format!("{function}."))),
            "events/ has no sample for {function}"
        );
    }
    let folders: Vec<String> = std::fs::read_dir(root().join("functions"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(folders.len(), FUNCTIONS.len(), "{folders:?}");
}

//! Each route that changes something, reads mail or exports data is audited; UPDATE_DOCS=1 writes
//! docs/audit.md.

use std::fmt::Write;

use email_connectors::domain::audit::{AUDITED, MESSAGE, REPLACE, action};
use email_connectors::domain::operation::OPERATIONS;
use tests::template;

use super::tables::check_section;

const BEGIN: &str = "<!-- actions: made by the shape test `audit` -->\n";
const END: &str = "<!-- end of actions -->\n";
/// Not audited: routes that show no mail and change nothing, and what wakes the
/// processor.
const NOT_WRITTEN_DOWN: [&str; 15] = [
    "GET /api/connectors",
    "GET /api/connectors/{id}",
    "GET /api/connectors/{id}/health",
    "GET /api/triggers",
    "GET /api/triggers/{id}",
    "GET /api/me",
    "GET /api/connect-sessions/current",
    "GET /api/system/info",
    "GET /api/system/health",
    "GET /api/openapi.json",
    "GET /api/auth/google/gmail/callback",
    "GET /api/auth/microsoft/outlook/callback",
    "POST /api/email/webhook/microsoft/graph",
    "POST /api/email/webhook/google/pubsub",
    "POST /api/email/webhook/google",
];

#[test]
fn every_route_of_the_template_is_written_down_or_has_a_reason_not_to_be() {
    let routes = template::routes(&template::read());
    // The console's page is the same for everybody.
    let calls = routes.iter().filter(|route| route.function != "console");
    let (mail, others): (Vec<_>, Vec<_>) =
        calls.partition(|route| route.path.contains("{collection}"));
    assert!(!mail.is_empty() && !others.is_empty());
    for route in &others {
        let named = format!("{} {}", route.method, route.path);
        let is_written = action(&route.method, &route.path).is_some();
        assert_ne!(is_written, NOT_WRITTEN_DOWN.contains(&named.as_str()), "{named}");
    }
    for known in &AUDITED {
        let is_routed = others
            .iter()
            .any(|route| route.method == known.verb.as_str() && route.path == known.path);
        assert!(is_routed, "{}: no such route", known.action);
    }
    // The gateway's routes for mail serve the operations only.
    for entry in &OPERATIONS {
        assert_eq!(
            action(entry.verb.as_str(), &connectors_api::mail::path(entry)),
            Some(entry.name)
        );
    }
}

#[test]
fn the_audit_log_is_its_own_kept_longer_and_outlives_the_stack() {
    let template = template::read();
    let group = &template["Resources"]["AuditLogGroup"];
    assert_eq!(
        (&group["DeletionPolicy"], &group["UpdateReplacePolicy"]),
        (&"Retain".into(), &"Retain".into())
    );
    assert_eq!(group["Properties"]["RetentionInDays"], "AuditRetentionDays");
    let days = |name: &str| template["Parameters"][name]["Default"].as_u64().unwrap();
    assert!(days("AuditRetentionDays") > days("LogRetentionDays"));
    assert_eq!(
        template["Parameters"]["AuditRetentionDays"]["AllowedValues"],
        template["Parameters"]["LogRetentionDays"]["AllowedValues"]
    );
    let keeper = &template["Resources"]["AuditKeeperFunction"]["Properties"];
    assert_eq!(keeper["LoggingConfig"]["LogGroup"], "AuditLogGroup");
    let handed = keeper["Events"].as_mapping().unwrap().values().map(|event| {
        assert_eq!(event["Properties"]["FilterPattern"], format!("\"{MESSAGE}\"").as_str());
        event["Properties"]["LogGroupName"].as_str().unwrap()
    });
    assert_eq!(handed.collect::<Vec<_>>(), ["OauthConnectLogGroup", "ConnectorsApiLogGroup"]);
    let levels =
        template["Globals"]["Function"]["Environment"]["Variables"]["RUST_LOG"].as_str().unwrap();
    assert!(levels.split(',').any(|level| level == "audit=info"), "at every LogLevel");
}

#[test]
fn the_access_log_says_from_where() {
    let template = template::read();
    let format = template["Resources"]["HttpApi"]["Properties"]["AccessLogSettings"]["Format"]
        .as_str()
        .unwrap();
    let format: serde_json::Value = serde_json::from_str(format).unwrap();
    assert_eq!(
        (&format["source_ip"], &format["user_agent"]),
        (&"$context.identity.sourceIp".into(), &"$context.identity.userAgent".into())
    );
}

#[test]
fn every_action_is_documented() {
    let mut made = String::from("\n| action | request | what was done |\n|---|---|---|\n");
    let replace = "A mailbox was connected in the place of another account's.";
    for known in &AUDITED {
        writeln!(
            made,
            "| `{}` | `{} {}` | {} |",
            known.action,
            known.verb.as_str(),
            known.path,
            known.tells
        )
        .unwrap();
        if known.action == "connector.connect" {
            writeln!(made, "| `{REPLACE}` | the same with `replace: true` | {replace} |").unwrap();
        }
    }
    for entry in &OPERATIONS {
        writeln!(
            made,
            "| `{}` | `{} {}` | {} |",
            entry.name,
            entry.verb.as_str(),
            connectors_api::mail::path(entry),
            entry.about
        )
        .unwrap();
    }
    made.push('\n');
    check_section("audit.md", BEGIN, END, &made);
}

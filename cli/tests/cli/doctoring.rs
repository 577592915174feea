//! What the doctor makes of facts: a healthy stack is well, and each broken set-up is named.

pub mod patient;
mod sicknesses;
mod sicknesses_of_microsoft;

use std::collections::BTreeSet;

use connectors_cli::doctor::fact::Fact;
use connectors_cli::doctor::facts::Answer;
use connectors_cli::doctor::finding::{Finding, Verdict, fails, report};
use connectors_cli::doctor::judge::{judge, no_stack};
use serde_json::json;

use self::patient::healthy;
use self::sicknesses::{Change, Sickness};
use crate::server::{Folder, Reply, Server, TOKEN, run};

/// All of both providers.
fn sicknesses() -> Vec<Sickness> {
    let mut all = sicknesses::sicknesses();
    all.extend(sicknesses_of_microsoft::sicknesses());
    all
}

fn broken(change: &Change) -> Vec<Finding> {
    let mut facts = healthy();
    change(&mut facts);
    judge(&facts)
}

fn found<'a>(findings: &'a [Finding], id: &str) -> &'a Finding {
    findings
        .iter()
        .find(|finding| finding.id == id)
        .unwrap_or_else(|| panic!("no finding {id}: {}", report(findings)))
}

#[test]
fn a_healthy_stack_is_well_in_all() {
    let findings = judge(&healthy());
    let ill: Vec<&Finding> =
        findings.iter().filter(|finding| finding.verdict != Verdict::Ok).collect();
    assert!(ill.is_empty(), "{ill:?}");
    assert!(!fails(&findings) && findings.len() > 40, "{}", findings.len());
    let ids: BTreeSet<&str> = findings.iter().map(|finding| finding.id.as_str()).collect();
    assert_eq!(ids.len(), findings.len(), "each check has a name of its own");
}

#[test]
fn without_outlook_nothing_is_said_of_microsoft() {
    let mut facts = healthy();
    facts.microsoft = None;
    let said = judge(&facts);
    let ids: Vec<&str> = said.iter().map(|finding| finding.id.as_str()).collect();
    assert!(
        !ids.iter().any(|id| id.starts_with("microsoft.") || id.starts_with("probe.")),
        "{ids:?}"
    );
    assert!(!fails(&said));
}

#[test]
fn without_gmail_nothing_is_said_of_google() {
    let mut facts = healthy();
    facts.parameters.insert("GoogleClientId".into(), String::new());
    let all = judge(&healthy()).len();
    // As they are gathered there.
    (facts.client, facts.topic, facts.policy) = (Fact::Absent, Fact::Absent, Fact::Absent);
    (facts.subscription, facts.push) = (Fact::Absent, Fact::Skipped("no Gmail".into()));
    facts.webhook = Fact::Known(Answer { status: 404, ..Answer::default() });
    facts.push_keys = Fact::Unreachable("not reached from here".into());
    facts.skews.remove("google");
    let said = judge(&facts);
    let ill: Vec<&Finding> = said.iter().filter(|one| one.verdict != Verdict::Ok).collect();
    assert!(ill.is_empty(), "{ill:?}");
    let ids: BTreeSet<&str> = said.iter().map(|finding| finding.id.as_str()).collect();
    assert!(ids.contains("microsoft.client") && ids.contains("settings.user-keys"), "{ids:?}");
    assert!(!ids.iter().any(|id| id.contains("google") || id.starts_with("topic.")), "{ids:?}");
    assert_eq!(said.len(), all - 23, "{ids:?}");
}

#[test]
fn each_broken_set_up_is_named_and_nothing_else_is() {
    let sicknesses = sicknesses();
    assert!(sicknesses.len() > 110, "{}", sicknesses.len());
    for (change, id, verdict, says) in &sicknesses {
        let findings = broken(change);
        let finding = found(&findings, id);
        let text = format!("{} {} {} {}", finding.found, finding.cause, finding.fix, finding.link);
        assert!(
            finding.verdict == *verdict && text.contains(says),
            "{id} must be {verdict:?} and say `{says}`: {finding:?}"
        );
    }
}

/// Checks that see the same fact may name it together; no other finding may change.
#[test]
fn a_finding_blames_only_what_it_is_about() {
    let together = |id: &str| match id {
        "subscription.endpoint" => &["subscription.audience", "subscription.account"][..],
        "subscription.audience" | "subscription.wrapping" => {
            &["subscription.audience", "subscription.account"]
        }
        "settings.public-url" => &["settings.origins", "api.answers", "microsoft.registration"],
        "microsoft.registration" => &["microsoft.secret"],
        "connectors.listed" => &["microsoft.subscriptions"],
        "settings.project" => &["subscription.topic"],
        _ => &[],
    };
    for (change, id, _, _) in sicknesses() {
        for other in broken(&change) {
            let expected = other.id == id
                || other.verdict == Verdict::Ok
                || together(id).contains(&other.id.as_str());
            assert!(expected, "{id} was broken, and {other:?} found");
        }
    }
}

#[test]
fn what_is_not_well_says_why_how_it_is_mended_and_where_to_read_on() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let all = sicknesses()
        .iter()
        .flat_map(|(change, ..)| broken(change))
        .chain(no_stack("gone"))
        .collect::<Vec<_>>();
    for finding in
        all.iter().filter(|finding| matches!(finding.verdict, Verdict::Warn | Verdict::Fail))
    {
        let passing = finding.fix.starts_with("wait");
        let complete = !finding.cause.is_empty()
            && !finding.fix.is_empty()
            && (passing || !finding.link.is_empty());
        assert!(complete || finding.id == "connectors.listed", "{finding:?}");
        if let Some(page) = finding
            .link
            .split('#')
            .next()
            .filter(|page| !page.starts_with("https://") && !page.is_empty())
        {
            assert!(
                std::path::Path::new(&format!("{root}/{page}")).exists(),
                "{}: there is no {page}",
                finding.id
            );
        }
    }
}

#[test]
fn the_documentation_names_every_check() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md")).unwrap();
    for finding in judge(&healthy()).iter().filter(|finding| finding.id != "connectors.con_1") {
        assert!(
            text.contains(&format!("`{}`", finding.id)),
            "docs/cli.md does not name `{}`",
            finding.id
        );
    }
}

#[test]
fn a_report_is_a_table_with_what_to_do_under_what_is_not_well() {
    let findings = [
        Finding::ok("topic.exists", "projects/p/topics/gmail"),
        Finding::fail("subscription.audience", "its tokens are for x\u{1b}")
            .because("PubSubAudience is y")
            .mend("gcloud a")
            .see("https://b"),
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
    let server = Server::answering(|_| {
        Reply::new(
            400,
            "<ErrorResponse><Error><Code>ValidationError</Code><Message>no stack</Message></Error></ErrorResponse>",
        )
    });
    let folder = Folder::new();
    let file = folder.file(
        "stack.json",
        json!({"aws_endpoint": server.url, "api_url": server.url, "stack_name": "gone"})
            .to_string(),
    );
    let environment = [("CONNECTORS_TOKEN", TOKEN), ("CONNECTORS_GOOGLE_TOKEN", TOKEN)];
    let ran = run(&environment, &["doctor", "--stack-json", &file, "--json"], "").ended(1);
    let document = ran.json();
    assert_eq!(
        (&document["well"], &document["findings"][0]["id"]),
        (&json!(false), &json!("settings.stack"))
    );
    assert!(run(&[], &["doctor"], "").ended(1).err.contains("--stack-name"));
}

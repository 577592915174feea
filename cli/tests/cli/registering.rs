//! `docs/microsoft/setup.sh` with a fake az that records its calls: what it makes is what the doctor
//! expects.

use std::os::unix::fs::PermissionsExt;

use connectors_cli::doctor::fact::Fact;
use connectors_cli::doctor::finding::Verdict;
use connectors_cli::doctor::judge::judge;
use serde_json::{Value, json};

use crate::doctoring::patient::{application, healthy};
use crate::script::{Ran, Script};
use crate::server::Folder;

const APP: &str = "https://app.example.com";
const SECRET: &str = "canary-secret-of-the-app";
const ID: &str = "22222222-2222-4222-8222-222222222222";

/// Answers like az: what was made is there afterwards.
const AZ: &str = r#"#!/bin/bash
printf '%s\n' "$*" >> "$STATE/calls"
if [ -e "$STATE/denied" ]; then echo "ERROR: Authorization_RequestDenied" >&2; exit 1; fi
id=22222222-2222-4222-8222-222222222222
case "$*" in
  "account show"*) echo 33333333-3333-4333-8333-333333333333 ;;
  *"--method GET"*"servicePrincipals(appId='00000003-0000-0000-c000-000000000000')"*)
    scope=$(sed "s/.*value=='\([^']*\)'.*/\1/" <<<"$*")
    [ "$scope" = Mail.Nothing ] || printf '%032d' "${#scope}" | sed -E 's/^(.{8})(.{4})(.{4})(.{4})/\1-\2-\3-\4-/' ;;
  *"--method GET"*"/applications "*) if [ -e "$STATE/app" ]; then cat "$STATE/app"; fi ;;
  *"--method GET"*"web.redirectUris"*) cat "$STATE/uris" ;;
  *"--method POST"*addPassword*) echo canary-secret-of-the-app ;;
  *"--method POST"*) echo "$id" | tee "$STATE/app" ;;
esac
"#;

fn organization() -> Script {
    let script = Script::new("microsoft/setup.sh", "az", AZ);
    script.folder.file("uris", "");
    script
}

fn set_up(script: &Script, more: &[&str]) -> Ran {
    let ran = script.run(&[&["--app-url", APP], more].concat());
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    ran
}

fn changes(calls: &[String]) -> Vec<&String> {
    calls.iter().filter(|call| !call.contains("--method GET") && call.starts_with("rest")).collect()
}

/// The body of a recorded call.
fn body(call: &str) -> Value {
    let from = call.split_once("--body ").unwrap().1;
    serde_json::Deserializer::from_str(from).into_iter().next().unwrap().unwrap()
}

#[test]
fn what_it_registers_is_what_the_doctor_finds_well() {
    let organization = organization();
    let file = organization.folder.path("secret");
    let ran = set_up(&organization, &["--secret-file", &file]);
    let calls = organization.calls();
    let [registered, secret] = &changes(&calls)[..] else { panic!("{calls:#?}") };
    let mut facts = healthy();
    for pair in ran.out.trim().split("sam deploy --parameter-overrides ").nth(1).unwrap().split(' ')
    {
        if let Some((name @ ("MicrosoftClientId" | "MicrosoftTenant"), value)) =
            pair.split_once('=')
        {
            facts.parameters.insert(name.into(), value.into());
        }
    }
    assert_eq!(facts.parameter("MicrosoftClientId"), ID);
    let mut made = body(registered);
    made["passwordCredentials"] = json!([body(secret)["passwordCredential"].clone()]);
    facts.microsoft.as_mut().unwrap().application = Fact::Known(application(&made));
    let ill: Vec<_> =
        judge(&facts).into_iter().filter(|finding| finding.verdict != Verdict::Ok).collect();
    assert!(ill.is_empty(), "{ill:?}");
    let access = &made["requiredResourceAccess"][0];
    assert_eq!(access["resourceAppId"], "00000003-0000-0000-c000-000000000000");
    assert_eq!(access["resourceAccess"].as_array().unwrap().len(), 7);
    assert_eq!(made["api"]["requestedAccessTokenVersion"], 2);
    // The secret is in the file, for its owner alone.
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{SECRET}\n"));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!ran.out.contains(SECRET) && !ran.err.contains(SECRET), "{} {}", ran.out, ran.err);
    assert!(
        ran.out.contains("MicrosoftNotificationKey=\"$(openssl rand -hex 32)\""),
        "{}",
        ran.out
    );
    assert!(ran.out.contains(&format!("MicrosoftClientSecret=\"$(cat {file})\"")), "{}", ran.out);
}

#[test]
fn a_second_run_makes_nothing_anew_and_keeps_what_is_there() {
    let organization = organization();
    set_up(&organization, &[]);
    organization.calls();
    let own = format!("{APP}/auth/microsoft/callback");
    organization.folder.file("uris", format!("https://old.example.com/back\n{own}\n"));
    let ran = set_up(&organization, &["--console-url", "https://console.example.com/"]);
    assert!(!ran.out.contains("Secret") && !ran.out.contains("NotificationKey"), "{}", ran.out);
    let calls = organization.calls();
    let [change] = &changes(&calls)[..] else { panic!("{calls:#?}") };
    assert!(change.contains("--method PATCH") && change.contains(ID), "{change}");
    let console = "https://console.example.com/auth/microsoft/callback";
    let uris = json!(["https://old.example.com/back", own, console]);
    assert_eq!(body(change)["web"]["redirectUris"], uris);
}

#[test]
fn a_dry_run_reads_and_prints_each_request_that_changes_something() {
    let organization = organization();
    let file = organization.folder.path("secret");
    let arguments = ["--secret-file", &file, "--dry-run"];
    let printed = set_up(&organization, &arguments).out;
    assert_eq!(changes(&organization.calls()), Vec::<&String>::new());
    let would = printed.lines().filter(|line| line.starts_with("would run: az rest --method POST"));
    assert_eq!(would.count(), 2, "{printed}");
    assert!(!organization.folder.holds("secret") && printed.contains("sam deploy"), "{printed}");
}

#[test]
fn each_tenant_has_its_audience() {
    for (tenant, audience, parameter) in [
        ("common", "AzureADandPersonalMicrosoftAccount", "common"),
        ("organizations", "AzureADMultipleOrgs", "organizations"),
        ("consumers", "PersonalMicrosoftAccount", "consumers"),
        ("own", "AzureADMyOrg", "33333333-3333-4333-8333-333333333333"),
    ] {
        let organization = organization();
        let ran = set_up(&organization, &["--tenant", tenant]);
        let calls = organization.calls();
        assert_eq!(body(changes(&calls)[0])["signInAudience"], audience);
        assert!(ran.out.contains(&format!("MicrosoftTenant={parameter} ")), "{}", ran.out);
    }
}

#[test]
fn a_wrong_argument_is_named_before_any_call() {
    let folder = Folder::new();
    let there = folder.file("there", "");
    let table: [(&[&str], &str); 9] = [
        (&[], "--app-url must be"),
        (&["--app-url", "http://app.example.com"], "--app-url must be"),
        (&["--app-url", "https://app.example.com/path"], "--app-url must be"),
        (&["--app-url", APP, "--tenant", "all"], "--tenant must be"),
        (&["--app-url", APP, "--scopes", "openid Mail.Read"], "offline_access among them"),
        (&["--app-url", APP, "--name", "a'b c"], "--name must be"),
        (&["--app-url", APP, "--secret-file", &there], "is there already"),
        (&["--app-url", APP, "--nmae", "x"], "--nmae is not known"),
        (&["--app-url"], "--app-url wants a value"),
    ];
    for (arguments, says) in table {
        let organization = organization();
        let ran = organization.run(arguments);
        assert!(ran.code == 1 && ran.err.contains(says), "{arguments:?}: {} {}", ran.code, ran.err);
        assert!(organization.calls().is_empty(), "{arguments:?}");
    }
}

#[test]
fn what_may_not_be_seen_or_is_not_there_ends_it() {
    let organization = organization();
    let scopes = "openid offline_access Mail.Nothing";
    let ran = organization.run(&["--app-url", APP, "--scopes", scopes]);
    assert!(
        ran.code == 1 && ran.err.contains("no delegated permission Mail.Nothing"),
        "{}",
        ran.err
    );
    organization.folder.file("app", "one\ntwo\n");
    let ran = organization.run(&["--app-url", APP]);
    assert!(ran.code == 1 && ran.err.contains("several registrations"), "{}", ran.err);
    organization.folder.file("denied", "");
    let ran = organization.run(&["--app-url", APP]);
    assert!(ran.code == 1 && ran.err.contains("az login"), "{}", ran.err);
    assert_eq!(changes(&organization.calls()), Vec::<&String>::new());
}

//! Every sample event in a dry run, in one world, as documented in docs/dry-run.md: its answers are
//! those with the providers. And an Outlook mailbox, whose connect no single event can show.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::emulator::{Emulator, World};
use crate::{holds, invoke, read, samples};

/// Each file of `events/` in the document, with the JSON that its answer must contain.
fn documented() -> Vec<(String, Value)> {
    let document =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/dry-run.md"))
            .unwrap();
    let row = |line: &str| {
        let (file, answer) = line.strip_prefix("| `")?.split_once(".json` | `")?;
        let answer = answer.split_once('`').unwrap_or_else(|| panic!("{line}")).0;
        Some((
            format!("{file}.json"),
            serde_json::from_str(answer).unwrap_or_else(|error| panic!("{line}: {error}")),
        ))
    };
    document.lines().filter_map(row).collect()
}

fn event(file: &str) -> String {
    std::fs::read_to_string(format!("{}/../events/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn every_sample_has_one_documented_answer_in_a_dry_run() {
    let documented = documented();
    let files: BTreeSet<String> =
        samples().iter().map(|sample| format!("{}.json", sample.name)).collect();
    assert_eq!(documented.iter().map(|(file, _)| file.clone()).collect::<BTreeSet<_>>(), files);
    assert_eq!(documented.len(), files.len(), "one row for each");
    for sample in samples() {
        let (_, answer) =
            documented.iter().find(|(file, _)| *file == format!("{}.json", sample.name)).unwrap();
        assert!(
            holds(&sample.answer, answer),
            "{}: docs/dry-run.md has {answer}, and {} is expected",
            sample.name,
            sample.answer
        );
    }
}

#[tokio::test]
async fn every_sample_answers_as_documented_and_no_provider_is_called() {
    let (world, trap) = World::start().await.with_trap(true).await;
    let mut documented: BTreeMap<String, Value> = documented().into_iter().collect();
    let mut samples = samples();
    for sample in &mut samples {
        sample.answer = documented.remove(&format!("{}.json", sample.name)).unwrap();
    }
    let wrong = invoke(&samples, &world).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(trap.calls(), 0);
}

#[tokio::test]
async fn without_a_dry_run_the_same_sample_calls_google() {
    let (world, trap) = World::start().await.with_trap(false).await;
    let emulator = Emulator::start("oauth-connect", &world).await;
    let answer = read(emulator.invoke(event("oauth-connect.popup.json")).await);
    assert_eq!(answer["body"]["code"], "consent_again", "{answer}");
    assert!(trap.calls() > 0);
}

/// The event of a call of Outlook's routes, made of a sample's.
fn of_outlook(file: &str, changes: &[(&str, &str)]) -> Value {
    let text = changes.iter().fold(event(file), |text, (from, to)| {
        assert!(text.contains(from), "{file} has no {from}");
        text.replace(from, to)
    });
    serde_json::from_str(&text).unwrap()
}

/// The answer to the code that comes back from the consent page, or that Microsoft would send.
async fn connected(emulator: &Emulator) -> (String, Value) {
    const CALLBACK: &str = "https://app.example.com/auth/microsoft/callback";
    let started = read(emulator.invoke(event("oauth-connect.outlook-start.json")).await);
    let page = started["body"]["authorization_url"].as_str().unwrap();
    let url = reqwest::Url::parse(page).unwrap();
    let back: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    let code = back.get("code").map_or("1.sample-code", String::as_str);
    let body = json!({"auth_code": code, "state": back["state"], "callback_url": CALLBACK});
    let mut connect = of_outlook("oauth-connect.outlook-unknown-state.json", &[]);
    connect["body"] = body.to_string().into();
    let page = page.split('?').next().unwrap().to_string();
    (page, read(emulator.invoke(connect.to_string()).await))
}

#[tokio::test]
async fn an_outlook_mailbox_is_connected_and_read_and_microsoft_is_never_called() {
    const KICKS: &str = "NOTIFICATION_QUEUE_URL";
    let (world, trap) = World::start().await.with_trap(true).await;
    let oauth = Emulator::start("oauth-connect", &world).await;
    let admin = read(oauth.invoke(event("oauth-connect.outlook-admin-consent.json")).await);
    let back = admin["body"]["admin_consent_url"].as_str().unwrap();
    let callback = "https://app.example.com/auth/microsoft/callback";
    assert!(back.starts_with(&format!("{callback}?admin_consent=True&tenant=")), "{back}");
    let (page, answer) = connected(&oauth).await;
    assert_eq!(page, callback, "the consent is given at once");
    let expected = json!({"status": 200, "body": {"status": "connected",
        "email_address": "sample@outlook.example", "watch": {"status": "active"}}});
    assert!(holds(&answer, &expected), "{answer}");
    let id = answer["body"]["connector_id"].as_str().unwrap();

    let kicks = world.taken(KICKS, 1).await;
    assert_eq!(kicks[0]["kind"], "kick");
    let mut batch: Value = serde_json::from_str(&event("history-processor.push.json")).unwrap();
    batch["Records"][0]["body"] = kicks[0].to_string().into();
    let processor = Emulator::start("history-processor", &world).await;
    assert_eq!(processor.invoke(batch.to_string()).await, json!({"batchItemFailures": []}));

    let api = Emulator::start("connectors-api", &world).await;
    let unknown = "con_01900000000070008000000000000000";
    let file = "connectors-api.list-messages-unknown-connector.json";
    let list = of_outlook(file, &[(unknown, id), ("query=is%3Aunread", "query=subject%3Ainvoice")]);
    let answer = read(api.invoke(list.to_string()).await);
    let subjects: Vec<&str> = answer["body"]["messages"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"))
        .iter()
        .map(|message| message["subject"].as_str().unwrap())
        .collect();
    let expected =
        ["Re: Your invoice 2026-017", "Re: Your invoice 2026-017", "Your invoice 2026-017"];
    assert_eq!(subjects, expected);
    assert_eq!(trap.calls(), 0);
}

#[tokio::test]
async fn without_a_dry_run_the_same_connect_calls_microsoft() {
    let (world, trap) = World::start().await.with_trap(false).await;
    let (page, answer) = connected(&Emulator::start("oauth-connect", &world).await).await;
    assert_eq!(page, format!("{}/common/oauth2/v2.0/authorize", trap.url));
    assert_eq!(answer["body"]["code"], "consent_again", "{answer}");
    assert!(trap.calls() > 0);
}

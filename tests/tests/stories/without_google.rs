//! A stack without Google's client: its routes are closed, and Outlook goes its whole way.
#![allow(clippy::disallowed_methods, reason = "a test lives in the world, and waits for it")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use email_connectors::adapters::providers::MailProviders;
use email_connectors::domain::event::DetailType;
use email_connectors::domain::health::code::Code;
use email_connectors::domain::health::{HealthStatus, Thresholds, health};
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::wake_up::{Kind, WakeUp};
use email_connectors::flows::access::Refreshes;
use email_connectors::flows::process::{Outcome, Process};
use email_connectors::flows::renew::Renew;
use email_connectors::ports::Clock;
use reqwest::{Method, StatusCode, Url};
use serde_json::{Value, json};
use tests::deployed::{ORIGIN, Stack, read, token};
use tests::inside::{Inside, Machine, Memory, Options};
use tests::stage::{MINUTE, RENEWAL, SWEEP_BUDGET, SWEEP_TIMES, Stage, UNITS_PER_MINUTE, subjects};
use tests::world::Mail;

const OUTLOOK: &str = "/api/auth/microsoft/outlook";
const GMAIL: &str = "/api/auth/google/gmail";
const ADA: &str = "ada@contoso.example";

async fn without_google() -> Inside {
    Inside::start(Options { microsoft: true, no_google: true, ..Options::default() }).await
}

/// Status, and the problem's code.
async fn refused(stack: &Stack, method: Method, path: &str, body: Option<Value>) -> (u16, String) {
    let token = token(stack, "owner").await;
    let answer = stack.api(method, path, Some(&token), body).await;
    let status = answer.status().as_u16();
    let problem: Value = answer.json().await.unwrap_or_default();
    (status, problem["code"].as_str().unwrap_or_default().into())
}

#[tokio::test]
async fn each_route_of_google_says_that_it_is_not_set_up_whatever_it_is_sent() {
    let inside = without_google().await;
    let stack = inside.stack();
    let callback = format!("{GMAIL}/callback?code=c&state=s");
    for (method, path, body) in [
        (Method::GET, format!("{GMAIL}/start"), None),
        (Method::GET, callback, None),
        (Method::GET, format!("{GMAIL}/callback"), None),
        (Method::POST, GMAIL.into(), Some(json!({"auth_code": "c"}))),
        (Method::POST, GMAIL.into(), Some(json!("no body of ours"))),
        (Method::POST, "/api/auth/google/risc".into(), Some(json!("no token"))),
        (Method::POST, "/api/email/webhook/google/pubsub".into(), Some(json!({"message": {}}))),
        (Method::POST, "/api/email/webhook/google".into(), Some(json!({}))),
    ] {
        let came = refused(&stack, method.clone(), &path, body).await;
        assert_eq!(came, (404, "provider_not_configured".into()), "{method} {path}");
    }
    assert!(inside.world.wake_ups().queued().is_empty());
    assert!(inside.world.quarantine().kept().is_empty());
}

#[tokio::test]
async fn a_frontend_is_offered_outlook_alone() {
    let stack = without_google().await.stack();
    let info = stack.api(Method::GET, "/api/system/info", None, None).await;
    let info = read(info, StatusCode::OK).await;
    let ids: Vec<&str> = info["providers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["outlook"]);
    assert_eq!(info["callback_url"], format!("{ORIGIN}/auth/microsoft/callback"));
}

/// Connects Ada's mailbox, with a trigger for all mail.
async fn connected(stack: &Stack) -> String {
    stack.microsoft(Method::POST, "/admin/mailboxes", json!({"email": ADA})).await;
    let token = token(stack, "owner").await;
    let start = format!("{OUTLOOK}/start?login_hint={ADA}");
    let away = read(stack.api(Method::GET, &start, Some(&token), None).await, StatusCode::OK).await;
    let consent = stack.visit(away["authorization_url"].as_str().unwrap()).await;
    let back = Url::parse(consent.headers()["location"].to_str().unwrap()).unwrap();
    let of =
        |wanted: &str| back.query_pairs().find(|(name, _)| name == wanted).unwrap().1.into_owned();
    let callback = format!("{ORIGIN}/auth/microsoft/callback");
    let body = json!({"auth_code": of("code"), "state": of("state"), "callback_url": callback});
    let answer = stack.api(Method::POST, OUTLOOK, Some(&token), Some(body)).await;
    let connected = read(answer, StatusCode::OK).await;
    let id = connected["connector_id"].as_str().unwrap().to_string();
    let trigger = json!({"type": "email", "agent_id": "agent-7", "config": {"connector_id": id, "filters": {}}});
    let made = stack.api(Method::POST, "/api/triggers", Some(&token), Some(trigger)).await;
    read(made, StatusCode::CREATED).await;
    id
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_mail_in_outlook_fires_and_its_watch_is_renewed() {
    let inside = without_google().await;
    let stack = inside.stack();
    let id = ConnectorId::new(connected(&stack).await);
    let path = format!("/admin/mailboxes/{ADA}/messages");
    stack.microsoft(Method::POST, &path, json!({"subject": "an invoice"})).await;
    let fired = || {
        let published = inside.world.bus().published();
        published.iter().filter(|event| event.detail_type == DetailType::TriggerFired).count()
    };
    until("the mail fires", || fired() == 1).await;
    let before = inside.world.store().look(&id).unwrap().watch;
    inside.machine.pass(Duration::from_secs(3 * 24 * 3600));
    let swept = inside.sweep().await;
    assert_eq!((swept.renewed, swept.failures.len()), (1, 0), "{swept:?}");
    assert!(inside.world.store().look(&id).unwrap().watch.renewed_at > before.renewed_at);
    assert_eq!(fired(), 1);
}

/// It was connected while the stack had Google's client, and goes on once it has it again.
#[tokio::test]
async fn a_connector_of_gmail_stays_and_its_health_says_what_is_missing() {
    let stage = Stage::new();
    let (world, machine) = (&stage.world, Machine::of(&stage.world));
    let ada = world.account("ada@example.com");
    let before = stage.connect("owner", &ada).await;
    stage.trigger(&before, json!({})).await;
    machine.pass(RENEWAL);
    let renew = Renew::<Memory> {
        store: world.store(),
        vault: world.vault(),
        provider: MailProviders::new(None, None),
        wake_ups: world.wake_ups(),
        clock: machine.clone(),
        sweep_times: SWEEP_TIMES,
        budget: SWEEP_BUDGET,
        refreshes: Refreshes::default(),
    };
    let swept = renew.run(machine.now()).await;
    assert_eq!((swept.not_renewed, swept.failures.len()), (1, 0), "{swept:?}");
    ada.deliver(Mail::new("meanwhile"));
    let process = Process::<Memory> {
        store: world.store(),
        vault: world.vault(),
        provider: MailProviders::new(None, None),
        bus: world.bus(),
        wake_ups: world.wake_ups(),
        clock: machine.clone(),
        limits: stage.limits,
        refreshes: Refreshes::default(),
    };
    let look = WakeUp::own(Kind::Due, ada.address(), machine.now());
    assert_eq!(process.run(&look, machine.now()).await.unwrap(), [Outcome::PutOff]);

    let connector = stage.connector(&before.id);
    assert_eq!((&connector.grant, &connector.account), (&before.grant, &before.account));
    assert_eq!(connector.reading.position.cursor, before.reading.position.cursor);
    let thresholds = Thresholds {
        sweep_times: SWEEP_TIMES,
        sweep_every: MINUTE,
        units_per_minute: UNITS_PER_MINUTE,
        required_scopes: BTreeMap::new(),
    };
    let found = health(&connector, 1, &thresholds, machine.now());
    let missing = "the provider is not set up on this stack";
    let looks = found.findings.iter().find(|finding| finding.code == Code::LooksFail).unwrap();
    assert!(looks.what.contains(missing), "{looks:?}");
    let late = found.findings.iter().find(|one| one.code == Code::WatchRenewalLate).unwrap();
    assert!(late.what.contains(missing), "{late:?}");
    assert_eq!(found.status, HealthStatus::Degraded);

    machine.pass(MINUTE * 20);
    stage.wake(&WakeUp::own(Kind::Due, ada.address(), machine.now())).await.unwrap();
    assert_eq!(subjects(&stage.fired()), ["meanwhile"]);
    assert_eq!(stage.connector(&before.id).reading.last_error, None);
}

//! What Outlook costs: each call of a connect and of a wake-up, in order, with the requests that the
//! real adapter makes of Graph. AWS is in memory.

use std::sync::Arc;

use email_connectors::adapters::hmac::HmacSha256;
use email_connectors::adapters::https;
use email_connectors::adapters::outlook::Outlook;
use email_connectors::config::MicrosoftSettings;
use email_connectors::domain::connector::{Provider, Uniqueness};
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::identity::IdentityPolicy;
use email_connectors::domain::provider::outlook::account;
use email_connectors::domain::wake_up::WakeUp;
use email_connectors::flows::access::Refreshes;
use email_connectors::flows::authorize::authorize;
use email_connectors::flows::connect::{Connect, ConnectRequest};
use email_connectors::flows::process::{Outcome, Process};
use email_connectors::ports::{AuthorizationCode, Clock, Ports};
use fake_microsoft::{MarkChange, NewMailbox, NewMessage, Running};
use reqwest::Url;
use serde_json::json;
use time::OffsetDateTime;

use tests::inside::Machine;
use tests::microsoft;
use tests::stage::{MINUTE, Stage, listed, owner};
use tests::world::{
    Call, MemoryBus, MemoryDepths, MemoryObjects, MemoryQuarantine, MemoryStore, MemoryVault,
    MemoryVerifier, MemoryWakeUps, When,
};

const ADA: &str = "ada@contoso.example";
const CALLBACK: &str = "https://app.example.com/auth/microsoft/callback";

/// The real adapter of Outlook, and AWS in memory.
struct AtOutlook;

impl Ports for AtOutlook {
    type Store = MemoryStore;
    type Vault = MemoryVault;
    type Provider = Outlook;
    type WakeUps = MemoryWakeUps;
    type Depths = MemoryDepths;
    type Quarantine = MemoryQuarantine;
    type Objects = MemoryObjects;
    type Bus = MemoryBus;
    type Signatures = HmacSha256;
    type Verifier = MemoryVerifier;
    type Machine = Machine;
}

struct Scene {
    stage: Stage,
    machine: Machine,
    fake: Running,
    settings: MicrosoftSettings,
    process: Process<AtOutlook>,
}

impl Scene {
    async fn new() -> Self {
        let stage = Stage::new();
        let machine = Machine::of(&stage.world);
        let clock = machine.clone();
        let clock = move || {
            let nanos = i128::from(clock.now().millis()) * 1_000_000;
            OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap()
        };
        let fake = microsoft::start(Some(Arc::new(clock))).await;
        let noted = stage.world.clone();
        let note = move |name: &str, _: &str| noted.note_call(format!("graph.{name}"));
        fake.admin.before_calls(Some(Arc::new(note)));
        fake.admin
            .create_mailbox(NewMailbox { email: ADA.into(), ..NewMailbox::default() })
            .unwrap();
        let settings = microsoft::settings(&fake).await;
        let (world, limits) = (&stage.world, stage.limits);
        let process = Process {
            store: world.store(),
            vault: world.vault(),
            provider: Outlook::new(https::client().unwrap(), settings.clone()),
            bus: world.bus(),
            wake_ups: world.wake_ups(),
            clock: machine.clone(),
            limits,
            refreshes: Refreshes::default(),
        };
        Self { stage, machine, fake, settings, process }
    }

    fn connecting(&self) -> Connect<AtOutlook> {
        let world = &self.stage.world;
        let identity = account::IdentityPolicy {
            client_id: self.settings.client_id.clone(),
            login_base: self.settings.login_base.clone(),
        };
        Connect {
            store: world.store(),
            vault: world.vault(),
            provider: Outlook::new(https::client().unwrap(), self.settings.clone()),
            wake_ups: world.wake_ups(),
            bus: world.bus(),
            kind: Provider::Outlook,
            identity: IdentityPolicy::Microsoft(identity),
            required_scopes: self.settings.scopes.clone(),
            uniqueness: Uniqueness::PerProvider,
        }
    }

    /// Away to Microsoft and back, with a state.
    async fn connect(&self) -> ConnectorId {
        let (connect, now) = (self.connecting(), self.machine.now());
        let sent = (&self.settings.scopes[..], CALLBACK, Some(ADA));
        let (store, of) = (&connect.store, owner("owner"));
        let provider = (connect.kind, &connect.provider);
        let away = authorize(store, provider, &self.machine, &of, sent, now).await.unwrap();
        let answer = https::client().unwrap().get(&away.authorization_url).send().await.unwrap();
        let back = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        self.stage.forget_calls();
        let request = ConnectRequest {
            code: AuthorizationCode {
                code: code.as_str().into(),
                redirect_uri: CALLBACK.into(),
                code_verifier: None,
            },
            state: Some(away.state),
            ..self.stage.request("owner", &code)
        };
        connect.run(&request, now).await.unwrap().connector_id
    }

    /// What the queue brings first.
    async fn work(&self) -> Vec<Outcome> {
        let received = self.process.wake_ups.receive().expect("a wake-up");
        self.process.wake_ups.delete(&received);
        self.process.run(&received.wake_up, self.machine.now()).await.unwrap()
    }

    /// A minute later a notification comes.
    async fn woken(&self, connector: &ConnectorId) -> Vec<Outcome> {
        self.machine.pass(MINUTE);
        self.stage.forget_calls();
        let mailbox = self.stage.connector(connector).mailbox();
        let wake_up = WakeUp::notified(mailbox, false, self.machine.now());
        self.process.run(&wake_up, self.machine.now()).await.unwrap()
    }

    fn deliver(&self, mails: usize) {
        self.fake.admin.deliver_many(ADA, &NewMessage::of("Invoice {n}"), mails).unwrap();
    }

    /// The calls of one line, between commas, ran at the same time.
    fn made(&self, lines: &[&str]) {
        let calls: Vec<String> = self.stage.calls().iter().map(|call| shown(call)).collect();
        let mut rest = &calls[..];
        for line in lines {
            let mut wanted: Vec<&str> = line.split(", ").collect();
            let (some, others) = rest.split_at(wanted.len().min(rest.len()));
            let mut some = some.to_vec();
            some.sort();
            wanted.sort_unstable();
            assert_eq!(some, wanted, "{calls:#?}");
            rest = others;
        }
        assert!(rest.is_empty(), "more than was expected: {rest:#?}");
    }
}

/// The call, and how many it was about.
fn shown(call: &str) -> String {
    let mut words = call.split(' ');
    let name = words.next().unwrap_or_default();
    let count = words.next().filter(|word| word.parse::<usize>().is_ok());
    count.map_or_else(|| name.to_owned(), |count| format!("{name} {count}"))
}

const LOOK: [&str; 3] = ["store.mailbox", "vault.open_access_token", "graph.messages.list"];
/// What is read of a mailbox's well-known folders, in one batch, where a message is met and they are
/// not known: once in ten minutes, and after each refresh of the access token.
const FOLDERS: &str = "graph.batch, graph.folders.get, graph.folders.get, graph.folders.get, \
    graph.folders.get, graph.folders.get, graph.folders.get, graph.folders.get";

#[tokio::test]
async fn a_connect_costs_these_calls() {
    let scene = Scene::new().await;
    let connector = scene.connect().await;
    scene.made(&[
        "store.take_consent",
        "graph.token",
        "graph.me, graph.messages.list, store.in_slot, store.membership",
        "vault.seal_refresh_token",
        "store.create_connector",
        // The events are published and marked while Graph shakes hands.
        "graph.subscriptions.create, graph.subscriptions.list, bus.publish 1, store.mark_published 1",
        "store.record_watch, queue.send",
    ]);
    assert!(scene.stage.connector(&connector).watch.id.is_some());
    // The first look of an empty mailbox asks for no folders.
    assert_eq!(scene.work().await, [listed(0, 0)]);
    scene.made(&[
        "store.mailbox",
        "vault.open_refresh_token, store.data_key",
        "graph.token",
        "vault.seal_refresh_token",
        "store.rotate_refresh_token",
        "vault.new_data_key",
        "store.keep_data_key",
        "vault.seal_access_token",
        "store.cache_access_token",
        "graph.messages.list",
        "store.commit 0",
    ]);
}

#[tokio::test]
async fn a_wake_up_costs_one_request_whatever_came() {
    let scene = Scene::new().await;
    let connector = scene.connect().await;
    scene.work().await;
    let trigger = json!({"subject_contains": ["invoice"]});
    scene.stage.trigger(&scene.stage.connector(&connector), trigger).await;
    let told = |mails: usize| {
        let calls = ["store.commit", "bus.publish", "store.mark_published"];
        calls.map(|call| format!("{call} {mails}"))
    };
    // The first mail that a process meets in this mailbox. Moments have whole seconds.
    scene.machine.pass(MINUTE);
    scene.deliver(1);
    assert_eq!(scene.woken(&connector).await, [listed(1, 1)]);
    let [commit, publish, mark] = &told(1);
    scene.made(&[&LOOK[..], &[FOLDERS, commit, publish, mark]].concat());
    for mails in [0, 1, 25] {
        if mails > 0 {
            scene.deliver(mails);
        }
        assert_eq!(scene.woken(&connector).await, [listed(mails, mails)]);
        let [commit, publish, mark] = &told(mails);
        let rest: &[&str] = if mails > 0 { &[commit, publish, mark] } else { &[commit] };
        scene.made(&[&LOOK[..], rest].concat());
    }
    assert_eq!(scene.fake.admin.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn the_ledger_is_asked_only_of_what_would_fire_and_may_have_fired() {
    let scene = Scene::new().await;
    let connector = scene.connect().await;
    scene.work().await;
    let trigger = json!({"subject_contains": ["invoice"]});
    scene.stage.trigger(&scene.stage.connector(&connector), trigger).await;
    let invoice = scene.fake.admin.deliver(ADA, NewMessage::of("Invoice")).unwrap();
    let letter = scene.fake.admin.deliver(ADA, NewMessage::of("A letter")).unwrap();
    assert_eq!(scene.woken(&connector).await, [listed(2, 1)]);
    let read = MarkChange { is_read: Some(true), ..MarkChange::default() };
    for (changed, rest) in
        [(&letter, &["store.commit 0"][..]), (&invoice, &["store.decided 1", "store.commit 0"])]
    {
        scene.fake.admin.mark_message(ADA, &changed.id, &read).unwrap();
        assert_eq!(scene.woken(&connector).await, [listed(1, 0)]);
        scene.made(&[&LOOK[..], rest].concat());
    }
}

#[tokio::test]
async fn what_is_taken_for_new_and_is_not_costs_a_second_try() {
    let scene = Scene::new().await;
    let connector = scene.connect().await;
    scene.work().await;
    scene.stage.trigger(&scene.stage.connector(&connector), json!({})).await;
    scene.deliver(1);
    scene.woken(&connector).await;
    // With the one before they are a page; what they fire takes two transactions, of which the
    // second fails, and the cursor stays.
    scene.deliver(99);
    scene.machine.pass(MINUTE);
    scene.stage.world.fail(Call::Commit, When::Before, 2);
    let mailbox = scene.stage.connector(&connector).mailbox();
    let wake_up = WakeUp::notified(mailbox, false, scene.machine.now());
    scene.process.run(&wake_up, scene.machine.now()).await.unwrap_err();
    assert_eq!(scene.woken(&connector).await, [listed(99, 1)]);
    let again = ["store.decided 99", "store.commit 1", "bus.publish 1", "store.mark_published 1"];
    scene.made(&[&LOOK[..], &["store.commit 98"], &LOOK, &again].concat());
    assert_eq!(scene.stage.fired().len(), 100);
}

//! One mailbox over time on a metered AWS, with the real flows: the calls that each event makes to
//! Google and AWS.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::hmac::HmacSha256;
use email_connectors::adapters::kms::KmsVault;
use email_connectors::domain::connector::{Provider, Uniqueness};
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::identity::IdentityPolicy;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::trigger::NewTrigger;
use email_connectors::domain::wake_up::{Kind, WakeUp};
use email_connectors::flows::access::{Access, Refreshes};
use email_connectors::flows::connect::Connect;
use email_connectors::flows::disconnect::Disconnect;
use email_connectors::flows::process::Process;
use email_connectors::flows::renew::Renew;
use email_connectors::flows::subscribe;
use email_connectors::ports::Ports;
use serde_json::{Value, json};

use super::aws::MeteredAws;
use super::table::Tally;
use crate::stage::{
    PROCESSOR_LIMITS, PUSH_ACCOUNT, PUSH_AUDIENCE, SUBSCRIPTION, SWEEP_BUDGET, SWEEP_TIMES, Stage,
};
use crate::world::{
    Account, CLIENT_ID, Consent, Mail, MemoryBus, MemoryDepths, MemoryGmail, MemoryMachine,
    MemoryObjects, MemoryQuarantine, MemoryVerifier, MemoryWakeUps, SCOPES,
};

/// Requests that one function makes, one after the other.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Calls {
    pub aws: u64,
    pub google: u64,
}

/// The calls and units of one kind of work.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Gmail's quota units.
    pub units: u64,
    /// Calls to Google's token endpoints, which cost no units.
    pub tokens: u64,
    pub tally: Tally,
    /// Pushes, each a run of the webhook.
    pub pushes: u64,
    /// Wake-ups, each a run of the processor.
    pub wake_ups: u64,
    /// Requests of users to the API.
    pub requests: u64,
    pub events: u64,
    pub fired: u64,
    /// Sent wake-ups and calls of `PutEvents`, among the functions' calls to AWS.
    pub queue: u64,
    pub puts: u64,
    pub processor: Calls,
    pub renewer: Calls,
    pub api: Calls,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Api,
    Webhook,
    Processor,
    Renewer,
}

/// The table and the key of a metered AWS, all else in memory.
struct Metered;

impl Ports for Metered {
    type Store = DynamoStore;
    type Vault = KmsVault;
    type Provider = MemoryGmail;
    type WakeUps = MemoryWakeUps;
    type Depths = MemoryDepths;
    type Quarantine = MemoryQuarantine;
    type Objects = MemoryObjects;
    type Bus = MemoryBus;
    type Signatures = HmacSha256;
    type Verifier = MemoryVerifier;
    type Machine = MemoryMachine;
}

pub struct Stand {
    stage: Stage,
    pub aws: MeteredAws,
    process: Process<Metered>,
    renew: Renew<Metered>,
    pub ada: Account,
    connector: ConnectorId,
    pushes: u64,
    fired: u64,
    counts: Counts,
}

impl Stand {
    /// A connected mailbox with one trigger of these filters; what that took has been counted.
    pub async fn new(filters: Value) -> std::io::Result<Self> {
        let (stage, aws) = (Stage::new(), MeteredAws::start().await?);
        let process = Process::<Metered> {
            store: aws.store(),
            vault: aws.vault(),
            provider: stage.world.gmail(),
            bus: stage.world.bus(),
            wake_ups: stage.world.wake_ups(),
            clock: stage.world.machine(),
            limits: PROCESSOR_LIMITS,
            refreshes: Refreshes::default(),
        };
        let renew = Renew::<Metered> {
            store: aws.store(),
            vault: aws.vault(),
            provider: stage.world.gmail(),
            wake_ups: stage.world.wake_ups(),
            clock: stage.world.machine(),
            sweep_times: SWEEP_TIMES,
            budget: SWEEP_BUDGET,
            refreshes: Refreshes::default(),
        };
        let ada = stage.world.account("ada.lovelace@example.com");
        let request =
            stage.request("6f1c2a80-6b0f-4d6c-9a35-2f6c1f1f7a11", &ada.consent(Consent::default()));
        let mut stand = Self {
            connector: request.new_id.clone(),
            stage,
            aws,
            process,
            renew,
            ada,
            pushes: 0,
            fired: 0,
            counts: Counts::default(),
        };
        let connect = Connect::<Metered> {
            store: stand.aws.store(),
            vault: stand.aws.vault(),
            provider: stand.stage.world.gmail(),
            wake_ups: stand.stage.world.wake_ups(),
            bus: stand.stage.world.bus(),
            kind: Provider::Gmail,
            identity: IdentityPolicy::Google { client_id: CLIENT_ID.into() },
            required_scopes: SCOPES.map(String::from).into(),
            uniqueness: Uniqueness::PerProvider,
        };
        connect.run(&request, stand.now()).await.expect("a connect");
        stand.counts.requests += 1;
        stand.note(Who::Api);
        stand.push().await;
        stand.work().await;
        let new = NewTrigger::parse(
            json!({"type": "email", "config": {"connector_id": stand.connector, "filters": filters}}),
        );
        let (store, vault, entropy) =
            (stand.aws.store(), stand.aws.vault(), stand.stage.world.machine());
        let made = subscribe::create(
            &store,
            &vault,
            &entropy,
            &request.owner_id,
            new.expect("a trigger"),
            stand.now(),
        )
        .await;
        made.expect("a trigger is made");
        stand.counts.requests += 1;
        stand.note(Who::Api);
        Ok(stand)
    }

    pub fn now(&self) -> Timestamp {
        self.stage.world.now()
    }

    pub fn pass(&self, span: Duration) {
        self.stage.world.pass(span);
    }

    /// The counts since the last call.
    pub fn take(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// Puts the counts back, for the next `take`.
    pub fn give_back(&mut self, counts: Counts) {
        self.counts = counts;
    }

    /// Delivers so many mails, with one push.
    pub async fn mail(&mut self, mails: usize) {
        for number in 0..mails {
            self.ada.deliver(Mail::new(&format!("Minutes of our meeting, part {number}")));
        }
        self.push().await;
        self.work().await;
    }

    /// The user reads a mail: its labels change, and Gmail pushes.
    pub async fn read(&mut self) {
        let message = self.ada.messages().pop().expect("there is mail");
        self.ada.label(&message, &["STARRED"], &["UNREAD"]);
        self.push().await;
        self.work().await;
    }

    pub async fn push(&mut self) {
        self.pushes += 1;
        let now = self.now();
        let data = json!({"emailAddress": self.ada.address(), "historyId": self.ada.history_id()})
            .to_string();
        let message = json!({"data": BASE64_STANDARD.encode(data), "messageId": self.pushes.to_string(), "publishTime": now});
        let body = json!({"message": message, "subscription": SUBSCRIPTION}).to_string();
        let token = self.stage.world.verifier().issue(json!({"iss": "https://accounts.google.com", "aud": PUSH_AUDIENCE,
            "email": PUSH_ACCOUNT, "email_verified": true, "iat": now.seconds(), "exp": now.seconds() + 3600}));
        self.stage
            .receiving()
            .push(Some(&token), body.as_bytes(), now)
            .await
            .expect("a push is taken");
        self.note(Who::Webhook);
        self.counts.pushes += 1;
    }

    pub async fn wake(&mut self, kind: Kind) {
        self.stage.world.wake_ups().put(&WakeUp::own(kind, self.ada.address(), self.now()));
        self.work().await;
    }

    pub async fn work(&mut self) {
        let queue = self.stage.world.wake_ups();
        while let Some(received) = queue.receive() {
            self.process.run(&received.wake_up, self.now()).await.expect("the wake-up is handled");
            queue.delete(&received);
            self.note(Who::Processor);
            self.counts.wake_ups += 1;
        }
    }

    /// One run of the renewer, and what comes of it: a `watch` makes Gmail push at once.
    pub async fn sweep(&mut self) {
        let swept = self.renew.run(self.now()).await;
        assert!(swept.failures.is_empty() && swept.not_renewed == 0, "{swept:?}");
        self.note(Who::Renewer);
        if swept.renewed > 0 {
            self.push().await;
        }
        self.work().await;
    }

    /// The renewer runs each minute; those in which nothing is due are left out. False if nothing
    /// is due before `end`.
    pub async fn next_sweep(&mut self, end: Timestamp) -> bool {
        let next = self.aws.table().next_due().map_or(end, Timestamp::from_seconds).max(self.now());
        // At the next full minute.
        let next = Timestamp::from_seconds((next.seconds() + 59) / 60 * 60);
        if next >= end {
            self.stage.world.machine().set(end);
            return false;
        }
        self.stage.world.machine().set(next);
        self.sweep().await;
        self.pass(Duration::from_secs(1));
        true
    }

    pub async fn live(&mut self, span: Duration) {
        let end = self.now().after(span);
        while self.next_sweep(end).await {}
    }

    pub async fn disconnect(&mut self) {
        let (store, vault, provider, bus) =
            (self.aws.store(), self.aws.vault(), self.stage.world.gmail(), self.stage.world.bus());
        let owner = self.stage.request("6f1c2a80-6b0f-4d6c-9a35-2f6c1f1f7a11", "unused").owner_id;
        let access = Access {
            store: &store,
            vault: &vault,
            provider: &provider,
            refreshes: &Refreshes::default(),
        };
        let disconnect = Disconnect::<Metered> { access, bus: &bus };
        let receipt =
            disconnect.run(&owner, &self.connector, self.now()).await.expect("a disconnect");
        assert!(receipt.data_purged, "{receipt:?}");
        self.counts.requests += 1;
        self.note(Who::Api);
    }

    fn note(&mut self, who: Who) {
        let (tally, world) = (self.aws.take(), &self.stage.world);
        let calls = world.take_calls();
        let of = |names: &[&str]| {
            calls.iter().filter(|call| names.iter().any(|name| call.starts_with(name))).count()
                as u64
        };
        let tokens = of(&["gmail.exchange", "gmail.refresh", "gmail.revoke"]);
        let published =
            calls.iter().filter_map(|call| call.strip_prefix("bus.publish ")?.parse::<u64>().ok());
        let puts: u64 = published.clone().map(|entries| entries.div_ceil(10)).sum();
        self.counts.units += world.take_units();
        self.counts.tokens += tokens;
        self.counts.events += published.sum::<u64>();
        let fired = self.stage.fired().len() as u64;
        self.counts.fired += fired - std::mem::replace(&mut self.fired, fired);
        // The index `due` is queried each minute, even if nothing is due.
        let requests: u64 = tally
            .requests
            .iter()
            .filter(|(name, _)| who != Who::Renewer || *name != "Query")
            .map(|(_, times)| times)
            .sum();
        if who != Who::Webhook {
            self.counts.queue += of(&["queue."]);
            self.counts.puts += puts;
        }
        let made =
            Calls { aws: requests + tally.kms + of(&["queue."]) + puts, google: of(&["gmail."]) };
        let by = match who {
            Who::Api => &mut self.counts.api,
            Who::Processor => &mut self.counts.processor,
            Who::Renewer => &mut self.counts.renewer,
            Who::Webhook => &mut Calls::default(),
        };
        by.aws += made.aws;
        by.google += made.google;
        self.counts.tally.add(&tally);
    }
}

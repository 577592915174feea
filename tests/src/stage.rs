//! The stage: the flows wired to the world, and the openings that most stories share.

use std::time::Duration;

use crate::world::{Account, CLIENT_ID, Consent, Mail, SCOPES, World};
use email_connectors::adapters::hmac::HmacSha256;
use email_connectors::config::HISTORY_PAGE;
use email_connectors::domain::claims::PushPolicy;
use email_connectors::domain::connector::{Connector, Provider, Uniqueness};
use email_connectors::domain::event::{DetailType, Event};
use email_connectors::domain::id::{ConnectorId, OwnerId};
use email_connectors::domain::identity::IdentityPolicy;
use email_connectors::domain::mark::Mark;
use email_connectors::domain::retention::Retention;
use email_connectors::domain::sweep::{ProcessorLimits, SweepTimes};
use email_connectors::domain::trigger::{NewTrigger, Trigger};
use email_connectors::domain::wake_up::{Kind, WakeUp};
use email_connectors::flows::access::{Access, Refreshes};
use email_connectors::flows::connect::{
    Connect, ConnectError, ConnectRequest, Connected, fingerprint_of,
};
use email_connectors::flows::disconnect::{Disconnect, DisconnectError, Receipt};
use email_connectors::flows::notified::Notified;
use email_connectors::flows::process::{Outcome, Process, ProcessError};
use email_connectors::flows::receive::Receive;
use email_connectors::flows::renew::{Renew, Swept};
use email_connectors::flows::subscribe;
use email_connectors::ports::{AuthorizationCode, Entropy, Store};
use secrecy::SecretString;
use serde_json::{Value, json};

pub const PROCESSOR_TIMEOUT: Duration = Duration::from_secs(45);
pub const QUIET_AFTER: Duration = Duration::from_secs(600);
pub const SETTLE: Duration = Duration::from_secs(600);
pub const COOLDOWN: Duration = Duration::from_secs(60);
pub const UNITS_PER_MINUTE: u32 = 6000;
pub const SWEEP_BUDGET: Duration = Duration::from_secs(25);
/// The defaults of the template.
pub const RETENTION: Retention =
    Retention { event_archive_days: 30, log_days: 30, audit_days: 365 };
pub const SWEEP_TIMES: SweepTimes = SweepTimes { settle: SETTLE, quiet_after: QUIET_AFTER };
pub const PROCESSOR_LIMITS: ProcessorLimits = ProcessorLimits {
    processor_timeout: PROCESSOR_TIMEOUT,
    sweep_times: SWEEP_TIMES,
    cooldown: COOLDOWN,
    units_per_minute: UNITS_PER_MINUTE,
    history_page: HISTORY_PAGE,
};
pub const MINUTE: Duration = Duration::from_secs(60);
pub const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long after its renewal any watch is due again, whatever its connector's jitter.
pub const RENEWAL: Duration = Duration::from_secs(3 * 24 * 3600);
pub const SUBSCRIPTION: &str = "projects/example-project/subscriptions/gmail";
pub const NOTIFICATION_KEY: &str = "a-notification-key-of-32-characters";
pub const PUSH_AUDIENCE: &str = "https://connectors.example.com/pubsub";
pub const PUSH_ACCOUNT: &str = "gmail-push@example-project.iam.gserviceaccount.com";

pub fn owner(name: &str) -> OwnerId {
    OwnerId::new(name)
}

/// The outcome of a wake-up: new messages, and how many firings they made.
pub fn listed(messages: usize, fired: usize) -> Outcome {
    Outcome::Listed { messages, fired }
}

pub fn detail(firing: &Event) -> Value {
    serde_json::from_str(&firing.detail).expect("a detail is JSON")
}

/// The subjects of what was published, in order.
pub fn subjects(published: &[Event]) -> Vec<String> {
    published
        .iter()
        .map(|firing| detail(firing)["message"]["subject"].as_str().unwrap_or_default().to_string())
        .collect()
}

pub struct Stage {
    pub world: World,
    pub limits: ProcessorLimits,
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

impl Stage {
    pub fn new() -> Self {
        Self { world: World::new(), limits: PROCESSOR_LIMITS }
    }

    pub fn connecting(&self) -> Connect<World> {
        self.connecting_at(Provider::Gmail)
    }

    pub fn connecting_at(&self, kind: Provider) -> Connect<World> {
        Connect {
            store: self.world.store(),
            vault: self.world.vault(),
            provider: self.world.gmail(),
            wake_ups: self.world.wake_ups(),
            bus: self.world.bus(),
            kind,
            identity: IdentityPolicy::Google { client_id: CLIENT_ID.into() },
            required_scopes: SCOPES.map(String::from).into(),
            uniqueness: Uniqueness::PerProvider,
        }
    }

    pub fn processing(&self) -> Process<World> {
        Process {
            store: self.world.store(),
            vault: self.world.vault(),
            provider: self.world.gmail(),
            bus: self.world.bus(),
            wake_ups: self.world.wake_ups(),
            clock: self.world.machine(),
            limits: self.limits,
            refreshes: Refreshes::default(),
        }
    }

    pub fn renewing(&self) -> Renew<World> {
        Renew {
            store: self.world.store(),
            vault: self.world.vault(),
            provider: self.world.gmail(),
            wake_ups: self.world.wake_ups(),
            clock: self.world.machine(),
            sweep_times: self.limits.sweep_times,
            budget: SWEEP_BUDGET,
            refreshes: Refreshes::default(),
        }
    }

    /// Disconnects the owner's connector; a repeated call continues an unfinished closing.
    pub async fn disconnect(&self, of: &str, id: &ConnectorId) -> Result<Receipt, DisconnectError> {
        let (store, vault, provider, bus) =
            (self.world.store(), self.world.vault(), self.world.gmail(), self.world.bus());
        let access = Access {
            store: &store,
            vault: &vault,
            provider: &provider,
            refreshes: &Refreshes::default(),
        };
        Disconnect::<World> { access, bus: &bus }.run(&owner(of), id, self.world.now()).await
    }

    pub fn receiving(&self) -> Receive<World> {
        Receive {
            verifier: self.world.verifier(),
            wake_ups: self.world.wake_ups(),
            quarantine: self.world.quarantine(),
            policy: PushPolicy {
                audience: PUSH_AUDIENCE.into(),
                service_account: PUSH_ACCOUNT.into(),
            },
            subscription: SUBSCRIPTION.into(),
        }
    }

    pub fn notified(&self) -> Notified<World> {
        Notified {
            wake_ups: self.world.wake_ups(),
            signatures: HmacSha256,
            keys: vec![NOTIFICATION_KEY.into()],
        }
    }

    pub fn request(&self, of: &str, code: &str) -> ConnectRequest {
        ConnectRequest {
            owner_id: owner(of),
            code: AuthorizationCode {
                code: code.into(),
                redirect_uri: "postmessage".into(),
                code_verifier: None,
            },
            state: None,
            fingerprint: fingerprint_of("state", code),
            account: None,
            replace: false,
            new_id: ConnectorId::from_uuid(self.world.machine().uuid(self.world.now())),
        }
    }

    pub async fn connect_with(
        &self,
        of: &str,
        account: &Account,
        consent: Consent,
    ) -> Result<Connected, ConnectError> {
        let request = self.request(of, &account.consent(consent));
        self.connecting().run(&request, self.world.now()).await
    }

    /// Connects, and handles the kick.
    pub async fn connect(&self, of: &str, account: &Account) -> Connector {
        let connected =
            self.connect_with(of, account, Consent::default()).await.expect("a connect");
        self.work().await;
        self.connector(&connected.connector_id)
    }

    pub async fn trigger(&self, connector: &Connector, filters: Value) -> Trigger {
        self.try_trigger(connector, filters).await.expect("a trigger is made")
    }

    /// As `trigger`, but returns the error.
    pub async fn try_trigger(
        &self,
        connector: &Connector,
        filters: Value,
    ) -> Result<Trigger, subscribe::SubscribeError> {
        let body = json!({"type": "email", "config": {"connector_id": connector.id, "filters": filters}, "agent_id": "agent-7"});
        self.subscribe(&connector.owner_id, body).await.map(|(trigger, _)| trigger)
    }

    pub async fn subscribe(
        &self,
        of: &OwnerId,
        body: Value,
    ) -> Result<(Trigger, Option<SecretString>), subscribe::SubscribeError> {
        let new = NewTrigger::parse(body).expect("a trigger");
        subscribe::create(
            &self.world.store(),
            &self.world.vault(),
            &self.world.machine(),
            of,
            new,
            self.world.now(),
        )
        .await
    }

    /// The connector as it is stored now.
    pub fn connector(&self, id: &ConnectorId) -> Connector {
        self.world.store().look(id).expect("the connector is stored")
    }

    pub async fn wake(&self, wake_up: &WakeUp) -> Result<Vec<Outcome>, ProcessError> {
        self.processing().run(wake_up, self.world.now()).await
    }

    /// Handles what lies in the queue until it is empty; every wake-up must go well.
    pub async fn work(&self) -> Vec<Outcome> {
        let (queue, mut outcomes) = (self.world.wake_ups(), Vec::new());
        while let Some(received) = queue.receive() {
            outcomes.extend(self.wake(&received.wake_up).await.expect("the wake-up is handled"));
            queue.delete(&received);
        }
        outcomes
    }

    pub async fn sweep(&self) -> Swept {
        self.renewing().run(self.world.now()).await
    }

    pub fn published(&self) -> Vec<Event> {
        self.world.bus().published()
    }

    /// What was published and fired a trigger.
    pub fn fired(&self) -> Vec<Event> {
        self.published()
            .into_iter()
            .filter(|event| event.detail_type == DetailType::TriggerFired)
            .collect()
    }

    /// Every firing that was ever decided.
    pub fn decided(&self) -> Vec<Event> {
        self.world
            .store()
            .ledger()
            .into_iter()
            .filter(|event| event.detail_type == DetailType::TriggerFired)
            .collect()
    }

    /// The details of what was published of that type.
    pub fn notices(&self, detail_type: DetailType) -> Vec<Value> {
        self.published()
            .iter()
            .filter(|event| event.detail_type == detail_type)
            .map(detail)
            .collect()
    }

    pub fn forget_calls(&self) {
        self.world.take_calls();
    }

    /// The calls since the last look; which connector or trigger they were about is left out.
    pub fn calls(&self) -> Vec<String> {
        let plain = |word: &str| {
            ["con_", "trg_"]
                .iter()
                .find(|prefix| word.starts_with(**prefix))
                .map_or(word, |prefix| &prefix[..3])
                .to_string()
        };
        let calls = self.world.take_calls();
        calls.iter().map(|call| call.split(' ').map(plain).collect::<Vec<_>>().join(" ")).collect()
    }

    /// As `calls`, of one port or some.
    pub fn calls_of(&self, ports: &[&str]) -> Vec<String> {
        self.calls()
            .into_iter()
            .filter(|call| ports.iter().any(|port| call.starts_with(port)))
            .collect()
    }
}

/// Ada's mailbox, connected a minute ago, with a trigger for all mail.
pub struct Scene {
    pub stage: Stage,
    pub ada: Account,
    pub id: ConnectorId,
    pub trigger: Trigger,
}

impl Scene {
    pub async fn new() -> Self {
        let stage = Stage::new();
        let ada = stage.world.account("ada@example.com");
        let connector = stage.connect("owner", &ada).await;
        let trigger = stage.trigger(&connector, json!({})).await;
        stage.world.pass(MINUTE);
        stage.forget_calls();
        Self { stage, ada, id: connector.id, trigger }
    }

    pub fn connector(&self) -> Connector {
        self.stage.connector(&self.id)
    }

    pub fn cursor(&self) -> Mark {
        self.connector().reading.position.cursor
    }

    pub fn deliver(&self, subjects: &[&str]) {
        for subject in subjects {
            self.ada.deliver(Mail::new(subject));
        }
    }

    /// The push that Gmail would send now.
    pub fn push(&self) -> WakeUp {
        self.push_of(self.ada.history_id())
    }

    pub fn push_of(&self, history_id: Mark) -> WakeUp {
        WakeUp::push(
            self.ada.address(),
            history_id,
            Some("pubsub-1".into()),
            self.stage.world.now(),
        )
    }

    pub fn own(&self, kind: Kind) -> WakeUp {
        WakeUp::own(kind, self.ada.address(), self.stage.world.now())
    }

    pub async fn triggers(&self) -> Vec<Trigger> {
        self.stage
            .world
            .store()
            .triggers(&self.connector().owner_id)
            .await
            .expect("the store answers")
    }
}

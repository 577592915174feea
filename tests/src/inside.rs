//! The three HTTP functions and the processor in this process: a gateway's events, real routers,
//! verifier and providers' adapters, in front of a fake Google of their own and, if it is wanted, a
//! fake Microsoft, over a store, a vault, a queue and a bus in memory.
#![allow(clippy::disallowed_methods, reason = "a test lives in the world, and waits for it")]

mod microsoft;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::deployed::{ORIGIN, PUSH_PATH, Stack};
use crate::gateway::{Functions, Gateway, Matches};
use crate::stage::{NOTIFICATION_KEY, PUSH_ACCOUNT, PUSH_AUDIENCE, RETENTION, SUBSCRIPTION};
use crate::world::{
    MemoryBus, MemoryDepths, MemoryObjects, MemoryQuarantine, MemoryStore, MemoryVault,
    MemoryWakeUps, SCOPES, World,
};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use axum::Router;
use axum::extract::Request;
use connectors_api::Api;
use console::Console;
use email_connectors::adapters::gmail::Gmail;
use email_connectors::adapters::hmac::HmacSha256;
use email_connectors::adapters::https;
use email_connectors::adapters::oidc::{JwksVerifier, KeySource};
use email_connectors::adapters::providers::MailProviders;
use email_connectors::adapters::system::System;
use email_connectors::config::{
    AppSettings, ConnectSettings, ConsoleSettings, GoogleSettings, HISTORY_PAGE,
};
use email_connectors::domain::claims::{PushPolicy, SecurityEventPolicy, UserPolicy};
use email_connectors::domain::connector::{Provider, Uniqueness};
use email_connectors::domain::health::Thresholds;
use email_connectors::domain::identity::IdentityPolicy;
use email_connectors::domain::limit::Limits;
use email_connectors::domain::provider::outlook::account;
use email_connectors::domain::retry::RetryPolicy;
use email_connectors::domain::sweep::{ProcessorLimits, SweepTimes};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::flows::access::Refreshes;
use email_connectors::flows::connect::Connect;
use email_connectors::flows::inbound_webhook::OpenedSecrets;
use email_connectors::flows::notified::Notified;
use email_connectors::flows::process::Process;
use email_connectors::flows::receive::Receive;
use email_connectors::flows::renew::{Renew, Swept};
use email_connectors::flows::system_health::Checked;
use email_connectors::ports::{Clock, Entropy, Ports};
use email_connectors::web::UserGate;
use fake_google::{Config, FakeGoogle, Running};
use oauth_connect::{AdminConsent, OauthConnect, SecurityEvents};
use pubsub_webhook::Webhook;
use secrecy::SecretString;
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

pub use self::microsoft::Microsoft;

const SWEEP_TIMES: SweepTimes =
    SweepTimes { settle: Duration::from_secs(15), quiet_after: Duration::from_secs(60) };
const PROCESSOR_LIMITS: ProcessorLimits = ProcessorLimits {
    processor_timeout: Duration::from_secs(5),
    sweep_times: SWEEP_TIMES,
    cooldown: Duration::from_secs(5),
    units_per_minute: 1_000_000,
    history_page: HISTORY_PAGE,
};

pub struct Inside {
    pub world: World,
    pub fake: Running,
    pub machine: Machine,
    pub microsoft: Option<Microsoft>,
    /// Absent where the stack connects no Gmail.
    google: Option<GoogleSettings>,
    pub url: String,
    required_scopes: Vec<String>,
    requests_per_minute: Option<u32>,
    owner_claim: String,
    notification_keys: Vec<SecretString>,
}

/// The console, as a deployment at `https://login.example.com` has it.
pub fn console_page() -> Router {
    let settings = ConsoleSettings {
        namespace: "tests".into(),
        issuer: "https://login.example.com/tenant".into(),
        issuer_origin: "https://login.example.com".into(),
        audience: "email-connectors".into(),
        client_id: "console".into(),
        scopes: vec!["openid".into(), "email".into()],
        resource: None,
        connect_origins: vec!["https://tokens.example.com".into()],
        files_origin: "https://mail.s3.eu-central-1.amazonaws.com".into(),
    };
    console::router(Console::new(&settings).unwrap())
}

/// The machine's own clock and randomness; the clock may be put forward.
#[derive(Clone)]
pub struct Machine {
    ahead_ms: Arc<AtomicI64>,
    world: World,
}

impl Machine {
    /// The world's time goes with it.
    pub fn of(world: &World) -> Self {
        let machine = Self { ahead_ms: Arc::default(), world: world.clone() };
        machine.now();
        machine
    }

    pub fn pass(&self, span: Duration) {
        self.ahead_ms.fetch_add(i64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        let now =
            Timestamp::from_millis(System.now().millis() + self.ahead_ms.load(Ordering::SeqCst));
        self.world.machine().set(now);
        now
    }
}

impl Entropy for Machine {
    fn uuid(&self, now: Timestamp) -> Uuid {
        System.uuid(now)
    }

    fn secret(&self) -> SecretString {
        System.secret()
    }
}

/// The real adapters of the providers, and AWS in memory.
pub struct Memory;

impl Ports for Memory {
    type Store = MemoryStore;
    type Vault = MemoryVault;
    type Provider = MailProviders;
    type WakeUps = MemoryWakeUps;
    type Depths = MemoryDepths;
    type Quarantine = MemoryQuarantine;
    type Objects = MemoryObjects;
    type Bus = MemoryBus;
    type Signatures = HmacSha256;
    type Verifier = JwksVerifier;
    type Machine = Machine;
}

/// The options of a world.
#[derive(Default)]
pub struct Options {
    pub legacy_token: Option<SecretString>,
    /// Whether wake-ups stay in the queue, so that a test can read them there.
    pub queue_only: bool,
    /// Whether a user may withhold every scope except `openid` and `email`.
    pub any_scopes: bool,
    /// How many rate-limited requests an owner may make a minute; `None` for any number.
    pub requests_per_minute: Option<u32>,
    /// What the gateway matches its routes on.
    pub matches: Matches,
    /// The claim that names the owner; `sub` if `None`.
    pub owner_claim: Option<String>,
    /// Whether there is a Microsoft too, so that Outlook can be connected.
    pub microsoft: bool,
    /// Whether the stack connects no Gmail. The users' issuer is the same.
    pub no_google: bool,
    /// Whether the stack has no key for Graph's notifications, and so takes none.
    pub no_notification_key: bool,
}

impl Inside {
    pub async fn start(options: Options) -> Self {
        let world = World::new();
        let machine = Machine::of(&world);
        let clock = Arc::new({
            let machine = machine.clone();
            move || {
                OffsetDateTime::from_unix_timestamp_nanos(
                    i128::from(machine.now().millis()) * 1_000_000,
                )
                .unwrap()
            }
        });
        let fake = FakeGoogle::start(Config { clock: Some(clock.clone()), ..Config::default() })
            .await
            .unwrap();
        let google = (!options.no_google).then(|| google(&fake.url));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let required_scopes = if options.any_scopes {
            vec!["openid".into(), "email".into()]
        } else {
            SCOPES.map(String::from).into()
        };
        let requests_per_minute = options.requests_per_minute;
        let owner_claim = options.owner_claim.unwrap_or_else(|| "sub".into());
        let microsoft = match options.microsoft {
            true => Some(Microsoft::start(clock, &url).await),
            false => None,
        };
        let keys = [NOTIFICATION_KEY.into()];
        let notification_keys = keys.into_iter().filter(|_| !options.no_notification_key).collect();
        let inside = Self {
            world,
            fake,
            machine,
            microsoft,
            google,
            url,
            required_scopes,
            requests_per_minute,
            owner_claim,
            notification_keys,
        };
        let host = inside.url.trim_start_matches("http://");
        let functions = inside.functions(options.legacy_token);
        let gateway = Gateway::before(functions, options.matches, host);
        inside.world.objects().serve_at(&inside.url);
        let app = bucket(inside.world.objects())
            .fallback(move |request: Request| async move { gateway.answer(request).await });
        tokio::spawn(async move { axum::serve(listener, app).await });
        if !options.queue_only {
            inside.process();
        }
        let push = json!({"endpoint": format!("{}{PUSH_PATH}", inside.url), "audience": PUSH_AUDIENCE, "subscription": SUBSCRIPTION,
            "service_account": PUSH_ACCOUNT});
        inside.stack().google(reqwest::Method::PUT, "/admin/push", push).await;
        inside
    }

    pub fn stack(&self) -> Stack {
        let mut stack = Stack::at(self.url.clone(), self.fake.url.clone());
        if let Some(microsoft) = &self.microsoft {
            stack.microsoft_url = microsoft.fake.url.clone();
        }
        stack
    }

    /// As the stack uses it, or would.
    pub fn gmail(&self) -> Gmail {
        Gmail::new(https::client().unwrap(), google(&self.fake.url))
    }

    fn providers(&self) -> MailProviders {
        let gmail = self.google.as_ref().map(|_| self.gmail());
        MailProviders::new(gmail, self.microsoft.as_ref().map(Microsoft::outlook))
    }

    /// A verifier with an empty cache of keys.
    pub fn keys(&self, set: &str) -> JwksVerifier {
        JwksVerifier::new(
            https::client().unwrap(),
            KeySource::Url(format!("{}/{set}", self.fake.url)),
        )
    }

    fn gate(&self) -> UserGate<JwksVerifier> {
        let policy = UserPolicy {
            issuer: Config::default().user_issuer,
            audience: Config::default().user_audience,
            owner_claim: self.owner_claim.clone(),
            role_claim: Some("role".into()),
            longest_life: None,
        };
        let keys = KeySource::Url(format!("{}/users/certs", self.fake.url));
        let verifier = JwksVerifier::of_users(https::client().unwrap(), keys);
        UserGate { verifier, policy, limits: Limits::new(self.requests_per_minute) }
    }

    /// The functions, as the gateway invokes them.
    pub fn functions(&self, legacy_token: Option<SecretString>) -> Functions {
        Functions::from([
            ("oauth-connect", oauth_connect::router(self.oauth())),
            ("connectors-api", connectors_api::router(self.api())),
            ("pubsub-webhook", pubsub_webhook::router(self.webhook(legacy_token))),
            ("console", console_page()),
        ])
    }

    fn oauth(&self) -> OauthConnect<Memory> {
        let microsoft = self.microsoft.as_ref();
        let connects = self.connecting_google().into_iter();
        let connects = connects.chain(microsoft.map(|microsoft| self.connecting_at(microsoft)));
        OauthConnect {
            connects: connects.map(|connect| (connect.kind, connect)).collect(),
            admin_consent: microsoft.map(|microsoft| {
                let graph = microsoft.outlook();
                let consent = move |callback: &str| graph.admin_consent_url(None, callback);
                Box::new(consent) as AdminConsent
            }),
            security_events: self.google.as_ref().map(|google| SecurityEvents {
                verifier: self.keys("oauth2/v3/certs"),
                policy: SecurityEventPolicy { client_id: google.client_id.clone() },
            }),
            store: self.world.store(),
            bus: self.world.bus(),
            gate: self.gate(),
            app: AppSettings { public_url: ORIGIN.into() },
            settings: ConnectSettings {
                scopes: self.required_scopes.clone(),
                uniqueness: Uniqueness::PerProvider,
                allowed_origins: vec![ORIGIN.into()],
                popup_redirect: "postmessage".into(),
            },
            machine: self.machine.clone(),
        }
    }

    fn connecting_google(&self) -> Option<Connect<Memory>> {
        let client_id = self.google.as_ref()?.client_id.clone();
        let identity = IdentityPolicy::Google { client_id };
        Some(self.connect(Provider::Gmail, identity, &self.required_scopes))
    }

    fn connecting_at(&self, microsoft: &Microsoft) -> Connect<Memory> {
        let settings = &microsoft.settings;
        let identity = IdentityPolicy::Microsoft(account::IdentityPolicy {
            client_id: settings.client_id.clone(),
            login_base: settings.login_base.clone(),
        });
        self.connect(Provider::Outlook, identity, &settings.scopes)
    }

    fn connect(
        &self,
        kind: Provider,
        identity: IdentityPolicy,
        required_scopes: &[String],
    ) -> Connect<Memory> {
        Connect {
            store: self.world.store(),
            vault: self.world.vault(),
            provider: self.providers(),
            wake_ups: self.world.wake_ups(),
            bus: self.world.bus(),
            kind,
            identity,
            required_scopes: required_scopes.into(),
            uniqueness: Uniqueness::PerProvider,
        }
    }

    fn api(&self) -> Api<Memory> {
        Api {
            store: self.world.store(),
            vault: self.world.vault(),
            provider: self.providers(),
            wake_ups: self.world.wake_ups(),
            depths: self.world.depths(),
            objects: self.world.objects(),
            bus: self.world.bus(),
            signatures: HmacSha256,
            gate: self.gate(),
            app: AppSettings { public_url: ORIGIN.into() },
            thresholds: self.thresholds(),
            retention: RETENTION,
            checked: Checked::default(),
            refreshes: Refreshes::default(),
            opened: OpenedSecrets::default(),
            machine: self.machine.clone(),
        }
    }

    fn thresholds(&self) -> Thresholds {
        Thresholds {
            sweep_times: SWEEP_TIMES,
            sweep_every: Duration::from_secs(60),
            units_per_minute: PROCESSOR_LIMITS.units_per_minute,
            required_scopes: self
                .google
                .iter()
                .map(|_| (Provider::Gmail, self.required_scopes.clone()))
                .collect(),
        }
    }

    fn webhook(&self, legacy_token: Option<SecretString>) -> Webhook<Memory> {
        Webhook {
            receive: self.google.as_ref().map(|_| self.receiving()),
            notified: Notified {
                wake_ups: self.world.wake_ups(),
                signatures: HmacSha256,
                keys: self.notification_keys.clone(),
            },
            legacy_token,
            clock: self.machine.clone(),
        }
    }

    fn receiving(&self) -> Receive<Memory> {
        Receive {
            verifier: self.keys("oauth2/v3/certs"),
            wake_ups: self.world.wake_ups(),
            quarantine: self.world.quarantine(),
            policy: PushPolicy {
                audience: PUSH_AUDIENCE.into(),
                service_account: PUSH_ACCOUNT.into(),
            },
            subscription: SUBSCRIPTION.into(),
        }
    }

    /// Takes wake-ups from the queue, one after the other, as the event source mapping does.
    fn process(&self) {
        let (world, machine, process) =
            (self.world.clone(), self.machine.clone(), self.processing());
        tokio::spawn(async move {
            loop {
                let Some(received) = world.wake_ups().receive() else {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    continue;
                };
                let mut message = SqsMessage::default();
                message.message_id = Some("message".into());
                message.body = Some(serde_json::to_string(&received.wake_up).unwrap());
                let mut event = SqsEvent::default();
                event.records = vec![message];
                let response =
                    history_processor::handle(&process, &world.quarantine(), event, machine.now())
                        .await;
                match response.batch_item_failures.is_empty() {
                    true => world.wake_ups().delete(&received),
                    false => world.wake_ups().give_back(&received),
                }
            }
        });
    }

    /// What the processor answers to an event of the queue's.
    pub async fn handle(&self, event: SqsEvent) -> SqsBatchResponse {
        history_processor::handle(
            &self.processing(),
            &self.world.quarantine(),
            event,
            self.machine.now(),
        )
        .await
    }

    fn processing(&self) -> Process<Memory> {
        Process {
            store: self.world.store(),
            vault: self.world.vault(),
            provider: self.providers(),
            bus: self.world.bus(),
            wake_ups: self.world.wake_ups(),
            clock: self.machine.clone(),
            limits: PROCESSOR_LIMITS,
            refreshes: Refreshes::default(),
        }
    }

    /// One tick of the renewer's schedule.
    pub async fn sweep(&self) -> Swept {
        let renew = Renew::<Memory> {
            store: self.world.store(),
            vault: self.world.vault(),
            provider: self.providers(),
            wake_ups: self.world.wake_ups(),
            clock: self.machine.clone(),
            sweep_times: SWEEP_TIMES,
            budget: Duration::from_secs(25),
            refreshes: Refreshes::default(),
        };
        renew.run(self.machine.now()).await
    }
}

/// What the bucket's URLs lead to.
fn bucket(objects: MemoryObjects) -> Router {
    let serve = move |request: Request| async move {
        let (parts, body) = request.into_parts();
        let length = parts.headers.get("content-length").is_some();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let bytes = length.then(|| bytes.to_vec());
        let served = objects.serve(parts.method.as_str(), &parts.uri.to_string(), bytes);
        let mut response = axum::http::Response::builder().status(served.status);
        if let Some(shown) = served.shown {
            response = response
                .header("content-disposition", shown.disposition)
                .header("content-type", shown.mime_type);
        }
        response.body(axum::body::Body::from(served.bytes)).unwrap()
    };
    Router::new().route("/bucket/{*key}", axum::routing::any(serve))
}

fn google(url: &str) -> GoogleSettings {
    GoogleSettings {
        client_id: Config::default().client_id,
        client_secret: SecretString::from(Config::default().client_secret),
        token_url: format!("{url}/token"),
        revoke_url: format!("{url}/revoke"),
        api_base: url.into(),
        batch_url: format!("{url}/batch/gmail/v1"),
        auth_url: format!("{url}/o/oauth2/v2/auth"),
        pubsub_topic: "projects/example-project/topics/gmail".into(),
        retry: RetryPolicy { max_attempts: 3, statuses: vec![429, 500, 502, 503, 504] },
    }
}

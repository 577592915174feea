//! A built function behind AWS's Runtime Interface Emulator, in its own world: a local AWS and a
//! fake Google.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_eventbridge::types::Target;
use aws_sdk_kms::types::KeySpec;
use aws_sdk_sqs::types::QueueAttributeName;
use email_connectors::adapters::aws::SdkConfig;
use fake_google::{Config, FakeGoogle, Running};
use serde_json::Value;
use tests::template;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::aws;

/// Where a function may leave messages: the queues and the bus, by the variables that name them.
pub const QUEUES: [&str; 4] =
    ["NOTIFICATION_QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "QUARANTINE_QUEUE_URL", BUS];
const BUS: &str = "EVENT_BUS_NAME";

/// The services that a function needs, and the value of every variable that a deployment sets.
pub struct World {
    _google: Running,
    values: BTreeMap<&'static str, String>,
    /// The queue that gets every event of the bus.
    events: String,
}

impl World {
    pub async fn start() -> Self {
        let config = aws::config().await;
        let google = FakeGoogle::start(Config::default()).await.unwrap();
        let sqs = aws_sdk_sqs::Client::new(&config);
        let fifo = sqs
            .create_queue()
            .queue_name(format!("{}.fifo", aws::unique("queue")))
            .attributes(QueueAttributeName::FifoQueue, "true");
        let dead_letters = sqs
            .create_queue()
            .queue_name(aws::unique("dead"))
            .send()
            .await
            .unwrap()
            .queue_url
            .unwrap();
        let quarantine = sqs
            .create_queue()
            .queue_name(aws::unique("quarantine"))
            .send()
            .await
            .unwrap()
            .queue_url
            .unwrap();
        let key = aws_sdk_kms::Client::new(&config)
            .create_key()
            .key_spec(KeySpec::SymmetricDefault)
            .send()
            .await
            .unwrap();
        let bus = aws::unique("bus");
        let events = watched_bus(&config, &bus).await;
        let fixed = [
            ("RUST_LOG", "info"),
            ("APP_PUBLIC_URL", "https://app.example.com"),
            ("ALLOWED_ORIGINS", "https://app.example.com"),
            ("AUTH_ISSUER", "https://login.example.com"),
            ("AUTH_AUDIENCE", "email-connectors"),
            ("CONSOLE_CLIENT_ID", "local-console"),
            ("CONSOLE_CONNECT_ORIGINS", ""),
            ("CONSOLE_FILES_ORIGIN", "https://mail.s3.us-east-1.amazonaws.com"),
            ("GOOGLE_CLIENT_ID", "local-client.apps.googleusercontent.com"),
            ("GOOGLE_CLIENT_SECRET", "local-secret"),
            ("PUBSUB_TOPIC", "projects/example-project/topics/gmail"),
            ("PUBSUB_SUBSCRIPTION", "projects/example-project/subscriptions/gmail"),
            ("PUBSUB_AUDIENCE", "https://connectors.example.com/pubsub"),
            ("PUBSUB_SERVICE_ACCOUNT", "gmail-push@example-project.iam.gserviceaccount.com"),
            ("MICROSOFT_CLIENT_ID", "11111111-1111-4111-8111-111111111111"),
            ("MICROSOFT_CLIENT_SECRET", "local-secret"),
            ("MICROSOFT_NOTIFICATION_KEY", "local-notification-key-of-32-characters"),
            // No sample calls them.
            ("MICROSOFT_LOGIN_BASE", "http://127.0.0.1:9"),
            ("GRAPH_API_BASE", "http://127.0.0.1:9/v1.0"),
            ("GRAPH_NOTIFICATION_URL", "https://connectors.example.com/graph"),
        ];
        let mut values: BTreeMap<&'static str, String> =
            fixed.map(|(name, value)| (name, value.into())).into();
        values.extend([
            ("TABLE_NAME", aws::table(&config).await),
            ("KMS_KEY_ID", key.key_metadata.unwrap().key_id),
            ("NOTIFICATION_QUEUE_URL", fifo.send().await.unwrap().queue_url.unwrap()),
            ("QUARANTINE_QUEUE_URL", quarantine),
            ("DEAD_LETTER_QUEUE_URL", dead_letters),
            (BUS, bus),
            ("MAIL_BUCKET", "mail".into()),
            ("AUTH_JWKS_URL", format!("{}/users/certs", google.url)),
            ("GOOGLE_AUTH_URL", format!("{}/o/oauth2/v2/auth", google.url)),
            ("GOOGLE_TOKEN_URL", format!("{}/token", google.url)),
            ("GOOGLE_REVOKE_URL", format!("{}/revoke", google.url)),
            ("GOOGLE_CERTS_URL", format!("{}/oauth2/v3/certs", google.url)),
            ("GMAIL_API_BASE", google.url.clone()),
            ("GMAIL_BATCH_URL", format!("{}/batch/gmail/v1", google.url)),
        ]);
        Self { _google: google, values, events }
    }

    /// The same world, where every URL of a provider's except the keys' leads to a trap, which
    /// counts each call and drops it.
    pub async fn with_trap(mut self, dry_run: bool) -> (Self, Trap) {
        let trap = Trap::start().await;
        for name in [
            "GOOGLE_AUTH_URL",
            "GOOGLE_TOKEN_URL",
            "GOOGLE_REVOKE_URL",
            "GMAIL_API_BASE",
            "GMAIL_BATCH_URL",
            "MICROSOFT_LOGIN_BASE",
            "GRAPH_API_BASE",
        ] {
            self.values.insert(name, trap.url.clone());
        }
        self.values.insert("DRY_RUN", dry_run.to_string());
        (self, trap)
    }

    /// Takes all messages out of a queue, parsed if they are JSON; waits until there are this many.
    pub async fn taken(&self, queue: &str, wanted: usize) -> Vec<Value> {
        let sqs = aws_sdk_sqs::Client::new(&aws::config().await);
        let url = if queue == BUS { &self.events } else { &self.values[queue] };
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut taken = Vec::new();
        loop {
            let request = sqs
                .receive_message()
                .queue_url(url)
                .max_number_of_messages(10)
                .wait_time_seconds(0);
            let messages = request.send().await.unwrap().messages.unwrap_or_default();
            if messages.is_empty() {
                if taken.len() >= wanted || Instant::now() > deadline {
                    return taken;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            for message in messages {
                sqs.delete_message()
                    .queue_url(url)
                    .receipt_handle(message.receipt_handle().unwrap())
                    .send()
                    .await
                    .unwrap();
                let body = message.body().unwrap();
                taken.push(serde_json::from_str(body).unwrap_or_else(|_| body.into()));
            }
        }
    }

    /// The variables that the template declares for a function, and no others.
    fn environment(&self, function: &str) -> BTreeMap<String, String> {
        template::variables(&template::read(), function, |name| self.values.get(name).cloned())
    }
}

/// Creates a bus, and a queue that gets each of its events.
async fn watched_bus(config: &SdkConfig, bus: &str) -> String {
    let (sqs, events) =
        (aws_sdk_sqs::Client::new(config), aws_sdk_eventbridge::Client::new(config));
    let queue = sqs
        .create_queue()
        .queue_name(aws::unique("events"))
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap();
    let attributes = sqs
        .get_queue_attributes()
        .queue_url(&queue)
        .attribute_names(QueueAttributeName::QueueArn)
        .send()
        .await
        .unwrap();
    let arn = &attributes.attributes.unwrap()[&QueueAttributeName::QueueArn];
    events.create_event_bus().name(bus).send().await.unwrap();
    let all = r#"{"source": [{"prefix": ""}]}"#;
    events.put_rule().name("all").event_bus_name(bus).event_pattern(all).send().await.unwrap();
    let target = Target::builder().id("queue").arn(arn).build().unwrap();
    events.put_targets().rule("all").event_bus_name(bus).targets(target).send().await.unwrap();
    queue
}

/// A port that counts each connection and never answers.
pub struct Trap {
    pub url: String,
    calls: Arc<AtomicUsize>,
    listening: JoinHandle<()>,
}

impl Trap {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let listening = tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                drop(caller);
            }
        });
        Self { url, calls, listening }
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// `history-processor` is `HistoryProcessorFunction` in the template.
pub fn logical_id(function: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    function.split('-').map(capital).collect::<String>() + "Function"
}

fn bootstrap(function: &str) -> String {
    let path = format!(
        "{}/../.aws-sam/build/{}/bootstrap",
        env!("CARGO_MANIFEST_DIR"),
        logical_id(function)
    );
    assert!(std::path::Path::new(&path).exists(), "{function} is not built: make build");
    path
}

pub struct Emulator {
    url: String,
    /// Killed on drop; the function ends with it.
    _process: Child,
}

impl Emulator {
    pub async fn start(function: &str, world: &World) -> Self {
        let rie = std::env::var("AWS_LAMBDA_RIE")
            .expect("AWS_LAMBDA_RIE names the emulator; `make test` sets it");
        let (front, back) = (free_port(), free_port());
        let process = Command::new(rie)
            .args(["--runtime-interface-emulator-address", &front, "--runtime-api-address", &back])
            .arg(bootstrap(function))
            .envs(world.environment(function))
            .env("AWS_LAMBDA_FUNCTION_NAME", function)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let url = format!("http://{front}/2015-03-31/functions/function/invocations");
        until_listening(&front).await;
        Self { url, _process: process }
    }

    /// The emulator handles one call at a time.
    pub async fn invoke(&self, event: String) -> Value {
        let request =
            reqwest::Client::new().post(&self.url).timeout(Duration::from_secs(60)).body(event);
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("the function answered {text:?}"))
    }
}

async fn until_listening(address: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while tokio::net::TcpStream::connect(address).await.is_err() {
        assert!(Instant::now() < deadline, "the emulator does not listen on {address}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The output of a function that is started without one of its settings; it must exit with an
/// error.
pub async fn start_without(function: &str, setting: &str, world: &World) -> String {
    let mut environment = world.environment(function);
    assert!(environment.remove(setting).is_some(), "{function} does not know {setting}");
    let mut command = Command::new(bootstrap(function));
    command
        .envs(environment)
        .env_remove(setting)
        .env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9")
        .env("AWS_LAMBDA_FUNCTION_NAME", function);
    command
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .kill_on_drop(true);
    let output =
        tokio::time::timeout(Duration::from_secs(20), command.stdin(Stdio::null()).output()).await;
    let output = output.unwrap_or_else(|_| panic!("{function} runs without {setting}")).unwrap();
    assert!(!output.status.success(), "{function} ended well without {setting}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Below the ports that Linux gives to outgoing connections and to whoever asks for any (from
/// 32768 up), so nobody takes it before the emulator binds it; each process, which runs one test,
/// looks from a place of its own.
fn free_port() -> String {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(8);
    let candidates = (0..12_000).map(|_| first + TAKEN.fetch_add(1, Ordering::SeqCst));
    let mut addresses = candidates.map(|number| format!("127.0.0.1:{}", 20_000 + number % 12_000));
    addresses.find(|address| std::net::TcpListener::bind(address).is_ok()).expect("a free port")
}

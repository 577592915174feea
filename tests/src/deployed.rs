//! The running stack, as `make local-up` describes it in stack.json, and what tests do with it.
#![allow(
    clippy::disallowed_methods,
    reason = "a test lives in the world, which has its own clock and its own waits"
)]

mod collected;
mod events;
mod kept;
mod user;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use aws_sdk_sqs::types::QueueAttributeName;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use self::collected::Collected;
use self::kept::Kept;
pub use self::user::{User, token, token_with, webhook};

/// Nothing takes that long but on a machine that has ten times as much to do as it can.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
const BETWEEN_SWEEPS: Duration = Duration::from_secs(2);
/// What the schedule sends.
const TICK: &str = include_str!("../../events/watch-renewer.schedule.json");

pub const PUSH_PATH: &str = "/api/email/webhook/google/pubsub";
/// Where Graph's notifications go.
pub const GRAPH_PATH: &str = "/api/email/webhook/microsoft/graph";
/// The page that may call the API from a browser.
pub const ORIGIN: &str = "https://app.example.com";

/// The API and a Google: of the deployed stack, or of a test's own world.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Stack {
    pub api_url: String,
    pub google_url: String,
    pub microsoft_url: String,
    pub aws_endpoint: String,
    pub table: String,
    pub event_bus: String,
    pub agent_run_queue_url: String,
    pub dead_letter_queue_url: String,
    pub quarantine_queue_url: String,
    pub notification_queue_url: String,
    pub watch_renewer_function: String,
    pub pids: BTreeMap<String, Value>,
    #[serde(skip, default = "client")]
    http: Client,
    #[serde(skip)]
    kept: Kept,
    #[serde(skip)]
    collected: Option<Collected>,
    /// The bodies of the events that a test was given, and how often each has come.
    #[serde(skip)]
    given: Mutex<BTreeMap<String, usize>>,
}

/// A client that does not follow redirects.
fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().expect("an HTTP client")
}

impl Stack {
    /// A stack without AWS: an API and a Google at these URLs.
    pub fn at(api_url: String, google_url: String) -> Self {
        Self { api_url, google_url, http: client(), ..Self::default() }
    }

    /// The stack as it is, shared with other tests: for a test that owns its mailbox and reads only
    /// its own events.
    pub fn running() -> Self {
        let file = stack_json();
        let text = std::fs::read_to_string(&file).unwrap_or_else(|_| {
            panic!("{} is not there: no stack is running (make local-up)", file.display())
        });
        Self {
            kept: Kept::beside(&file.to_string_lossy()),
            collected: Some(Collected::from_now(file.with_file_name("collected.jsonl"))),
            ..serde_json::from_str(&text).unwrap()
        }
    }

    /// The stack at rest: no faults, default pushes, right clocks, empty queues. For a test that runs alone on
    /// the stack.
    pub async fn at_rest() -> Self {
        let stack = Self::running();
        stack.google(Method::DELETE, "/admin/faults", Value::Null).await;
        stack.google(Method::PUT, "/admin/push", json!({"mode": {}})).await;
        stack.google(Method::DELETE, "/admin/calls", Value::Null).await;
        stack.microsoft(Method::DELETE, "/admin/faults", Value::Null).await;
        stack.microsoft(Method::PUT, "/admin/notifications", json!({})).await;
        stack.microsoft(Method::PUT, "/admin/clock", json!({})).await;
        stack.idle().await;
        stack
            .sqs()
            .await
            .purge_queue()
            .queue_url(&stack.dead_letter_queue_url)
            .send()
            .await
            .unwrap();
        stack
    }

    pub async fn config(&self) -> email_connectors::adapters::aws::SdkConfig {
        use aws_sdk_sqs::config::{
            BehaviorVersion, Credentials, Region, SharedCredentialsProvider,
        };
        let credentials =
            SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "local"));
        let builder = email_connectors::adapters::aws::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest());
        builder
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.aws_endpoint)
            .credentials_provider(credentials)
            .build()
    }

    pub async fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config().await)
    }

    /// The fake Google's admin side.
    pub async fn google(&self, method: Method, path: &str, body: Value) -> Value {
        self.admin(&self.google_url, method, path, body).await
    }

    async fn admin(&self, url: &str, method: Method, path: &str, body: Value) -> Value {
        let request =
            self.http.request(method, format!("{url}{path}")).timeout(Duration::from_secs(60));
        let response =
            if body.is_null() { request } else { request.json(&body) }.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// The fake Microsoft's admin side.
    pub async fn microsoft(&self, method: Method, path: &str, body: Value) -> Value {
        self.admin(&self.microsoft_url, method, path, body).await
    }

    /// The response to a browser; redirects are not followed.
    pub async fn visit(&self, url: &str) -> Response {
        self.http.get(url).send().await.unwrap()
    }

    /// The response to a form that a browser submits to a vendor's page; redirects are not followed.
    pub async fn submit(&self, url: &Url) -> Response {
        let (mut page, form) = (url.clone(), url.query().unwrap_or_default().to_string());
        page.set_query(None);
        self.http.post(page).body(form).send().await.unwrap()
    }

    /// A request to the API without a token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.api_url))
            // Longer than the gateway takes to give up.
            .timeout(Duration::from_secs(60))
    }

    /// The API's answer, recorded: every answer of the API goes through here.
    pub async fn answer(&self, request: RequestBuilder) -> Response {
        let request = request.build().unwrap();
        let (method, path) = (request.method().to_string(), request.url().path().to_string());
        self.kept.answer(&method, &path, self.http.execute(request).await.unwrap()).await
    }

    pub async fn api(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Response {
        let mut request = self
            .request(method, path)
            .header("origin", ORIGIN)
            .header("x-requested-with", "XMLHttpRequest");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.answer(request).await
    }

    /// The headers of the gateway's answer to a CORS preflight.
    pub async fn preflight(&self, path: &str, origin: &str) -> HeaderMap {
        let request = self.request(Method::OPTIONS, path).header("origin", origin);
        let request = request
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "authorization");
        self.answer(request).await.headers().clone()
    }

    pub async fn push(&self, token: Option<&str>, body: String) -> Response {
        let request = self
            .request(Method::POST, PUSH_PATH)
            .header("content-type", "application/json")
            .body(body);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        self.answer(request).await
    }

    pub async fn push_token(&self, claims: Value) -> String {
        let made = self.google(Method::POST, "/admin/push-tokens", json!({"claims": claims})).await;
        made["token"].as_str().unwrap().into()
    }

    /// Calls to Google for a mailbox.
    pub async fn calls_for(&self, email: &str) -> Vec<Value> {
        self.google(Method::GET, &format!("/admin/calls?email={email}"), Value::Null)
            .await
            .as_array()
            .unwrap()
            .clone()
    }

    pub async fn forget_calls_for(&self, email: &str) {
        self.google(Method::DELETE, &format!("/admin/calls?email={email}"), Value::Null).await;
    }

    /// A fault of one mailbox.
    pub async fn fault(&self, email: &str, mut fault: Value) {
        fault["email"] = email.into();
        self.google(Method::POST, "/admin/faults", fault).await;
    }

    pub async fn mend(&self, email: &str) {
        self.google(Method::DELETE, &format!("/admin/faults?email={email}"), Value::Null).await;
    }

    /// Invokes the watch renewer, as the schedule does.
    pub async fn sweep(&self) {
        let response = self.tick(TICK).await;
        assert!(response.status().is_success(), "{}", response.status());
    }

    /// What the watch renewer answers to an event.
    pub async fn tick(&self, event: &'static str) -> Response {
        let url = format!(
            "{}/2015-03-31/functions/{}/invocations",
            self.aws_endpoint, self.watch_renewer_function
        );
        self.http.post(url).body(event).timeout(Duration::from_secs(90)).send().await.unwrap()
    }

    pub async fn messages_in(&self, queue: &str) -> u32 {
        let request = self
            .sqs()
            .await
            .get_queue_attributes()
            .queue_url(queue)
            .attribute_names(QueueAttributeName::All);
        let answer = request.send().await.unwrap();
        let count = |name: QueueAttributeName| {
            answer.attributes().and_then(|all| all.get(&name)?.parse::<u32>().ok()).unwrap_or(0)
        };
        count(QueueAttributeName::ApproximateNumberOfMessages)
            + count(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
    }

    /// Waits until every wake-up was handled.
    pub async fn idle(&self) {
        self.until("an idle queue", async || {
            (self.messages_in(&self.notification_queue_url).await == 0).then_some(())
        })
        .await;
    }

    /// Polls until `look` returns something.
    pub async fn until<T, F: AsyncFnMut() -> Option<T>>(&self, what: &str, look: F) -> T {
        self.until_within(LONGEST_WAIT, what, look).await
    }

    /// The same, with sweeps in between: the schedule itself runs only once a minute.
    pub async fn until_swept<T, F: AsyncFnMut() -> Option<T>>(&self, what: &str, mut look: F) -> T {
        let mut swept = Instant::now();
        self.until(what, async || {
            if swept.elapsed() > BETWEEN_SWEEPS {
                self.sweep().await;
                swept = Instant::now();
            }
            look().await
        })
        .await
    }

    pub async fn until_within<T, F: AsyncFnMut() -> Option<T>>(
        &self,
        longest: Duration,
        what: &str,
        mut look: F,
    ) -> T {
        let deadline = Instant::now() + longest;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(Instant::now() < deadline, "waited in vain for: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The processes that run a function, by a part of its name, among the descendants of the stack's
/// own emulator.
pub fn processes(stack: &Stack, function: &str) -> Vec<u32> {
    let root = stack.pids["ministack"]["pid"]
        .as_u64()
        .or_else(|| stack.pids["ministack"].as_u64())
        .unwrap();
    let parent = |pid: u64| -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
    };
    let descends = |pid: u64| {
        std::iter::successors(Some(pid), |pid| parent(*pid).filter(|parent| *parent > 1))
            .any(|ancestor| ancestor == root)
    };
    let runs = |pid: u64| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let named = String::from_utf8_lossy(&environment).split('\0').any(|variable| {
            variable
                .strip_prefix("AWS_LAMBDA_FUNCTION_NAME=")
                .is_some_and(|name| name.contains(function))
        });
        let executable = std::fs::read_link(format!("/proc/{pid}/exe"))
            .is_ok_and(|exe| exe.ends_with("bootstrap"));
        named && executable
    };
    let pids = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u64>().ok());
    pids.filter(|pid| runs(*pid) && descends(*pid)).map(|pid| u32::try_from(pid).unwrap()).collect()
}

/// Kills the processes; returns whether any was running.
pub fn kill(pids: &[u32]) -> bool {
    let killed = |pid: &u32| {
        std::process::Command::new("kill")
            .args(["-9", &pid.to_string()])
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    };
    pids.iter().filter(|pid| killed(pid)).count() > 0
}

/// A file in the stack's own folder.
pub fn beside_the_stack(name: &str) -> std::path::PathBuf {
    stack_json().with_file_name(name)
}

fn stack_json() -> std::path::PathBuf {
    std::env::var("STACK_JSON")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../.local/stack.json").into())
        .into()
}

/// Checks the answer's status and returns its JSON.
pub async fn read(response: Response, expected: StatusCode) -> Value {
    let (status, text) = (response.status(), response.text().await.unwrap());
    assert_eq!(status, expected, "{text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// Checks that the events are the expected ones, and that repeats have the same bytes.
pub fn same_set(events: &[Value], expected: &BTreeSet<String>) {
    let mut copies: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for event in events {
        copies
            .entry(event["event_id"].as_str().unwrap().into())
            .or_default()
            .insert(event.to_string());
    }
    assert_eq!(&copies.keys().cloned().collect::<BTreeSet<_>>(), expected);
    assert!(
        copies.values().all(|bytes| bytes.len() == 1),
        "a repeat came in other bytes: {copies:?}"
    );
}

//! The running stack, as `make local-up` describes it in stack.json, and what tests do with it.
#![allow(clippy::disallowed_methods, reason = "a test lives in the world, which has its own clock and its own waits")]

mod collected;
mod kept;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::process::Stdio;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName;
use email_connectors::adapters::system::System;
use email_connectors::domain::event::DetailType;
use email_connectors::domain::id::{EventId, GoogleSub, MessageId, TriggerId};
use email_connectors::ports::{Clock, Entropy};
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use self::collected::Collected;
use self::kept::Kept;
use crate::schemas;

const PATIENCE: Duration = Duration::from_secs(150);
const BETWEEN_SWEEPS: Duration = Duration::from_secs(2);
const AGENT_RUNS: &str = "agent_run_queue";
const QUARANTINE: &str = "quarantine_queue";
/// What the schedule sends.
const TICK: &str = include_str!("../../events/watch-renewer.schedule.json");

pub const PUSH_PATH: &str = "/api/email/webhook/google/pubsub";
/// The page that may call the API from a browser.
pub const ORIGIN: &str = "https://app.example.com";

/// Whatever serves the API and a Google: the deployed stack, or a world of a test's own.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Stack {
    pub api_url: String,
    pub google_url: String,
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
}

/// Shows a redirect as the answer that it is.
fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().expect("an HTTP client")
}

impl Stack {
    /// Without AWS: an API and a Google that somebody else serves.
    pub fn at(api_url: String, google_url: String) -> Self {
        Self { api_url, google_url, http: client(), ..Self::default() }
    }

    /// The stack as it is, with whatever other tests do to it: for a test that owns its mailbox and asks only for what is its own.
    pub fn running() -> Self {
        let file = stack_json();
        let text = std::fs::read_to_string(&file)
            .unwrap_or_else(|_| panic!("{} is not there: no stack is running (make local-up)", file.display()));
        Self {
            kept: Kept::beside(&file.to_string_lossy()),
            collected: Some(Collected::from_now(file.with_file_name("collected.jsonl"))),
            ..serde_json::from_str(&text).unwrap()
        }
    }

    /// The stack at rest: no fault armed, pushes as usual, nothing on its way. For a test that has it to itself.
    pub async fn at_rest() -> Self {
        let stack = Self::running();
        stack.google(Method::DELETE, "/admin/faults", Value::Null).await;
        stack.google(Method::PUT, "/admin/push", json!({"mode": {}})).await;
        stack.google(Method::DELETE, "/admin/calls", Value::Null).await;
        stack.idle().await;
        stack.sqs().await.purge_queue().queue_url(&stack.dead_letter_queue_url).send().await.unwrap();
        stack
    }

    pub async fn config(&self) -> email_connectors::adapters::aws::SdkConfig {
        use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
        let credentials = SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "local"));
        let builder = email_connectors::adapters::aws::SdkConfig::builder().behavior_version(BehaviorVersion::latest());
        builder.region(Region::new("us-east-1")).endpoint_url(&self.aws_endpoint).credentials_provider(credentials).build()
    }

    pub async fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config().await)
    }

    /// The fake Google's admin side.
    pub async fn google(&self, method: Method, path: &str, body: Value) -> Value {
        let request = self.http.request(method, format!("{}{path}", self.google_url)).timeout(Duration::from_secs(60));
        let response = if body.is_null() { request } else { request.json(&body) }.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// What a browser is shown, or where it is sent on to.
    pub async fn visit(&self, url: &str) -> Response {
        self.http.get(url).send().await.unwrap()
    }

    /// A request to the API as nobody in particular makes it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.api_url)).timeout(Duration::from_secs(30))
    }

    /// What the API answers; every answer of it that a test gets comes through here.
    pub async fn answer(&self, request: RequestBuilder) -> Response {
        let request = request.build().unwrap();
        let (method, path) = (request.method().to_string(), request.url().path().to_string());
        self.kept.answer(&method, &path, self.http.execute(request).await.unwrap()).await
    }

    pub async fn api(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Response {
        let mut request = self.request(method, path).header("origin", ORIGIN).header("x-requested-with", "XMLHttpRequest");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.answer(request).await
    }

    /// What the gateway answers a browser that asks before it calls.
    pub async fn preflight(&self, path: &str, origin: &str) -> HeaderMap {
        let request = self.request(Method::OPTIONS, path).header("origin", origin);
        let request = request.header("access-control-request-method", "GET").header("access-control-request-headers", "authorization");
        self.answer(request).await.headers().clone()
    }

    pub async fn push(&self, token: Option<&str>, body: String) -> Response {
        let request = self.request(Method::POST, PUSH_PATH).header("content-type", "application/json").body(body);
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

    /// The events of one owner that nobody asked for yet, once so many different ones are there.
    pub async fn events(&self, owner: &str, expected: usize) -> Vec<Value> {
        let mut events = Vec::new();
        self.until(&format!("{expected} events of {owner}"), async || self.has_come(&mut events, owner, expected).then_some(())).await;
        events
    }

    /// The same of events that wait for the schedule.
    pub async fn events_swept(&self, owner: &str, expected: usize) -> Vec<Value> {
        let mut events = Vec::new();
        self.until_swept(&format!("{expected} events of {owner}"), async || self.has_come(&mut events, owner, expected).then_some(()))
            .await;
        events
    }

    fn has_come(&self, events: &mut Vec<Value>, owner: &str, expected: usize) -> bool {
        events.extend(self.events_so_far(|event| event["owner_id"] == owner));
        events.iter().map(|event| event["event_id"].to_string()).collect::<BTreeSet<_>>().len() >= expected
    }

    /// Waits until nothing is on its way any more: what has not fired by then does not. For a test that has the stack to itself.
    pub async fn quiet(&self) {
        self.idle().await;
        self.brought(AGENT_RUNS, &self.agent_run_queue_url).await;
    }

    /// What came and nobody asked for yet.
    pub fn events_so_far(&self, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut events = Vec::new();
        self.collected().take(|message| {
            let event = (message.of == AGENT_RUNS).then(|| serde_json::from_str::<Value>(&message.body).unwrap()).filter(&wanted);
            event.map(|event| events.push(event)).is_some()
        });
        events.iter().for_each(|event| schemas::hold(DetailType::TriggerFired.as_str(), event));
        events
    }

    /// What was set aside as unreadable and holds this text, once it is there.
    pub async fn quarantined(&self, text: &str) -> String {
        let holds = |message: &mut collected::Message| message.of == QUARANTINE && message.body.contains(text);
        self.until("what was set aside", async || self.collected().take(holds).pop()).await.body
    }

    /// All that was set aside as unreadable and nobody asked for yet.
    pub async fn all_quarantined(&self) -> Vec<String> {
        self.brought(QUARANTINE, &self.quarantine_queue_url).await;
        self.collected().take(|message| message.of == QUARANTINE).into_iter().map(|message| message.body).collect()
    }

    /// Waits until a queue brought what was in it: a message that is sent now comes behind all of it.
    async fn brought(&self, name: &str, queue: &str) {
        let marker = format!("marker-{}", System.uuid(System.now()));
        self.sqs().await.send_message().queue_url(queue).message_body(json!(marker).to_string()).send().await.unwrap();
        let is_marker = |message: &mut collected::Message| message.of == name && message.body.contains(&marker);
        self.until("what lies in the queue", async || self.collected().take(is_marker).pop()).await;
    }

    fn collected(&self) -> &Collected {
        self.collected.as_ref().expect("a deployed stack")
    }

    /// Calls to Google for a mailbox.
    pub async fn calls_for(&self, email: &str) -> Vec<Value> {
        self.google(Method::GET, &format!("/admin/calls?email={email}"), Value::Null).await.as_array().unwrap().clone()
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

    /// The schedule's work, done now.
    pub async fn sweep(&self) {
        let url = format!("{}/2015-03-31/functions/{}/invocations", self.aws_endpoint, self.watch_renewer_function);
        let response = self.http.post(url).body(TICK).timeout(Duration::from_secs(90)).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.status());
    }

    pub async fn messages_in(&self, queue: &str) -> u32 {
        let request = self.sqs().await.get_queue_attributes().queue_url(queue).attribute_names(QueueAttributeName::All);
        let answer = request.send().await.unwrap();
        let count = |name: QueueAttributeName| answer.attributes().and_then(|all| all.get(&name)?.parse::<u32>().ok()).unwrap_or(0);
        count(QueueAttributeName::ApproximateNumberOfMessages) + count(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
    }

    /// Waits until every wake-up was handled.
    pub async fn idle(&self) {
        self.until("an idle queue", async || (self.messages_in(&self.notification_queue_url).await == 0).then_some(())).await;
    }

    /// Waits until something holds, looking again and again; nothing here sleeps a fixed time and hopes.
    pub async fn until<T, F: AsyncFnMut() -> Option<T>>(&self, what: &str, look: F) -> T {
        self.until_within(PATIENCE, what, look).await
    }

    /// The same for what waits for the schedule, whose own rate is a minute at the least.
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

    pub async fn until_within<T, F: AsyncFnMut() -> Option<T>>(&self, patience: Duration, what: &str, mut look: F) -> T {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(Instant::now() < deadline, "waited in vain for: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A user with a connected mailbox and a trigger that fires for everything about invoices.
pub struct User {
    pub owner: String,
    pub token: String,
    pub email: String,
    pub sub: String,
    pub connector: String,
    pub trigger: String,
}

impl User {
    /// With a mailbox that is not connected.
    pub async fn new(stack: &Stack, name: &str) -> Self {
        let unique = System.uuid(System.now()).simple().to_string();
        let owner = format!("{name}-{unique}");
        let user = Self {
            token: token(stack, &owner).await,
            email: format!("{owner}@example.com"),
            sub: format!("sub-{unique}"),
            connector: String::new(),
            trigger: String::new(),
            owner,
        };
        stack.google(Method::POST, "/admin/mailboxes", json!({"email": user.email, "sub": user.sub})).await;
        user
    }

    /// Another owner of this one's mailbox, who has not connected it.
    pub async fn beside(&self, stack: &Stack, name: &str) -> Self {
        let owner = format!("{name}-{}", System.uuid(System.now()).simple());
        let (email, sub) = (self.email.clone(), self.sub.clone());
        Self { token: token(stack, &owner).await, owner, email, sub, connector: String::new(), trigger: String::new() }
    }

    pub async fn connected(stack: &Stack, name: &str) -> Self {
        Self::new(stack, name).await.connecting(stack).await
    }

    pub async fn connecting(mut self, stack: &Stack) -> Self {
        self.connector = self.connect(stack).await["connector_id"].as_str().unwrap().into();
        self.trigger = self.subscribe(stack, json!({"subject_contains": ["invoice"]})).await;
        self
    }

    pub async fn code(&self, stack: &Stack) -> String {
        let made = stack.google(Method::POST, "/admin/codes", json!({"email": self.email})).await;
        made["code"].as_str().unwrap().into()
    }

    pub async fn connect(&self, stack: &Stack) -> Value {
        let code = self.code(stack).await;
        let response = stack.api(Method::POST, "/api/auth/google/gmail", Some(&self.token), Some(json!({"auth_code": code}))).await;
        read(response, StatusCode::OK).await
    }

    pub async fn subscribe(&self, stack: &Stack, filters: Value) -> String {
        let body = json!({"type": "email", "agent_id": "agent-7", "config": {"connector_id": self.connector, "filters": filters}});
        let response = stack.api(Method::POST, "/api/triggers", Some(&self.token), Some(body)).await;
        read(response, StatusCode::CREATED).await["id"].as_str().unwrap().into()
    }

    /// Delivers so many mails at once, of which one push tells unless they are silent; answers their ids.
    pub async fn receive_many(&self, stack: &Stack, count: usize, mut mail: Value) -> Vec<String> {
        mail["count"] = count.into();
        let made = stack.google(Method::POST, &format!("/admin/mailboxes/{}/messages", self.email), mail).await;
        made.as_array().unwrap().iter().map(|made| made["id"].as_str().unwrap().into()).collect()
    }

    /// Delivers a mail; answers its id.
    pub async fn receive(&self, stack: &Stack, mail: Value) -> String {
        let made = stack.google(Method::POST, &format!("/admin/mailboxes/{}/messages", self.email), mail).await;
        made["id"].as_str().unwrap().into()
    }

    /// What else fired for this user, but for one more mail: once that has, whatever came before it would have.
    pub async fn rest(&self, stack: &Stack) -> Vec<Value> {
        let last = self.event_id(&self.receive(stack, json!({"subject": "the last invoice"})).await);
        let mut events = Vec::new();
        let came = async || {
            events.extend(stack.events(&self.owner, 0).await);
            events.iter().any(|event: &Value| event["event_id"] == last).then_some(())
        };
        stack.until("the last event", came).await;
        events.retain(|event| event["event_id"] != last);
        events
    }

    /// The id that the firing of this user's trigger for a message must have.
    pub fn event_id(&self, message: &str) -> String {
        EventId::derive(&GoogleSub::new(&self.sub), &MessageId::new(message), &TriggerId::new(&self.trigger)).to_string()
    }

    /// How far the mailbox was read, as the table has it.
    pub async fn position(&self, stack: &Stack) -> HashMap<String, AttributeValue> {
        let (pk, sk) = (format!("MAILBOX#{}", self.email), format!("CONNECTOR#{}", self.connector));
        let request = aws_sdk_dynamodb::Client::new(&stack.config().await).get_item().table_name(&stack.table);
        let request = request.key("pk", AttributeValue::S(pk)).key("sk", AttributeValue::S(sk)).consistent_read(true);
        let row = request.send().await.unwrap().item.unwrap();
        row["position"].as_m().unwrap().clone()
    }

    pub async fn connector(&self, stack: &Stack) -> Value {
        let response = stack.api(Method::GET, &format!("/api/connectors/{}", self.connector), Some(&self.token), None).await;
        read(response, StatusCode::OK).await
    }
}

/// A trigger that is fired by a signature.
pub async fn webhook(stack: &Stack, user: &User) -> Value {
    let body = json!({"type": "webhook", "agent_id": "agent-7", "config": {"connector_id": user.connector}});
    read(stack.api(Method::POST, "/api/triggers", Some(&user.token), Some(body)).await, StatusCode::CREATED).await
}

/// A token of an owner who may do everything.
pub async fn token(stack: &Stack, owner: &str) -> String {
    token_with(stack, json!({"sub": owner, "claims": {"role": "admin"}})).await
}

/// A token made to order: see the fake's `NewUserToken`.
pub async fn token_with(stack: &Stack, order: Value) -> String {
    stack.google(Method::POST, "/admin/user-tokens", order).await["token"].as_str().unwrap().into()
}

/// The processes that run a function, by a part of its name, among the descendants of the stack's own emulator.
pub fn processes(stack: &Stack, function: &str) -> Vec<u32> {
    let root = stack.pids["ministack"]["pid"].as_u64().or_else(|| stack.pids["ministack"].as_u64()).unwrap();
    let parent = |pid: u64| -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
    };
    let descends =
        |pid: u64| std::iter::successors(Some(pid), |pid| parent(*pid).filter(|parent| *parent > 1)).any(|ancestor| ancestor == root);
    let runs = |pid: u64| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let named = String::from_utf8_lossy(&environment)
            .split('\0')
            .any(|variable| variable.strip_prefix("AWS_LAMBDA_FUNCTION_NAME=").is_some_and(|name| name.contains(function)));
        let executable = std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe.ends_with("bootstrap"));
        named && executable
    };
    let pids = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u64>().ok());
    pids.filter(|pid| runs(*pid) && descends(*pid)).map(|pid| u32::try_from(pid).unwrap()).collect()
}

/// Whether there was one to end.
pub fn kill(pids: &[u32]) -> bool {
    let killed =
        |pid: &u32| std::process::Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status().unwrap().success();
    pids.iter().filter(|pid| killed(pid)).count() > 0
}

/// An answer's JSON, after its status was as expected.
/// A file in the folder of the stack's own.
pub fn beside_the_stack(name: &str) -> std::path::PathBuf {
    stack_json().with_file_name(name)
}

fn stack_json() -> std::path::PathBuf {
    std::env::var("STACK_JSON").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../.local/stack.json").into()).into()
}

pub async fn read(response: Response, expected: StatusCode) -> Value {
    let (status, text) = (response.status(), response.text().await.unwrap());
    assert_eq!(status, expected, "{text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// What came of the events: as many different ones as were expected, each always in the same bytes.
pub fn same_set(events: &[Value], expected: &BTreeSet<String>) {
    let mut copies: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for event in events {
        copies.entry(event["event_id"].as_str().unwrap().into()).or_default().insert(event.to_string());
    }
    assert_eq!(&copies.keys().cloned().collect::<BTreeSet<_>>(), expected);
    assert!(copies.values().all(|bytes| bytes.len() == 1), "a repeat came in other bytes: {copies:?}");
}

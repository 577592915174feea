//! The running stack, as `make local-up` describes it in stack.json, and what tests do with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName;
use email_connectors::adapters::system::System;
use email_connectors::domain::id::{EventId, GoogleSub, MessageId, TriggerId};
use email_connectors::ports::{Clock, Entropy};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(150);

#[derive(Deserialize)]
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
    pub pids: BTreeMap<String, Value>,
    #[serde(skip)]
    http: Client,
}

impl Stack {
    /// The stack at rest: no fault armed, pushes as usual, no event of an earlier test in the queue.
    pub async fn at_rest() -> Self {
        let file = std::env::var("STACK_JSON").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../.local/stack.json").into());
        let text = std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("{file} is not there: no stack is running (make local-up)"));
        let stack: Self = serde_json::from_str(&text).unwrap();
        stack.google(Method::DELETE, "/admin/faults", Value::Null).await;
        stack.google(Method::PUT, "/admin/push", json!({"mode": {}})).await;
        stack.google(Method::DELETE, "/admin/calls", Value::Null).await;
        let sqs = stack.sqs().await;
        for queue in [&stack.agent_run_queue_url, &stack.quarantine_queue_url, &stack.dead_letter_queue_url] {
            sqs.purge_queue().queue_url(queue).send().await.unwrap();
        }
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

    pub async fn api(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Response {
        let mut request = self.http.request(method, format!("{}{path}", self.api_url)).timeout(Duration::from_secs(30));
        request = request.header("origin", "https://app.example.com").header("x-requested-with", "XMLHttpRequest");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    /// What the gateway answers a browser that asks before it calls.
    pub async fn preflight(&self, path: &str, origin: &str) -> HeaderMap {
        let request = self.http.request(Method::OPTIONS, format!("{}{path}", self.api_url)).header("origin", origin);
        let request = request.header("access-control-request-method", "GET").header("access-control-request-headers", "authorization");
        request.send().await.unwrap().headers().clone()
    }

    pub async fn push(&self, token: Option<&str>, body: String) -> Response {
        let request =
            self.http.post(format!("{}/api/email/webhook/google/pubsub", self.api_url)).header("content-type", "application/json");
        let request = request.body(body);
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
        .send()
        .await
        .unwrap()
    }

    pub async fn push_token(&self, claims: Value) -> String {
        let made = self.google(Method::POST, "/admin/push-tokens", json!({"claims": claims})).await;
        made["token"].as_str().unwrap().into()
    }

    /// The events of one owner.
    pub async fn events(&self, owner: &str, expected: usize) -> Vec<Value> {
        let mut events = self.all_events(expected).await;
        events.retain(|event| event["owner_id"] == owner);
        events
    }

    pub async fn all_events(&self, expected: usize) -> Vec<Value> {
        self.events_within(PATIENCE, expected).await
    }

    /// The events in the agent-run queue, until as many different ones as expected are there, and then until
    /// the queue has stayed empty for a moment: a repeat would show.
    pub async fn events_within(&self, patience: Duration, expected: usize) -> Vec<Value> {
        let sqs = self.sqs().await;
        let deadline = Instant::now() + patience;
        let mut events: Vec<Value> = Vec::new();
        loop {
            let different = events.iter().map(|event| event["event_id"].to_string()).collect::<BTreeSet<_>>().len();
            let request = sqs.receive_message().queue_url(&self.agent_run_queue_url).max_number_of_messages(10).wait_time_seconds(3);
            let messages = request.send().await.unwrap().messages.unwrap_or_default();
            if messages.is_empty() && (different >= expected || Instant::now() > deadline) {
                return events;
            }
            for message in messages {
                sqs.delete_message()
                    .queue_url(&self.agent_run_queue_url)
                    .receipt_handle(message.receipt_handle().unwrap())
                    .send()
                    .await
                    .unwrap();
                events.push(serde_json::from_str(message.body().unwrap()).unwrap());
            }
        }
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
    pub async fn until<T, F: AsyncFn() -> Option<T>>(&self, what: &str, look: F) -> T {
        self.until_within(PATIENCE, what, look).await
    }

    pub async fn until_within<T, F: AsyncFn() -> Option<T>>(&self, patience: Duration, what: &str, look: F) -> T {
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
    pub async fn connected(stack: &Stack, name: &str) -> Self {
        let unique = System.uuid(System.now()).simple().to_string();
        let mut user = Self {
            owner: format!("{name}-{unique}"),
            email: format!("{name}-{unique}@example.com"),
            sub: format!("sub-{unique}"),
            token: String::new(),
            connector: String::new(),
            trigger: String::new(),
        };
        user.token = token(stack, &user.owner).await;
        stack.google(Method::POST, "/admin/mailboxes", json!({"email": user.email, "sub": user.sub})).await;
        let connected = user.connect(stack).await;
        user.connector = connected["connector_id"].as_str().unwrap().into();
        user.trigger = user.subscribe(stack, json!({"subject_contains": ["invoice"]})).await;
        user
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

pub async fn token(stack: &Stack, owner: &str) -> String {
    stack.google(Method::POST, "/admin/user-tokens", json!({"sub": owner})).await["token"].as_str().unwrap().into()
}

/// An answer's JSON, after its status was as expected.
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

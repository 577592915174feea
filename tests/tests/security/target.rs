//! The environment under test: this process, the deployed stack, or both, with the same requests.

use std::time::{Duration, Instant};

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{Stack, processes};

use crate::security::forge::NOBODYS_HISTORY_ID;
use crate::security::{audits, counters, logs};
use tests::inside::{Inside, Options};

/// How long to wait for something in this process.
const INSIDE: Duration = Duration::from_secs(20);

pub struct Target {
    pub name: &'static str,
    pub stack: Stack,
    pub inside: Option<Inside>,
    began: std::time::SystemTime,
}

impl Target {
    /// This process, and the deployed stack unless `SECURITY_ROWS=in-process`.
    pub async fn all() -> Vec<Self> {
        let mut targets = vec![Self::inside().await];
        targets.extend(Self::deployed().await);
        targets
    }

    pub async fn inside() -> Self {
        Self::inside_with(Options::default()).await
    }

    pub async fn inside_with(options: Options) -> Self {
        counters::start();
        audits::listen();
        Self::configured(options).await
    }

    /// Another world in this process; metrics and audit lines go to the recorders that are already
    /// installed, if any.
    pub async fn configured(options: Options) -> Self {
        let inside = Inside::start(options).await;
        Self {
            name: "in process",
            stack: inside.stack(),
            inside: Some(inside),
            began: std::time::SystemTime::now(),
        }
    }

    /// The deployed stack, once it is at rest.
    pub async fn deployed() -> Option<Self> {
        match std::env::var("SECURITY_ROWS").as_deref() {
            Ok("in-process") => None,
            Ok(other) => panic!("SECURITY_ROWS={other}: it is `in-process`, or not set"),
            Err(_) => {
                let stack = Stack::at_rest().await;
                Some(Self {
                    name: "deployed",
                    stack,
                    inside: None,
                    began: std::time::SystemTime::now(),
                })
            }
        }
    }

    /// The audit lines of one user agent; waits until there are this many.
    pub async fn audited(&self, agent: &str, expected: usize) -> Vec<Value> {
        match &self.inside {
            Some(_) => audits::of(&audits::heard(), agent),
            None => audits::kept(&self.stack, agent, self.began, expected).await,
        }
    }

    /// The deployed stack's audit log, line by line.
    pub async fn audit_log(&self) -> Vec<String> {
        logs::lines_of(&self.stack, "AuditLogGroup", self.began).await
    }

    /// Everything that was logged since this case began, line by line.
    pub async fn logged(&self) -> Vec<String> {
        match &self.inside {
            Some(_) => audits::heard(),
            None => logs::lines(&self.stack, self.began).await,
        }
    }

    /// Moves the clock forward; only in process.
    pub fn pass(&self, span: Duration) {
        self.inside
            .as_ref()
            .expect("the deployed stack's clock is the machine's own")
            .machine
            .pass(span);
    }

    pub async fn push_token(&self, order: Value) -> String {
        self.stack.google(Method::POST, "/admin/push-tokens", order).await["token"]
            .as_str()
            .unwrap()
            .into()
    }

    /// A token as Pub/Sub sends it.
    pub async fn good_token(&self) -> String {
        self.push_token(json!({})).await
    }

    /// How often a metric was counted since this case began.
    pub async fn counted(&self, name: &str) -> u64 {
        match &self.inside {
            Some(_) => counters::of(name),
            None => logs::counted(&self.stack, name, self.began).await,
        }
    }

    /// Waits until a metric reaches this count; returns its last count.
    pub async fn counted_to(&self, name: &str, expected: u64) -> u64 {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let counted = self.counted(name).await;
            if counted >= expected || Instant::now() > deadline {
                return counted;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// How many forged pushes were queued; waits until there are this many. The deployed stack may
    /// queue pushes of earlier cases' mailboxes meanwhile, so only those of `forge::nobodys_push`
    /// count there.
    pub async fn queued(&self, expected: u64) -> u64 {
        if self.inside.is_some() {
            return self.counted_to("PushQueued", expected).await;
        }
        let forged = |line: &String| {
            serde_json::from_str::<Value>(line).is_ok_and(|line| {
                let history_id = line["fields"]["history_id"].as_str();
                line["fields"]["message"] == "push queued"
                    && history_id.and_then(|id| id.parse().ok()) == Some(NOBODYS_HISTORY_ID)
            })
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let queued = self.logged().await.iter().filter(|line| forged(line)).count() as u64;
            if queued >= expected || Instant::now() > deadline {
                return queued;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A mailbox's current history id, as a push would carry it.
    pub async fn history_id(&self, email: &str) -> u64 {
        let shown =
            self.stack.google(Method::GET, &format!("/admin/mailboxes/{email}"), Value::Null).await
                ["history_id"]
                .clone();
        shown.as_u64().or_else(|| shown.as_str()?.parse().ok()).unwrap()
    }

    pub async fn calls(&self) -> Vec<Value> {
        let calls = self.stack.google(Method::GET, "/admin/calls", Value::Null).await;
        calls.as_array().unwrap().clone()
    }

    /// How often a method of Google's was called.
    pub async fn called(&self, method: &str) -> usize {
        self.calls().await.iter().filter(|call| call["method"] == method).count()
    }

    /// How often a mailbox's method was called.
    pub async fn called_for(&self, email: &str, method: &str) -> usize {
        self.calls()
            .await
            .iter()
            .filter(|call| call["method"] == method && call["email"] == email)
            .count()
    }

    /// How often one of the two key sets was fetched: `google` or `users`.
    pub async fn fetches(&self, set: &str) -> usize {
        let path = if set == "users" { "/users/certs" } else { "/oauth2/v3/certs" };
        self.calls()
            .await
            .iter()
            .filter(|call| call["method"] == "certs" && call["path"].as_str() == Some(path))
            .count()
    }

    pub async fn forget_calls(&self) {
        self.stack.google(Method::DELETE, "/admin/calls", Value::Null).await;
    }

    pub async fn fault(&self, fault: Value) {
        self.stack.google(Method::POST, "/admin/faults", fault).await;
    }

    pub async fn mend(&self) {
        self.stack.google(Method::DELETE, "/admin/faults", Value::Null).await;
    }

    /// How many environments of a function are alive.
    pub fn environments(&self, function: &str) -> usize {
        match self.inside {
            Some(_) => 1,
            None => processes(&self.stack, function).len(),
        }
    }

    pub async fn idle(&self) {
        match &self.inside {
            Some(inside) => {
                let empty = async || inside.world.wake_ups().queued().is_empty().then_some(());
                self.stack.until_within(INSIDE, "an empty queue", empty).await;
            }
            None => self.stack.idle().await,
        }
    }

    /// The published TRIGGER_FIRED events of an owner; waits until there are this many, then until
    /// nothing is pending.
    pub async fn fired(&self, owner: &str, expected: usize) -> Vec<Value> {
        if self.inside.is_none() {
            let mut fired = self.stack.events(owner, expected).await;
            self.stack.quiet().await;
            fired.extend(self.stack.events(owner, 0).await);
            return fired;
        }
        // A missing event fails the row that expects it, so the wait just ends.
        let deadline = Instant::now() + INSIDE;
        while self.fired_so_far(owner).len() < expected && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.idle().await;
        self.fired_so_far(owner)
    }

    /// The events so far, without waiting; only in process.
    pub fn fired_so_far(&self, owner: &str) -> Vec<Value> {
        let published = self.inside.iter().flat_map(|inside| inside.world.bus().published());
        let details = published
            .filter(|event| event.detail_type.as_str() == "TRIGGER_FIRED")
            .map(|event| event.detail);
        let read = details.map(|detail| serde_json::from_str::<Value>(&detail).unwrap());
        read.filter(|event| event["owner_id"] == owner).collect()
    }

    /// The quarantined bodies.
    pub async fn quarantined(&self) -> Vec<String> {
        match &self.inside {
            Some(inside) => {
                inside.world.quarantine().kept().into_iter().map(|(body, _)| body).collect()
            }
            None => self.stack.all_quarantined().await,
        }
    }
}

/// The status, as a table shows it.
pub fn status(response: &Response) -> u16 {
    response.status().as_u16()
}

/// Status and problem code: `400 unknown_state`.
pub async fn summary(response: Response) -> String {
    document(response).await.0
}

/// Status and problem code, and the body.
pub async fn document(response: Response) -> (String, Value) {
    let status = response.status();
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default();
    let summary = match body["code"].as_str() {
        Some(code) if status != StatusCode::OK => format!("{} {code}", status.as_u16()),
        _ => status.as_u16().to_string(),
    };
    (summary, body)
}

/// A header's value, or an empty string.
pub fn header(response: &Response, name: &str) -> String {
    response
        .headers()
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .unwrap_or_default()
}

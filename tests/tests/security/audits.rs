//! The audit lines: as this process writes them, and as the deployed stack stores them in their own
//! log group.

use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use lambda_http::tracing::subscriber::EnvFilter;
use lambda_http::tracing::subscriber::fmt;
use reqwest::Method;
use serde_json::Value;
use tests::deployed::Stack;
use tests::template;

use crate::security::logs;

static HEARD: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Hearing;

impl Write for Hearing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        HEARD.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Once per process: records every log line that a function would write at the strictest LogLevel.
pub fn listen() {
    listen_to("error");
}

/// `listen` at another LogLevel.
pub fn listen_to(level: &str) {
    let template = template::read();
    let levels = template["Globals"]["Function"]["Environment"]["Variables"]["RUST_LOG"]
        .as_str()
        .unwrap()
        .replace("${LogLevel}", level);
    fmt()
        .json()
        .with_target(false)
        .without_time()
        .with_env_filter(EnvFilter::new(levels))
        .with_writer(|| Hearing)
        .init();
}

pub fn heard() -> Vec<String> {
    String::from_utf8(HEARD.lock().unwrap().clone()).unwrap().lines().map(String::from).collect()
}

/// The fields of the audit lines whose user agent begins with this one.
pub fn of(lines: &[String], agent: &str) -> Vec<Value> {
    let read = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let audited = read.filter(|line| line["fields"]["message"] == "request audited");
    let named = audited.filter(|line| {
        line["fields"]["user_agent"].as_str().is_some_and(|named| named.starts_with(agent))
    });
    named.map(|line| line["fields"].clone()).collect()
}

/// The deployed stack's audit lines; the log group is written a moment after the answer.
pub async fn kept(stack: &Stack, agent: &str, since: SystemTime, expected: usize) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let kept = of(&logs::lines_of(stack, "AuditLogGroup", since).await, agent);
        if kept.len() >= expected || Instant::now() > deadline {
            return kept;
        }
        // The emulator may deliver a line only with the same process's next invocation. So every
        // function that writes audit lines is called again, several times, to reach each of its
        // processes.
        let nudged = [
            (Method::DELETE, "/api/triggers/trg_nudge"),
            (Method::GET, "/api/auth/google/gmail/start"),
        ];
        let nudges = nudged
            .iter()
            .cycle()
            .take(8)
            .map(|(method, path)| stack.answer(stack.request(method.clone(), path)));
        futures_util::future::join_all(nudges).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

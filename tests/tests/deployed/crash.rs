//! The processor is killed in the middle of its work; the queue delivers again, and the set of events is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::stack::{Stack, User};

/// How many mails wait when the processor starts: several batches of Gmail's.
const MAILS: usize = 60;

/// The processes that run the history processor, among the descendants of the stack's own emulator.
fn processors(stack: &Stack) -> Vec<u32> {
    let root = stack.pids["ministack"]["pid"].as_u64().or_else(|| stack.pids["ministack"].as_u64()).unwrap();
    let parent = |pid: u64| -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
    };
    let descends =
        |pid: u64| std::iter::successors(Some(pid), |pid| parent(*pid).filter(|parent| *parent > 1)).any(|ancestor| ancestor == root);
    let processor = |pid: u64| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let named = String::from_utf8_lossy(&environment)
            .split('\0')
            .any(|variable| variable.strip_prefix("AWS_LAMBDA_FUNCTION_NAME=").is_some_and(|name| name.contains("HistoryProcessor")));
        let executable = std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe.ends_with("bootstrap"));
        named && executable
    };
    let pids = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u64>().ok());
    pids.filter(|pid| processor(*pid) && descends(*pid)).map(|pid| u32::try_from(pid).unwrap()).collect()
}

/// Ends the processors with a signal that they cannot catch; whether there was one to end.
fn kill(pids: &[u32]) -> bool {
    let killed =
        |pid: &u32| std::process::Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status().unwrap().success();
    pids.iter().filter(|pid| killed(pid)).count() > 0
}

async fn calls(stack: &Stack, method: &str) -> usize {
    let calls = stack.google(Method::GET, "/admin/calls", Value::Null).await;
    calls.as_array().unwrap().iter().filter(|call| call["method"] == method).count()
}

/// Kills the processor once it has made a further call of a method.
async fn kill_after(stack: &Stack, method: &str, before: usize, linger: Duration) {
    stack.until("the processor at work", async || (calls(stack, method).await > before).then_some(())).await;
    tokio::time::sleep(linger).await;
    stack.until("a processor to kill", async || kill(&processors(stack)).then_some(())).await;
}

/// What came of the events: as many different ones as were expected, each always in the same bytes.
fn same_set(events: &[Value], expected: &BTreeSet<String>) {
    let mut copies: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for event in events {
        copies.entry(event["event_id"].as_str().unwrap().into()).or_default().insert(event.to_string());
    }
    assert_eq!(&copies.keys().cloned().collect::<BTreeSet<_>>(), expected);
    assert!(copies.values().all(|bytes| bytes.len() == 1), "a repeat came in other bytes: {copies:?}");
}

#[tokio::test]
async fn killed_while_it_lists_and_fetches() {
    let stack = Stack::at_rest().await;
    let user = User::connected(&stack, "ada").await;
    stack.until("an idle queue", async || (stack.messages_in(&stack.notification_queue_url).await == 0).then_some(())).await;
    stack.google(Method::DELETE, "/admin/calls", Value::Null).await;
    // Slow enough to be caught in the act.
    stack.google(Method::POST, "/admin/faults", json!({"method": "batch", "times": 0, "status": 0, "delay_ms": 500})).await;
    let mut expected = BTreeSet::new();
    for number in 1..=MAILS {
        let mail = json!({"subject": format!("invoice {number}"), "silent": number < MAILS});
        expected.insert(user.event_id(&user.receive(&stack, mail).await));
    }
    kill_after(&stack, "history.list", 0, Duration::ZERO).await;
    kill_after(&stack, "batch", calls(&stack, "batch").await, Duration::ZERO).await;
    stack.google(Method::DELETE, "/admin/faults", Value::Null).await;

    let events = stack.events(&user.owner, MAILS).await;

    same_set(&events, &expected);
    assert_eq!(events.len(), MAILS, "nothing was published before a crash, so nothing may repeat");
    stack.until("an empty queue", async || (stack.messages_in(&stack.notification_queue_url).await == 0).then_some(())).await;
    assert_eq!(stack.messages_in(&stack.dead_letter_queue_url).await, 0);
}

/// Kills at moments that nobody chose: each delay falls somewhere else between listing and marking.
#[tokio::test]
async fn killed_somewhere_between_fetching_and_marking() {
    let stack = Stack::at_rest().await;
    let user = User::connected(&stack, "bob").await;
    let mut expected = BTreeSet::new();
    for round in 0..4_u64 {
        let before = calls(&stack, "batch").await;
        for number in 0..15 {
            let mail = json!({"subject": format!("invoice {round}.{number}"), "silent": number < 14});
            expected.insert(user.event_id(&user.receive(&stack, mail).await));
        }
        kill_after(&stack, "batch", before, Duration::from_millis(round * 8)).await;
    }
    same_set(&stack.events(&user.owner, expected.len()).await, &expected);
    assert_eq!(stack.messages_in(&stack.dead_letter_queue_url).await, 0);
}

//! The history processor is ended with a signal that it cannot catch, while it works.

use std::process::Stdio;
use std::time::Duration;

use email_connectors::adapters::system::System;
use email_connectors::ports::{Clock, Entropy};
use reqwest::Method;
use serde_json::Value;

use crate::stack::{Stack, User};

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

/// Whether there was one to end.
fn kill(pids: &[u32]) -> bool {
    let killed =
        |pid: &u32| std::process::Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status().unwrap().success();
    pids.iter().filter(|pid| killed(pid)).count() > 0
}

/// How often a method of Google's was called for a user: sweeps may wake other mailboxes meanwhile.
pub async fn calls(stack: &Stack, user: &User, method: &str) -> usize {
    let calls = stack.google(Method::GET, "/admin/calls", Value::Null).await;
    calls.as_array().unwrap().iter().filter(|call| call["method"] == method && call["email"] == user.email).count()
}

/// Kills the processor so long after it has made a further call of a method.
pub async fn kill_after(stack: &Stack, user: &User, method: &str, before: usize, linger: Duration) {
    stack.until("the processor at work", async || (calls(stack, user, method).await > before).then_some(())).await;
    tokio::time::sleep(linger).await;
    stack.until("a processor to kill", async || kill(&processors(stack)).then_some(())).await;
}

/// Moments that nobody chose, and that the same seed brings again: SplitMix64.
pub struct Moments(u64);

impl Moments {
    /// The seed is the variable SEED, or a new one; a test that fails shows it.
    pub fn seeded() -> Self {
        let given = std::env::var("SEED").ok().map(|seed| seed.parse().expect("SEED is a number"));
        let seed = given.unwrap_or_else(|| System.uuid(System.now()).as_u64_pair().1);
        println!("SEED={seed}");
        Self(seed)
    }

    pub fn within(&mut self, longest: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Duration::from_millis((mixed ^ (mixed >> 31)) % (u64::try_from(longest.as_millis()).unwrap() + 1))
    }
}

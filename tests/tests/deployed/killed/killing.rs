//! Kills the history processor with SIGKILL while it works.

use std::time::Duration;

use email_connectors::adapters::system::System;
use email_connectors::ports::{Clock, Entropy};
use tests::deployed::{Stack, User, kill, processes};

/// How often a method of Google's was called for this user; sweeps may wake other mailboxes
/// meanwhile.
pub async fn calls(stack: &Stack, user: &User, method: &str) -> usize {
    stack.calls_for(&user.email).await.iter().filter(|call| call["method"] == method).count()
}

/// Kills the processor this long after it has called a method once more.
pub async fn kill_after(stack: &Stack, user: &User, method: &str, before: usize, linger: Duration) {
    let more = async || (calls(stack, user, method).await > before).then_some(());
    kill_when(stack, more, linger).await;
}

/// Kills the processor this long after it is seen at work.
pub async fn kill_when<F: AsyncFnMut() -> Option<()>>(stack: &Stack, works: F, linger: Duration) {
    stack.until("the processor at work", works).await;
    tokio::time::sleep(linger).await;
    stack
        .until("a processor to kill", async || {
            kill(&processes(stack, "HistoryProcessor")).then_some(())
        })
        .await;
}

/// Random delays, reproducible by their seed: SplitMix64.
pub struct Moments(u64);

impl Moments {
    /// The seed is the variable SEED, or a new one; it is printed.
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
        Duration::from_millis(
            (mixed ^ (mixed >> 31)) % (u64::try_from(longest.as_millis()).unwrap() + 1),
        )
    }
}

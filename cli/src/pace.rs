//! Time as a command line meets it: what something took, and the wait until it looks again.

use std::time::Duration;

use email_connectors::adapters::system::System;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::Clock;

/// Since when something is going on.
#[derive(Debug, Clone, Copy)]
pub struct Since(Timestamp);

impl Since {
    pub fn now() -> Self {
        Self(System.now())
    }

    pub fn elapsed(self) -> Duration {
        Duration::from_millis(u64::try_from(System.now().millis() - self.0.millis()).unwrap_or(0))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a person at a terminal waits; nobody is paid for by the millisecond"
)]
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

pub fn seconds(time: Duration) -> String {
    format!("{}.{} s", time.as_secs(), time.subsec_millis() / 100)
}

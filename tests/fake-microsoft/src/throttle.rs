//! How much of Graph one mailbox may use:
//! <https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits>.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// What a throttled answer says of how long to wait. In production it is mostly right, sometimes
/// absent, and sometimes always 1 (microsoftgraph/msgraph-sdk-javascript#297).
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    #[default]
    Good,
    Missing,
    AlwaysOne,
    /// No number at all.
    Nonsense,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Calls of one mailbox at the same time.
    pub at_once: usize,
    /// Calls of one mailbox within the window.
    pub calls: usize,
    pub window_seconds: i64,
    pub retry_after: RetryAfter,
}

impl Default for Limits {
    fn default() -> Self {
        Self { at_once: 4, calls: 10_000, window_seconds: 600, retry_after: RetryAfter::Good }
    }
}

#[derive(Default)]
pub(crate) struct Throttle {
    running: usize,
    /// When the calls within the window came, in milliseconds; throttled ones count as well.
    came: VecDeque<i64>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Refused {
    AtOnce,
    /// Seconds until there is room again.
    TooMany(i64),
}

impl Throttle {
    /// Who is let in must `leave`.
    pub fn enter(&mut self, limits: &Limits, now_ms: i64) -> Result<(), Refused> {
        let window = limits.window_seconds * 1000;
        while self.came.front().is_some_and(|came| now_ms - came >= window) {
            self.came.pop_front();
        }
        self.came.push_back(now_ms);
        if self.came.len() > limits.calls {
            let oldest = self.came.front().copied().unwrap_or(now_ms);
            return Err(Refused::TooMany((oldest + window - now_ms + 999) / 1000));
        }
        if self.running >= limits.at_once {
            return Err(Refused::AtOnce);
        }
        self.running += 1;
        Ok(())
    }

    pub fn leave(&mut self) {
        self.running = self.running.saturating_sub(1);
    }
}

impl Limits {
    /// The value of `Retry-After`, if there is one.
    pub fn wait(&self, seconds: i64) -> Option<String> {
        match self.retry_after {
            RetryAfter::Good => Some(seconds.to_string()),
            RetryAfter::Missing => None,
            RetryAfter::AlwaysOne => Some("1".into()),
            RetryAfter::Nonsense => Some("soon".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_at_once_and_so_many_in_a_window() {
        let limits = Limits { calls: 6, window_seconds: 10, ..Limits::default() };
        let mut throttle = Throttle::default();
        for _ in 0..4 {
            assert_eq!(throttle.enter(&limits, 0), Ok(()));
        }
        assert_eq!(throttle.enter(&limits, 500), Err(Refused::AtOnce));
        throttle.leave();
        assert_eq!(throttle.enter(&limits, 1000), Ok(()));
        assert_eq!(throttle.enter(&limits, 2000), Err(Refused::TooMany(8)));
        throttle.leave();
        assert_eq!(throttle.enter(&limits, 10_000), Ok(()));
    }
}

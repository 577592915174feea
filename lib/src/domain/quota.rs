//! Gmail's quota units: what calls cost, and what one mailbox may spend in a minute.

use serde::{Deserialize, Serialize};

use crate::domain::timestamp::Timestamp;

/// Prices in units, of projects made since May 2026
/// (<https://developers.google.com/workspace/gmail/api/reference/quota>).
pub mod price {
    pub const PROFILE: u32 = 1;
    pub const SEND_AS: u32 = 1;
    pub const HISTORY: u32 = 2;
    pub const LIST: u32 = 5;
    pub const MESSAGE: u32 = 20;
    pub const THREAD: u32 = 40;
    pub const SEND: u32 = 100;
    pub const STOP: u32 = 50;
    pub const WATCH: u32 = 100;
}

/// What was spent in one minute of the clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Minutes since the Unix epoch.
    pub minute: i64,
    pub units: u32,
}

impl Spent {
    pub fn and(self, units: u32, now: Timestamp) -> Self {
        Self { minute: minute(now), units: self.within(now).saturating_add(units) }
    }

    /// The units spent in the minute of `now`.
    pub fn within(self, now: Timestamp) -> u32 {
        if self.minute == minute(now) { self.units } else { 0 }
    }

    /// How many messages may still be fetched in this minute, keeping one listing in hand; in a
    /// fresh minute at least one.
    pub fn messages_left(self, units_per_minute: u32, now: Timestamp) -> usize {
        let spent = self.within(now);
        let left =
            units_per_minute.saturating_sub(spent.saturating_add(price::HISTORY)) / price::MESSAGE;
        let fresh = spent <= price::HISTORY + price::LIST + price::PROFILE;
        usize::try_from(left.max(u32::from(fresh))).unwrap_or(usize::MAX)
    }
}

pub fn next_minute(now: Timestamp) -> Timestamp {
    Timestamp::from_seconds((minute(now) + 1) * 60)
}

fn minute(now: Timestamp) -> i64 {
    now.seconds().div_euclid(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_its_own_budget() {
        let now = Timestamp::from_seconds(600);
        let spent = Spent::default().and(2000, now).and(1000, Timestamp::from_seconds(659));
        assert_eq!(spent.within(Timestamp::from_seconds(659)), 3000);
        assert_eq!(spent.within(Timestamp::from_seconds(660)), 0);
        assert_eq!(spent.messages_left(6000, now), 149);
        assert_eq!(spent.messages_left(3000, now), 0);
        assert_eq!(spent.messages_left(3000, next_minute(now)), 149);
        assert_eq!(
            Spent::default().messages_left(10, now),
            1,
            "in a fresh minute one message may always be fetched"
        );
    }
}

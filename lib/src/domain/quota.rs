//! A provider's quota units: what calls cost, and what one mailbox may spend in a minute.

use serde::{Deserialize, Serialize};

use crate::domain::timestamp::Timestamp;

/// What the calls of `EmailProvider` cost at a provider, in its units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prices {
    pub profile: u32,
    /// A page of changes.
    pub changes: u32,
    /// A page of the messages of a slice of time.
    pub list: u32,
    /// Each message that is fetched.
    pub message: u32,
    pub watch: u32,
    pub stop: u32,
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
    pub fn messages_left(self, units_per_minute: u32, prices: &Prices, now: Timestamp) -> usize {
        let spent = self.within(now);
        let left =
            units_per_minute.saturating_sub(spent.saturating_add(prices.changes)) / prices.message;
        let fresh = spent <= prices.changes + prices.list + prices.profile;
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

    const PRICES: Prices =
        Prices { profile: 1, changes: 2, list: 5, message: 20, watch: 100, stop: 50 };

    #[test]
    fn a_minute_has_its_own_budget() {
        let left = |spent: Spent, units_per_minute, now| {
            spent.messages_left(units_per_minute, &PRICES, now)
        };
        let now = Timestamp::from_seconds(600);
        let spent = Spent::default().and(2000, now).and(1000, Timestamp::from_seconds(659));
        assert_eq!(spent.within(Timestamp::from_seconds(659)), 3000);
        assert_eq!(spent.within(Timestamp::from_seconds(660)), 0);
        assert_eq!(left(spent, 6000, now), 149);
        assert_eq!(left(spent, 3000, now), 0);
        assert_eq!(left(spent, 3000, next_minute(now)), 149);
        assert_eq!(
            left(Spent::default(), 10, now),
            1,
            "in a fresh minute one message may always be fetched"
        );
    }
}

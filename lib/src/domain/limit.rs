//! How often one owner may do what costs: a bucket of tokens for each kind of action, which fills
//! again as time passes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::id::OwnerId;
use crate::domain::role::Action;
use crate::domain::timestamp::Timestamp;

/// How many owners and actions are remembered; beyond that, those without a request in the last
/// minute are forgotten, or all of them.
const MOST_REMEMBERED: usize = 10_000;
const MINUTE_MS: i64 = 60_000;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Bucket {
    /// Thousandths of requests.
    left: i64,
    at: Timestamp,
}

impl Bucket {
    /// Full again after a minute.
    fn filled(self, per_minute: u32, now: Timestamp) -> Self {
        let full = i64::from(per_minute) * 1000;
        let passed = (now.millis() - self.at.millis()).clamp(0, MINUTE_MS);
        Self { left: (self.left + passed * full / MINUTE_MS).min(full), at: now }
    }
}

/// The buckets of this process. Every process has its own, so an owner has the full rate in each.
#[derive(Debug, Default)]
pub struct Limits {
    /// Without one nothing is counted.
    per_minute: Option<u32>,
    buckets: Mutex<HashMap<(OwnerId, Action), Bucket>>,
}

impl Limits {
    pub fn new(per_minute: Option<u32>) -> Self {
        Self { per_minute, buckets: Mutex::default() }
    }

    /// Counts one request, or returns how long to wait for the next. Viewing costs little, and
    /// reading mail is limited by Gmail's quota, so neither is counted.
    pub fn take(&self, owner: &OwnerId, action: Action, now: Timestamp) -> Result<(), Duration> {
        let Some(per_minute) =
            self.per_minute.filter(|_| !matches!(action, Action::See | Action::ReadMail))
        else {
            return Ok(());
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_REMEMBERED {
            buckets.retain(|_, bucket| now.millis() - bucket.at.millis() < MINUTE_MS);
        }
        if buckets.len() >= MOST_REMEMBERED {
            buckets.clear();
        }
        let full = Bucket { left: i64::from(per_minute) * 1000, at: now };
        let bucket = buckets.entry((owner.clone(), action)).or_insert(full);
        *bucket = bucket.filled(per_minute, now);
        if bucket.left < 1000 {
            let missing = u64::try_from(1000 - bucket.left).unwrap_or_default();
            return Err(Duration::from_millis(missing * 60 / u64::from(per_minute).max(1)));
        }
        bucket.left -= 1000;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn owner(name: &str) -> OwnerId {
        OwnerId::new(name)
    }

    #[test]
    fn a_minutes_worth_at_once_and_then_as_time_passes() {
        let limits = Limits::new(Some(30));
        let taken = |at: Timestamp| limits.take(&owner("a"), Action::WriteMail, at);
        assert!((0..30).all(|_| taken(NOW).is_ok()));
        assert_eq!(taken(NOW), Err(Duration::from_secs(2)));
        assert_eq!(taken(NOW.after(Duration::from_millis(1500))), Err(Duration::from_millis(500)));
        assert_eq!(taken(NOW.after(Duration::from_secs(2))), Ok(()));
        assert!(taken(NOW.after(Duration::from_secs(2))).is_err());
        let later = NOW.after(Duration::from_secs(3600));
        assert_eq!(
            (0..100).filter(|_| taken(later).is_ok()).count(),
            30,
            "no more than a minute's worth is saved up"
        );
    }

    #[test]
    fn each_owner_and_each_action_by_itself() {
        let limits = Limits::new(Some(1));
        assert!(limits.take(&owner("a"), Action::Operate, NOW).is_ok());
        assert!(limits.take(&owner("a"), Action::Operate, NOW).is_err());
        assert!(limits.take(&owner("b"), Action::Operate, NOW).is_ok());
        assert!(limits.take(&owner("a"), Action::Erase, NOW).is_ok());
        for free in [Action::See, Action::ReadMail] {
            assert!((0..1000).all(|_| limits.take(&owner("a"), free, NOW).is_ok()));
        }
        let unbound = Limits::new(None);
        assert!((0..1000).all(|_| unbound.take(&owner("a"), Action::Erase, NOW).is_ok()));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_a_clock_that_goes_back_gives_nothing() {
        let limits = Limits::new(Some(1));
        for number in 0..MOST_REMEMBERED * 2 + 7 {
            assert!(limits.take(&owner(&number.to_string()), Action::Fire, NOW).is_ok());
            assert!(limits.buckets.lock().unwrap().len() <= MOST_REMEMBERED);
        }
        let limits = Limits::new(Some(1));
        limits.take(&owner("a"), Action::Fire, NOW).unwrap();
        assert!(
            limits.take(&owner("a"), Action::Fire, NOW.before(Duration::from_secs(600))).is_err()
        );
    }
}

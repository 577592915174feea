//! The machine's own clock and randomness: the one place where they are read.

use uuid::Uuid;

use crate::domain::timestamp::Timestamp;
use crate::ports::{Clock, Entropy};

#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Entropy for System {
    #[expect(clippy::disallowed_methods, reason = "this is the randomness that everything else is given")]
    fn uuid(&self, _now: Timestamp) -> Uuid {
        Uuid::now_v7()
    }
}

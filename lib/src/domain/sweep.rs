//! The renewer's decisions about one connector: renew its watch, look at its mailbox, or come back later.

use std::time::Duration;

use crate::domain::connector::{Connector, Status};
use crate::domain::timestamp::Timestamp;
use crate::domain::watch::RETRY_AFTER;

/// When the renewer first looks at a connector after a connect: soon, in case that connect did not get to its watch.
pub fn first_sweep(connected: Timestamp) -> Timestamp {
    connected.after(RETRY_AFTER)
}

/// What the renewer does about one connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// Call `watch` again.
    Renew,
    /// Nothing was heard for long: look at the mailbox.
    Wake,
    Keep,
}

pub fn sweep(connector: &Connector, quiet_after: Duration, now: Timestamp) -> Sweep {
    if connector.status != Status::Active {
        Sweep::Keep
    } else if connector.watch.next_renewal() <= now {
        Sweep::Renew
    } else if silent_at(connector, quiet_after) <= now {
        Sweep::Wake
    } else {
        Sweep::Keep
    }
}

/// When the renewer must look at this connector again, or never, while only its user can mend it.
pub fn next_sweep(connector: &Connector, quiet_after: Duration) -> Option<Timestamp> {
    (connector.status == Status::Active).then(|| connector.watch.next_renewal().min(silent_at(connector, quiet_after)))
}

/// When to look again at a mailbox that was just woken: when it could be silent again, and no later than its renewal.
pub fn sweep_after_wake(connector: &Connector, quiet_after: Duration, now: Timestamp) -> Timestamp {
    connector.watch.next_renewal().min(now.after(quiet_after))
}

fn silent_at(connector: &Connector, quiet_after: Duration) -> Timestamp {
    connector.listed_at.unwrap_or(connector.connected_at).after(quiet_after)
}

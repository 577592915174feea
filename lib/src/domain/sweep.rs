//! The renewer's decisions about one connector: renew its watch, wake its mailbox, compare it, or
//! come back later.

use std::time::Duration;

use crate::domain::connector::Connector;
use crate::domain::timestamp::Timestamp;
use crate::domain::watch::RETRY_AFTER;

/// A mailbox in which nothing ever happens is still compared once a day.
const LONGEST_SILENCE: Duration = Duration::from_secs(24 * 3600);
/// A mailbox that was woken and has not been looked at since is woken again.
const WAKE_AGAIN_AFTER: Duration = Duration::from_secs(300);

/// How long the request that began a disconnect has to finish it.
const CLOSE_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// The times that steer a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepTimes {
    /// How late Gmail may show a record.
    pub settle: Duration,
    /// The silence of an active mailbox after which it is compared without a push.
    pub quiet_after: Duration,
}

/// What bounds one run of the processor.
#[derive(Debug, Clone, Copy)]
pub struct ProcessorLimits {
    /// How long a processor may run. Younger unpublished events may be another's work in progress,
    /// and half of it is time to begin something new.
    pub processor_timeout: Duration,
    pub sweep_times: SweepTimes,
    /// How long a connector rests after failures in a row.
    pub cooldown: Duration,
    /// Gmail's quota units for one mailbox.
    pub units_per_minute: u32,
    /// How many records a page of history holds at most.
    pub history_page: usize,
}

/// When the renewer first looks at a connector after a connect: soon, in case that connect did not
/// get to its watch.
pub fn first_sweep(connected: Timestamp) -> Timestamp {
    connected.after(RETRY_AFTER)
}

/// What the renewer does about one connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// Call `watch` again.
    Renew,
    /// The mailbox's own time to look again has come.
    Wake,
    /// No push for long: compare the mailbox with the cursor.
    Compare,
    /// A disconnect was begun and is not finished.
    Close,
    Keep,
}

pub fn sweep(connector: &Connector, sweep_times: SweepTimes, now: Timestamp) -> Sweep {
    if connector.closing.is_some() {
        return Sweep::Close;
    }
    if !connector.is_live() {
        return Sweep::Keep;
    }
    if connector.watch.next_renewal(&connector.id) <= now {
        Sweep::Renew
    } else if look_at(connector, sweep_times).is_some_and(|look_at| look_at <= now) {
        Sweep::Wake
    } else if silent_at(connector, sweep_times) <= now {
        Sweep::Compare
    } else {
        Sweep::Keep
    }
}

/// When the renewer must look at this connector again, or never, while only its user can mend it.
pub fn next_sweep(connector: &Connector, sweep_times: SweepTimes) -> Option<Timestamp> {
    if let Some(closing) = &connector.closing {
        return Some(closing.since.after(CLOSE_AGAIN_AFTER));
    }
    let owed = look_at(connector, sweep_times);
    let next = connector.watch.next_renewal(&connector.id).min(silent_at(connector, sweep_times));
    connector.is_live().then(|| owed.map_or(next, |owed| owed.min(next)))
}

/// When a look is due; later if the mailbox was woken for it already.
fn look_at(connector: &Connector, sweep_times: SweepTimes) -> Option<Timestamp> {
    let look_at = connector.look_at(sweep_times.settle)?;
    let woken = connector.checked_at.filter(|checked_at| *checked_at >= look_at);
    Some(woken.map_or(look_at, |woken| woken.after(WAKE_AGAIN_AFTER)))
}

/// The end of a watch that was not renewed, if no event has reported it yet.
pub fn lapsed(connector: &Connector, now: Timestamp) -> Option<Timestamp> {
    let ended = connector.watch.expiration.filter(|expiration| *expiration <= now)?;
    (connector.is_live() && connector.reading.lapse_notified_at != Some(ended)).then_some(ended)
}

/// Whether a push should have come by now, where `watch` sends one at once.
pub fn unproven(connector: &Connector, sweep_times: SweepTimes, now: Timestamp) -> bool {
    let renewed = connector
        .watch
        .renewed_at
        .is_some_and(|renewed_at| renewed_at.after(sweep_times.quiet_after) <= now);
    let greeted = connector.registration().greets_watch;
    renewed && greeted && connector.is_live() && !connector.is_verified()
}

/// A look that should have been taken long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    /// No sweep came for it.
    NotSwept { since: Timestamp },
    /// A sweep woke the mailbox for it, and nobody looked.
    NotLookedAt { since: Timestamp },
}

/// A look is overdue once two sweeps should have come for it, and the wake-up had time to be
/// handled.
pub fn overdue(
    connector: &Connector,
    sweep_times: SweepTimes,
    sweep_every: Duration,
    now: Timestamp,
) -> Option<Overdue> {
    let late = |due: Timestamp| due.after(sweep_every * 2 + WAKE_AGAIN_AFTER) <= now;
    // A mailbox that commits is being looked at, as in a long listing.
    let owed = connector
        .look_at(sweep_times.settle)
        .filter(|owed| late(*owed) && late(connector.updated_at));
    match owed {
        Some(since) if connector.checked_at.is_some_and(|woken| woken >= since) => {
            Some(Overdue::NotLookedAt { since })
        }
        Some(since) => Some(Overdue::NotSwept { since }),
        None => {
            // A connector that waited for its user was not swept meanwhile.
            let since = silent_at(connector, sweep_times).max(connector.grant.granted_at);
            late(since).then_some(Overdue::NotSwept { since })
        }
    }
}

/// When the mailbox is next looked at without a push.
pub fn next_look(connector: &Connector, sweep_times: SweepTimes) -> Timestamp {
    let silent_at = silent_at(connector, sweep_times);
    look_at(connector, sweep_times).map_or(silent_at, |owed| owed.min(silent_at))
}

/// The longer nothing has happened, the less often it is compared: every `quiet_after` in an active
/// mailbox, after half of the silence in a quiet one, and once a day at least. Without a push that
/// proves the watch, always after `quiet_after`.
fn silent_at(connector: &Connector, sweep_times: SweepTimes) -> Timestamp {
    let looked = connector
        .reading
        .position
        .listed_at
        .max(connector.checked_at)
        .unwrap_or(connector.connected_at);
    let changed = connector.reading.position.changed_at.unwrap_or(connector.connected_at);
    let silence =
        Duration::from_millis(u64::try_from(looked.millis() - changed.millis()).unwrap_or(0));
    let longest = LONGEST_SILENCE.max(sweep_times.quiet_after);
    let interval = if connector.is_verified() {
        (silence / 2).clamp(sweep_times.quiet_after, longest)
    } else {
        sweep_times.quiet_after
    };
    looked.after(interval)
}

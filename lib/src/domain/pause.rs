//! Pauses: intervals of arrival. Mail received inside one never fires, whenever it is looked at.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::event::LEDGER_HORIZON;
use crate::domain::timestamp::Timestamp;

/// How much longer than the ledger a pause is remembered: mail that was missed may be replayed
/// late.
const REMEMBERED: Duration = LEDGER_HORIZON.saturating_mul(3);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub from: Timestamp,
    /// `None` while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Pause {
    /// Whether mail that arrived then fell into this pause. Gmail's dates may be cut to whole
    /// seconds.
    pub fn holds(&self, arrived: Timestamp) -> bool {
        let arrived = arrived.seconds();
        self.from.seconds() <= arrived && self.until.is_none_or(|until| arrived < until.seconds())
    }
}

/// So many pauses are remembered at once; the connector's row has to hold them.
pub const MOST_PAUSES: usize = 200;

pub fn is_paused(pauses: &[Pause]) -> bool {
    pauses.iter().any(|pause| pause.until.is_none())
}

/// Pauses or resumes; changes nothing if it is so already.
pub fn set(pauses: &[Pause], paused: bool, now: Timestamp) -> Vec<Pause> {
    let mut pauses: Vec<Pause> = pauses
        .iter()
        .copied()
        .filter(|pause| pause.until.is_none_or(|until| until.after(REMEMBERED) > now))
        .collect();
    match (paused, is_paused(&pauses)) {
        (true, false) => pauses.push(Pause { from: now, until: None }),
        (false, true) => pauses
            .iter_mut()
            .filter(|pause| pause.until.is_none())
            .for_each(|pause| pause.until = Some(now)),
        _ => {}
    }
    pauses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_pause_holds_what_arrived_inside_it() {
        let pauses = set(&set(&[], true, at(10)), false, at(20));
        assert_eq!(pauses, [Pause { from: at(10), until: Some(at(20)) }]);
        let inside = |second| pauses.iter().any(|pause| pause.holds(at(second)));
        assert_eq!([9, 10, 19, 20].map(inside), [false, true, true, false]);
    }

    #[test]
    fn repeating_changes_nothing_and_old_pauses_are_forgotten() {
        let pauses = set(&[], true, at(10));
        assert_eq!(set(&pauses, true, at(15)), pauses);
        let ended = set(&pauses, false, at(20));
        assert_eq!(set(&ended, false, at(30)), ended);
        assert_eq!(set(&ended, false, at(20).after(REMEMBERED)), []);
    }
}

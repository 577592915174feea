//! An event as it will be published: decided once, under a derived id, in bytes that no
//! republication changes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::id::{EventId, MessageId, TriggerId};
use crate::domain::timestamp::Timestamp;

pub const EVENT_SOURCE: &str = "email.connectors";
pub const SCHEMA_VERSION: u32 = 1;

/// The ledger's horizon: how long decided events are remembered.
pub const LEDGER_HORIZON: Duration = Duration::from_secs(30 * 24 * 3600);

/// So many events of a connector may wait for the bus before no more are decided: a row holds 400
/// KB.
pub const MOST_UNPUBLISHED: usize = 2000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub event_id: EventId,
    pub detail_type: DetailType,
    /// The trigger that fired, if one did.
    pub trigger_id: Option<TriggerId>,
    /// The message that it is about, if it is about one.
    pub message_id: Option<MessageId>,
    pub decided_at: Timestamp,
    /// JSON. A republication sends these bytes, not a fresh rendering.
    pub detail: String,
}

/// EventBridge's `detail-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DetailType {
    /// A message matched a trigger.
    TriggerFired,
    /// A user connected a mailbox for the first time.
    ConnectorConnected,
    /// A connector ends: nothing of it fires from now on.
    ConnectorDisconnected,
    /// Only the user can mend the connector, by connecting again.
    ConnectorNeedsReauth,
    /// The user connected again; what came in between fires now.
    ConnectorRecovered,
    /// Gmail stopped notifying: a renewal was due and failed until the watch ended.
    WatchLapsed,
    /// History was lost by Gmail and replayed by date.
    HistoryGapRecovered,
    /// A message fails again and again; it is set aside and tried again by itself.
    MessageParked,
}

/// How many bytes of events a page may hold. Escaped in the answer's body and again in Lambda's
/// JSON, a byte may double.
const LONGEST_PAGE: usize = 2_500_000;

/// How many of these lengths a page holds; the first one always.
pub fn how_many_fit(lengths: impl Iterator<Item = usize>) -> usize {
    let mut bytes = 0;
    let within = lengths.take_while(|length| {
        let first = bytes == 0;
        bytes += length;
        first || bytes <= LONGEST_PAGE
    });
    within.count()
}

impl DetailType {
    pub const ALL: [Self; 8] = [
        Self::TriggerFired,
        Self::ConnectorConnected,
        Self::ConnectorDisconnected,
        Self::ConnectorNeedsReauth,
        Self::ConnectorRecovered,
        Self::WatchLapsed,
        Self::HistoryGapRecovered,
        Self::MessageParked,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TriggerFired => "TRIGGER_FIRED",
            Self::ConnectorConnected => "CONNECTOR_CONNECTED",
            Self::ConnectorDisconnected => "CONNECTOR_DISCONNECTED",
            Self::ConnectorNeedsReauth => "CONNECTOR_NEEDS_REAUTH",
            Self::ConnectorRecovered => "CONNECTOR_RECOVERED",
            Self::WatchLapsed => "WATCH_LAPSED",
            Self::HistoryGapRecovered => "HISTORY_GAP_RECOVERED",
            Self::MessageParked => "MESSAGE_PARKED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_as_much_as_fits_and_one_at_least() {
        let table: [(&[usize], usize); 6] = [
            (&[], 0),
            (&[LONGEST_PAGE + 1], 1),
            (&[LONGEST_PAGE + 1, 1], 1),
            (&[LONGEST_PAGE, 1], 1),
            (&[LONGEST_PAGE - 1, 1, 1], 2),
            (&[1, 2, 3], 3),
        ];
        for (lengths, expected) in table {
            assert_eq!(how_many_fit(lengths.iter().copied()), expected);
        }
    }
}

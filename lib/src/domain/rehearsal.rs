//! A rehearsal: which mail of the last days would fire a trigger, and what keeps the rest from it.
//! Nothing fires.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::changes::is_received;
use crate::domain::connector::Connector;
use crate::domain::gap::Slice;
use crate::domain::id::{EventId, MessageId, MessageIdentity};
use crate::domain::invalid::Invalid;
use crate::domain::message::{Address, Bounds, Message};
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::{Filter, Filters, Trigger};
use crate::domain::why_not_fired::{WhyNotFired, reasons_not_to_fire};

pub const MOST_DAYS: u64 = 30;
pub const MOST_MESSAGES: usize = 100;
const USUAL_DAYS: u64 = 7;
const USUAL_MESSAGES: usize = 50;
const DAY: Duration = Duration::from_secs(24 * 3600);
/// What is shown of a message, and of why it does not fire: a hundred of these fit into one answer.
const BOUNDS: Bounds = Bounds { entries: 10, text: 200 };

/// How far a rehearsal looks back, and at how many messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RehearsalRange {
    pub days: u64,
    pub limit: usize,
}

impl RehearsalRange {
    /// From a request's body; absent fields have their defaults. `beside`: what else may stand in
    /// the body.
    pub fn parse(body: &Value, beside: &[&str]) -> Result<Self, Invalid> {
        let known = [&["days", "limit"], beside].concat();
        let fields = body.as_object().into_iter().flat_map(|fields| fields.keys());
        if let Some(unknown) = fields.into_iter().find(|field| !known.contains(&field.as_str())) {
            let known = known.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>();
            let detail = format!("is not known; this takes {}, or none", known.join(", "));
            return Err(Invalid::new(unknown, detail));
        }
        let number = |field: &str, usual: u64, most: u64| match body.get(field) {
            None => Ok(usual),
            Some(value) => {
                value.as_u64().filter(|number| (1..=most).contains(number)).ok_or_else(|| {
                    Invalid::new(field, format!("must be a whole number from 1 to {most}"))
                })
            }
        };
        let days = number("days", USUAL_DAYS, MOST_DAYS)?;
        let limit = number("limit", USUAL_MESSAGES as u64, MOST_MESSAGES as u64)?;
        Ok(Self { days, limit: usize::try_from(limit).unwrap_or(USUAL_MESSAGES) })
    }

    pub fn slice(self, now: Timestamp) -> Slice {
        Slice { after: now.before(DAY * u32::try_from(self.days).unwrap_or(0)), before: None }
    }
}

/// One message that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Looked {
    pub message_id: MessageId,
    pub timestamp: Timestamp,
    pub from: Option<Address>,
    pub subject: Option<String>,
    /// Absent of one that would fire.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
}

/// Why a message does not fire, and what of it or of the connector says so.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Reason {
    pub reason: &'static str,
    pub detail: Value,
}

/// The id of the event of a message and a trigger, whether it was decided or not.
pub fn event_of(connector: &Connector, trigger: &Trigger, message: &MessageIdentity) -> EventId {
    EventId::derive(&connector.account, message, &trigger.id)
}

/// `decided`: whether the ledger has the event, which keeps it from firing again.
pub fn look(
    connector: &Connector,
    trigger: &Trigger,
    message: &Message,
    decided: bool,
    now: Timestamp,
) -> Looked {
    let shown = message.bounded(BOUNDS);
    let known = decided.then(|| {
        let detail = json!({"event_id": event_of(connector, trigger, &message.identity)});
        Reason { reason: "already_decided", detail }
    });
    let found = reasons_not_to_fire(connector, trigger, message, true, now)
        .map(|why| reason(why, connector, trigger, &shown));
    let reasons = known.into_iter().chain(found).collect();
    looked(shown, reasons)
}

/// Whether mail like this message would fire a trigger with these filters: dates and pauses do not
/// count, since such a trigger was not there when it came.
pub fn look_by_filters(filters: &Filters, message: &Message) -> Looked {
    let shown = message.bounded(BOUNDS);
    let unreceived = (!is_received(&message.label_ids)).then(|| not_received(&shown));
    let unmet = filters.unmet(message).map(|filter| unmet(filter, filters, &shown));
    let reasons = unreceived.into_iter().chain(unmet).collect();
    looked(shown, reasons)
}

fn looked(shown: Message, reasons: Vec<Reason>) -> Looked {
    Looked {
        message_id: shown.id,
        timestamp: shown.timestamp,
        from: shown.from,
        subject: shown.subject,
        reasons,
    }
}

fn reason(why: WhyNotFired, connector: &Connector, trigger: &Trigger, shown: &Message) -> Reason {
    let (reason, detail) = match why {
        WhyNotFired::NotReceived => return not_received(shown),
        WhyNotFired::OlderThanConnect => {
            ("older_than_connect", json!({"connected_at": connector.connected_at}))
        }
        WhyNotFired::OlderThanTrigger => {
            ("older_than_trigger", json!({"created_at": trigger.created_at}))
        }
        WhyNotFired::Paused(pause) => ("paused", json!(pause)),
        WhyNotFired::OlderThanLedger => ("older_than_ledger", json!({})),
        WhyNotFired::Unmet(filter) => return unmet(filter, &trigger.config.filters, shown),
    };
    Reason { reason, detail }
}

fn not_received(shown: &Message) -> Reason {
    Reason { reason: "not_received", detail: json!({"label_ids": shown.label_ids}) }
}

fn unmet(filter: Filter, filters: &Filters, shown: &Message) -> Reason {
    let wanted = json!(filters)[filter.as_str()].take();
    let detail = json!({"filter": filter.as_str(), "wanted": wanted, "saw": seen(filter, shown)});
    Reason { reason: "filter", detail }
}

/// What a filter looks at.
fn seen(filter: Filter, message: &Message) -> Value {
    match filter {
        Filter::Query => json!({"from": message.from, "subject": message.subject}),
        Filter::FromContains => json!(message.from.as_ref().map(|from| &from.address)),
        Filter::FromDomain => json!(message.from.as_ref().and_then(Address::domain)),
        Filter::ToContains => json!(message.to.iter().map(|to| &to.address).collect::<Vec<_>>()),
        Filter::SubjectContains => json!(message.subject),
        Filter::LabelInclude | Filter::LabelExclude => json!(message.label_ids),
        Filter::HasAttachment => json!(message.has_attachments),
        Filter::Authenticated => json!(message.authentication),
        Filter::Automatic => json!(message.automatic),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reach_names_the_field_that_is_wrong() {
        let range = |days, limit| Ok(RehearsalRange { days, limit });
        let wrong = |field: &str| Err(field.to_string());
        let table = [
            (json!({}), range(7, 50)),
            (json!({"days": 30, "limit": 100}), range(30, 100)),
            (json!({"days": 1}), range(1, 50)),
            (json!({"days": 0}), wrong("days")),
            (json!({"days": 31}), wrong("days")),
            (json!({"days": "7"}), wrong("days")),
            (json!({"days": 1.5}), wrong("days")),
            (json!({"days": null}), wrong("days")),
            (json!({"limit": 101}), wrong("limit")),
            (json!({"limit": -1}), wrong("limit")),
            (json!({"day": 1}), wrong("day")),
        ];
        for (body, expected) in table {
            assert_eq!(
                RehearsalRange::parse(&body, &[]).map_err(|invalid| invalid.field),
                expected,
                "{body}"
            );
        }
    }
}

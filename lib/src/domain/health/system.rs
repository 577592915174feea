//! The system's own health: the parts that are checked, and what their answers mean. It names no
//! tenant and no number.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::health::HealthStatus;
use crate::domain::timestamp::Timestamp;

/// So many wake-ups wait when the processor does not keep up, or does not run; a burst of pushes is
/// gone within seconds.
const MANY_WAKE_UPS: u64 = 1000;

/// The parts that are checked, in the order of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The table of connectors.
    Table,
    /// The keys of the users' issuer.
    Keys,
    /// The queue of wake-ups.
    Queue,
    /// The wake-ups that were given up.
    DeadLetters,
    /// What could not be read.
    Quarantine,
}

/// What a part answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    There,
    /// The number of messages in it.
    Holds(u64),
    /// No answer, or not in time.
    Silent,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = SystemHealth)]
pub struct SystemHealth {
    pub status: HealthStatus,
    pub checked_at: Timestamp,
    pub checks: Vec<Check>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = SystemCheck)]
pub struct Check {
    pub name: Part,
    pub status: HealthStatus,
    pub detail: &'static str,
    /// What to do; nothing while all is well.
    pub remedy: Option<&'static str>,
}

impl SystemHealth {
    pub fn of(answers: impl IntoIterator<Item = (Part, Answer)>, now: Timestamp) -> Self {
        let checks: Vec<Check> =
            answers.into_iter().map(|(part, answer)| check(part, answer)).collect();
        let status = checks.iter().map(|check| check.status).max().unwrap_or(HealthStatus::Healthy);
        Self { status, checked_at: now, checks }
    }
}

fn check(part: Part, answer: Answer) -> Check {
    use HealthStatus::{Degraded, Down};
    let wrong = match (part, answer) {
        (Part::Table, Answer::Silent) => {
            let remedy = "Look at DynamoDB and at the table's KMS key, and at the function's right to both: docs/operations.md#outage";
            Some((Down, "the table does not answer", remedy))
        }
        (Part::Keys, Answer::Silent) => {
            let remedy = "See that the issuer publishes its keys where AuthIssuer or AuthJwksUrl says: docs/operations.md#outage";
            Some((Down, "the issuer's keys are not here: no user token can be checked", remedy))
        }
        (Part::Queue, Answer::Silent) => Some((
            Degraded,
            "the queue of wake-ups does not answer",
            "Look at SQS, and at the function's right to ask it: docs/operations.md#outage",
        )),
        (Part::Queue, Answer::Holds(waiting)) if waiting >= MANY_WAKE_UPS => {
            let remedy = "Look at the history-processor's errors, throttles and concurrency: docs/operations.md#outage";
            Some((Degraded, "many wake-ups wait", remedy))
        }
        (Part::DeadLetters | Part::Quarantine, Answer::Silent) => Some((
            Degraded,
            "the queue does not answer",
            "Look at SQS, and at the function's right to ask it: docs/operations.md#outage",
        )),
        (Part::DeadLetters, Answer::Holds(1..)) => {
            let remedy = "Find out what they died of, then: connectors replay dead-letters; see docs/operations.md#dead-letters";
            Some((Degraded, "wake-ups were given up", remedy))
        }
        (Part::Quarantine, Answer::Holds(1..)) => {
            let remedy = "Read them in the quarantine queue: docs/operations.md#dead-letters";
            Some((Degraded, "something came that could not be read", remedy))
        }
        _ => None,
    };
    match wrong {
        Some((status, detail, remedy)) => {
            Check { name: part, status, detail, remedy: Some(remedy) }
        }
        None => {
            Check { name: part, status: HealthStatus::Healthy, detail: well(part), remedy: None }
        }
    }
}

const fn well(part: Part) -> &'static str {
    match part {
        Part::Table => "the table answers",
        Part::Keys => "the issuer's keys are here",
        Part::Queue => "the queue of wake-ups answers",
        Part::DeadLetters => "no wake-up was given up",
        Part::Quarantine => "everything could be read",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_900_000_000);
    const WELL: [(Part, Answer); 5] = [
        (Part::Table, Answer::There),
        (Part::Keys, Answer::There),
        (Part::Queue, Answer::Holds(999)),
        (Part::DeadLetters, Answer::Holds(0)),
        (Part::Quarantine, Answer::Holds(0)),
    ];

    #[test]
    fn only_what_nothing_works_without_takes_the_system_down() {
        use HealthStatus::{Degraded, Down, Healthy};
        let table = [
            (Part::Table, Answer::There, Healthy),
            (Part::Table, Answer::Silent, Down),
            (Part::Keys, Answer::Silent, Down),
            (Part::Queue, Answer::Silent, Degraded),
            (Part::Queue, Answer::Holds(1000), Degraded),
            (Part::DeadLetters, Answer::Silent, Degraded),
            (Part::DeadLetters, Answer::Holds(1), Degraded),
            (Part::Quarantine, Answer::Silent, Degraded),
            (Part::Quarantine, Answer::Holds(7), Degraded),
        ];
        for (part, answer, expected) in table {
            let health = SystemHealth::of(
                WELL.map(|(of, well)| (of, if of == part { answer } else { well })),
                NOW,
            );
            assert_eq!(health.status, expected, "{part:?} {answer:?}");
            for check in health.checks {
                assert_eq!(check.status != Healthy, check.remedy.is_some(), "{check:?}");
                assert_eq!(
                    check.status,
                    if check.name == part { expected } else { Healthy },
                    "{check:?}"
                );
                assert!(
                    !check.detail.contains(|letter: char| letter.is_ascii_digit()),
                    "a number says something of the tenants: {check:?}"
                );
            }
        }
    }
}

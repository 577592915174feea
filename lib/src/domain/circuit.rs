//! The circuit breaker of one connector: after failures in a row nothing is tried for a while, then
//! one try decides.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::timestamp::Timestamp;

/// So many failures in a row open the circuit.
pub const FAILURES_TO_OPEN: u32 = 5;

/// Counts failures that may pass: server errors, timeouts and rate limits. A final refusal does not
/// count: Google did answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Circuit {
    /// In a row.
    pub failures: u32,
    /// Nothing is tried before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CircuitState {
    Closed,
    Open,
    /// The next call decides.
    HalfOpen,
}

impl Circuit {
    pub fn state(&self, now: Timestamp) -> CircuitState {
        match self.open_until {
            None => CircuitState::Closed,
            Some(until) if now < until => CircuitState::Open,
            Some(_) => CircuitState::HalfOpen,
        }
    }

    /// Counts one more failure. The circuit opens until the provider's `retry_after`, or for
    /// `cooldown` after enough failures, whichever is later.
    pub fn failed(
        &self,
        retry_after: Option<Duration>,
        cooldown: Duration,
        now: Timestamp,
    ) -> Self {
        let failures = self.failures.saturating_add(1);
        let requested = retry_after.map(|wait| now.after(wait));
        let rested = (failures >= FAILURES_TO_OPEN).then(|| now.after(cooldown));
        Self { failures, open_until: requested.max(rested) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn opens_after_five_failures_rests_and_lets_one_try_decide() {
        let mut circuit = Circuit::default();
        for _ in 1..FAILURES_TO_OPEN {
            circuit = circuit.failed(None, MINUTE, NOW);
            assert_eq!(circuit.state(NOW), CircuitState::Closed);
        }
        circuit = circuit.failed(None, MINUTE, NOW);
        assert_eq!(circuit.state(NOW), CircuitState::Open);
        assert_eq!(circuit.state(NOW.after(MINUTE)), CircuitState::HalfOpen);
        let again = circuit.failed(None, MINUTE, NOW.after(MINUTE));
        assert_eq!(again.state(NOW.after(MINUTE)), CircuitState::Open, "the probe failed");
    }

    #[test]
    fn a_provider_that_names_a_time_is_left_alone_until_then() {
        let circuit = Circuit::default().failed(Some(MINUTE * 5), MINUTE, NOW);
        assert_eq!(circuit.state(NOW.after(MINUTE * 4)), CircuitState::Open);
        assert_eq!(circuit.state(NOW.after(MINUTE * 5)), CircuitState::HalfOpen);
    }
}

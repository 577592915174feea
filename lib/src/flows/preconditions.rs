//! Whether a connector's mailbox can be used right now; checked before the provider is called.

use crate::domain::circuit::CircuitState;
use crate::domain::connector::{Connector, Status};
use crate::domain::timestamp::Timestamp;
use crate::flows::access::AccessError;
use crate::ports::{ProviderError, StoreError};

/// Why nothing was done, or why the outcome is unknown.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("the connector is being disconnected")]
    Closing,
    #[error("the user must connect again")]
    NeedsReauth,
    /// Nothing is tried before then.
    #[error("the circuit is open until {0}")]
    CircuitOpen(Timestamp),
    /// The narrowest scope that would be enough.
    #[error("the scope {0} was not granted")]
    MissingScope(&'static str),
    #[error(transparent)]
    Access(AccessError),
}

impl From<AccessError> for Unusable {
    /// A refused grant is not recorded here: the next wake-up does that.
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Provider(ProviderError::GrantRefused(_)) => Self::NeedsReauth,
            error => Self::Access(error),
        }
    }
}

impl From<StoreError> for Unusable {
    fn from(error: StoreError) -> Self {
        Self::Access(error.into())
    }
}

/// `missing` is the scope that is needed and was not granted.
pub fn admit(
    connector: &Connector,
    missing: Option<&'static str>,
    now: Timestamp,
) -> Result<(), Unusable> {
    if connector.closing.is_some() {
        return Err(Unusable::Closing);
    }
    if connector.reading.status == Status::NeedsReauth {
        return Err(Unusable::NeedsReauth);
    }
    if let Some(scope) = missing {
        return Err(Unusable::MissingScope(scope));
    }
    match connector.reading.circuit.open_until {
        Some(until) if connector.reading.circuit.state(now) == CircuitState::Open => {
            Err(Unusable::CircuitOpen(until))
        }
        _ => Ok(()),
    }
}

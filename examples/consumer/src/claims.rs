//! Who handles an event: the port that decides it, with its contract.

use std::time::{Duration, SystemTime};

/// The underlying error, for the log.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
#[error("the claims could not be reached")]
pub struct Unavailable(#[source] pub Cause);

/// The result of claiming an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is the caller's until the lease ends.
    Ours(Lease),
    /// Another one has it, and its lease has not ended.
    InHand,
    /// It was handled.
    Done,
}

/// A claim as its holder knows it. Two claims of one event differ in their token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub event_id: String,
    pub token: String,
}

#[trait_variant::make(Send)]
pub trait Claims: Sync {
    /// MUST give an event that is not done to one caller at a time, for `lease` from `now`: of two
    /// concurrent calls one gets `Ours`. MUST give it to the next call after the lease has ended,
    /// and MUST NOT give it to any once it is done.
    async fn claim(
        &self,
        event_id: &str,
        lease: Duration,
        now: SystemTime,
    ) -> Result<Claim, Unavailable>;

    /// The event was handled. MUST change nothing, and answer false, if the claim is another's by
    /// now.
    async fn done(&self, lease: &Lease, now: SystemTime) -> Result<bool, Unavailable>;

    /// Gives the event back before the lease ends. MUST change nothing if the claim is another's by
    /// now.
    async fn release(&self, lease: &Lease) -> Result<(), Unavailable>;
}

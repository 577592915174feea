//! An event is taken: claimed, handled, marked as done. Whatever goes wrong, the queue delivers it
//! again.

use std::time::{Duration, SystemTime};

use tokio::time::timeout;

use crate::claims::{Cause, Claim, Claims, Lease, Unavailable};
use crate::event::{Fired, Unreadable};

/// What is to be done about an event.
#[trait_variant::make(Send)]
pub trait Handler: Sync {
    /// It may be called again for an event whose handling failed or was cut off, and is dropped
    /// when its time is over.
    async fn handle(&self, fired: &Fired) -> Result<(), Cause>;
}

/// Both mean that the message may be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consumed {
    Handled,
    /// By an earlier delivery.
    AlreadyDone,
}

/// The message must come again. After as many receipts as the queue allows it goes to the
/// dead-letter queue.
#[derive(Debug, thiserror::Error)]
pub enum ComesAgain {
    #[error("the message cannot be read")]
    Unreadable(#[from] Unreadable),
    #[error("another one has the event in hand")]
    InHand,
    #[error("the handler failed")]
    Failed(#[source] Cause),
    #[error("the handler took too long")]
    TookTooLong,
    /// The state that the next delivery finds counts.
    #[error("the lease ended before the event could be marked as done")]
    Overtaken,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

pub struct Consumer<C, H> {
    pub claims: C,
    pub handler: H,
    /// How long a crash keeps an event from being handled, and more than any handling may take.
    /// Less than the queue's visibility timeout, or the next delivery finds the claim of a crashed
    /// one.
    pub lease: Duration,
}

impl<C: Claims, H: Handler> Consumer<C, H> {
    /// Takes one message of the queue by its body.
    pub async fn consume(&self, body: &str, now: SystemTime) -> Result<Consumed, ComesAgain> {
        let fired = Fired::read(body)?;
        let lease = match self.claims.claim(&fired.event_id, self.lease, now).await? {
            Claim::Ours(lease) => lease,
            Claim::InHand => return Err(ComesAgain::InHand),
            Claim::Done => return Ok(Consumed::AlreadyDone),
        };
        // The rest of the lease is for marking it.
        let most = self.lease - self.lease / 10;
        let handled = match timeout(most, self.handler.handle(&fired)).await {
            Ok(handled) => handled.map_err(ComesAgain::Failed),
            Err(_) => Err(ComesAgain::TookTooLong),
        };
        if let Err(failed) = handled {
            self.give_back(&lease).await;
            return Err(failed);
        }
        if self.claims.done(&lease, now).await? {
            Ok(Consumed::Handled)
        } else {
            Err(ComesAgain::Overtaken)
        }
    }

    async fn give_back(&self, lease: &Lease) {
        if let Err(error) = self.claims.release(lease).await {
            tracing::warn!(
                event_id = lease.event_id,
                error = causes(&error),
                "the claim could not be given back; it ends with its lease"
            );
        }
    }
}

/// An error with all that led to it.
pub fn causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |error| error.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

//! A request that creates something is repeated under the same idempotency key: it gets the same
//! answer, and nothing is created twice.

use std::time::Duration;

use crate::domain::id::OwnerId;
use crate::ports::{RequestKey, Store, StoreError};

/// The API's function ends after 29 seconds: a key that was claimed longer ago and has no answer
/// belongs to a run that died.
const LONGEST_RUN: Duration = Duration::from_secs(60);

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing: the caller has claimed it now.
    Nothing,
    /// It was done, with this answer.
    Answered(String),
    /// The key stands for another request.
    Other,
    /// It is being done right now.
    Running,
    /// It was begun, and its outcome is unknown.
    Unknown,
}

pub async fn claim(
    store: &impl Store,
    owner: &OwnerId,
    key: &RequestKey,
) -> Result<Known, StoreError> {
    Ok(match store.claim_key(owner, key).await? {
        None => Known::Nothing,
        Some(claimed) if claimed.body != key.body => Known::Other,
        Some(claimed) => match claimed.answer {
            Some(answer) => Known::Answered(answer),
            None if claimed.at.after(LONGEST_RUN) > key.at => Known::Running,
            None => Known::Unknown,
        },
    })
}

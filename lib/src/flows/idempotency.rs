//! A request that makes something, sent again under the same key: it is answered again, and nothing is made twice.

use std::time::Duration;

use crate::domain::id::OwnerId;
use crate::ports::{RequestKey, Store, StoreError};

/// No function runs that long: who claimed a key before that and left no answer has died on the way.
const LONGEST_RUN: Duration = Duration::from_secs(60);

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it is the caller's own now.
    Nothing,
    /// It was done, with this answer.
    Answered(String),
    /// The key stands for another request.
    Other,
    /// It is being done right now.
    Running,
    /// It was begun, and nobody knows whether it was done.
    Unknown,
}

pub async fn claim(store: &impl Store, owner: &OwnerId, key: &RequestKey) -> Result<Known, StoreError> {
    Ok(match store.claim_key(owner, key).await? {
        None => Known::Nothing,
        Some(held) if held.body != key.body => Known::Other,
        Some(held) => match held.answer {
            Some(answer) => Known::Answered(answer),
            None if held.at.after(LONGEST_RUN) > key.at => Known::Running,
            None => Known::Unknown,
        },
    })
}

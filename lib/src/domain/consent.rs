//! A consent that was asked for here: its state, and what follows from it.

use uuid::Uuid;

use crate::domain::id::fingerprint;

/// What a state is known by: whoever reads the table cannot send it.
pub fn state_id(state: &str) -> Uuid {
    fingerprint(&["oauth-state", state])
}

/// What the id token must repeat. Derived from the state, so that both are of one consent.
pub fn nonce_of(state: &str) -> String {
    fingerprint(&["oauth-nonce", state]).simple().to_string()
}

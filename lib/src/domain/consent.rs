//! A consent that was requested here: its state, and what is derived from it.

use uuid::Uuid;

use crate::domain::id::fingerprint;

/// The stored id of a state: whoever reads the table cannot send the state.
pub fn state_id(state: &str) -> Uuid {
    fingerprint(&["oauth-state", state])
}

/// The nonce that the id token must repeat, derived from the state, so that both belong to one
/// consent.
pub fn nonce_of(state: &str) -> String {
    fingerprint(&["oauth-nonce", state]).simple().to_string()
}

//! A consent that was requested here: its state, and what is derived from it.

use uuid::Uuid;

use crate::domain::id::fingerprint;
use crate::domain::provider::Provider;

/// The stored id of a state: whoever reads the table cannot send the state, and at another provider
/// it is unknown (RFC 9700, section 4.4).
pub fn state_id(provider: Provider, state: &str) -> Uuid {
    fingerprint(&["oauth-state", provider.as_str(), state])
}

/// The nonce that the id token must repeat, derived from the state, so that both belong to one
/// consent.
pub fn nonce_of(state: &str) -> String {
    fingerprint(&["oauth-nonce", state]).simple().to_string()
}

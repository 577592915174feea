//! What becomes of refreshes, counted for every provider.

use crate::domain::metric::{OAUTH_CLIENT_REFUSED, PROVIDER, TOKEN_REFRESHES};
use crate::domain::provider::Provider;
use crate::ports::ProviderError;

pub fn refreshed<T>(provider: Provider, answer: &Result<T, ProviderError>) {
    let outcome = match answer {
        Ok(_) => "refreshed",
        Err(ProviderError::GrantRefused(_)) => "grant_refused",
        Err(ProviderError::ClientRefused(_)) => "client_refused",
        Err(_) => "unavailable",
    };
    metrics::counter!(TOKEN_REFRESHES, "Outcome" => outcome, PROVIDER => provider.as_str())
        .increment(1);
}

/// The operator's alarm: no user can mend it.
pub fn client_refused(provider: Provider) {
    metrics::counter!(OAUTH_CLIENT_REFUSED, PROVIDER => provider.as_str()).increment(1);
}

//! A user is sent to Google for consent: with a state that is theirs alone and used once, a nonce
//! and a PKCE challenge.

use crate::domain::consent::{nonce_of, state_id};
use crate::domain::id::OwnerId;
use crate::domain::provider::Provider;
use crate::domain::timestamp::Timestamp;
use crate::ports::{ConsentRequest, EmailProvider, Entropy, PendingConsent, Store, StoreError};
use secrecy::ExposeSecret;

/// Where to send the user's browser, and the state that will come back with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizeRequest {
    pub authorization_url: String,
    pub state: String,
}

pub async fn authorize(
    store: &impl Store,
    (kind, provider): (Provider, &impl EmailProvider),
    entropy: &impl Entropy,
    owner: &OwnerId,
    (scopes, redirect_uri, login_hint): (&[String], &str, Option<&str>),
    now: Timestamp,
) -> Result<AuthorizeRequest, StoreError> {
    let (state, code_verifier) = (entropy.secret().expose_secret().to_string(), entropy.secret());
    let request = ConsentRequest {
        scopes,
        redirect_uri,
        state: &state,
        nonce: &nonce_of(&state),
        code_verifier: &code_verifier,
        login_hint,
    };
    let authorization_url = provider.consent_url(&request);
    store
        .keep_consent(
            owner,
            &PendingConsent { state: state_id(kind, &state), code_verifier, asked_at: now },
        )
        .await?;
    Ok(AuthorizeRequest { authorization_url, state })
}

//! What a user agrees to at Google, and how long what comes of it lasts.

use std::time::Duration;

use email_connectors::domain::claims::Claims;

/// The OAuth client that every code is for.
pub const CLIENT_ID: &str = "local-client.apps.googleusercontent.com";
/// The scopes that a user grants who unticks nothing.
pub const SCOPES: [&str; 3] = ["openid", "email", "https://www.googleapis.com/auth/gmail.modify"];
pub const ACCESS_TOKEN_LIFE: Duration = Duration::from_secs(3600);
pub const WATCH_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// What the user agreed to on the consent page.
#[derive(Debug, Clone)]
pub struct Consent {
    pub scopes: Vec<String>,
    /// Google sends one on the first consent, and on later ones only with `prompt=consent`.
    pub refresh_token: bool,
    /// Claims that override those of the id token.
    pub claims: Claims,
}

impl Default for Consent {
    fn default() -> Self {
        Self {
            scopes: SCOPES.map(String::from).into(),
            refresh_token: true,
            claims: Claims::default(),
        }
    }
}

//! What a fake is started with.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::pubsub::PushSettings;

pub type Clock = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

#[derive(Clone)]
pub struct Config {
    /// 0 takes a free port.
    pub port: u16,
    pub client_id: String,
    pub client_secret: String,
    /// Issuer and audience of the tokens that `user_token` makes.
    pub user_issuer: String,
    pub user_audience: String,
    /// The public client that signs users in at `<url>/users`.
    pub user_client_id: String,
    /// Redirect URIs of it that are not on this machine.
    pub user_redirects: Vec<String>,
    /// The first history id of a mailbox that names none.
    pub history_start: u64,
    /// Refuses requests that the discovery document does not know, and notes them as violations.
    pub strict: bool,
    pub push: PushSettings,
    /// Real time if absent.
    pub clock: Option<Clock>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            client_id: "local-client.apps.googleusercontent.com".into(),
            client_secret: "local-secret".into(),
            user_issuer: "https://login.example.com".into(),
            user_audience: "email-connectors".into(),
            user_client_id: "local-console".into(),
            user_redirects: Vec::new(),
            history_start: 1000,
            strict: true,
            push: PushSettings::default(),
            clock: None,
        }
    }
}

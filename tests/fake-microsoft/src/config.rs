//! What a fake is started with.

use std::path::PathBuf;
use std::sync::Arc;

use time::OffsetDateTime;

pub type Clock = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

#[derive(Clone)]
pub struct Config {
    /// 0 takes a free port.
    pub port: u16,
    pub client_id: String,
    pub client_secret: String,
    /// Any absolute URI if empty.
    pub redirect_uris: Vec<String>,
    /// What stands before `/{tid}/v2.0` in `iss`. The fake's own URL if absent.
    pub issuer_base: Option<String>,
    /// Real time if absent.
    pub clock: Option<Clock>,
    /// Gets a line for each request of Graph: what it names, and no value.
    pub requests: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            client_id: "11111111-1111-4111-8111-111111111111".into(),
            client_secret: "local-secret".into(),
            redirect_uris: Vec::new(),
            issuer_base: None,
            clock: None,
            requests: None,
        }
    }
}

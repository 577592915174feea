//! Microsoft Graph and Microsoft's OAuth endpoints: mail in Outlook.

mod batch;
mod changes;
mod client;
pub mod client_state;
pub mod errors;
mod folders;
mod labels;
mod mailboxes;
mod measured;
mod oauth;
mod operations;
mod placing;
mod provider;
mod reading;
mod subscriptions;
mod upload;
pub mod wire;
mod writing;

use self::client::Client;
use self::mailboxes::Mailboxes;
use crate::config::MicrosoftSettings;
use crate::domain::secret::AccessToken;

/// A longer answer would not fit through Lambda; it is in memory several times.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;
/// A mail with its attachments, as MIME.
const LONGEST_MAIL: usize = 50 * 1024 * 1024;

pub struct Outlook {
    client: Client,
    settings: MicrosoftSettings,
    mailboxes: Mailboxes,
}

impl Outlook {
    pub fn new(http: reqwest::Client, settings: MicrosoftSettings) -> Self {
        Self { client: Client::new(http, &settings), settings, mailboxes: Mailboxes::default() }
    }

    /// Calls for the connector's own work.
    fn calling<'a>(&'a self, access: &'a AccessToken) -> Calling<'a> {
        Calling { outlook: self, access, mailbox: self.mailboxes.of(access), is_operation: false }
    }

    /// Calls for an operation of the owner, which leave the connector's own work room.
    fn operating<'a>(&'a self, access: &'a AccessToken) -> Calling<'a> {
        Calling { is_operation: true, ..self.calling(access) }
    }
}

/// Calls under one access token.
struct Calling<'a> {
    outlook: &'a Outlook,
    access: &'a AccessToken,
    mailbox: std::sync::Arc<mailboxes::Mailbox>,
    is_operation: bool,
}

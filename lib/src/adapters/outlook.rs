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
mod recorded_mailbox;
mod subscriptions;
mod upload;
pub mod wire;
mod writing;

use self::client::{Client, Http};
use self::mailboxes::Mailboxes;
use self::recorded_mailbox::RecordedMailbox;
use crate::adapters::system::System;
use crate::config::{DryRun, MicrosoftSettings};
use crate::domain::secret::AccessToken;
use crate::domain::timestamp::Timestamp;
use crate::ports::Clock;

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
        Self::over(Http::Microsoft(http), settings)
    }

    /// Sends nothing: a recorded mailbox answers, at `now`.
    pub fn dry_run(settings: MicrosoftSettings, now: fn() -> Timestamp) -> Self {
        let token_url = oauth::endpoint(&settings, "token");
        let recorded_mailbox = RecordedMailbox::new(&settings, token_url, now);
        Self::over(Http::RecordedMailbox(recorded_mailbox), settings)
    }

    /// As the settings say.
    pub fn as_set(
        http: reqwest::Client,
        settings: MicrosoftSettings,
        dry_run: Option<&DryRun>,
    ) -> Self {
        match dry_run {
            Some(_) => Self::dry_run(settings, || System.now()),
            None => Self::new(http, settings),
        }
    }

    fn over(http: Http, settings: MicrosoftSettings) -> Self {
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

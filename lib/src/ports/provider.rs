//! The mail provider: grants, a mailbox behind an access token, and operations on it.

use std::ops::Range;
use std::time::Duration;

use secrecy::SecretString;

use super::Unavailable;
use crate::domain::changes::ChangePage;
use crate::domain::claims::Claims;
use crate::domain::connector::Provider;
use crate::domain::email_address::EmailAddress;
use crate::domain::gap::Slice;
use crate::domain::id::MessageId;
use crate::domain::invalid::Invalid;
use crate::domain::mailbox_key::MailboxKey;
use crate::domain::mark::Mark;
use crate::domain::message::ProviderMessage;
use crate::domain::operation::answer::MailAnswer;
use crate::domain::operation::request::MailRequest;
use crate::domain::outgoing::identity::Alias;
use crate::domain::secret::{AccessToken, RefreshToken};
use crate::domain::timestamp::Timestamp;
use crate::domain::upload::UploadId;
use crate::domain::watch::{Ending, Watching};

/// Each variant is named by what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The access token was refused: refresh it once.
    #[error("the access token was refused")]
    Unauthorized,
    /// The code or the refresh token is no longer valid: the user must connect again.
    #[error("the grant was refused: {0}")]
    GrantRefused(String),
    /// Our own client id or secret is wrong: an operator must fix it.
    #[error("the OAuth client was refused: {0}")]
    ClientRefused(String),
    /// The changes since the cursor have expired: replay the mail by date.
    #[error("the history has expired")]
    HistoryExpired,
    /// All retries failed: try later, after `retry_after` if the provider named it.
    #[error("the provider is not available: {reason}")]
    Unavailable { reason: String, retry_after: Option<Duration> },
    /// The page token has expired: list again from the start.
    #[error("the page token was refused")]
    PageLost,
    /// This client watches the mailbox already, for another topic or under another id: stop that
    /// watch, then watch.
    #[error("another watch is in the way")]
    WatchTaken,
    /// The quota of the mailbox or the project is used up.
    #[error("the quota is used up: {reason}")]
    RateLimited { reason: String, retry_after: Option<Duration> },
    /// The answer exceeds the size limit, and would again. For a listing, `unread` has the messages
    /// that were not read.
    #[error("the answer is too large")]
    TooLarge { unread: Vec<MessageId> },
    /// The message cannot be shown in this form, and never will be: ask for another form.
    #[error("the message cannot be read: {0}")]
    Unreadable(String),
    /// What was asked does not fit what is there: nothing was done.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The request may have been executed or not: do not repeat it blindly.
    #[error("nobody knows whether it was done: {0}")]
    OutcomeUnknown(String),
    /// The provider is not set up on this stack.
    #[error("the provider is not set up on this stack")]
    NotConfigured,
    /// A final refusal: repeating the request is useless.
    #[error("the provider refused with {status}: {reason}")]
    Refused { status: u16, reason: String },
}

impl ProviderError {
    pub fn unavailable(reason: impl std::fmt::Display) -> Self {
        Self::Unavailable { reason: reason.to_string(), retry_after: None }
    }
}

/// A mail provider: its grants, and a mailbox behind an access token.
#[trait_variant::make(Send)]
pub trait EmailProvider: Send + Sync {
    /// Returns the URL of the consent page.
    fn consent_url(&self, consent: &ConsentRequest<'_>) -> String;
    /// Exchanges an authorization code. `GrantRefused` means that the code is invalid, expired or
    /// used. MUST be `OutcomeUnknown`, not `Unavailable`, if the code may be used up.
    async fn exchange(
        &self,
        code: &AuthorizationCode,
        now: Timestamp,
    ) -> Result<Grant, ProviderError>;
    /// Returns a new access token, and the refresh token that takes the place of this one if the
    /// provider rotates them; this one MUST stay valid. `GrantRefused` means that the grant is gone.
    async fn refresh(
        &self,
        token: &RefreshToken,
        now: Timestamp,
    ) -> Result<Refreshed, ProviderError>;
    /// Returns the grant of a refresh token that another system got with the same client.
    /// `refresh_token` of the result is the one to store. The identity is empty if the provider
    /// does not report it, as for a grant without `openid`.
    async fn adopt(&self, token: &RefreshToken, now: Timestamp) -> Result<Grant, ProviderError>;
    /// Revokes the account's whole grant with all its tokens; false if the provider does not know
    /// the token, so that nothing was revoked. True does not prove that the grant was alive.
    async fn revoke(&self, token: &RefreshToken) -> Result<bool, ProviderError>;

    /// Returns the mailbox's address and its newest mark.
    async fn profile(&self, access: &AccessToken) -> Result<Profile, ProviderError>;
    /// Requests notifications of every change, or that the current ones go on; returns when they
    /// end. MUST drop a position that the answer has. `WatchTaken` if another watch of this client
    /// is in the way.
    async fn watch(
        &self,
        access: &AccessToken,
        request: &WatchRequest<'_>,
    ) -> Result<Watching, ProviderError>;
    /// Ends watches of the mailbox. One that is gone already is no error.
    async fn stop(&self, access: &AccessToken, ending: Ending<'_>) -> Result<(), ProviderError>;

    /// Returns a page of changes after a mark. `HistoryExpired` if it is too old, `PageLost`
    /// if the page token is.
    async fn changes(
        &self,
        access: &AccessToken,
        after: Mark,
        page_token: Option<&str>,
    ) -> Result<ChangePage, ProviderError>;
    /// Returns a page of the messages that arrived in a slice of time, without spam and trash, in
    /// any order.
    async fn list(
        &self,
        access: &AccessToken,
        slice: &Slice,
        page_token: Option<&str>,
    ) -> Result<MessagePage, ProviderError>;
    /// Returns messages in any order; only their headers if `only_headers`, for a grant that allows
    /// no more. MUST be an error only if nothing was fetched.
    async fn messages(
        &self,
        access: &AccessToken,
        ids: &[MessageId],
        only_headers: bool,
    ) -> Result<Fetched, ProviderError>;

    /// Returns the addresses that the mailbox may write from beside its own; none that waits for its
    /// confirmation.
    async fn aliases(&self, access: &AccessToken) -> Result<Vec<Alias>, ProviderError>;
    /// Executes an operation of the owner. A request that creates something MUST be sent only once,
    /// and is `OutcomeUnknown` if it may have been executed nevertheless.
    async fn perform(
        &self,
        access: &AccessToken,
        request: &MailRequest,
        sender: Sender<'_>,
    ) -> Result<Performed, ProviderError>;
    /// Executes the sending or drafting of a mail with uploaded files, which are read piece by
    /// piece. MUST hold a few megabytes of the mail at a time, and MUST otherwise be as `perform`.
    async fn perform_large<U: Uploaded>(
        &self,
        access: &AccessToken,
        request: &MailRequest,
        sender: Sender<'_>,
        uploaded: &U,
    ) -> Result<Performed, ProviderError>;
}

/// The providers of a stack, one of which is behind each connector.
pub trait Providers: Send + Sync {
    type One: EmailProvider;

    /// Every call of a provider that is not set up MUST be `NotConfigured`.
    fn of(&self, provider: Provider) -> &Self::One;

    fn has(&self, provider: Provider) -> bool;
}

/// A single provider serves every connector.
impl<T: EmailProvider> Providers for T {
    type One = T;

    fn of(&self, _provider: Provider) -> &T {
        self
    }

    fn has(&self, _provider: Provider) -> bool {
        true
    }
}

/// The uploaded files of a mail.
#[trait_variant::make(Send)]
pub trait Uploaded: Send + Sync {
    /// A range of a file's bytes. MUST be an error if there are fewer.
    async fn read(&self, id: UploadId, range: Range<u64>) -> Result<Vec<u8>, Unavailable>;
}

/// A new access token, and what takes the place of the refresh token that it was got with.
#[derive(Debug, Clone)]
pub struct Refreshed {
    pub access: AccessToken,
    /// `None` if the refresh token stays as it is.
    pub refresh: Option<RefreshToken>,
}

impl From<AccessToken> for Refreshed {
    fn from(access: AccessToken) -> Self {
        Self { access, refresh: None }
    }
}

/// What is to be watched.
#[derive(Debug, Clone, Copy)]
pub struct WatchRequest<'a> {
    pub mailbox: &'a MailboxKey,
    /// The id of the watch that there is, if any is known and it has one.
    pub current: Option<&'a str>,
}

/// Who acts: the sender and the date of outgoing mail.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    pub address: &'a EmailAddress,
    pub now: Timestamp,
    /// The grant allows to read nothing else.
    pub only_headers: bool,
}

/// The answer to a request, and the quota units that it cost.
#[derive(Debug)]
pub struct Performed {
    pub answer: MailAnswer,
    pub units: u32,
}

/// What the consent page shows and returns.
#[derive(Debug, Clone, Copy)]
pub struct ConsentRequest<'a> {
    pub scopes: &'a [String],
    pub redirect_uri: &'a str,
    pub state: &'a str,
    pub nonce: &'a str,
    pub code_verifier: &'a SecretString,
    /// The address that the user is expected to choose.
    pub login_hint: Option<&'a str>,
}

/// The code from the consent page, with what its exchange needs.
#[derive(Debug, Clone)]
pub struct AuthorizationCode {
    pub code: SecretString,
    pub redirect_uri: String,
    pub code_verifier: Option<SecretString>,
}

/// What the user granted, and the user's identity at the provider.
#[derive(Debug, Clone)]
pub struct Grant {
    pub access_token: AccessToken,
    pub refresh_token: Option<RefreshToken>,
    pub scopes: Vec<String>,
    /// The claims of the id token, received from the provider itself over TLS.
    pub identity: Claims,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagePage {
    pub messages: Vec<MessageId>,
    pub next_page_token: Option<String>,
}

/// The result of fetching messages. A requested message that is in none of the fields does not
/// exist.
#[derive(Debug)]
pub struct Fetched<T = ProviderMessage> {
    pub messages: Vec<T>,
    /// Messages that failed, each for a reason of its own.
    pub failed: Vec<(MessageId, String)>,
    /// Of `failed`, those that would fail again: too large, or refused.
    pub refused: Vec<MessageId>,
    /// Messages without an answer, and why; worth a retry.
    pub unanswered: Option<(Vec<MessageId>, ProviderError)>,
    /// Quota units for messages that were read a second time.
    pub more_units: u32,
}

impl<T> Default for Fetched<T> {
    fn default() -> Self {
        Self {
            messages: Vec::new(),
            failed: Vec::new(),
            refused: Vec::new(),
            unanswered: None,
            more_units: 0,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub email_address: EmailAddress,
    pub mark: Mark,
}

//! The mail provider's side of the outside world: grants, a mailbox behind an access token, and what an owner does with it.

use std::time::Duration;

use secrecy::SecretString;

use crate::domain::claims::Claims;
use crate::domain::email_address::EmailAddress;
use crate::domain::gap::Slice;
use crate::domain::history::HistoryPage;
use crate::domain::history_id::HistoryId;
use crate::domain::id::MessageId;
use crate::domain::message::ProviderMessage;
use crate::domain::operation::answer::MailAnswer;
use crate::domain::operation::request::MailRequest;
use crate::domain::secret::{AccessToken, RefreshToken};
use crate::domain::timestamp::Timestamp;

/// Named by what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The access token is not honoured: refresh it once.
    #[error("the access token was refused")]
    Unauthorized,
    /// The code or the refresh token is no longer good: the user must connect again.
    #[error("the grant was refused: {0}")]
    GrantRefused(String),
    /// Our own client id or secret is wrong: an operator's matter.
    #[error("the OAuth client was refused: {0}")]
    ClientRefused(String),
    /// The history before the cursor is gone.
    #[error("the history has expired")]
    HistoryExpired,
    /// Tried as often as allowed; later may do: after a while, if the provider said how long.
    #[error("the provider is not available: {reason}")]
    Unavailable { reason: String, retry_after: Option<Duration> },
    /// The page token is of a listing that the provider no longer knows: list again from the start.
    #[error("the page token was refused")]
    PageLost,
    /// The mailbox is watched for another topic of this client: stop, then watch.
    #[error("another watch is in the way")]
    WatchTaken,
    /// The mailbox or the project has used its quota up.
    #[error("the quota is used up: {reason}")]
    RateLimited { reason: String, retry_after: Option<Duration> },
    /// The answer is longer than is read at a time, and would be again; of a listing, which messages are not read for it.
    #[error("the answer is too large")]
    TooLarge { unread: Vec<MessageId> },
    /// It may have been done, or not.
    #[error("nobody knows whether it was done: {0}")]
    OutcomeUnknown(String),
    /// No is the answer, also later.
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
    /// Where the user consents.
    fn consent_url(&self, consent: &ConsentRequest<'_>) -> String;
    async fn exchange(&self, code: &AuthorizationCode, now: Timestamp) -> Result<Grant, ProviderError>;
    async fn refresh(&self, token: &RefreshToken, now: Timestamp) -> Result<AccessToken, ProviderError>;
    /// A grant that another system got by the same client: what was granted, and whose it is. Its refresh token is the one to
    /// keep. The identity is empty if the provider does not tell it, as for a grant without `openid`.
    async fn adopt(&self, token: &RefreshToken, now: Timestamp) -> Result<Grant, ProviderError>;
    /// Ends the account's whole grant, and every token that came of it; false if the token is unknown there, so that nothing ended.
    /// A grant that is dead already is revoked, and Google may say so as if it had lived.
    async fn revoke(&self, token: &RefreshToken) -> Result<bool, ProviderError>;

    async fn profile(&self, access: &AccessToken) -> Result<Profile, ProviderError>;
    /// Asks for notifications of every change; answers when they end. The history id in Gmail's answer is dropped here.
    async fn watch(&self, access: &AccessToken) -> Result<Timestamp, ProviderError>;
    async fn stop(&self, access: &AccessToken) -> Result<(), ProviderError>;

    async fn history(&self, access: &AccessToken, after: HistoryId, page_token: Option<&str>) -> Result<HistoryPage, ProviderError>;
    /// The messages that arrived in a slice of time, but for spam and trash, in any order.
    async fn list(&self, access: &AccessToken, slice: &Slice, page_token: Option<&str>) -> Result<MessagePage, ProviderError>;
    /// In any order; `only_headers` when the grant allows no more. An error only if nothing was fetched at all.
    async fn messages(&self, access: &AccessToken, ids: &[MessageId], only_headers: bool) -> Result<Fetched, ProviderError>;

    /// Does what an owner asks for. What makes something is sent once: `OutcomeUnknown` if it may have been done all the same.
    async fn perform(&self, access: &AccessToken, request: &MailRequest, sender: Sender<'_>) -> Result<Performed, ProviderError>;
}

/// Who sends, and when.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    pub address: &'a EmailAddress,
    pub now: Timestamp,
}

/// What came of a request, and the quota units that it cost.
#[derive(Debug)]
pub struct Performed {
    pub answer: MailAnswer,
    pub units: u32,
}

/// What the user is asked for.
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

/// What the browser brought back from the consent page.
#[derive(Debug, Clone)]
pub struct AuthorizationCode {
    pub code: SecretString,
    pub redirect_uri: String,
    pub code_verifier: Option<SecretString>,
}

/// What the user granted, and who the user is for the provider.
#[derive(Debug, Clone)]
pub struct Grant {
    pub access_token: AccessToken,
    pub refresh_token: Option<RefreshToken>,
    pub scopes: Vec<String>,
    /// Of the id token, received from the provider itself over TLS.
    pub identity: Claims,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagePage {
    pub messages: Vec<MessageId>,
    pub next_page_token: Option<String>,
}

/// What came of asking for messages. One that was asked for and stands nowhere here is not there.
#[derive(Debug)]
pub struct Fetched<T = ProviderMessage> {
    pub messages: Vec<T>,
    /// Those that failed, each for a reason of its own.
    pub failed: Vec<(MessageId, String)>,
    /// Those that were not answered, and why; asking again may do.
    pub unanswered: Option<(Vec<MessageId>, ProviderError)>,
}

impl<T> Default for Fetched<T> {
    fn default() -> Self {
        Self { messages: Vec::new(), failed: Vec::new(), unanswered: None }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub email_address: EmailAddress,
    pub history_id: HistoryId,
}

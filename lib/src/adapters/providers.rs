//! The providers of a stack: the calls for each connector go to its own.

use crate::adapters::gmail::Gmail;
use crate::adapters::outlook::Outlook;
use crate::config::{DryRun, GoogleSettings, MicrosoftSettings};
use crate::domain::changes::ChangePage;
use crate::domain::connector::Provider;
use crate::domain::gap::Slice;
use crate::domain::id::MessageId;
use crate::domain::mark::Mark;
use crate::domain::operation::request::MailRequest;
use crate::domain::outgoing::identity::Alias;
use crate::domain::secret::{AccessToken, RefreshToken};
use crate::domain::timestamp::Timestamp;
use crate::domain::watch::{Ending, Watching};
use crate::ports::{
    AuthorizationCode, ConsentRequest, EmailProvider, Fetched, Grant, MessagePage, Performed,
    Profile, ProviderError, Providers, Refreshed, Sender, Uploaded, WatchRequest,
};

/// Those that are set up; a line for each that is known.
pub struct MailProviders {
    gmail: MailProvider,
    outlook: MailProvider,
}

/// One of them.
pub enum MailProvider {
    Gmail(Box<Gmail>),
    Outlook(Box<Outlook>),
    /// The stack has no settings for it.
    NotConfigured,
}

impl MailProviders {
    pub fn new(gmail: Option<Gmail>, outlook: Option<Outlook>) -> Self {
        let or_none =
            |provider: Option<MailProvider>| provider.unwrap_or(MailProvider::NotConfigured);
        Self {
            gmail: or_none(gmail.map(|gmail| MailProvider::Gmail(Box::new(gmail)))),
            outlook: or_none(outlook.map(|outlook| MailProvider::Outlook(Box::new(outlook)))),
        }
    }

    /// As the settings say. In a dry run recorded mailboxes stand in for all that are set up.
    pub fn as_set(
        http: &reqwest::Client,
        google: Option<GoogleSettings>,
        microsoft: Option<MicrosoftSettings>,
        dry_run: Option<DryRun>,
    ) -> Self {
        let outlook =
            microsoft.map(|client| Outlook::as_set(http.clone(), client, dry_run.as_ref()));
        Self::new(google.map(|client| Gmail::as_set(http.clone(), client, dry_run)), outlook)
    }
}

impl MailProvider {
    pub const fn is_configured(&self) -> bool {
        !matches!(self, Self::NotConfigured)
    }
}

impl Providers for MailProviders {
    type One = MailProvider;

    fn of(&self, provider: Provider) -> &MailProvider {
        match provider {
            Provider::Gmail => &self.gmail,
            Provider::Outlook => &self.outlook,
        }
    }

    fn has(&self, provider: Provider) -> bool {
        self.of(provider).is_configured()
    }
}

/// Calls the same method of the provider that is meant.
macro_rules! to {
    ($provider:expr, $method:ident($($argument:expr),*)) => {
        match $provider {
            MailProvider::Gmail(gmail) => gmail.$method($($argument),*).await,
            MailProvider::Outlook(outlook) => outlook.$method($($argument),*).await,
            MailProvider::NotConfigured => Err(ProviderError::NotConfigured),
        }
    };
}

impl EmailProvider for MailProvider {
    /// Empty if the provider is not set up: nobody is sent there.
    fn consent_url(&self, consent: &ConsentRequest<'_>) -> String {
        match self {
            Self::Gmail(gmail) => gmail.consent_url(consent),
            Self::Outlook(outlook) => outlook.consent_url(consent),
            Self::NotConfigured => String::new(),
        }
    }

    async fn exchange(
        &self,
        code: &AuthorizationCode,
        now: Timestamp,
    ) -> Result<Grant, ProviderError> {
        to!(self, exchange(code, now))
    }

    async fn refresh(
        &self,
        token: &RefreshToken,
        now: Timestamp,
    ) -> Result<Refreshed, ProviderError> {
        to!(self, refresh(token, now))
    }

    async fn adopt(&self, token: &RefreshToken, now: Timestamp) -> Result<Grant, ProviderError> {
        to!(self, adopt(token, now))
    }

    async fn revoke(&self, token: &RefreshToken) -> Result<bool, ProviderError> {
        to!(self, revoke(token))
    }

    async fn profile(&self, access: &AccessToken) -> Result<Profile, ProviderError> {
        to!(self, profile(access))
    }

    async fn watch(
        &self,
        access: &AccessToken,
        request: &WatchRequest<'_>,
    ) -> Result<Watching, ProviderError> {
        to!(self, watch(access, request))
    }

    async fn stop(&self, access: &AccessToken, ending: Ending<'_>) -> Result<(), ProviderError> {
        to!(self, stop(access, ending))
    }

    async fn changes(
        &self,
        access: &AccessToken,
        after: Mark,
        page_token: Option<&str>,
    ) -> Result<ChangePage, ProviderError> {
        to!(self, changes(access, after, page_token))
    }

    async fn list(
        &self,
        access: &AccessToken,
        slice: &Slice,
        page_token: Option<&str>,
    ) -> Result<MessagePage, ProviderError> {
        to!(self, list(access, slice, page_token))
    }

    async fn messages(
        &self,
        access: &AccessToken,
        ids: &[MessageId],
        only_headers: bool,
    ) -> Result<Fetched, ProviderError> {
        to!(self, messages(access, ids, only_headers))
    }

    async fn aliases(&self, access: &AccessToken) -> Result<Vec<Alias>, ProviderError> {
        to!(self, aliases(access))
    }

    async fn perform(
        &self,
        access: &AccessToken,
        request: &MailRequest,
        sender: Sender<'_>,
    ) -> Result<Performed, ProviderError> {
        to!(self, perform(access, request, sender))
    }

    async fn perform_large<U: Uploaded>(
        &self,
        access: &AccessToken,
        request: &MailRequest,
        sender: Sender<'_>,
        uploaded: &U,
    ) -> Result<Performed, ProviderError> {
        to!(self, perform_large(access, request, sender, uploaded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_provider_that_is_not_set_up_answers_so_and_is_asked_nothing() {
        let providers = MailProviders::new(None, None);
        for provider in [Provider::Gmail, Provider::Outlook] {
            assert!(!providers.has(provider));
            let token = RefreshToken(String::new().into());
            let answer = providers.of(provider).revoke(&token).await;
            assert!(matches!(answer, Err(ProviderError::NotConfigured)));
        }
    }
}

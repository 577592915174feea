//! Gmail in memory: grants, simple mailboxes, their history in pages, and their watches.

use std::collections::BTreeMap;

use email_connectors::domain::changes::ChangePage;
use email_connectors::domain::connector::Provider;
use email_connectors::domain::gap::Slice;
use email_connectors::domain::id::{AccountId, MessageId};
use email_connectors::domain::mark::Mark;
use email_connectors::domain::operation::answer::MailAnswer;
use email_connectors::domain::operation::request::MailRequest;
use email_connectors::domain::outgoing::identity::Alias;
use email_connectors::domain::provider::gmail::price;
use email_connectors::domain::provider::registered;
use email_connectors::domain::secret::{AccessToken, RefreshToken};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::watch::{Ending, Watching};
use email_connectors::ports::{
    AuthorizationCode, ConsentRequest, EmailProvider, Fetched, Grant, MessagePage, Performed,
    Profile, ProviderError, Refreshed, Sender, Uploaded, WatchRequest,
};
use secrecy::ExposeSecret;

use super::grants::{AuthorizeRequest, Grants};
use super::mailbox::Mailbox;
use super::outlook::mailbox::OutlookMailbox;
use super::outlook::{listing, reading};
use super::script::Call;
use super::{State, World};

#[derive(Default)]
pub(crate) struct Google {
    pub grants: Grants,
    pub mailboxes: BTreeMap<AccountId, Mailbox>,
    /// Of accounts at Microsoft.
    pub outlook: BTreeMap<AccountId, OutlookMailbox>,
}

/// The mailbox behind an access token.
enum Opened<'a> {
    Gmail(&'a mut Mailbox),
    Outlook(&'a mut OutlookMailbox),
}

impl Google {
    /// Ends poison, lag and watches of other topics.
    pub fn calm(&mut self) {
        for mailbox in self.mailboxes.values_mut() {
            mailbox.poisoned.clear();
            mailbox.lag = 0;
            mailbox.watch_is_taken = false;
        }
    }

    fn mailbox(
        &mut self,
        access: &AccessToken,
        now: Timestamp,
    ) -> Result<Opened<'_>, ProviderError> {
        let account = self.grants.admit(access, now)?;
        if let Some(mailbox) = self.outlook.get_mut(&account) {
            return Ok(Opened::Outlook(mailbox));
        }
        self.mailboxes.get_mut(&account).map(Opened::Gmail).ok_or(ProviderError::Unauthorized)
    }
}

#[derive(Clone)]
pub struct MemoryGmail(World);

impl MemoryGmail {
    pub(crate) fn new(world: World) -> Self {
        Self(world)
    }

    /// A call to Gmail, whose units are charged even if it fails.
    async fn read<T>(
        &self,
        call: Call,
        units: u32,
        about: impl ToString,
        access: &AccessToken,
        effect: impl FnOnce(Opened<'_>, Timestamp) -> Result<T, ProviderError> + Send,
    ) -> Result<T, ProviderError> {
        self.0.lock().units += u64::from(units);
        let effect =
            |state: &mut State| effect(state.google.mailbox(access, state.now)?, state.now);
        self.0.call(call, about.to_string(), effect).await
    }
}

impl EmailProvider for MemoryGmail {
    fn consent_url(&self, consent: &ConsentRequest<'_>) -> String {
        let request = AuthorizeRequest {
            scopes: consent.scopes.to_vec(),
            redirect_uri: consent.redirect_uri.into(),
            state: consent.state.into(),
            nonce: consent.nonce.into(),
            code_verifier: consent.code_verifier.expose_secret().into(),
            login_hint: consent.login_hint.map(String::from),
        };
        self.0.lock().google.grants.authorize(request)
    }

    async fn exchange(
        &self,
        code: &AuthorizationCode,
        now: Timestamp,
    ) -> Result<Grant, ProviderError> {
        let mut taken = false;
        let answer = self.0.call(Call::Exchange, "", |state| {
            taken = true;
            state.google.grants.exchange(code, now)
        });
        match answer.await {
            Err(ProviderError::Unavailable { reason, .. }) if taken => {
                Err(ProviderError::OutcomeUnknown(reason))
            }
            answer => answer,
        }
    }

    async fn refresh(
        &self,
        token: &RefreshToken,
        now: Timestamp,
    ) -> Result<Refreshed, ProviderError> {
        self.0.call(Call::Refresh, "", |state| state.google.grants.refresh(token, now)).await
    }

    async fn adopt(&self, token: &RefreshToken, now: Timestamp) -> Result<Grant, ProviderError> {
        self.0.call(Call::Adopt, "", |state| state.google.grants.adopt(token, now)).await
    }

    async fn revoke(&self, token: &RefreshToken) -> Result<bool, ProviderError> {
        let revoke = |state: &mut State| {
            let ended = state.google.grants.revoke(token);
            if let Some(mailbox) =
                ended.as_ref().and_then(|account| state.google.mailboxes.get_mut(account))
            {
                mailbox.watched_until = None;
            }
            Ok(ended.is_some())
        };
        self.0.call(Call::Revoke, "", revoke).await
    }

    async fn profile(&self, access: &AccessToken) -> Result<Profile, ProviderError> {
        self.read(Call::Profile, price::PROFILE, "", access, |opened, now| match opened {
            Opened::Gmail(mailbox) => Ok(mailbox.profile()),
            Opened::Outlook(mailbox) => Ok(reading::profile(mailbox, now)),
        })
        .await
    }

    async fn watch(
        &self,
        access: &AccessToken,
        request: &WatchRequest<'_>,
    ) -> Result<Watching, ProviderError> {
        let (current, mailbox_key) = (request.current, request.mailbox.as_str());
        self.read(Call::Watch, price::WATCH, "", access, |opened, now| match opened {
            Opened::Gmail(mailbox) => mailbox.watch(now).map(Watching::from),
            Opened::Outlook(mailbox) => reading::watch(mailbox, mailbox_key, current, now),
        })
        .await
    }

    async fn stop(&self, access: &AccessToken, ending: Ending<'_>) -> Result<(), ProviderError> {
        let stop = |opened: Opened<'_>, _| {
            match (opened, ending) {
                (Opened::Gmail(mailbox), Ending::All { .. }) => mailbox.stop(),
                (Opened::Gmail(_), Ending::These(_)) => {}
                (Opened::Outlook(mailbox), ending) => reading::stop(mailbox, ending),
            }
            Ok(())
        };
        self.read(Call::Stop, price::STOP, "", access, stop).await
    }

    async fn changes(
        &self,
        access: &AccessToken,
        after: Mark,
        page_token: Option<&str>,
    ) -> Result<ChangePage, ProviderError> {
        let about = paged(format!("after {after}"), page_token);
        self.read(Call::History, price::HISTORY, about, access, |opened, now| match opened {
            Opened::Gmail(mailbox) => mailbox.changes(after, page_token, now),
            Opened::Outlook(mailbox) => listing::changes(mailbox, after, page_token, now),
        })
        .await
    }

    async fn list(
        &self,
        access: &AccessToken,
        slice: &Slice,
        page_token: Option<&str>,
    ) -> Result<MessagePage, ProviderError> {
        let before = slice.before.map(|before| format!(", before {before}")).unwrap_or_default();
        let about = paged(format!("after {}{before}", slice.after), page_token);
        self.read(Call::List, price::LIST, about, access, |opened, now| match opened {
            Opened::Gmail(mailbox) => mailbox.list(slice, page_token, now),
            Opened::Outlook(mailbox) => Ok(reading::list(mailbox, slice, now)),
        })
        .await
    }

    async fn messages(
        &self,
        access: &AccessToken,
        ids: &[MessageId],
        only_headers: bool,
    ) -> Result<Fetched, ProviderError> {
        let shown = ids.iter().map(MessageId::as_str).collect::<Vec<_>>().join(" ");
        let about = if only_headers { format!("{shown} (headers)") } else { shown };
        let units = ids.iter().map(|_| price::MESSAGE).sum();
        self.read(Call::Messages, units, about, access, |opened, now| match opened {
            Opened::Gmail(mailbox) => mailbox.get(ids, now),
            Opened::Outlook(mailbox) => Ok(reading::get(mailbox, ids, now)),
        })
        .await
    }

    async fn aliases(&self, access: &AccessToken) -> Result<Vec<Alias>, ProviderError> {
        self.read(Call::Aliases, price::SEND_AS, "", access, |opened, _| match opened {
            Opened::Gmail(mailbox) => Ok(mailbox.aliases.clone()),
            Opened::Outlook(_) => Ok(Vec::new()),
        })
        .await
    }

    async fn perform(
        &self,
        access: &AccessToken,
        request: &MailRequest,
        _: Sender<'_>,
    ) -> Result<Performed, ProviderError> {
        let units = registered(Provider::Gmail).units(request);
        let answer = self
            .read(Call::Perform, units, shown(request), access, |opened, now| match opened {
                Opened::Gmail(mailbox) => mailbox.perform(request, now),
                Opened::Outlook(_) => Ok(MailAnswer::Done),
            })
            .await?;
        Ok(Performed { answer, units })
    }

    async fn perform_large<U: Uploaded>(
        &self,
        access: &AccessToken,
        request: &MailRequest,
        sender: Sender<'_>,
        _: &U,
    ) -> Result<Performed, ProviderError> {
        self.perform(access, request, sender).await
    }
}

/// The request's name for the log of calls.
fn shown(request: &MailRequest) -> String {
    let text = format!("{request:?}");
    text.split(['(', ' ', '{']).next().unwrap_or_default().to_string()
}

fn paged(about: String, page_token: Option<&str>) -> String {
    page_token.map_or(about.clone(), |token| format!("{about}, page {token}"))
}

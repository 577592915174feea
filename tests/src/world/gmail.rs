//! Gmail in memory: grants, simple mailboxes, their history in pages, and their watches.

use std::collections::BTreeMap;

use email_connectors::domain::connector::Provider;
use email_connectors::domain::gap::Slice;
use email_connectors::domain::history::HistoryPage;
use email_connectors::domain::history_id::HistoryId;
use email_connectors::domain::id::{GoogleSub, MessageId};
use email_connectors::domain::operation::request::MailRequest;
use email_connectors::domain::outgoing::identity::Alias;
use email_connectors::domain::provider::registered;
use email_connectors::domain::quota::price;
use email_connectors::domain::secret::{AccessToken, RefreshToken};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{
    AuthorizationCode, ConsentRequest, EmailProvider, Fetched, Grant, MessagePage, Performed,
    Profile, ProviderError, Sender, Uploaded,
};
use secrecy::ExposeSecret;

use super::grants::{AuthorizeRequest, Grants};
use super::mailbox::Mailbox;
use super::script::Call;
use super::{State, World};

#[derive(Default)]
pub(crate) struct Google {
    pub grants: Grants,
    pub mailboxes: BTreeMap<GoogleSub, Mailbox>,
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
    ) -> Result<&mut Mailbox, ProviderError> {
        let account = self.grants.admit(access, now)?;
        self.mailboxes.get_mut(&account).ok_or(ProviderError::Unauthorized)
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
        effect: impl FnOnce(&mut Mailbox, Timestamp) -> Result<T, ProviderError> + Send,
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
    ) -> Result<AccessToken, ProviderError> {
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
        self.read(Call::Profile, price::PROFILE, "", access, |mailbox, _| Ok(mailbox.profile()))
            .await
    }

    async fn watch(&self, access: &AccessToken) -> Result<Timestamp, ProviderError> {
        self.read(Call::Watch, price::WATCH, "", access, Mailbox::watch).await
    }

    async fn stop(&self, access: &AccessToken) -> Result<(), ProviderError> {
        let stop = |mailbox: &mut Mailbox, _| {
            mailbox.stop();
            Ok(())
        };
        self.read(Call::Stop, price::STOP, "", access, stop).await
    }

    async fn history(
        &self,
        access: &AccessToken,
        after: HistoryId,
        page_token: Option<&str>,
    ) -> Result<HistoryPage, ProviderError> {
        let about = paged(format!("after {after}"), page_token);
        self.read(Call::History, price::HISTORY, about, access, |mailbox, now| {
            mailbox.history(after, page_token, now)
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
        self.read(Call::List, price::LIST, about, access, |mailbox, now| {
            mailbox.list(slice, page_token, now)
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
        self.read(Call::Messages, units, about, access, |mailbox, now| mailbox.get(ids, now)).await
    }

    async fn aliases(&self, access: &AccessToken) -> Result<Vec<Alias>, ProviderError> {
        self.read(Call::Aliases, price::SEND_AS, "", access, |mailbox, _| {
            Ok(mailbox.aliases.clone())
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
            .read(Call::Perform, units, shown(request), access, |mailbox, now| {
                mailbox.perform(request, now)
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

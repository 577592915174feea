//! Gmail in memory: grants, simple mailboxes, their history in pages, and their watches.

use std::collections::BTreeMap;
use std::time::Duration;

use email_connectors::domain::history::HistoryPage;
use email_connectors::domain::history_id::HistoryId;
use email_connectors::domain::id::{GoogleSub, MessageId};
use email_connectors::domain::message::ProviderMessage;
use email_connectors::domain::secret::{AccessToken, RefreshToken};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::ports::{AuthorizationCode, EmailProvider, Grant, Profile, ProviderError};
use secrecy::ExposeSecret;

use super::account::Mailbox;
use super::grants::Grants;
use super::script::Call;
use super::{State, World};

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
    /// Google sends one on the first consent, and on others only if asked to.
    pub refresh_token: bool,
}

impl Default for Consent {
    fn default() -> Self {
        Self { scopes: SCOPES.map(String::from).into(), refresh_token: true }
    }
}

#[derive(Default)]
pub(crate) struct Google {
    pub grants: Grants,
    pub mailboxes: BTreeMap<GoogleSub, Mailbox>,
}

impl Google {
    fn mailbox(&mut self, access: &AccessToken, now: Timestamp) -> Result<&mut Mailbox, ProviderError> {
        let account = self.grants.admit(access, now)?;
        self.mailboxes.get_mut(&account).ok_or(ProviderError::Unauthorized)
    }
}

impl Mailbox {
    fn profile(&mut self) -> Profile {
        self.told = self.told.max(self.history_id);
        Profile { email_address: self.address.clone(), history_id: HistoryId::new(self.history_id) }
    }

    /// Pages are of the history as it stood when the listing began, and each tells the mailbox's id of its own moment:
    /// of what Gmail leaves open, what a careless reader loses most by.
    fn list(&mut self, after: HistoryId, page_token: Option<&str>) -> Result<HistoryPage, ProviderError> {
        if after.value() < self.expired {
            return Err(ProviderError::HistoryExpired);
        }
        let invalid = || ProviderError::Refused { status: 400, reason: "Invalid pageToken".into() };
        let (end, skipped) = page_token.map_or(Some((self.history_id, 0)), |token| place(after, token)).ok_or_else(invalid)?;
        self.told = self.told.max(self.history_id);
        let listed: Vec<_> = self.records.iter().filter(|record| record.id > after.value() && record.id <= end).collect();
        let page = listed.iter().skip(skipped).take(self.page_size);
        let changes = page.map(|record| record.change.clone()).collect();
        let shown = skipped + self.page_size;
        let next_page_token = (listed.len() > shown).then(|| format!("{after}-{end}-{shown}"));
        Ok(HistoryPage { changes, history_id: HistoryId::new(self.history_id), next_page_token })
    }

    fn get(&self, ids: &[MessageId]) -> Vec<ProviderMessage> {
        ids.iter().filter_map(|id| self.messages.get(id)).cloned().collect()
    }
}

/// A page token names the listing that it belongs to: where that begins and ends, and how much of it was shown.
fn place(after: HistoryId, page_token: &str) -> Option<(u64, usize)> {
    let (end, shown) = page_token.strip_prefix(&format!("{after}-"))?.split_once('-')?;
    Some((end.parse().ok()?, shown.parse().ok()?))
}

#[derive(Clone)]
pub struct MemoryGmail(World);

impl MemoryGmail {
    pub(crate) fn new(world: World) -> Self {
        Self(world)
    }

    async fn read<T>(
        &self,
        call: Call,
        about: impl ToString,
        access: &AccessToken,
        effect: impl FnOnce(&mut Mailbox, Timestamp) -> Result<T, ProviderError> + Send,
    ) -> Result<T, ProviderError> {
        let effect = |state: &mut State| effect(state.google.mailbox(access, state.now)?, state.now);
        self.0.call(call, about.to_string(), effect).await
    }
}

impl EmailProvider for MemoryGmail {
    async fn exchange(&self, code: &AuthorizationCode, now: Timestamp) -> Result<Grant, ProviderError> {
        self.0.call(Call::Exchange, "", |state| state.google.grants.exchange(code.code.expose_secret(), now)).await
    }

    async fn refresh(&self, token: &RefreshToken, now: Timestamp) -> Result<AccessToken, ProviderError> {
        self.0.call(Call::Refresh, "", |state| state.google.grants.refresh(token, now)).await
    }

    async fn revoke(&self, token: &RefreshToken) -> Result<(), ProviderError> {
        let revoke = |state: &mut State| {
            let ended = state.google.grants.revoke(token);
            if let Some(mailbox) = ended.and_then(|account| state.google.mailboxes.get_mut(&account)) {
                mailbox.watched_until = None;
            }
            Ok(())
        };
        self.0.call(Call::Revoke, "", revoke).await
    }

    async fn profile(&self, access: &AccessToken) -> Result<Profile, ProviderError> {
        self.read(Call::Profile, "", access, |mailbox, _| Ok(mailbox.profile())).await
    }

    async fn watch(&self, access: &AccessToken) -> Result<Timestamp, ProviderError> {
        let watch = |mailbox: &mut Mailbox, now: Timestamp| Ok(*mailbox.watched_until.insert(now.after(WATCH_LIFE)));
        self.read(Call::Watch, "", access, watch).await
    }

    async fn stop(&self, access: &AccessToken) -> Result<(), ProviderError> {
        let stop = |mailbox: &mut Mailbox, _| {
            mailbox.watched_until = None;
            Ok(())
        };
        self.read(Call::Stop, "", access, stop).await
    }

    async fn history(&self, access: &AccessToken, after: HistoryId, page_token: Option<&str>) -> Result<HistoryPage, ProviderError> {
        let about = page_token.map_or_else(|| format!("after {after}"), |token| format!("after {after}, page {token}"));
        self.read(Call::History, about, access, |mailbox, _| mailbox.list(after, page_token)).await
    }

    async fn messages(&self, access: &AccessToken, ids: &[MessageId], only_headers: bool) -> Result<Vec<ProviderMessage>, ProviderError> {
        let shown = ids.iter().map(MessageId::as_str).collect::<Vec<_>>().join(" ");
        let about = if only_headers { format!("{shown} (headers)") } else { shown };
        self.read(Call::Messages, about, access, |mailbox, _| Ok(mailbox.get(ids))).await
    }
}

//! The port of mail, for Outlook.

use super::Outlook;
use super::client::Answered;
use super::errors::Failure;
use super::wire::{Message, User};
use crate::adapters::system::System;
use crate::domain::changes::{Change, ChangePage, Record};
use crate::domain::email_address::EmailAddress;
use crate::domain::gap::Slice;
use crate::domain::id::MessageId;
use crate::domain::mark::{Mark, RecordKey};
use crate::domain::operation::request::MailRequest;
use crate::domain::outgoing::identity::Alias;
use crate::domain::provider::outlook::paging::{Next, state};
use crate::domain::provider::outlook::received::Folders;
use crate::domain::secret::{AccessToken, RefreshToken};
use crate::domain::timestamp::Timestamp;
use crate::domain::watch::{Ending, Watching};
use crate::ports::{
    AuthorizationCode, Clock, ConsentRequest, EmailProvider, Fetched, Grant, MessagePage,
    Performed, Profile, ProviderError, Refreshed, Sender, Uploaded, WatchRequest,
};

impl EmailProvider for Outlook {
    fn consent_url(&self, consent: &ConsentRequest<'_>) -> String {
        self.authorize_url(consent, None)
    }

    async fn exchange(
        &self,
        code: &AuthorizationCode,
        now: Timestamp,
    ) -> Result<Grant, ProviderError> {
        self.exchanged(code, now).await
    }

    async fn refresh(
        &self,
        token: &RefreshToken,
        now: Timestamp,
    ) -> Result<Refreshed, ProviderError> {
        self.refreshed(token, now).await
    }

    async fn adopt(&self, token: &RefreshToken, now: Timestamp) -> Result<Grant, ProviderError> {
        self.adopted(token, now).await
    }

    /// Microsoft has no revocation of one app's grant: it stays until the user removes it at the
    /// account's own page, and false says so.
    async fn revoke(&self, _: &RefreshToken) -> Result<bool, ProviderError> {
        Ok(false)
    }

    /// The mark is the newest change; of an empty mailbox, the moment by Graph's own clock.
    async fn profile(&self, access: &AccessToken) -> Result<Profile, ProviderError> {
        let (call, query) = (self.calling(access), [("$select", "mail,userPrincipalName")]);
        let (answered, newest) = tokio::join!(call.read(&["me"], &query), call.newest());
        let Answered { body, date } = answered.map_err(Failure::of_api)?;
        let newest = newest.map_err(Failure::of_api)?;
        let user: User = super::client::parse(&body).map_err(Failure::of_api)?;
        let address = user.mail.filter(|mail| !mail.is_empty()).or(user.user_principal_name);
        let email_address = EmailAddress::parse(&address.unwrap_or_default())
            .map_err(ProviderError::unavailable)?;
        Ok(Profile { email_address, mark: mark(newest.or(date).unwrap_or_else(|| System.now())) })
    }

    async fn watch(
        &self,
        access: &AccessToken,
        request: &WatchRequest<'_>,
    ) -> Result<Watching, ProviderError> {
        self.calling(access).subscribed(request.mailbox, request.current).await
    }

    async fn stop(&self, access: &AccessToken, ending: Ending<'_>) -> Result<(), ProviderError> {
        self.calling(access).ended(ending).await.map_err(Failure::of_api)
    }

    async fn changes(
        &self,
        access: &AccessToken,
        after: Mark,
        page_token: Option<&str>,
    ) -> Result<ChangePage, ProviderError> {
        let settled = i64::try_from(after.value()).unwrap_or(i64::MAX);
        let call = self.calling(access);
        let changed = call.changed(Timestamp::from_millis(settled), page_token).await?;
        let (next_page_token, newest) = match changed.next {
            Next::Page(token) => (Some(token.to_string()), None),
            Next::End { newest } => (None, newest),
        };
        let (mut records, mut contents) = (Vec::new(), Vec::new());
        for message in changed.messages {
            records.push(record(&message, &changed.folders).map_err(Failure::of_api)?);
            contents.push(message.into_message(&changed.folders).map_err(Failure::of_api)?);
        }
        Ok(ChangePage { records, mark: newest.map(mark), next_page_token, contents })
    }

    async fn list(
        &self,
        access: &AccessToken,
        slice: &Slice,
        page_token: Option<&str>,
    ) -> Result<MessagePage, ProviderError> {
        self.calling(access).arrived(slice, page_token).await
    }

    async fn messages(
        &self,
        access: &AccessToken,
        ids: &[MessageId],
        only_headers: bool,
    ) -> Result<Fetched, ProviderError> {
        self.calling(access).fetched(ids, only_headers).await
    }

    /// Graph lists none.
    async fn aliases(&self, _: &AccessToken) -> Result<Vec<Alias>, ProviderError> {
        Ok(Vec::new())
    }

    async fn perform(
        &self,
        access: &AccessToken,
        request: &MailRequest,
        sender: Sender<'_>,
    ) -> Result<Performed, ProviderError> {
        self.performed(access, request, sender).await
    }

    async fn perform_large<U: Uploaded>(
        &self,
        access: &AccessToken,
        request: &MailRequest,
        sender: Sender<'_>,
        uploaded: &U,
    ) -> Result<Performed, ProviderError> {
        self.performed_upload(access, request, sender, uploaded).await
    }
}

/// A change of a message that counts as received deserves a look; what it means is decided by its
/// content. Any other is only known.
fn record(message: &Message, folders: &Folders) -> Result<Record, Failure> {
    let tag = Some(state(&message.id, &message.change_key));
    let key = RecordKey { mark: mark(message.modified()?), tag };
    let marks = message.marks();
    let is_received = folders.place(&marks.folder).is_received() == Some(true) && !marks.is_draft;
    let added = || Change::Added { message: message.id(), label_ids: marks.label_ids(folders) };
    Ok(Record { key, changes: is_received.then(added).into_iter().collect() })
}

fn mark(moment: Timestamp) -> Mark {
    Mark::new(u64::try_from(moment.millis()).unwrap_or_default())
}

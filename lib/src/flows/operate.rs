//! Something is done with a mailbox, for its owner, through the connector.

use crate::domain::connector::Connector;
use crate::domain::id::{ConnectorId, MessageId, OwnerId};
use crate::domain::operation::answer::{MailAnswer, MessageView};
use crate::domain::operation::request::{Format, MailRequest};
use crate::domain::outgoing::Outgoing;
use crate::domain::provider::registered;
use crate::domain::timestamp::Timestamp;
use crate::flows::access::{AccessError, Refreshes, Session};
use crate::flows::admitting::{Unusable, admit};
use crate::ports::{EmailProvider, Performed, ProviderError, Sender, Store, Vault};

pub struct Operate<'a, S, V, P> {
    pub store: &'a S,
    pub vault: &'a V,
    pub provider: &'a P,
    pub refreshes: &'a Refreshes,
}

#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    #[error("no such connector")]
    NotFound,
    /// The message that a mail answers is not there.
    #[error("there is no message to answer")]
    NothingToAnswer,
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

impl<S: Store, V: Vault, P: EmailProvider> Operate<'_, S, V, P> {
    /// Nothing is asked of the provider that the connector's state or its scopes rule out.
    pub async fn run(
        &self,
        owner: &OwnerId,
        id: &ConnectorId,
        mut request: MailRequest,
        now: Timestamp,
    ) -> Result<Performed, OperateError> {
        let connector = self.store.connector(owner, id).await.map_err(Unusable::from)?.ok_or(OperateError::NotFound)?;
        let missing = registered(connector.provider).missing_scope(&request, &connector.granted_scopes);
        admit(&connector, missing, now)?;
        let session = Session::open(self.store, self.vault, self.provider, self.refreshes, &connector, now).await;
        let mut session = session.map_err(Unusable::from)?;
        let mut units = 0;
        if let Some((mail, original)) = answered(&mut request) {
            let asked = MailRequest::GetMessage(original, Format::Metadata);
            let read = self.call(&mut session, &connector, &asked, now).await.map_err(|error| match error {
                AccessError::Provider(ProviderError::Refused { status: 404, .. }) => OperateError::NothingToAnswer,
                error => Unusable::from(error).into(),
            })?;
            units += read.units;
            let MailAnswer::Message(view) = read.answer else { return Err(OperateError::NothingToAnswer) };
            let MessageView::Whole(original) = *view else { return Err(OperateError::NothingToAnswer) };
            **mail = std::mem::take(&mut **mail).in_reply_to(&original, &connector.email_address);
        }
        let performed = self.call(&mut session, &connector, &request, now).await.map_err(Unusable::from)?;
        Ok(Performed { units: units + performed.units, ..performed })
    }

    async fn call(
        &self,
        session: &mut Session<'_, S, V, P>,
        connector: &Connector,
        request: &MailRequest,
        now: Timestamp,
    ) -> Result<Performed, AccessError> {
        let sender = Sender { address: &connector.email_address, now };
        let units = registered(connector.provider).units(request);
        let provider = self.provider;
        let perform = |access| async move { provider.perform(&access, request, sender).await };
        session.call(units, perform).await
    }
}

/// A mail that answers another one, and which.
fn answered(request: &mut MailRequest) -> Option<(&mut Box<Outgoing>, MessageId)> {
    let (MailRequest::Send(mail) | MailRequest::CreateDraft(mail) | MailRequest::UpdateDraft(_, mail)) = request else { return None };
    let original = mail.reply_to_message_id.clone()?;
    Some((mail, original))
}

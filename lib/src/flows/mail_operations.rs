//! An owner's operation on a mailbox, through the connector.

use crate::domain::connector::Connector;
use crate::domain::id::{ConnectorId, MessageId, OwnerId};
use crate::domain::operation::answer::{MailAnswer, MessageView};
use crate::domain::operation::request::{Format, MailRequest};
use crate::domain::outgoing::Outgoing;
use crate::domain::provider::registered;
use crate::domain::scopes;
use crate::domain::timestamp::Timestamp;
use crate::flows::access::{Access, AccessError, Session};
use crate::flows::preconditions::{Unusable, admit};
use crate::ports::{EmailProvider, Performed, Ports, ProviderError, Sender, Store};

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

impl<P: Ports> Access<'_, P> {
    /// A request that the connector's state or scopes rule out is refused before the provider is
    /// called.
    pub async fn perform(
        self,
        owner: &OwnerId,
        id: &ConnectorId,
        mut request: MailRequest,
        now: Timestamp,
    ) -> Result<Performed, OperateError> {
        let connector = self
            .store
            .connector(owner, id)
            .await
            .map_err(Unusable::from)?
            .ok_or(OperateError::NotFound)?;
        let missing =
            registered(connector.provider).missing_scope(&request, &connector.grant.scopes);
        admit(&connector, missing, now)?;
        let mut session = self.session(&connector, now).await.map_err(Unusable::from)?;
        let mut units = 0;
        if let Some((mail, original)) = answered(&mut request) {
            let query = MailRequest::GetMessage(original, Format::Metadata);
            let read =
                call(&mut session, &connector, &query, now).await.map_err(|error| match error {
                    AccessError::Provider(ProviderError::Refused { status: 404, .. }) => {
                        OperateError::NothingToAnswer
                    }
                    error => Unusable::from(error).into(),
                })?;
            units += read.units;
            let MailAnswer::Message(view) = read.answer else {
                return Err(OperateError::NothingToAnswer);
            };
            let MessageView::Whole(original) = *view else {
                return Err(OperateError::NothingToAnswer);
            };
            **mail = std::mem::take(&mut **mail).in_reply_to(&original, &connector.email_address);
        }
        let performed =
            call(&mut session, &connector, &request, now).await.map_err(Unusable::from)?;
        Ok(Performed { units: units + performed.units, ..performed })
    }
}

async fn call<P: Ports>(
    session: &mut Session<'_, P>,
    connector: &Connector,
    request: &MailRequest,
    now: Timestamp,
) -> Result<Performed, AccessError> {
    let only_headers = scopes::only_metadata(&connector.grant.scopes);
    let sender = Sender { address: &connector.email_address, now, only_headers };
    let (provider, units) = (session.provider(), registered(connector.provider).units(request));
    session
        .call(units, |token| async move { provider.perform(&token, request, sender).await })
        .await
}

/// The mail of a reply, and the id of the message that it answers.
fn answered(request: &mut MailRequest) -> Option<(&mut Box<Outgoing>, MessageId)> {
    let (MailRequest::Send(mail)
    | MailRequest::CreateDraft(mail)
    | MailRequest::UpdateDraft(_, mail)) = request
    else {
        return None;
    };
    let original = mail.reply_to_message_id.clone()?;
    Some((mail, original))
}

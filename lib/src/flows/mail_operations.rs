//! An owner's operation on a mailbox, through the connector.

mod composing;

use self::composing::Composing;
use crate::domain::connector::Connector;
use crate::domain::id::{ConnectorId, OwnerId};
use crate::domain::invalid::Invalid;
use crate::domain::operation::request::MailRequest;
use crate::domain::provider::registered;
use crate::domain::scopes;
use crate::domain::timestamp::Timestamp;
use crate::flows::access::{Access, AccessError, Session};
use crate::flows::preconditions::{Unusable, admit};
use crate::ports::{EmailProvider, Performed, Ports, Sender, Store};

#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    #[error("no such connector")]
    NotFound,
    /// What a mail answers or passes on is not there; it was named by this field.
    #[error("there is nothing that {0} names")]
    NothingNamed(&'static str),
    /// What the mail answers or passes on does not allow it as it was asked for.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// What the mail passes on is too large.
    #[error("the message to forward is too large")]
    TooLargeToForward,
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
        request: MailRequest,
        now: Timestamp,
    ) -> Result<Performed, OperateError> {
        let connector = self
            .store
            .connector(owner, id)
            .await
            .map_err(Unusable::from)?
            .ok_or(OperateError::NotFound)?;
        let request = request.by(&connector.email_address);
        let missing =
            registered(connector.provider).missing_scope(&request, &connector.grant.scopes);
        admit(&connector, missing, now)?;
        let session = self.session(&connector, now).await.map_err(Unusable::from)?;
        let mut composing = Composing::new(session, &connector, now);
        let request = composing.completed(request).await?;
        let Composing { mut session, units, .. } = composing;
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

//! An owner's operation on a mailbox, through the connector.

mod composing;
mod large;

use self::composing::Composing;
pub use self::large::Bucket;
use self::large::Files;
use crate::domain::connector::Connector;
use crate::domain::id::{ConnectorId, OwnerId};
use crate::domain::invalid::Invalid;
use crate::domain::operation::answer::MailAnswer;
use crate::domain::operation::request::MailRequest;
use crate::domain::provider::registered;
use crate::domain::scopes;
use crate::domain::timestamp::Timestamp;
use crate::flows::access::{Access, AccessError, Session};
use crate::flows::preconditions::{Unusable, admit};
use crate::ports::{EmailProvider, Performed, Ports, Sender, Store, Unavailable, Uploaded};

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
    /// The bucket of large mail; nothing was done.
    #[error(transparent)]
    Bucket(#[from] Unavailable),
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
        bucket: Bucket<'_, P::Objects>,
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
        let files = Files::new(bucket, &connector, now);
        if let MailRequest::CreateUpload(spec) = &request {
            return Ok(Performed {
                answer: MailAnswer::Upload(files.upload(spec).await?),
                units: 0,
            });
        }
        let session = self.session(&connector, now).await.map_err(Unusable::from)?;
        let mut composing = Composing::new(session, &connector, now);
        let mut request = composing.of_a_draft(request).await?;
        files.measure(&mut request).await?;
        let mut request = composing.completed(request).await?;
        let Composing { mut session, units, .. } = composing;
        let is_large = request.mail().is_some_and(|mail| mail.uploads().next().is_some());
        let performed = match is_large {
            true => call_large(&mut session, &connector, &request, &files, now).await,
            false => call(&mut session, &connector, &request, now).await,
        };
        let performed = performed.map_err(Unusable::from)?;
        let answer = match request {
            MailRequest::LinkAttachment(..) => files.link(performed.answer).await?,
            _ => performed.answer,
        };
        Ok(Performed { answer, units: units + performed.units })
    }
}

async fn call<P: Ports>(
    session: &mut Session<'_, P>,
    connector: &Connector,
    request: &MailRequest,
    now: Timestamp,
) -> Result<Performed, AccessError> {
    let sender = sender(connector, now);
    let (provider, units) = (session.provider(), registered(connector.provider).units(request));
    session
        .call(units, |token| async move { provider.perform(&token, request, sender).await })
        .await
}

/// For a mail with uploaded files, which are read while it goes out.
async fn call_large<P: Ports>(
    session: &mut Session<'_, P>,
    connector: &Connector,
    request: &MailRequest,
    files: &impl Uploaded,
    now: Timestamp,
) -> Result<Performed, AccessError> {
    let sender = sender(connector, now);
    let (provider, units) = (session.provider(), registered(connector.provider).units(request));
    session
        .call(
            units,
            |token| async move { provider.perform_large(&token, request, sender, files).await },
        )
        .await
}

fn sender(connector: &Connector, now: Timestamp) -> Sender<'_> {
    let only_headers = scopes::only_metadata(&connector.grant.scopes);
    Sender { address: &connector.email_address, now, only_headers }
}

//! Something is done with a mailbox, for its owner, through the connector.

use crate::domain::circuit::CircuitState;
use crate::domain::connector::{Connector, Status};
use crate::domain::id::{ConnectorId, OwnerId};
use crate::domain::operation::answer::{MailAnswer, MessageView};
use crate::domain::operation::request::{Format, MailRequest};
use crate::domain::outgoing::Outgoing;
use crate::domain::provider::registered;
use crate::domain::timestamp::Timestamp;
use crate::flows::access::{AccessError, Refreshes, Session};
use crate::ports::{EmailProvider, Performed, ProviderError, Sender, Store, StoreError, Vault};

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
    #[error("the connector is being disconnected")]
    Closing,
    #[error("the user must connect again")]
    NeedsReauth,
    /// Nothing is tried before then.
    #[error("the circuit is open until {0}")]
    CircuitOpen(Timestamp),
    /// Named is the least scope that would do.
    #[error("the scope {0} was not granted")]
    MissingScope(&'static str),
    /// The message that a mail answers is not there.
    #[error("there is no message to answer")]
    NothingToAnswer,
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl From<StoreError> for OperateError {
    fn from(error: StoreError) -> Self {
        Self::Access(error.into())
    }
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
        let connector = self.store.connector(owner, id).await?.ok_or(OperateError::NotFound)?;
        admit(&connector, &request, now)?;
        let mut session =
            Session::open(self.store, self.vault, self.provider, self.refreshes, &connector, now).await.map_err(reauthorized)?;
        let mut units = 0;
        if let Some((mail, original)) = answered(&mut request) {
            let asked = MailRequest::GetMessage(original, Format::Metadata);
            let read = self.call(&mut session, &connector, &asked, now).await.map_err(|error| match error {
                OperateError::Access(AccessError::Provider(ProviderError::Refused { status: 404, .. })) => OperateError::NothingToAnswer,
                error => error,
            })?;
            units += read.units;
            let MailAnswer::Message(view) = read.answer else { return Err(OperateError::NothingToAnswer) };
            let MessageView::Whole(original) = *view else { return Err(OperateError::NothingToAnswer) };
            **mail = std::mem::take(&mut **mail).in_reply_to(&original, &connector.email_address);
        }
        let performed = self.call(&mut session, &connector, &request, now).await?;
        Ok(Performed { units: units + performed.units, ..performed })
    }

    async fn call(
        &self,
        session: &mut Session<'_, S, V, P>,
        connector: &Connector,
        request: &MailRequest,
        now: Timestamp,
    ) -> Result<Performed, OperateError> {
        let sender = Sender { address: &connector.email_address, now };
        let units = registered(connector.provider).units(request);
        let provider = self.provider;
        let perform = |access| async move { provider.perform(&access, request, sender).await };
        session.call(units, perform).await.map_err(reauthorized)
    }
}

fn admit(connector: &Connector, request: &MailRequest, now: Timestamp) -> Result<(), OperateError> {
    if connector.closing.is_some() {
        return Err(OperateError::Closing);
    }
    if connector.status == Status::NeedsReauth {
        return Err(OperateError::NeedsReauth);
    }
    if let Some(scope) = registered(connector.provider).missing_scope(request, &connector.granted_scopes) {
        return Err(OperateError::MissingScope(scope));
    }
    match connector.circuit.open_until {
        Some(until) if connector.circuit.state(now) == CircuitState::Open => Err(OperateError::CircuitOpen(until)),
        _ => Ok(()),
    }
}

/// A grant that is refused here is dealt with by the next wake-up, which may write.
fn reauthorized(error: AccessError) -> OperateError {
    match error {
        AccessError::Provider(ProviderError::GrantRefused(_)) => OperateError::NeedsReauth,
        error => OperateError::Access(error),
    }
}

/// A mail that answers another one, and which.
fn answered(request: &mut MailRequest) -> Option<(&mut Box<Outgoing>, crate::domain::id::MessageId)> {
    let (MailRequest::Send(mail) | MailRequest::CreateDraft(mail) | MailRequest::UpdateDraft(_, mail)) = request else { return None };
    let original = mail.reply_to_message_id.clone()?;
    Some((mail, original))
}

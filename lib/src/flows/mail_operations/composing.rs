//! What a mail takes from the mailbox before it is written: who may write it, what it answers, and
//! what it passes on.

use super::{OperateError, call};
use crate::domain::connector::Connector;
use crate::domain::id::MessageId;
use crate::domain::message::Message;
use crate::domain::operation::answer::{Draft, MailAnswer, MessageView};
use crate::domain::operation::request::{Format, MailRequest};
use crate::domain::outgoing::forwarding::Unforwardable;
use crate::domain::outgoing::identity::{Alias, Identity};
use crate::domain::outgoing::{Needs, Outgoing, answered_in};
use crate::domain::provider::registered;
use crate::domain::timestamp::Timestamp;
use crate::flows::access::{AccessError, Session};
use crate::flows::preconditions::Unusable;
use crate::ports::{EmailProvider, Ports, ProviderError};

pub struct Composing<'a, P: Ports> {
    pub session: Session<'a, P>,
    /// What the reads cost.
    pub units: u32,
    connector: &'a Connector,
    now: Timestamp,
    /// Read at most once.
    aliases: Option<Vec<Alias>>,
}

impl<'a, P: Ports> Composing<'a, P> {
    pub fn new(session: Session<'a, P>, connector: &'a Connector, now: Timestamp) -> Self {
        Self { session, units: 0, connector, now, aliases: None }
    }

    /// The request with its mail complete. Others are as they were.
    pub async fn completed(
        &mut self,
        mut request: MailRequest,
    ) -> Result<MailRequest, OperateError> {
        if let Some(author) = request.author()
            && author.asks_for().is_some()
        {
            self.read_aliases().await?;
            *author = std::mem::take(author).allowed(&self.identity())?;
        }
        Ok(match request {
            MailRequest::Send(mail) => {
                let mail = self.complete(*mail).await?;
                mail.check_sendable()?;
                MailRequest::Send(Box::new(mail))
            }
            MailRequest::CreateDraft(mail) => {
                MailRequest::CreateDraft(Box::new(self.complete(*mail).await?))
            }
            MailRequest::UpdateDraft(id, mail) => {
                MailRequest::UpdateDraft(id, Box::new(self.complete(*mail).await?))
            }
            request => request,
        })
    }

    /// A draft that is given uploaded files is read here, and replaced.
    pub async fn of_a_draft(&mut self, request: MailRequest) -> Result<MailRequest, OperateError> {
        let MailRequest::PatchDraft(id, change) = request else { return Ok(request) };
        if !change.has_uploads() {
            return Ok(MailRequest::PatchDraft(id, change));
        }
        let reading = MailRequest::GetDraft(id.clone(), Format::Raw);
        let read = call(&mut self.session, self.connector, &reading, self.now).await;
        let read = read.map_err(Unusable::from)?;
        self.units += read.units;
        let MailAnswer::Draft(Draft { message: MessageView::Minimal(draft), .. }) = read.answer
        else {
            return Err(OperateError::NothingNamed("draft_id"));
        };
        let bytes = draft.bytes().ok_or(OperateError::NothingNamed("draft_id"))?;
        Ok(MailRequest::UpdateDraft(id, Box::new(change.applied_to(&bytes, draft.thread_id)?)))
    }

    async fn complete(&mut self, mail: Outgoing) -> Result<Outgoing, OperateError> {
        let original = match mail.needs() {
            Needs::Nothing => None,
            Needs::Message(id) => Some(self.message(id.clone()).await?),
            Needs::Thread(id) => self.last_of(id.into(), mail.in_reply_to.as_deref()).await?,
            Needs::Original(id) => return self.forwarding(id.clone(), mail).await,
        };
        match original {
            // A thread of nothing but drafts has nothing to answer.
            None => Ok(Outgoing { complete: true, ..mail }),
            Some(original) => {
                let plain = self.identity().is_own_address_in(&original);
                if mail.reply_all || !plain {
                    self.read_aliases_if_granted().await?;
                }
                Ok(mail.in_reply_to(&original, &self.identity())?)
            }
        }
    }

    fn identity(&self) -> Identity<'_> {
        Identity {
            own: &self.connector.email_address,
            aliases: self.aliases.as_deref().unwrap_or_default(),
        }
    }

    async fn message(&mut self, id: MessageId) -> Result<Message, OperateError> {
        let field = "reply_to_message_id";
        match self.read(&MailRequest::GetMessage(id, Format::Metadata), field).await? {
            MailAnswer::Message(view) => whole(*view).ok_or(OperateError::NothingNamed(field)),
            _ => Err(OperateError::NothingNamed(field)),
        }
    }

    async fn last_of(
        &mut self,
        thread: String,
        in_reply_to: Option<&str>,
    ) -> Result<Option<Message>, OperateError> {
        let field = "thread_id";
        match self.read(&MailRequest::GetThread(thread, Format::Metadata), field).await? {
            // The one that is answered may be among those that could not be read.
            MailAnswer::Thread(thread) if !thread.failed_ids.is_empty() => {
                Err(OperateError::Unusable(Unusable::Access(
                    ProviderError::unavailable("a message of the thread could not be read").into(),
                )))
            }
            MailAnswer::Thread(thread) => {
                let messages: Vec<Message> =
                    thread.messages.into_iter().filter_map(whole).collect();
                Ok(answered_in(&messages, in_reply_to).cloned())
            }
            _ => Err(OperateError::NothingNamed(field)),
        }
    }

    async fn forwarding(
        &mut self,
        id: MessageId,
        mail: Outgoing,
    ) -> Result<Outgoing, OperateError> {
        let field = "forward_message_id";
        let read = self.read(&MailRequest::GetMessage(id, Format::Raw), field).await;
        let view = match read {
            Ok(MailAnswer::Message(view)) => *view,
            Err(OperateError::Unusable(Unusable::Access(AccessError::Provider(
                ProviderError::TooLarge { .. },
            )))) => return Err(OperateError::TooLargeToForward),
            Err(error) => return Err(error),
            Ok(_) => return Err(OperateError::NothingNamed(field)),
        };
        let MessageView::Minimal(original) = view else {
            return Err(OperateError::NothingNamed(field));
        };
        mail.forwarding(original).map_err(|error| match error {
            Unforwardable::TooLarge => OperateError::TooLargeToForward,
            Unforwardable::Invalid(invalid) => invalid.into(),
        })
    }

    /// What is not there was named by `field`.
    async fn read(
        &mut self,
        request: &MailRequest,
        field: &'static str,
    ) -> Result<MailAnswer, OperateError> {
        let read = call(&mut self.session, self.connector, request, self.now).await;
        let read = read.map_err(|error| match error {
            AccessError::Provider(ProviderError::Refused { status: 404, .. }) => {
                OperateError::NothingNamed(field)
            }
            error => Unusable::from(error).into(),
        })?;
        self.units += read.units;
        Ok(read.answer)
    }

    async fn read_aliases(&mut self) -> Result<(), Unusable> {
        if self.aliases.is_none() {
            let units = registered(self.connector.provider).aliases.units;
            let provider = self.session.provider();
            let aliases = self
                .session
                .call(units, |token| async move { provider.aliases(&token).await })
                .await?;
            self.units += units;
            self.aliases = Some(aliases);
        }
        Ok(())
    }

    /// A reply goes out by the mailbox's own address where nobody may ask for others.
    async fn read_aliases_if_granted(&mut self) -> Result<(), Unusable> {
        let connector = self.connector;
        if !registered(connector.provider).may_list_aliases(&connector.grant.scopes) {
            return Ok(());
        }
        match self.read_aliases().await {
            Err(Unusable::Access(AccessError::Provider(ProviderError::Refused {
                status,
                reason,
            }))) => {
                tracing::info!(status, reason, "the mailbox does not tell its other addresses");
                Ok(())
            }
            read => read,
        }
    }
}

fn whole(view: MessageView) -> Option<Message> {
    match view {
        MessageView::Whole(message) => Some(*message),
        MessageView::Minimal(_) | MessageView::Reference(_) => None,
    }
}

//! Drafts and sending, by MIME: only so do the headers of a thread come through. A draft is made, and
//! then sent, so that its id is known before; with `Mail.Send` alone a mail is sent at once, and
//! nobody tells its id.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;

use super::Calling;
use super::client::{Repeat, parse};
use super::errors::Failure;
use super::reading::missing;
use super::wire::{ID_FIELDS, Message};
use crate::adapters::boundary::boundary;
use crate::domain::operation::answer::{Draft, MailAnswer, MessageView, PlacedMessage};
use crate::domain::outgoing::Outgoing;
use crate::domain::outgoing::draft_change::DraftChange;
use crate::domain::provider::outlook::received::WellKnown;
use crate::ports::{ProviderError, Sender};

/// Of a mail as MIME: in base64 it stays below the 4 MB that Graph takes in one request
/// (<https://learn.microsoft.com/en-us/graph/api/user-post-messages>).
pub const LONGEST_MIME: usize = 2_950_000;

impl Calling<'_> {
    pub async fn sent_mail(
        &self,
        mail: &Outgoing,
        sender: Sender<'_>,
    ) -> Result<MailAnswer, ProviderError> {
        let mime = mime(mail, sender);
        if mime.len() > LONGEST_MIME {
            let draft = self.large_draft(mail, sender, &NoUploads).await?;
            return self.sent_or_deleted(&draft).await;
        }
        match self.draft_of(&mime).await {
            Ok(draft) => self.sent_or_deleted(&draft).await,
            Err(failure) if failure.status == Some(403) => self.sent_at_once(&mime).await,
            // Nothing was sent; at worst a draft is left.
            Err(failure) => Err(failure.of_request(true)),
        }
    }

    /// Where the grant allows nothing but to send.
    async fn sent_at_once(&self, mime: &[u8]) -> Result<MailAnswer, ProviderError> {
        let call = self.call(Method::POST, &["me", "sendMail"]).map_err(Failure::of_api)?;
        let call = call.mime(BASE64_STANDARD.encode(mime));
        let sent = self.send(call, Repeat::Never).await;
        sent.map(|_| MailAnswer::Done).map_err(|failure| failure.of_request(false))
    }

    pub async fn draft_of(&self, mime: &[u8]) -> Result<Message, Failure> {
        let call = self.call(Method::POST, &["me", "messages"])?.mime(BASE64_STANDARD.encode(mime));
        parse(&self.send(call, Repeat::Never).await?.body)
    }

    /// A draft that was refused is not left behind.
    pub async fn sent_or_deleted(&self, draft: &Message) -> Result<MailAnswer, ProviderError> {
        let sent = self.sent_draft(draft).await;
        if matches!(
            sent,
            Err(ProviderError::Refused { .. }
                | ProviderError::RateLimited { .. }
                | ProviderError::Unauthorized)
        ) {
            self.delete_quietly(&draft.id).await;
        }
        sent
    }

    pub async fn delete_quietly(&self, id: &str) {
        let deleted = match self.call(Method::DELETE, &["me", "messages", id]) {
            Ok(call) => self.send(call, Repeat::Safely).await.map(drop),
            Err(failure) => Err(failure),
        };
        if let Err(failure) = deleted {
            tracing::info!(%failure, "a draft that was not sent could not be deleted");
        }
    }

    async fn sent_draft(&self, draft: &Message) -> Result<MailAnswer, ProviderError> {
        let path = ["me", "messages", draft.id.as_str(), "send"];
        let call = self.call(Method::POST, &path).map_err(Failure::of_api)?;
        self.send(call, Repeat::Never).await.map_err(|failure| failure.of_request(false))?;
        // An immutable id stays when the mail goes to Sent Items.
        Ok(MailAnswer::Placed(PlacedMessage {
            id: draft.id(),
            thread_id: draft.conversation_id.clone(),
            label_ids: vec![WellKnown::SentItems.label().into()],
        }))
    }

    pub async fn sent_draft_by_id(&self, id: &str) -> Result<MailAnswer, ProviderError> {
        let draft = self.draft(id).await?;
        self.sent_draft(&draft).await
    }

    /// What is no draft is not there.
    pub async fn draft(&self, id: &str) -> Result<Message, ProviderError> {
        let message = self.message_with(id, ID_FIELDS).await?;
        if message.is_draft { Ok(message) } else { Err(missing("draft")) }
    }

    pub async fn drafted(
        &self,
        mail: &Outgoing,
        sender: Sender<'_>,
    ) -> Result<MailAnswer, ProviderError> {
        let mime = mime(mail, sender);
        let draft = match mime.len() > LONGEST_MIME {
            true => self.large_draft(mail, sender, &NoUploads).await?,
            false => self.draft_of(&mime).await.map_err(|failure| failure.of_request(false))?,
        };
        Ok(answered(&draft))
    }

    /// Graph takes no MIME for a draft that is there: a new one takes its place, under a new id.
    pub async fn redrafted(
        &self,
        id: &str,
        mail: &Outgoing,
        sender: Sender<'_>,
    ) -> Result<MailAnswer, ProviderError> {
        let old = self.draft(id).await?;
        let new = self.drafted(mail, sender).await?;
        self.delete_quietly(&old.id).await;
        Ok(new)
    }

    /// What stays of a draft is taken from its bytes, and written again as it was.
    pub async fn patched(
        &self,
        id: &str,
        change: &DraftChange,
        sender: Sender<'_>,
    ) -> Result<MailAnswer, ProviderError> {
        let old = self.draft(id).await?;
        let bytes = self.mime(id).await?;
        let mail = change.clone().applied_to(&bytes, old.conversation_id)?;
        let new = self.drafted(&mail, sender).await?;
        self.delete_quietly(&old.id).await;
        Ok(new)
    }

    pub async fn draft_deleted(&self, id: &str) -> Result<MailAnswer, ProviderError> {
        let draft = self.draft(id).await?;
        let path = ["me", "messages", draft.id.as_str()];
        let call = self.call(Method::DELETE, &path).map_err(Failure::of_api)?;
        self.done(call).await.map(|_| MailAnswer::Done)
    }
}

/// A mail whose files came with the request.
pub struct NoUploads;

impl crate::ports::Uploaded for NoUploads {
    async fn read(
        &self,
        _: crate::domain::upload::UploadId,
        _: std::ops::Range<u64>,
    ) -> Result<Vec<u8>, crate::ports::Unavailable> {
        Ok(Vec::new())
    }
}

pub fn answered(draft: &Message) -> MailAnswer {
    MailAnswer::Draft(Draft {
        id: draft.id.clone(),
        message: MessageView::Reference(draft.reference()),
    })
}

pub fn mime(mail: &Outgoing, sender: Sender<'_>) -> Vec<u8> {
    mail.to_rfc5322(sender.address, sender.now, &boundary(mail, sender))
}

//! Messages as events and the API show them: what Graph gives of a message, and where more is wanted
//! its MIME, so that the parts, their ids and the raw mail are the same as another provider's.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use futures_util::future::join_all;
use reqwest::Method;

use super::batch::{MOST, PartAnswer};
use super::client::{Call, Repeat, parse};
use super::errors::Failure;
use super::wire::{Message, PLACE_FIELDS, fields, is_verdict};
use super::{Calling, LONGEST_ANSWER, LONGEST_MAIL};
use crate::domain::id::MessageId;
use crate::domain::mail::automatic::Automatic;
use crate::domain::mail::{Attachment, Content, Part};
use crate::domain::message::ProviderMessage;
use crate::domain::operation::answer::{AttachmentBytes, AttachmentList, MailAnswer, MessageView};
use crate::domain::operation::request::Format;
use crate::domain::provider::outlook::received::Folders;
use crate::domain::range::{Served, served};
use crate::ports::{Fetched, ProviderError};

/// Its bytes are wanted within 30 seconds.
const LONGEST_DOWNLOAD: Duration = Duration::from_secs(20);
/// The part id of the mail itself, as a file.
const MESSAGE: &str = "message";
/// Mails that are read whole at a time.
const AT_ONCE: usize = 3;

/// What is downloaded of an attachment.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    Whole,
    /// As a `Range` header says, and no more than can be answered.
    Range(Option<&'a str>),
}

/// Messages in one format, in their order.
#[derive(Default)]
pub struct Views {
    pub views: Vec<MessageView>,
    /// Those that cannot be shown in it.
    pub failed: Vec<(MessageId, ProviderError)>,
    /// Requests for what was read besides.
    pub units: u32,
}

impl Views {
    /// Of a single message.
    pub fn only(mut self) -> Result<MessageView, ProviderError> {
        match (self.views.pop(), self.failed.pop()) {
            (Some(view), _) => Ok(view),
            (None, Some((_, error))) => Err(error),
            (None, None) => Err(missing("message")),
        }
    }
}

impl Calling<'_> {
    /// Messages by id, twenty in a request. An error only if nothing was fetched.
    pub async fn fetched(
        &self,
        ids: &[MessageId],
        only_headers: bool,
    ) -> Result<Fetched, ProviderError> {
        let mut fetched = Fetched::default();
        let mut read: Vec<Message> = Vec::new();
        let fields = fields(only_headers);
        for (at, group) in ids.chunks(MOST).enumerate() {
            let part = |id: &MessageId| self.part_of(id.as_str(), &fields);
            let parts = group.iter().map(part).collect::<Result<Vec<_>, Failure>>();
            let answers = self.one_batch(&parts.map_err(Failure::of_api)?).await;
            match answers {
                Ok(answers) => {
                    for (id, answer) in group.iter().zip(answers) {
                        sorted(id, answer, &mut read, &mut fetched)?;
                    }
                }
                Err(failure) if at == 0 || failure.status == Some(401) => {
                    return Err(failure.of_api());
                }
                // So would the next one end.
                Err(failure) => {
                    leave(&mut fetched, ids[at * MOST..].iter().cloned(), failure);
                    break;
                }
            }
        }
        let folders = self.folders_of(&read).await.map_err(Failure::of_api)?;
        for message in read {
            let id = message.id();
            match message.into_message(&folders) {
                Ok(message) => fetched.messages.push(message),
                Err(failure) => fetched.failed.push((id, failure.reason())),
            }
        }
        Ok(fetched)
    }

    pub async fn message(&self, id: &str, format: Format) -> Result<Message, ProviderError> {
        let is_basic = self.mailbox.is_basic();
        let fields = match format {
            Format::Minimal | Format::Raw => {
                let preview = if is_basic { "" } else { ",bodyPreview" };
                format!("{PLACE_FIELDS},receivedDateTime,lastModifiedDateTime{preview}")
            }
            Format::Metadata | Format::Full => fields(is_basic),
        };
        self.message_with(id, &fields).await
    }

    pub async fn message_with(&self, id: &str, fields: &str) -> Result<Message, ProviderError> {
        let read = self.get(&["me", "messages", id], &[("$select", fields)]).await;
        read.map_err(|failure| failure.of_request(true))
    }

    /// In the format, as far as they fit into an answer.
    pub async fn views(
        &self,
        messages: Vec<Message>,
        format: Format,
    ) -> Result<Views, ProviderError> {
        let folders = self.folders_of(&messages).await.map_err(|error| error.of_request(true))?;
        let mut views = Views::default();
        let mut budget = LONGEST_ANSWER;
        let mut rest = messages.into_iter();
        loop {
            let group: Vec<Message> = rest.by_ref().take(AT_ONCE).collect();
            if group.is_empty() {
                return Ok(views);
            }
            let read =
                group.into_iter().map(|message| self.view(message, format, &folders, budget));
            for (id, view, length) in join_all(read).await {
                views.units += u32::from(length > 0);
                match (view, budget.checked_sub(length)) {
                    (Ok(view), Some(left)) => {
                        budget = left;
                        views.views.push(view);
                    }
                    (Ok(_), None) => views.failed.push((id, too_large())),
                    // It says nothing of the others.
                    (
                        Err(
                            error @ (ProviderError::TooLarge { .. }
                            | ProviderError::Unreadable(_)
                            | ProviderError::Refused { .. }),
                        ),
                        _,
                    ) => views.failed.push((id, error)),
                    (Err(error), _) => return Err(error),
                }
            }
        }
    }

    /// One message, and how many bytes were read for it besides.
    async fn view(
        &self,
        message: Message,
        format: Format,
        folders: &Folders,
        budget: usize,
    ) -> (MessageId, Result<MessageView, ProviderError>, usize) {
        let id = message.id();
        let read = match format {
            Format::Minimal | Format::Metadata => Ok(Vec::new()),
            Format::Full | Format::Raw => self.mime_within(id.as_str(), budget).await,
        };
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(failure) => return (id, Err(failure.of_request(true)), 0),
        };
        let length = bytes.len();
        let view = match format {
            Format::Metadata => message
                .into_message(folders)
                .map(|message| MessageView::Whole(Box::new(message.normalize()))),
            Format::Full => whole(message, &bytes, folders),
            Format::Minimal | Format::Raw => {
                let raw = (format == Format::Raw).then(|| BASE64_URL_SAFE.encode(&bytes));
                message.into_minimal(folders, raw, length as u64).map(MessageView::Minimal)
            }
        };
        (id, view.map_err(Failure::of_api), length)
    }

    /// The mail as it was sent.
    pub async fn mime(&self, id: &str) -> Result<Vec<u8>, ProviderError> {
        self.mime_within(id, LONGEST_MAIL).await.map_err(|failure| failure.of_request(true))
    }

    async fn mime_within(&self, id: &str, most: usize) -> Result<Vec<u8>, Failure> {
        let url = self.outlook.client.url(&["me", "messages", id, "$value"], &[])?;
        let call = Call::new(Method::GET, url).within(most).lasting(LONGEST_DOWNLOAD);
        Ok(self.send(call, Repeat::Safely).await?.body)
    }

    async fn parts(&self, message: &MessageId) -> Result<Part, ProviderError> {
        let bytes = self.mime(message.as_str()).await?;
        Part::read(&bytes).ok_or_else(unreadable)
    }

    pub async fn attachments(&self, message: &MessageId) -> Result<MailAnswer, ProviderError> {
        let root = self.parts(message).await?;
        let files = root.files();
        Ok(MailAnswer::Attachments(AttachmentList {
            attachments: files.attachments,
            embedded: files.embedded,
            bodies: root.bodies().into_iter().map(Part::attachment).collect(),
        }))
    }

    /// The bytes of any part that is no multipart, or of the mail itself.
    pub async fn attachment(
        &self,
        message: &MessageId,
        part_id: &str,
        wanted: Wanted<'_>,
    ) -> Result<MailAnswer, ProviderError> {
        if part_id == MESSAGE {
            let bytes = self.mime(message.as_str()).await?;
            let attachment = Attachment {
                part_id: MESSAGE.into(),
                filename: String::new(),
                mime_type: "message/rfc822".into(),
                size: Some(bytes.len() as u64),
                inline: false,
                content_id: None,
            };
            return Ok(MailAnswer::Bytes(AttachmentBytes { attachment, bytes: Some(bytes) }));
        }
        let root = self.parts(message).await?;
        let part = root.find(part_id).ok_or_else(|| missing("attachment"))?;
        let attachment = part.attachment();
        let bytes = match &part.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::None if part.parts.is_empty() => Vec::new(),
            Content::None | Content::Elsewhere { .. } => return Err(unreadable()),
        };
        let attachment = Attachment { size: Some(bytes.len() as u64), ..attachment };
        let bytes = wanted.is_served(bytes.len()).then_some(bytes);
        Ok(MailAnswer::Bytes(AttachmentBytes { attachment, bytes }))
    }
}

impl Wanted<'_> {
    fn is_served(self, length: usize) -> bool {
        match self {
            Self::Whole => true,
            Self::Range(header) => {
                matches!(served(header, length), Served::Whole | Served::Part(_))
            }
        }
    }
}

/// With its bodies and attachments, which are those of the mail as it was sent.
fn whole(message: Message, bytes: &[u8], folders: &Folders) -> Result<MessageView, Failure> {
    let root = Part::read(bytes)
        .ok_or_else(|| Failure::unreadable("its MIME cannot be read as a mail"))?;
    let message = message.into_message(folders)?;
    let automatic = Automatic::read(&root.headers, Some(&root));
    let mut headers = match root.headers.is_empty() {
        true => message.headers,
        false => root.headers.clone(),
    };
    headers.retain(|(name, _)| !is_verdict(name));
    let message = ProviderMessage {
        headers,
        bounce: automatic.and_then(|automatic| automatic.bounce),
        size_estimate: bytes.len() as u64,
        ..message
    };
    Ok(MessageView::Whole(Box::new(message.normalize_whole(&root))))
}

fn sorted(
    id: &MessageId,
    answer: PartAnswer,
    read: &mut Vec<Message>,
    fetched: &mut Fetched,
) -> Result<(), ProviderError> {
    match answer.and_then(|body| parse::<Message>(&body)) {
        Ok(message) => read.push(message),
        Err(failure) if failure.is_missing() => {}
        Err(failure) if failure.status == Some(401) => return Err(failure.of_api()),
        Err(failure) if failure.is_for_now() => leave(fetched, [id.clone()], failure),
        Err(failure) => {
            if failure.is_final() {
                fetched.refused.push(id.clone());
            }
            fetched.failed.push((id.clone(), failure.to_string()));
        }
    }
    Ok(())
}

/// Of several failures, the first one is kept.
fn leave(fetched: &mut Fetched, ids: impl IntoIterator<Item = MessageId>, failure: Failure) {
    let left = fetched.unanswered.take();
    let (mut all, why) = left.unwrap_or_else(|| (Vec::new(), failure.of_api()));
    all.extend(ids);
    fetched.unanswered = Some((all, why));
}

fn too_large() -> ProviderError {
    ProviderError::TooLarge { unread: Vec::new() }
}

fn unreadable() -> ProviderError {
    ProviderError::Unreadable("its MIME cannot be read as a mail".into())
}

pub fn missing(what: &str) -> ProviderError {
    ProviderError::Refused { status: 404, reason: format!("notFound: there is no such {what}") }
}

//! Messages as events and the API show them, from what Gmail gives of them in one or two readings.

use std::collections::BTreeMap;
use std::time::Duration;

use super::attachment_data::{AttachmentData, Wanted};
use super::client::LONGEST_ANSWER;
use super::errors::Failure;
use super::fetch::Depth;
use super::operations::Calling;
use super::wire::{self, Summary};
use super::{Gmail, LONGEST_ATTACHMENT};
use crate::domain::id::MessageId;
use crate::domain::mail::{Attachment, Content, Part};
use crate::domain::message::ProviderMessage;
use crate::domain::operation::answer::{AttachmentBytes, AttachmentList, MailAnswer, MessageView};
use crate::domain::operation::request::Format;
use crate::domain::provider::gmail::price;
use crate::domain::secret::AccessToken;
use crate::ports::{Fetched, ProviderError};

/// An attachment of 35 MB takes a few seconds, and its bytes are wanted within 30.
const LONGEST_DOWNLOAD: Duration = Duration::from_secs(15);
/// The part id of the mail itself, as a file.
pub const MESSAGE: &str = "message";
const AT_ONCE: usize = 10;

/// Messages in one format, in their order.
#[derive(Default)]
pub struct Views {
    pub views: Vec<MessageView>,
    /// Those that cannot be shown in it.
    pub failed: Vec<(MessageId, ProviderError)>,
    /// Quota units for what was read besides.
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

impl Gmail {
    /// Reads those messages again, with their bodies, of which only the HTML can tell what is
    /// attached.
    pub(super) async fn summarize(
        &self,
        access: &AccessToken,
        fetched: Fetched<wire::Message>,
    ) -> Result<Fetched, ProviderError> {
        let mut open = BTreeMap::new();
        let mut summarized = Fetched {
            failed: fetched.failed,
            unanswered: fetched.unanswered,
            ..Fetched::default()
        };
        for message in fetched.messages {
            let id = message.id();
            match message.into_summary() {
                Ok(Summary { message, is_open: false }) => summarized.messages.push(message),
                Ok(summary) => drop(open.insert(id, summary.message)),
                Err(failure) => summarized.failed.push((id, failure.reason)),
            }
        }
        if open.is_empty() {
            return Ok(summarized);
        }
        let ids: Vec<MessageId> = open.keys().cloned().collect();
        // A few at a time, since their bodies are held until what they tell is known.
        for ids in ids.chunks(AT_ONCE) {
            self.look_closer(access, ids, &mut open, &mut summarized).await?;
        }
        Ok(summarized)
    }

    async fn look_closer(
        &self,
        access: &AccessToken,
        ids: &[MessageId],
        open: &mut BTreeMap<MessageId, ProviderMessage>,
        summarized: &mut Fetched,
    ) -> Result<(), ProviderError> {
        summarized.more_units +=
            price::MESSAGE.saturating_mul(u32::try_from(ids.len()).unwrap_or(u32::MAX));
        let again = self.fetch(access, ids, Depth::Whole, wire::Message::into_known, None).await;
        let mut again = match again {
            Ok(again) => again,
            Err(error @ ProviderError::Unauthorized) => return Err(error),
            Err(error) => Fetched { unanswered: Some((ids.to_vec(), error)), ..Fetched::default() },
        };
        for (message, mut root) in std::mem::take(&mut again.messages) {
            let mut budget = LONGEST_ANSWER;
            let completed = self.complete(access, &message.id, &mut root, &mut budget).await;
            let (read, has_attachments) = match completed {
                Ok(read) => (read, root.has_attachments()),
                Err(error @ ProviderError::Unauthorized) => return Err(error),
                // What may pass must not decide for good.
                Err(
                    error @ (ProviderError::Unavailable { .. } | ProviderError::RateLimited { .. }),
                ) => {
                    let (mut left, first) = again.unanswered.take().unwrap_or((Vec::new(), error));
                    left.push(message.id);
                    again.unanswered = Some((left, first));
                    continue;
                }
                Err(_) => (0, root.has_attachments_by_structure().unwrap_or(true)),
            };
            summarized.more_units += price::MESSAGE.saturating_mul(read);
            summarized.messages.push(ProviderMessage { has_attachments, ..message });
        }
        // What cannot be read again is known well enough to be decided.
        summarized.messages.extend(again.refused.iter().filter_map(|id| open.remove(id)));
        let failed = again.failed.into_iter().filter(|(id, _)| !again.refused.contains(id));
        summarized.failed.extend(failed);
        summarized.unanswered = match (summarized.unanswered.take(), again.unanswered) {
            (Some((mut ids, error)), Some((more, _))) => {
                ids.extend(more);
                Some((ids, error))
            }
            (one, other) => one.or(other),
        };
        Ok(())
    }

    /// Reads the bodies that Gmail keeps outside of the message, within a budget of bytes; returns
    /// how many there were.
    async fn complete(
        &self,
        access: &AccessToken,
        message: &MessageId,
        root: &mut Part,
        budget: &mut usize,
    ) -> Result<u32, ProviderError> {
        let bodies = root.bodies_elsewhere();
        let bytes: u64 = bodies.iter().map(|body| body.size).sum();
        let left = usize::try_from(bytes).ok().and_then(|bytes| budget.checked_sub(bytes));
        *budget = left.ok_or(ProviderError::TooLarge { unread: Vec::new() })?;
        let mut read = 0;
        for body in bodies {
            if let Content::Elsewhere { attachment_id } = &body.content {
                let bytes = self.elsewhere(access, message, attachment_id).await?;
                body.content = Content::Bytes(bytes);
                read += 1;
            }
        }
        Ok(read)
    }

    async fn elsewhere(
        &self,
        access: &AccessToken,
        message: &MessageId,
        attachment_id: &str,
    ) -> Result<Vec<u8>, ProviderError> {
        let path = format!("messages/{message}/attachments/{attachment_id}");
        let url = self.url(&path, &[("fields", "data")]).map_err(Failure::of_api)?;
        let request = self.get(access, url).within(LONGEST_ATTACHMENT).lasting(LONGEST_DOWNLOAD);
        let answered = self.send_for::<AttachmentData>(request).await.map_err(Failure::of_api)?;
        answered.body.into_bytes().map_err(Failure::of_api)
    }

    /// The mail as RFC 5322.
    async fn raw(
        &self,
        access: &AccessToken,
        message: &MessageId,
    ) -> Result<Vec<u8>, ProviderError> {
        let query = [("format", "raw"), ("fields", "id,threadId,internalDate,raw")];
        let url = self.url(&format!("messages/{message}"), &query).map_err(Failure::of_api)?;
        let request = self.get(access, url).within(LONGEST_ATTACHMENT).lasting(LONGEST_DOWNLOAD);
        let answered = self.send(request).await.map_err(Failure::of_api)?;
        let read = wire::Message::parse(&answered.body);
        drop(answered);
        let (bytes, _) = read.and_then(wire::Message::into_raw).map_err(Failure::of_api)?;
        Ok(bytes)
    }
}

impl Calling<'_> {
    pub async fn views(
        &self,
        messages: Vec<wire::Message>,
        format: Format,
    ) -> Result<Views, ProviderError> {
        match format {
            Format::Metadata if self.only_headers => Ok(each(messages, |message| {
                let message = message.into_headers()?;
                Ok(MessageView::Whole(Box::new(message.normalize())))
            })),
            Format::Metadata => self.summaries(messages).await,
            Format::Full => self.whole(messages).await,
            Format::Minimal | Format::Raw => Ok(each(messages, |message| {
                let minimal = message.into_minimal()?;
                match (format, &minimal.raw) {
                    (Format::Raw, None) => {
                        Err(Failure::no_answer("a raw message without its bytes"))
                    }
                    _ => Ok(MessageView::Minimal(minimal)),
                }
            })),
        }
    }

    async fn summaries(&self, messages: Vec<wire::Message>) -> Result<Views, ProviderError> {
        let order: Vec<MessageId> = messages.iter().map(wire::Message::id).collect();
        let fetched = Fetched { messages, ..Fetched::default() };
        let mut summarized = self.gmail.summarize(self.access, fetched).await?;
        summarized.messages.sort_by_key(|message| order.iter().position(|id| *id == message.id));
        let view = |message: ProviderMessage| MessageView::Whole(Box::new(message.normalize()));
        let (unanswered, why) = summarized
            .unanswered
            .map_or_else(Default::default, |(ids, error)| (ids, error.to_string()));
        let failed = summarized.failed.into_iter();
        let failed = failed.chain(unanswered.into_iter().map(|id| (id, why.clone())));
        Ok(Views {
            views: summarized.messages.into_iter().map(view).collect(),
            failed: failed.map(|(id, why)| (id, ProviderError::unavailable(why))).collect(),
            units: summarized.more_units,
        })
    }

    async fn whole(&self, messages: Vec<wire::Message>) -> Result<Views, ProviderError> {
        let (mut views, mut budget) = (Views::default(), LONGEST_ANSWER);
        for message in messages {
            let id = message.id();
            let whole = match message.into_whole() {
                Ok((message, mut root)) => {
                    let read = self.gmail.complete(self.access, &id, &mut root, &mut budget).await;
                    read.map(|read| {
                        views.units += price::MESSAGE * read;
                        MessageView::Whole(Box::new(message.normalize_whole(&root)))
                    })
                }
                Err(failure) => Err(failure.of_api()),
            };
            match whole {
                Ok(view) => views.views.push(view),
                // It says nothing of the others.
                Err(error @ (ProviderError::TooLarge { .. } | ProviderError::Unreadable(_))) => {
                    views.failed.push((id, error));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(views)
    }

    async fn parts(&self, message: &MessageId) -> Result<Part, ProviderError> {
        let message: wire::Message =
            self.message(&format!("messages/{message}"), vec![("format", "full".into())]).await?;
        Ok(message.into_whole().map_err(Failure::of_api)?.1)
    }

    pub async fn attachments(&self, message: &MessageId) -> Result<MailAnswer, ProviderError> {
        let mut root = self.parts(message).await?;
        let mut budget = LONGEST_ANSWER;
        self.gmail.complete(self.access, message, &mut root, &mut budget).await?;
        let files = root.files();
        Ok(MailAnswer::Attachments(AttachmentList {
            attachments: files.attachments,
            embedded: files.embedded,
            bodies: root.bodies().into_iter().map(Part::attachment).collect(),
        }))
    }

    /// The bytes of any part that is no multipart, or of the mail itself; and the units.
    pub async fn attachment(
        &self,
        message: &MessageId,
        part_id: &str,
        wanted: Wanted<'_>,
    ) -> Result<(MailAnswer, u32), ProviderError> {
        if part_id == MESSAGE {
            let bytes = self.gmail.raw(self.access, message).await?;
            let attachment = Attachment {
                part_id: MESSAGE.into(),
                filename: String::new(),
                mime_type: "message/rfc822".into(),
                size: Some(bytes.len() as u64),
                inline: false,
                content_id: None,
            };
            let bytes = Some(bytes);
            return Ok((MailAnswer::Bytes(AttachmentBytes { attachment, bytes }), price::MESSAGE));
        }
        let root = self.parts(message).await?;
        let part = root.find(part_id).ok_or_else(|| missing("attachment"))?;
        let mut attachment = part.attachment();
        if let Some(size) = attachment.size {
            let length = usize::try_from(size).unwrap_or(usize::MAX);
            if !wanted.is_served(length) {
                let nothing = AttachmentBytes { attachment, bytes: None };
                return Ok((MailAnswer::Bytes(nothing), price::MESSAGE));
            }
        }
        let mut units = price::MESSAGE;
        let bytes = match &part.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::Elsewhere { attachment_id } => {
                units += price::MESSAGE;
                self.gmail.elsewhere(self.access, message, attachment_id).await?
            }
            Content::None if attachment.size == Some(0) && part.parts.is_empty() => Vec::new(),
            // Gmail took it apart: what was sent is in the mail itself.
            Content::None => {
                units += price::MESSAGE;
                let raw = self.gmail.raw(self.access, message).await?;
                cut_out(&raw, part)?
            }
        };
        attachment.size = Some(bytes.len() as u64);
        let bytes = Some(bytes);
        Ok((MailAnswer::Bytes(AttachmentBytes { attachment, bytes }), units))
    }
}

/// A part of a mail as it was sent, without its transfer encoding.
fn cut_out(raw: &[u8], wanted: &Part) -> Result<Vec<u8>, ProviderError> {
    let found = Part::read(raw).and_then(|root| root.find(&wanted.part_id).cloned());
    match found {
        Some(Part { content: Content::Bytes(bytes), mime_type, .. })
            if mime_type == wanted.mime_type && !bytes.is_empty() =>
        {
            Ok(bytes)
        }
        _ => Err(ProviderError::Unreadable(
            "this part cannot be found in the mail as it was sent".into(),
        )),
    }
}

fn each(
    messages: Vec<wire::Message>,
    view: impl Fn(wire::Message) -> Result<MessageView, Failure>,
) -> Views {
    let mut views = Views::default();
    for message in messages {
        let id = message.id();
        match view(message) {
            Ok(view) => views.views.push(view),
            Err(failure) => views.failed.push((id, failure.of_api())),
        }
    }
    views
}

fn missing(what: &str) -> ProviderError {
    ProviderError::Refused { status: 404, reason: format!("notFound: there is no such {what}") }
}

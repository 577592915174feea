//! What an operation answers, in one shape for every provider.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::ToSchema;

use super::request::{LabelColor, LabelListVisibility, MessageListVisibility};
use crate::domain::id::MessageId;
use crate::domain::mail::Attachment;
use crate::domain::mark::Mark;
use crate::domain::message::{Message, Metadata};
use crate::domain::timestamp::Timestamp;
use crate::domain::upload::UploadId;

#[derive(Debug, Clone, PartialEq)]
pub enum MailAnswer {
    Messages(MessageList),
    Threads(ThreadList),
    Drafts(DraftList),
    Labels(LabelList),
    Message(Box<MessageView>),
    Thread(Thread),
    Draft(Draft),
    Label(Label),
    Attachments(AttachmentList),
    Bytes(AttachmentBytes),
    Link(AttachmentLink),
    Upload(Upload),
    /// A message that was moved or labelled, with its labels now.
    Placed(PlacedMessage),
    /// Done, without a result.
    Done,
}

/// A page of messages.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MessageList {
    pub messages: Vec<MessageView>,
    /// Messages that were listed and could not be read just now; ask for each again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_ids: Vec<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
    /// Gmail's estimate of how many there are in all.
    pub result_size_estimate: u32,
}

/// A message, or as much of it as the format asks for.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum MessageView {
    Whole(Box<Message>),
    Minimal(MinimalMessage),
    Reference(MessageReference),
}

/// `format=ids`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageReference {
    pub id: MessageId,
    pub thread_id: String,
}

/// `format=minimal`, and with the mail itself `format=raw`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MinimalMessage {
    pub id: MessageId,
    pub thread_id: String,
    pub label_ids: Vec<String>,
    pub snippet: String,
    pub timestamp: Timestamp,
    pub metadata: Metadata,
    /// The mail as RFC 5322, in base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
}

impl MinimalMessage {
    /// The mail as RFC 5322, if it was read and is base64url.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        BASE64_URL_SAFE_NO_PAD.decode(self.raw.as_deref()?.trim_end_matches('=')).ok()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlacedMessage {
    pub id: MessageId,
    pub thread_id: String,
    pub label_ids: Vec<String>,
}

/// A page of threads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ThreadList {
    pub threads: Vec<ListedThread>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
    pub result_size_estimate: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListedThread {
    pub id: String,
    pub snippet: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_id: Option<Mark>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Thread {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_id: Option<Mark>,
    /// Oldest first.
    pub messages: Vec<MessageView>,
    /// Messages that cannot be read in this format: ask for another one of each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_ids: Vec<MessageId>,
}

/// A page of labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LabelList {
    pub labels: Vec<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Label {
    pub id: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: LabelType,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_list_visibility: Option<LabelListVisibility>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_list_visibility: Option<MessageListVisibility>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<LabelColor>,
    /// The counts are there where one label is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_total: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_unread: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads_total: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads_unread: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LabelType {
    System,
    User,
}

/// A page of drafts.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DraftList {
    pub drafts: Vec<Draft>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
    pub result_size_estimate: u32,
}

/// Its id stays when it is changed; its message's does not.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Draft {
    pub id: String,
    pub message: MessageView,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AttachmentList {
    /// Also those of mails within the mail.
    pub attachments: Vec<Attachment>,
    /// What the HTML shows by its Content-ID.
    pub embedded: Vec<Attachment>,
    /// The texts of the mail itself.
    pub bodies: Vec<Attachment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentBytes {
    pub attachment: Attachment,
    /// `None` if the requested range serves nothing of it.
    pub bytes: Option<Vec<u8>>,
}

/// Where an attachment can be downloaded. Whoever has the URL can; it needs no token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AttachmentLink {
    pub url: String,
    pub expires_at: Timestamp,
    /// In bytes.
    pub size: u64,
    pub mime_type: String,
    pub filename: String,
}

/// Where a file can be put, with `method` and `headers` as they stand here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Upload {
    /// Names the file in the attachments of a mail, for a day.
    pub upload_id: UploadId,
    /// `PUT`.
    pub method: &'static str,
    pub url: String,
    /// A browser sets `content-length` by itself.
    pub headers: BTreeMap<&'static str, String>,
    /// Of the URL.
    pub expires_at: Timestamp,
}

/// What became of what was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deleted {
    Trash,
    Permanently,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Deletion {
    pub id: String,
    pub deleted: Deleted,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BatchDeleted {
    /// How many were named.
    pub count: usize,
    pub deleted: Deleted,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BatchModified {
    /// How many were named.
    pub count: usize,
}

/// A thread that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ThreadReference {
    pub id: String,
}

//! What can be done with a mailbox through its connector: the one table that routes, roles, the
//! API's description, metrics and documents are made from. What an operation costs and which scope
//! it needs is its provider's (`provider`).

pub mod answer;
pub mod parameter;
pub mod request;

use self::parameter::{
    DRAFT_LISTING, FULL_FORMAT, LABEL_LISTING, MESSAGE_LISTING, NO_PARAMETERS, PERMANENT,
    Parameter, THREAD_FORMAT, THREAD_LISTING,
};
use crate::domain::role::Action;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    ListMessages,
    SendMessage,
    BatchModifyMessages,
    BatchDeleteMessages,
    GetMessage,
    ModifyMessage,
    TrashMessage,
    UntrashMessage,
    DeleteMessage,
    ListAttachments,
    GetAttachment,
    LinkAttachment,
    ListThreads,
    GetThread,
    ModifyThread,
    TrashThread,
    UntrashThread,
    DeleteThread,
    ListLabels,
    CreateLabel,
    GetLabel,
    UpdateLabel,
    DeleteLabel,
    ListDrafts,
    CreateDraft,
    GetDraft,
    UpdateDraft,
    PatchDraft,
    SendDraft,
    DeleteDraft,
    CreateUpload,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// What the body of a request holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyShape {
    None,
    Outgoing,
    DraftChange,
    LabelChange,
    Batch,
    BatchDeletion,
    Label,
    Upload,
}

/// What an operation is to its callers.
#[derive(Debug)]
pub struct Entry {
    pub operation: Operation,
    /// Resource and operation, as metrics and documents name it.
    pub name: &'static str,
    pub verb: Verb,
    /// Below `/api/connectors/{connector_id}`.
    pub path: &'static str,
    pub action: Action,
    pub parameters: &'static [Parameter],
    pub body: BodyShape,
    /// In one sentence.
    pub about: &'static str,
}

const fn entry(
    operation: Operation,
    name: &'static str,
    (verb, path): (Verb, &'static str),
    action: Action,
    parameters: &'static [Parameter],
    body: BodyShape,
    about: &'static str,
) -> Entry {
    Entry { operation, name, verb, path, action, parameters, body, about }
}

use Action::{ReadMail, WriteMail};
use Operation::*;
use Verb::{Delete, Get, Patch, Post, Put};

#[rustfmt::skip]
pub const OPERATIONS: [Entry; 31] = [
    entry(ListMessages, "messages.list", (Get, "/messages"), ReadMail, MESSAGE_LISTING, BodyShape::None, "Lists messages, newest first."),
    entry(SendMessage, "messages.send", (Post, "/messages"), WriteMail, NO_PARAMETERS, BodyShape::Outgoing, "Sends a mail; never twice by itself."),
    entry(BatchModifyMessages, "messages.batch_modify", (Post, "/messages/batch-modify"), WriteMail, NO_PARAMETERS, BodyShape::Batch, "Changes the labels of up to 1000 messages."),
    entry(BatchDeleteMessages, "messages.batch_delete", (Post, "/messages/batch-delete"), WriteMail, NO_PARAMETERS, BodyShape::BatchDeletion, "Moves up to 1000 messages to the trash, or deletes them for good."),
    entry(GetMessage, "messages.get", (Get, "/messages/{message_id}"), ReadMail, FULL_FORMAT, BodyShape::None, "Reads a message."),
    entry(ModifyMessage, "messages.modify", (Post, "/messages/{message_id}/modify"), WriteMail, NO_PARAMETERS, BodyShape::LabelChange, "Changes a message's labels."),
    entry(TrashMessage, "messages.trash", (Post, "/messages/{message_id}/trash"), WriteMail, NO_PARAMETERS, BodyShape::None, "Moves a message to the trash."),
    entry(UntrashMessage, "messages.untrash", (Post, "/messages/{message_id}/untrash"), WriteMail, NO_PARAMETERS, BodyShape::None, "Takes a message out of the trash."),
    entry(DeleteMessage, "messages.delete", (Delete, "/messages/{message_id}"), WriteMail, PERMANENT, BodyShape::None, "Moves a message to the trash, or deletes it for good."),
    entry(ListAttachments, "attachments.list", (Get, "/messages/{message_id}/attachments"), ReadMail, NO_PARAMETERS, BodyShape::None, "Lists a message's attachments."),
    entry(GetAttachment, "attachments.get", (Get, "/messages/{message_id}/attachments/{part_id}"), ReadMail, NO_PARAMETERS, BodyShape::None, "Downloads an attachment, whole or a range of it."),
    entry(LinkAttachment, "attachments.url", (Get, "/messages/{message_id}/attachments/{part_id}/url"), ReadMail, NO_PARAMETERS, BodyShape::None, "Answers a URL from which an attachment of any size can be downloaded for 15 minutes."),
    entry(ListThreads, "threads.list", (Get, "/threads"), ReadMail, THREAD_LISTING, BodyShape::None, "Lists threads, newest first."),
    entry(GetThread, "threads.get", (Get, "/threads/{thread_id}"), ReadMail, THREAD_FORMAT, BodyShape::None, "Reads a thread with its messages, oldest first."),
    entry(ModifyThread, "threads.modify", (Post, "/threads/{thread_id}/modify"), WriteMail, NO_PARAMETERS, BodyShape::LabelChange, "Changes the labels of all of a thread's messages."),
    entry(TrashThread, "threads.trash", (Post, "/threads/{thread_id}/trash"), WriteMail, NO_PARAMETERS, BodyShape::None, "Moves a thread to the trash."),
    entry(UntrashThread, "threads.untrash", (Post, "/threads/{thread_id}/untrash"), WriteMail, NO_PARAMETERS, BodyShape::None, "Takes a thread out of the trash."),
    entry(DeleteThread, "threads.delete", (Delete, "/threads/{thread_id}"), WriteMail, PERMANENT, BodyShape::None, "Moves a thread to the trash, or deletes it for good."),
    entry(ListLabels, "labels.list", (Get, "/labels"), ReadMail, LABEL_LISTING, BodyShape::None, "Lists all labels, without counts."),
    entry(CreateLabel, "labels.create", (Post, "/labels"), WriteMail, NO_PARAMETERS, BodyShape::Label, "Makes a label."),
    entry(GetLabel, "labels.get", (Get, "/labels/{label_id}"), ReadMail, NO_PARAMETERS, BodyShape::None, "Reads a label with its counts."),
    entry(UpdateLabel, "labels.update", (Patch, "/labels/{label_id}"), WriteMail, NO_PARAMETERS, BodyShape::Label, "Changes a label; what is absent stays."),
    entry(DeleteLabel, "labels.delete", (Delete, "/labels/{label_id}"), WriteMail, NO_PARAMETERS, BodyShape::None, "Deletes a label for good, and takes it off all messages."),
    entry(ListDrafts, "drafts.list", (Get, "/drafts"), ReadMail, DRAFT_LISTING, BodyShape::None, "Lists drafts, newest first."),
    entry(CreateDraft, "drafts.create", (Post, "/drafts"), WriteMail, NO_PARAMETERS, BodyShape::Outgoing, "Makes a draft."),
    entry(GetDraft, "drafts.get", (Get, "/drafts/{draft_id}"), ReadMail, FULL_FORMAT, BodyShape::None, "Reads a draft."),
    entry(UpdateDraft, "drafts.update", (Put, "/drafts/{draft_id}"), WriteMail, NO_PARAMETERS, BodyShape::Outgoing, "Replaces a draft's mail."),
    entry(PatchDraft, "drafts.patch", (Patch, "/drafts/{draft_id}"), WriteMail, NO_PARAMETERS, BodyShape::DraftChange, "Changes a draft; what is absent stays."),
    entry(SendDraft, "drafts.send", (Post, "/drafts/{draft_id}/send"), WriteMail, NO_PARAMETERS, BodyShape::None, "Sends a draft; never twice by itself."),
    entry(DeleteDraft, "drafts.delete", (Delete, "/drafts/{draft_id}"), WriteMail, NO_PARAMETERS, BodyShape::None, "Deletes a draft for good."),
    entry(CreateUpload, "uploads.create", (Post, "/uploads"), WriteMail, NO_PARAMETERS, BodyShape::Upload, "Answers a URL to which a file is put that is to go out with a mail."),
];

impl Operation {
    pub fn entry(self) -> &'static Entry {
        // The table is in the order of the variants, as a test checks.
        &OPERATIONS[self as usize]
    }

    /// What must not be done twice by a repeated request.
    pub fn makes_something(self) -> bool {
        matches!(self, SendMessage | SendDraft | CreateDraft | CreateLabel)
    }
}

impl Entry {
    /// The names in the path's braces.
    pub fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }
}

impl Verb {
    pub const fn as_str(self) -> &'static str {
        match self {
            Get => "GET",
            Post => "POST",
            Put => "PUT",
            Patch => "PATCH",
            Delete => "DELETE",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_has_its_own_row_route_and_name() {
        for (at, entry) in OPERATIONS.iter().enumerate() {
            assert_eq!(entry.operation as usize, at, "{}", entry.name);
            assert_eq!(entry.operation.entry().name, entry.name);
        }
        let routes: BTreeSet<_> =
            OPERATIONS.iter().map(|entry| (entry.verb.as_str(), entry.path)).collect();
        let names: BTreeSet<_> = OPERATIONS.iter().map(|entry| entry.name).collect();
        assert_eq!((routes.len(), names.len()), (OPERATIONS.len(), OPERATIONS.len()));
    }

    #[test]
    fn who_reads_may_not_write() {
        for entry in &OPERATIONS {
            let reads = entry.verb == Get;
            assert_eq!(entry.action, if reads { ReadMail } else { WriteMail }, "{}", entry.name);
        }
    }
}

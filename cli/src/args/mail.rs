//! Arguments about messages, attachments, threads, labels and drafts.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::compose::Outgoing;
use super::{Connector, Page, Yes};
use crate::request::{Id, id};

#[derive(Subcommand)]
pub enum Messages {
    /// Messages, newest first.
    List(MessageList),
    /// One message.
    Get(MessageGet),
    /// Send a message.
    Send(Box<Send>),
    /// Add and take away labels.
    Modify(Modify),
    /// Put into the trash.
    Trash(Item),
    /// Take out of the trash.
    Untrash(Item),
    /// Delete: into the trash, or for good.
    Delete(Delete),
    /// Add and take away labels of many.
    BatchModify(BatchModify),
    /// Delete many.
    BatchDelete(BatchDelete),
}

#[derive(Subcommand)]
pub enum Attachments {
    /// The files of a message.
    List(Item),
    /// Download a file; large ones come in parts.
    Get(AttachmentGet),
}

#[derive(Subcommand)]
pub enum Threads {
    /// Threads, newest first.
    List(Search),
    /// One thread with its messages.
    Get(ThreadGet),
    /// Add and take away labels of all its messages.
    Modify(Modify),
    /// Put into the trash.
    Trash(Item),
    /// Take out of the trash.
    Untrash(Item),
    /// Delete: into the trash, or for good.
    Delete(Delete),
}

#[derive(Subcommand)]
pub enum Labels {
    /// All labels.
    List(Connector),
    /// One label with its counts.
    Get(Item),
    /// Make a label.
    Create(LabelCreate),
    /// Change a label.
    Update(LabelUpdate),
    /// Delete a label; messages stay.
    Delete(ItemDelete),
}

#[derive(Subcommand)]
pub enum Drafts {
    /// Drafts.
    List(DraftList),
    /// One draft.
    Get(DraftGet),
    /// Make a draft.
    Create(Box<DraftCreate>),
    /// Replace a draft.
    Update(Box<DraftUpdate>),
    /// Change what is named of a draft; all else stays.
    Patch(Box<DraftUpdate>),
    /// Send a draft.
    Send(DraftSend),
    /// Delete a draft for good.
    Delete(ItemDelete),
}

/// Something of a mailbox.
#[derive(Args)]
pub struct Item {
    /// The connector.
    #[arg(value_name = "ID", value_parser = id)]
    pub connector: Id,
    /// The id of what is meant.
    #[arg(value_name = "ITEM", value_parser = id)]
    pub item: Id,
}

#[derive(Args)]
pub struct Search {
    #[command(flatten)]
    pub connector: Connector,
    /// Gmail's search, such as `from:ada is:unread`.
    #[arg(long, short)]
    pub query: Option<String>,
    /// Label ids that it must all carry (repeat, or separate by commas).
    #[arg(long = "label", value_name = "LABEL", value_delimiter = ',', value_parser = id)]
    pub labels: Vec<Id>,
    #[arg(long)]
    pub include_spam_trash: bool,
    #[command(flatten)]
    pub page: Page,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum ListFormat {
    Ids,
    Metadata,
    Full,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    Full,
    Metadata,
    Minimal,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum MessageFormat {
    Full,
    Metadata,
    Minimal,
    Raw,
}

#[derive(Args)]
pub struct MessageList {
    #[command(flatten)]
    pub search: Search,
    #[arg(long, value_enum)]
    pub format: Option<ListFormat>,
}

#[derive(Args)]
pub struct MessageGet {
    #[command(flatten)]
    pub message: Item,
    #[arg(long, value_enum)]
    pub format: Option<MessageFormat>,
}

#[derive(Args)]
pub struct ThreadGet {
    #[command(flatten)]
    pub thread: Item,
    #[arg(long, value_enum)]
    pub format: Option<Format>,
}

#[derive(Args)]
pub struct Send {
    #[command(flatten)]
    pub connector: Connector,
    #[command(flatten)]
    pub mail: Outgoing,
    #[command(flatten)]
    pub key: Key,
}

#[derive(Args)]
pub struct Key {
    /// Makes repeating the same request safe; made up and printed if absent.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
}

#[derive(Args)]
pub struct LabelChange {
    /// A label id to add (repeat, or separate by commas).
    #[arg(
        long,
        value_name = "LABEL",
        value_delimiter = ',',
        required_unless_present = "remove_label"
    )]
    pub add_label: Vec<String>,
    /// A label id to take away.
    #[arg(long, value_name = "LABEL", value_delimiter = ',')]
    pub remove_label: Vec<String>,
}

#[derive(Args)]
pub struct Modify {
    #[command(flatten)]
    pub item: Item,
    #[command(flatten)]
    pub labels: LabelChange,
}

#[derive(Args)]
pub struct Permanently {
    /// For good, not into the trash.
    #[arg(long)]
    pub permanent: bool,
    #[command(flatten)]
    pub yes: Yes,
}

#[derive(Args)]
pub struct Delete {
    #[command(flatten)]
    pub item: Item,
    #[command(flatten)]
    pub how: Permanently,
}

#[derive(Args)]
pub struct ItemDelete {
    #[command(flatten)]
    pub item: Item,
    #[command(flatten)]
    pub yes: Yes,
}

#[derive(Args)]
pub struct Many {
    #[command(flatten)]
    pub connector: Connector,
    /// The messages, a thousand at most; - reads ids from standard input, one a line.
    #[arg(value_name = "MESSAGE", required = true)]
    pub messages: Vec<String>,
}

#[derive(Args)]
pub struct BatchModify {
    #[command(flatten)]
    pub many: Many,
    #[command(flatten)]
    pub labels: LabelChange,
}

#[derive(Args)]
pub struct BatchDelete {
    #[command(flatten)]
    pub many: Many,
    #[command(flatten)]
    pub how: Permanently,
}

#[derive(Args)]
pub struct AttachmentGet {
    #[command(flatten)]
    pub message: Item,
    /// The part, as `attachments list` shows it.
    #[arg(value_name = "PART", value_parser = id)]
    pub part: Id,
    /// Where to write it; a file that is there is kept, and - is standard output.
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "camelCase")]
pub enum InList {
    LabelShow,
    LabelShowIfUnread,
    LabelHide,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum OnMessages {
    Show,
    Hide,
}

#[derive(Args)]
pub struct Look {
    #[arg(long, value_enum)]
    pub label_list_visibility: Option<InList>,
    #[arg(long, value_enum)]
    pub message_list_visibility: Option<OnMessages>,
    /// One of Gmail's colours, such as #ffffff.
    #[arg(long, value_name = "COLOUR", requires = "background_color")]
    pub text_color: Option<String>,
    #[arg(long, value_name = "COLOUR", requires = "text_color")]
    pub background_color: Option<String>,
}

#[derive(Args)]
pub struct LabelCreate {
    #[command(flatten)]
    pub connector: Connector,
    pub name: String,
    #[command(flatten)]
    pub look: Look,
}

#[derive(Args)]
pub struct LabelUpdate {
    #[command(flatten)]
    pub label: Item,
    #[arg(long)]
    pub name: Option<String>,
    #[command(flatten)]
    pub look: Look,
}

#[derive(Args)]
pub struct DraftList {
    #[command(flatten)]
    pub connector: Connector,
    #[arg(long, short)]
    pub query: Option<String>,
    #[command(flatten)]
    pub page: Page,
}

#[derive(Args)]
pub struct DraftGet {
    #[command(flatten)]
    pub draft: Item,
    #[arg(long, value_enum)]
    pub format: Option<MessageFormat>,
}

#[derive(Args)]
pub struct DraftCreate {
    #[command(flatten)]
    pub connector: Connector,
    #[command(flatten)]
    pub mail: Outgoing,
}

#[derive(Args)]
pub struct DraftUpdate {
    #[command(flatten)]
    pub draft: Item,
    #[command(flatten)]
    pub mail: Outgoing,
}

#[derive(Args)]
pub struct DraftSend {
    #[command(flatten)]
    pub draft: Item,
    #[command(flatten)]
    pub key: Key,
}

//! A request for an operation, read from what a caller sent: parsed here once, trusted from here
//! on.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Operation;
use super::parameter::{Given, MOST_LISTED, MOST_READ};
use crate::domain::email_address::EmailAddress;
use crate::domain::id::MessageId;
use crate::domain::invalid::Invalid;
use crate::domain::outgoing::Outgoing;
use crate::domain::outgoing::draft_change::DraftChange;
use crate::domain::outgoing::recipient::Author;
use crate::domain::upload::UploadSpec;

/// Gmail's own bound of a batch.
pub const MOST_BATCHED: usize = 1000;
const MOST_LABELS: usize = 100;
const LONGEST_ID: usize = 256;
const LONGEST_NAME: usize = 225;
/// What the id of a label begins with that is one of Outlook's categories.
const CATEGORY: &str = "category:";

/// Why there is no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRequest {
    Invalid(Invalid),
    /// A text that cannot be an id is treated as an unknown id.
    NothingNamed(&'static str),
}

impl From<Invalid> for NoRequest {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversation {
    Message,
    Thread,
}

/// How much of a message is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Minimal,
    Metadata,
    Full,
    Raw,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub query: Option<String>,
    pub label_ids: Vec<String>,
    pub include_spam_trash: bool,
    pub page_size: u32,
    pub page_token: Option<String>,
}

/// Label ids to put on and to take off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LabelChange {
    /// As `GET …/labels` lists them.
    #[schema(example = json!(["STARRED"]))]
    pub add_label_ids: Vec<String>,
    #[schema(example = json!(["UNREAD"]))]
    pub remove_label_ids: Vec<String>,
}

/// The body of `messages.batch_modify`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    #[schema(min_items = 1, max_items = 1000)]
    pub ids: Vec<String>,
    #[serde(default)]
    pub add_label_ids: Vec<String>,
    #[serde(default)]
    pub remove_label_ids: Vec<String>,
}

/// The body of `messages.batch_delete`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchDeletion {
    #[schema(min_items = 1, max_items = 1000)]
    pub ids: Vec<String>,
    /// For good, instead of to the trash.
    #[serde(default)]
    pub permanent: bool,
}

/// What a label is made from, or changed to; the values are Gmail's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelSpec {
    #[schema(min_length = 1, max_length = 225, example = "Invoices/2026")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_list_visibility: Option<LabelListVisibility>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_list_visibility: Option<MessageListVisibility>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<LabelColor>,
}

/// Whether a label is listed in Gmail's sidebar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum LabelListVisibility {
    LabelShow,
    LabelShowIfUnread,
    LabelHide,
}

/// Whether messages show the label in Gmail's message list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum MessageListVisibility {
    Show,
    Hide,
}

/// Of Gmail's palette only.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelColor {
    #[schema(example = "#ffffff", pattern = "^#[0-9a-f]{6}$")]
    pub text_color: String,
    #[schema(example = "#16a765", pattern = "^#[0-9a-f]{6}$")]
    pub background_color: String,
}

#[derive(Debug, Clone, PartialEq)]
pub enum MailRequest {
    /// The format says how much of each message is read; nothing but its ids if there is none.
    ListMessages(Listing, Option<Format>),
    ListThreads(Listing),
    ListDrafts(Listing),
    ListLabels(Listing),
    GetMessage(MessageId, Format),
    GetThread(String, Format),
    GetDraft(String, Format),
    GetLabel(String),
    ListAttachments(MessageId),
    /// By its part's id, with the `Range` header.
    GetAttachment(MessageId, String, Option<String>),
    /// Of any size, to be put where it can be fetched.
    LinkAttachment(MessageId, String),
    Modify(Conversation, String, LabelChange),
    Trash(Conversation, String),
    Untrash(Conversation, String),
    /// For good.
    Delete(Conversation, String),
    BatchModify(Vec<String>, LabelChange),
    BatchTrash(Vec<String>),
    /// For good.
    BatchDelete(Vec<String>),
    Send(Box<Outgoing>),
    CreateDraft(Box<Outgoing>),
    UpdateDraft(String, Box<Outgoing>),
    PatchDraft(String, Box<DraftChange>),
    SendDraft(String),
    DeleteDraft(String),
    CreateLabel(LabelSpec),
    UpdateLabel(String, LabelSpec),
    DeleteLabel(String),
    CreateUpload(UploadSpec),
}

impl MailRequest {
    /// Who writes the mail that is sent or drafted, where that was said.
    pub fn author(&mut self) -> Option<&mut Author> {
        match self {
            Self::Send(mail) | Self::CreateDraft(mail) | Self::UpdateDraft(_, mail) => {
                mail.from.as_mut()
            }
            Self::PatchDraft(_, change) => change.from.as_mut(),
            _ => None,
        }
    }

    /// The mail that is sent or drafted as it is described.
    pub fn mail(&mut self) -> Option<&mut Outgoing> {
        match self {
            Self::Send(mail) | Self::CreateDraft(mail) | Self::UpdateDraft(_, mail) => Some(mail),
            _ => None,
        }
    }

    /// For a mailbox of this address: to name it as the author is to name none.
    pub fn by(mut self, own: &EmailAddress) -> Self {
        if let Some(author) = self.author() {
            *author = std::mem::take(author).beside(own);
        }
        self
    }

    /// Adds the `Range` header to a request for an attachment.
    pub fn in_range(self, header: Option<&str>) -> Self {
        match self {
            Self::GetAttachment(message, part_id, _) => {
                Self::GetAttachment(message, part_id, header.map(String::from))
            }
            request => request,
        }
    }

    /// `path` has the decoded path parameters; `body` is called only if the operation has a body.
    pub fn read(
        operation: Operation,
        path: &BTreeMap<String, String>,
        query: &[(String, String)],
        body: impl FnOnce() -> Result<Value, Invalid>,
    ) -> Result<Self, NoRequest> {
        use Conversation::{Message, Thread};
        let entry = operation.entry();
        for name in entry.path_parameters() {
            named(name, path)?;
        }
        let id = |name: &str| path.get(name).cloned().unwrap_or_default();
        let message = || id("message_id");
        let given = Given::check(entry.parameters, query)?;
        let for_good = given.flag("permanent");
        Ok(match operation {
            Operation::ListMessages => {
                let format = list_format(given.text("format"));
                let (usual, most) =
                    if format.is_some() { (20, MOST_READ) } else { (100, MOST_LISTED) };
                Self::ListMessages(listing(&given, usual, most)?, format)
            }
            Operation::ListThreads => Self::ListThreads(listing(&given, 50, MOST_LISTED)?),
            Operation::ListDrafts => Self::ListDrafts(listing(&given, 50, MOST_LISTED)?),
            Operation::ListLabels => {
                let listing = listing(&given, MOST_LISTED, MOST_LISTED)?;
                if listing.page_token.as_ref().is_some_and(|token| token.parse::<u32>().is_err()) {
                    return Err(Invalid::new(
                        "page_token",
                        "is none of a page before; send its next_page_token",
                    )
                    .into());
                }
                Self::ListLabels(listing)
            }
            Operation::GetMessage => {
                Self::GetMessage(MessageId::new(message()), format(given.text("format")))
            }
            Operation::GetThread => Self::GetThread(id("thread_id"), format(given.text("format"))),
            Operation::GetDraft => Self::GetDraft(id("draft_id"), format(given.text("format"))),
            Operation::GetLabel => Self::GetLabel(id("label_id")),
            Operation::ListAttachments => Self::ListAttachments(MessageId::new(message())),
            Operation::GetAttachment => {
                Self::GetAttachment(MessageId::new(message()), id("part_id"), None)
            }
            Operation::LinkAttachment => {
                Self::LinkAttachment(MessageId::new(message()), id("part_id"))
            }
            Operation::ModifyMessage => Self::Modify(Message, message(), change(body()?)?),
            Operation::ModifyThread => Self::Modify(Thread, id("thread_id"), change(body()?)?),
            Operation::TrashMessage => Self::Trash(Message, message()),
            Operation::TrashThread => Self::Trash(Thread, id("thread_id")),
            Operation::UntrashMessage => Self::Untrash(Message, message()),
            Operation::UntrashThread => Self::Untrash(Thread, id("thread_id")),
            Operation::DeleteMessage if for_good => Self::Delete(Message, message()),
            Operation::DeleteMessage => Self::Trash(Message, message()),
            Operation::DeleteThread if for_good => Self::Delete(Thread, id("thread_id")),
            Operation::DeleteThread => Self::Trash(Thread, id("thread_id")),
            Operation::BatchModifyMessages => {
                let Batch { ids, add_label_ids, remove_label_ids } = parsed(body()?)?;
                Self::BatchModify(
                    batch(ids)?,
                    checked(LabelChange { add_label_ids, remove_label_ids })?,
                )
            }
            Operation::BatchDeleteMessages => match parsed(body()?)? {
                BatchDeletion { ids, permanent: true } => Self::BatchDelete(batch(ids)?),
                BatchDeletion { ids, permanent: false } => Self::BatchTrash(batch(ids)?),
            },
            Operation::SendMessage => {
                let mail = Outgoing::parse(body()?)?;
                mail.check_sendable()?;
                Self::Send(Box::new(mail))
            }
            Operation::CreateDraft => Self::CreateDraft(Box::new(Outgoing::parse(body()?)?)),
            Operation::UpdateDraft => {
                Self::UpdateDraft(id("draft_id"), Box::new(Outgoing::parse(body()?)?))
            }
            Operation::PatchDraft => {
                Self::PatchDraft(id("draft_id"), Box::new(DraftChange::parse(body()?)?))
            }
            Operation::SendDraft => Self::SendDraft(id("draft_id")),
            Operation::DeleteDraft => Self::DeleteDraft(id("draft_id")),
            Operation::CreateLabel => Self::CreateLabel(label(body()?, true)?),
            Operation::UpdateLabel => Self::UpdateLabel(id("label_id"), label(body()?, false)?),
            Operation::DeleteLabel => Self::DeleteLabel(id("label_id")),
            Operation::CreateUpload => {
                Self::CreateUpload(parsed::<UploadSpec>(body()?)?.checked()?)
            }
        })
    }
}

fn named(name: &'static str, path: &BTreeMap<String, String>) -> Result<(), NoRequest> {
    let text = path.get(name).map(String::as_str).unwrap_or_default();
    // Graph's ids end in equals signs.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:^=".contains(&byte);
    let fits = (1..=LONGEST_ID).contains(&text.len())
        && (text.bytes().all(plain) || (name == "label_id" && is_category(text)))
        && text != "."
        && text != "..";
    let what = name.trim_end_matches("_id");
    if fits { Ok(()) } else { Err(NoRequest::NothingNamed(what)) }
}

/// A category's id has its name, which people choose.
fn is_category(text: &str) -> bool {
    let plain = |sign: char| !sign.is_control() && !"/?#%\\".contains(sign);
    text.starts_with(CATEGORY) && text.chars().all(plain)
}

fn listing(given: &Given<'_>, usual: u32, most: u32) -> Result<Listing, Invalid> {
    let page_size = given.count("page_size").unwrap_or(usual);
    if page_size > most {
        return Err(Invalid::new(
            "page_size",
            format!(
                "may be {most} at most where messages are read; use format=ids for more at a time"
            ),
        ));
    }
    Ok(Listing {
        query: given.text("query").map(String::from),
        label_ids: given.list("label_ids"),
        include_spam_trash: given.flag("include_spam_trash"),
        page_size,
        page_token: given.text("page_token").map(String::from),
    })
}

fn list_format(text: Option<&str>) -> Option<Format> {
    match text {
        Some("ids") => None,
        Some("full") => Some(Format::Full),
        _ => Some(Format::Metadata),
    }
}

fn format(text: Option<&str>) -> Format {
    match text {
        Some("minimal") => Format::Minimal,
        Some("metadata") => Format::Metadata,
        Some("raw") => Format::Raw,
        _ => Format::Full,
    }
}

/// Reads the body, naming the path of the field that does not fit.
fn parsed<T: DeserializeOwned>(body: Value) -> Result<T, Invalid> {
    serde_path_to_error::deserialize(body).map_err(|error| {
        let path = error.path().to_string();
        Invalid::new(if path == "." { "body".to_string() } else { path }, error.inner().to_string())
    })
}

fn change(body: Value) -> Result<LabelChange, Invalid> {
    checked(parsed(body)?)
}

fn checked(change: LabelChange) -> Result<LabelChange, Invalid> {
    let lists =
        [("add_label_ids", &change.add_label_ids), ("remove_label_ids", &change.remove_label_ids)];
    for (field, list) in lists {
        check_ids(field, list, MOST_LABELS)?;
    }
    if change.add_label_ids.is_empty() && change.remove_label_ids.is_empty() {
        return Err(Invalid::new(
            "add_label_ids",
            "is empty, and so is remove_label_ids; name at least one label",
        ));
    }
    if let Some(both) =
        change.add_label_ids.iter().position(|label| change.remove_label_ids.contains(label))
    {
        return Err(Invalid::new(
            format!("add_label_ids[{both}]"),
            "stands in remove_label_ids too; name it once",
        ));
    }
    Ok(change)
}

fn batch(ids: Vec<String>) -> Result<Vec<String>, Invalid> {
    if ids.is_empty() {
        return Err(Invalid::new("ids", "is empty; name at least one message"));
    }
    check_ids("ids", &ids, MOST_BATCHED)?;
    Ok(ids)
}

fn check_ids(field: &str, ids: &[String], most: usize) -> Result<(), Invalid> {
    if ids.len() > most {
        return Err(Invalid::new(field, format!("holds more than {most}; send several requests")));
    }
    let unfit =
        |id: &String| id.is_empty() || id.len() > LONGEST_ID || id.chars().any(char::is_control);
    match ids.iter().position(unfit) {
        Some(at) => Err(Invalid::new(format!("{field}[{at}]"), "is no id")),
        None => Ok(()),
    }
}

fn label(body: Value, new: bool) -> Result<LabelSpec, Invalid> {
    let spec: LabelSpec = parsed(body)?;
    let unfit = |name: &String| {
        name.trim().is_empty()
            || name.chars().count() > LONGEST_NAME
            || name.chars().any(char::is_control)
    };
    if spec.name.as_ref().is_some_and(unfit) || (new && spec.name.is_none()) {
        return Err(Invalid::new(
            "name",
            format!("must hold 1 to {LONGEST_NAME} printable characters"),
        ));
    }
    if spec == LabelSpec::default() {
        return Err(Invalid::new(
            "body",
            "changes nothing; give name, label_list_visibility, message_list_visibility or color",
        ));
    }
    let colors = spec.color.iter().flat_map(|color| {
        [("text_color", &color.text_color), ("background_color", &color.background_color)]
    });
    let hex = |text: &str| {
        let digits = text.strip_prefix('#').unwrap_or_default();
        digits.len() == 6
            && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    for (field, text) in colors {
        if !hex(text) {
            return Err(Invalid::new(
                format!("color.{field}"),
                "must look like #16a765, of Gmail's palette",
            ));
        }
    }
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(
        operation: Operation,
        query: &[(&str, &str)],
        body: Value,
    ) -> Result<MailRequest, NoRequest> {
        let path = operation
            .entry()
            .path_parameters()
            .map(|name| (name.to_string(), "19b0".to_string()))
            .collect();
        let query: Vec<_> =
            query.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        MailRequest::read(operation, &path, &query, || Ok(body))
    }

    #[test]
    fn what_is_deleted_goes_to_the_trash_unless_it_is_for_good() {
        let deleted =
            |query: &[(&str, &str)]| read(Operation::DeleteMessage, query, Value::Null).unwrap();
        assert_eq!(deleted(&[]), MailRequest::Trash(Conversation::Message, "19b0".into()));
        assert_eq!(
            deleted(&[("permanent", "false")]),
            MailRequest::Trash(Conversation::Message, "19b0".into())
        );
        assert_eq!(
            deleted(&[("permanent", "true")]),
            MailRequest::Delete(Conversation::Message, "19b0".into())
        );
        let batch = |body: Value| read(Operation::BatchDeleteMessages, &[], body).unwrap();
        assert_eq!(batch(json!({"ids": ["1"]})), MailRequest::BatchTrash(vec!["1".into()]));
        assert_eq!(
            batch(json!({"ids": ["1"], "permanent": true})),
            MailRequest::BatchDelete(vec!["1".into()])
        );
    }

    #[test]
    fn a_body_that_does_not_fit_is_refused_by_its_field() {
        let many: Vec<String> = (0..=MOST_BATCHED).map(|id| id.to_string()).collect();
        let table = [
            (Operation::ModifyMessage, json!({}), "add_label_ids"),
            (Operation::ModifyMessage, json!({"add_label_ids": "STARRED"}), "add_label_ids"),
            (
                Operation::ModifyMessage,
                json!({"add_label_ids": ["A"], "remove_label_ids": ["A"]}),
                "add_label_ids[0]",
            ),
            (Operation::ModifyThread, json!({"add_labels": ["A"]}), "add_labels"),
            (Operation::BatchModifyMessages, json!({"ids": [], "add_label_ids": ["A"]}), "ids"),
            (Operation::BatchModifyMessages, json!({"ids": many, "add_label_ids": ["A"]}), "ids"),
            (
                Operation::BatchModifyMessages,
                json!({"ids": ["a", ""], "add_label_ids": ["A"]}),
                "ids[1]",
            ),
            (
                Operation::BatchDeleteMessages,
                json!({"ids": ["a"], "permanent": "yes"}),
                "permanent",
            ),
            (Operation::CreateLabel, json!({}), "name"),
            (Operation::CreateLabel, json!({"name": " "}), "name"),
            (
                Operation::CreateLabel,
                json!({"name": "a", "color": {"text_color": "red", "background_color": "#000000"}}),
                "color.text_color",
            ),
            (Operation::UpdateLabel, json!({}), "body"),
            (
                Operation::UpdateLabel,
                json!({"label_list_visibility": "show"}),
                "label_list_visibility",
            ),
        ];
        for (operation, body, field) in table {
            let Err(NoRequest::Invalid(refused)) = read(operation, &[], body.clone()) else {
                panic!("{body} was taken")
            };
            assert_eq!(refused.field, field, "{body}: {refused}");
        }
    }

    #[test]
    fn what_cannot_be_an_id_names_nothing() {
        for id in ["", "a b", "a/b", "..", "a\r\n", "ä", &"a".repeat(257)] {
            let path = [("message_id".to_string(), id.to_string())].into();
            let refused = MailRequest::read(Operation::GetMessage, &path, &[], || Ok(Value::Null));
            assert_eq!(refused, Err(NoRequest::NothingNamed("message")), "{id}");
        }
    }

    #[test]
    fn ids_of_graph_are_ids_and_a_category_is_named_by_its_name() {
        let read = |operation, name: &str, id: &str| {
            let path = [(name.to_string(), id.to_string())].into();
            MailRequest::read(operation, &path, &[], || Ok(Value::Null)).is_ok()
        };
        assert!(read(
            Operation::GetMessage,
            "message_id",
            "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A_A=="
        ));
        assert!(read(Operation::GetLabel, "label_id", "folder:AQMkAD="));
        assert!(read(Operation::GetLabel, "label_id", "category:Red category"));
        assert!(!read(Operation::GetLabel, "label_id", "category:a/b"));
        assert!(!read(Operation::GetLabel, "label_id", "Red category"));
        assert!(!read(Operation::GetMessage, "message_id", "category:Red category"));
    }

    #[test]
    fn a_listing_that_reads_each_message_is_shorter() {
        let size = |query: &[(&str, &str)]| match read(Operation::ListMessages, query, Value::Null)
            .unwrap()
        {
            MailRequest::ListMessages(listing, format) => (listing.page_size, format),
            other => panic!("{other:?}"),
        };
        assert_eq!(size(&[]), (20, Some(Format::Metadata)));
        assert_eq!(size(&[("format", "ids")]), (100, None));
        assert_eq!(size(&[("format", "ids"), ("page_size", "500")]), (500, None));
        assert_eq!(size(&[("format", "full"), ("page_size", "100")]), (100, Some(Format::Full)));
        let Err(NoRequest::Invalid(refused)) =
            read(Operation::ListMessages, &[("page_size", "101")], Value::Null)
        else {
            panic!()
        };
        assert_eq!(refused.field, "page_size");
    }
}

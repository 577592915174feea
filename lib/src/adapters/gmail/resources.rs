//! Threads, labels and drafts as Gmail sends them (names and types of its discovery document).

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::wire;
use crate::domain::id::MessageId;
use crate::domain::mail::html::unescaped;
use crate::domain::mark::Mark;
use crate::domain::operation::answer::{self, LabelType, MessageReference, MessageView};
use crate::domain::operation::request::{
    LabelColor, LabelListVisibility, LabelSpec, Listing, MessageListVisibility,
};
use crate::domain::outgoing::identity::Alias;

/// A page of messages, threads or drafts; the list is absent when nothing matches.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub struct Listed {
    pub messages: Vec<Reference>,
    pub threads: Vec<ListedThread>,
    pub drafts: Vec<ReferredDraft>,
    pub next_page_token: Option<String>,
    pub result_size_estimate: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    pub id: String,
    #[serde(default)]
    pub thread_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedThread {
    id: String,
    #[serde(default)]
    snippet: String,
    history_id: Option<Mark>,
}

/// A draft with nothing but its ids.
#[derive(Deserialize)]
pub struct ReferredDraft {
    id: String,
    message: Reference,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Placed {
    id: String,
    #[serde(default)]
    thread_id: String,
    #[serde(default)]
    label_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Thread {
    id: String,
    history_id: Option<Mark>,
    #[serde(default)]
    messages: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
pub struct Draft {
    pub id: String,
    pub message: Box<RawValue>,
}

#[derive(Deserialize)]
pub struct AttachmentBody {
    /// In base64url.
    #[serde(default)]
    pub data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub struct SendAsList {
    send_as: Vec<SendAs>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct SendAs {
    send_as_email: String,
    display_name: String,
    is_primary: bool,
    /// Absent for the primary address, which needs no confirmation.
    verification_status: String,
}

#[derive(Deserialize)]
pub struct Labels {
    #[serde(default)]
    labels: Vec<Label>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Label {
    id: String,
    name: String,
    /// Absent in the answer to a creation.
    #[serde(rename = "type")]
    kind: Option<String>,
    label_list_visibility: Option<LabelListVisibility>,
    message_list_visibility: Option<MessageListVisibility>,
    color: Option<Color>,
    messages_total: Option<u32>,
    messages_unread: Option<u32>,
    threads_total: Option<u32>,
    threads_unread: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Color {
    text_color: String,
    background_color: String,
}

impl SendAsList {
    /// Those beside the primary address that Gmail sends from.
    pub fn aliases(self) -> Vec<Alias> {
        let usable = |send_as: &SendAs| {
            !send_as.is_primary && send_as.verification_status.eq_ignore_ascii_case("accepted")
        };
        let alias = |send_as: SendAs| Alias {
            address: send_as.send_as_email,
            name: Some(send_as.display_name).filter(|name| !name.is_empty()),
        };
        self.send_as.into_iter().filter(usable).map(alias).collect()
    }
}

impl Reference {
    pub fn into_reference(self) -> MessageReference {
        MessageReference { id: MessageId::new(self.id), thread_id: self.thread_id }
    }
}

impl From<ListedThread> for answer::ListedThread {
    fn from(thread: ListedThread) -> Self {
        Self { id: thread.id, snippet: unescaped(&thread.snippet), history_id: thread.history_id }
    }
}

impl From<ReferredDraft> for answer::Draft {
    fn from(draft: ReferredDraft) -> Self {
        Self { id: draft.id, message: MessageView::Reference(draft.message.into_reference()) }
    }
}

impl From<Placed> for answer::PlacedMessage {
    fn from(placed: Placed) -> Self {
        Self {
            id: MessageId::new(placed.id),
            thread_id: placed.thread_id,
            label_ids: placed.label_ids,
        }
    }
}

impl Thread {
    /// The messages that can be read, and the ids of the others.
    pub fn take_messages(&mut self) -> (Vec<wire::Message>, Vec<MessageId>) {
        let (mut read, mut failed) = (Vec::new(), Vec::new());
        for message in std::mem::take(&mut self.messages) {
            match wire::Message::parse(message.get().as_bytes()) {
                Ok(message) => read.push(message),
                Err(_) => failed.extend(id_of(&message)),
            }
        }
        (read, failed)
    }

    pub fn answer(self, messages: Vec<MessageView>, failed_ids: Vec<MessageId>) -> answer::Thread {
        answer::Thread { id: self.id, history_id: self.history_id, messages, failed_ids }
    }
}

fn id_of(message: &RawValue) -> Option<MessageId> {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    serde_json::from_str::<Named>(message.get()).ok().map(|named| MessageId::new(named.id))
}

impl From<Label> for answer::Label {
    fn from(label: Label) -> Self {
        let color = label.color.map(|color| LabelColor {
            text_color: color.text_color,
            background_color: color.background_color,
        });
        Self {
            kind: if label.kind.as_deref() == Some("system") {
                LabelType::System
            } else {
                LabelType::User
            },
            id: label.id,
            name: label.name,
            label_list_visibility: label.label_list_visibility,
            message_list_visibility: label.message_list_visibility,
            color,
            messages_total: label.messages_total,
            messages_unread: label.messages_unread,
            threads_total: label.threads_total,
            threads_unread: label.threads_unread,
        }
    }
}

impl Labels {
    /// Gmail lists all at once; our page token is the number of labels before the page.
    pub fn page(self, listing: &Listing) -> answer::LabelList {
        let before =
            listing.page_token.as_deref().and_then(|token| token.parse().ok()).unwrap_or(0_usize);
        let (all, size) = (self.labels.len(), listing.page_size as usize);
        let labels: Vec<answer::Label> =
            self.labels.into_iter().skip(before).take(size).map(Into::into).collect();
        let next = before.saturating_add(labels.len());
        answer::LabelList {
            next_page_token: (!labels.is_empty() && next < all).then(|| next.to_string()),
            labels,
        }
    }
}

/// A label as Gmail expects it: absent fields stay as they are.
pub fn label_body(spec: &LabelSpec) -> Value {
    let color = spec.color.as_ref();
    let color = color.map(
        |color| json!({"textColor": color.text_color, "backgroundColor": color.background_color}),
    );
    let fields = [
        ("name", spec.name.as_ref().map(|name| json!(name))),
        ("labelListVisibility", spec.label_list_visibility.map(|shown| json!(shown))),
        ("messageListVisibility", spec.message_list_visibility.map(|shown| json!(shown))),
        ("color", color),
    ];
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_string(), value?)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

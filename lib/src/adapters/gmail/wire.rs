//! Gmail's and Google's answers, as they are sent (names and types of Gmail's discovery document).

use std::collections::HashMap;

use serde::Deserialize;

use super::errors::Failure;
use crate::domain::history::{Change, HistoryPage, Record};
use crate::domain::history_id::HistoryId;
use crate::domain::id::MessageId;
use crate::domain::message::ProviderMessage;
use crate::domain::timestamp::Timestamp;
use crate::ports::MessagePage;

#[derive(Deserialize)]
pub struct TokenAnswer {
    pub access_token: String,
    /// In seconds.
    pub expires_in: u64,
    pub refresh_token: Option<String>,
    #[serde(default)]
    pub scope: String,
    pub id_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    pub email_address: String,
    pub history_id: HistoryId,
}

#[derive(Deserialize)]
pub struct WatchAnswer {
    /// An int64, as a string: milliseconds since the epoch.
    pub expiration: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryAnswer {
    /// Absent when nothing happened; a page may lack it and still name a next one.
    #[serde(default)]
    pub history: Vec<HistoryRecord>,
    pub history_id: HistoryId,
    pub next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryRecord {
    pub id: HistoryId,
    #[serde(default)]
    pub messages_added: Vec<MessageAdded>,
    #[serde(default)]
    pub labels_added: Vec<LabelAdded>,
}

#[derive(Deserialize)]
pub struct MessageAdded {
    pub message: ListedMessage,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelAdded {
    pub message: ListedMessage,
    #[serde(default)]
    pub label_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedMessage {
    pub id: String,
    #[serde(default)]
    pub label_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListAnswer {
    /// Absent when nothing matches.
    #[serde(default)]
    pub messages: Vec<MessageReference>,
    pub next_page_token: Option<String>,
}

#[derive(Deserialize)]
pub struct MessageReference {
    pub id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    id: String,
    thread_id: String,
    #[serde(default)]
    label_ids: Vec<String>,
    #[serde(default)]
    snippet: String,
    history_id: Option<HistoryId>,
    /// An int64, as a string: milliseconds since the epoch.
    internal_date: String,
    #[serde(default)]
    size_estimate: u64,
    #[serde(default)]
    payload: Part,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Part {
    mime_type: String,
    filename: String,
    headers: Vec<Header>,
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

/// Google's error body: of the API (`error` is an object) and of the token endpoint (`error` is a code).
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ErrorAnswer {
    pub error: ErrorBody,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum ErrorBody {
    Code(String),
    Api {
        #[serde(default)]
        message: String,
        #[serde(default)]
        errors: Vec<HashMap<String, serde_json::Value>>,
    },
}

impl Default for ErrorBody {
    fn default() -> Self {
        Self::Code(String::new())
    }
}

impl From<HistoryAnswer> for HistoryPage {
    fn from(answer: HistoryAnswer) -> Self {
        let records = answer.history.into_iter().map(HistoryRecord::into_record).collect();
        Self { records, history_id: answer.history_id, next_page_token: answer.next_page_token }
    }
}

impl From<ListAnswer> for MessagePage {
    fn from(answer: ListAnswer) -> Self {
        let messages = answer.messages.into_iter().map(|message| MessageId::new(message.id)).collect();
        Self { messages, next_page_token: answer.next_page_token }
    }
}

impl HistoryRecord {
    fn into_record(self) -> Record {
        let added = self
            .messages_added
            .into_iter()
            .map(|added| Change::Added { message: MessageId::new(added.message.id), label_ids: added.message.label_ids });
        let labelled = self
            .labels_added
            .into_iter()
            .map(|labelled| Change::Labelled { message: MessageId::new(labelled.message.id), label_ids: labelled.label_ids });
        Record { id: self.id, changes: added.chain(labelled).collect() }
    }
}

impl Message {
    /// An error when Gmail's date is not a number: such a message is not missing, so it must not be passed over.
    pub fn into_message(self) -> Result<ProviderMessage, Failure> {
        let date = self.internal_date.parse().map_err(|_| Failure::no_answer("a message's internalDate is not a number"))?;
        let received_at = Timestamp::from_millis(date);
        Ok(ProviderMessage {
            id: MessageId::new(self.id),
            thread_id: self.thread_id,
            label_ids: self.label_ids,
            history_id: self.history_id,
            received_at,
            snippet: self.snippet,
            size_estimate: self.size_estimate,
            has_attachments: self.payload.has_attachments(),
            headers: self.payload.headers.into_iter().map(|header| (header.name, header.value)).collect(),
        })
    }
}

impl Part {
    /// A part with a file name is an attachment. Where only headers may be read there are no parts, and a mixed message is
    /// the best sign of one.
    fn has_attachments(&self) -> bool {
        let named = |part: &Self| !part.filename.is_empty() || part.has_attachments();
        match self.parts.is_empty() {
            true => self.mime_type.eq_ignore_ascii_case("multipart/mixed"),
            false => self.parts.iter().any(named),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_keeps_its_id_and_all_that_happened_at_it() {
        let json = r#"{"history":[{"id":"18446744073709551615","messagesAdded":[{"message":{"id":"a","labelIds":["INBOX"]}}],
            "labelsAdded":[{"message":{"id":"b"},"labelIds":["Label_7"]}]},{"id":"9"}],"historyId":"18446744073709551615"}"#;
        let page = HistoryPage::from(serde_json::from_str::<HistoryAnswer>(json).unwrap());
        let changes = vec![
            Change::Added { message: MessageId::new("a"), label_ids: vec!["INBOX".into()] },
            Change::Labelled { message: MessageId::new("b"), label_ids: vec!["Label_7".into()] },
        ];
        let expected = [Record { id: HistoryId::new(u64::MAX), changes }, Record { id: HistoryId::new(9), changes: vec![] }];
        assert_eq!(page.records, expected);
    }

    #[test]
    fn a_list_without_messages_is_empty() {
        let page = |json: &str| MessagePage::from(serde_json::from_str::<ListAnswer>(json).unwrap());
        assert_eq!(page("{}"), MessagePage { messages: vec![], next_page_token: None });
        let more = MessagePage { messages: vec![MessageId::new("a")], next_page_token: Some("p".into()) };
        assert_eq!(page(r#"{"messages":[{"id":"a"}],"nextPageToken":"p"}"#), more);
    }

    #[test]
    fn a_message_without_a_readable_date_is_not_taken_for_a_missing_one() {
        let message = |date: &str| {
            let json = format!(r#"{{"id":"m","threadId":"t","internalDate":"{date}"}}"#);
            serde_json::from_str::<Message>(&json).unwrap().into_message()
        };
        assert_eq!(message("1700000000123").unwrap().received_at, Timestamp::from_millis(1_700_000_000_123));
        assert!(message("yesterday").is_err());
    }
}

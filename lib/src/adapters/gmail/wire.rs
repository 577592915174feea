//! Gmail's and Google's answers, as they are sent (names and types of Gmail's discovery document).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::errors::Failure;
use crate::domain::history::{Change, HistoryPage, Record};
use crate::domain::history_id::HistoryId;
use crate::domain::id::MessageId;
use crate::domain::mail::{self, Content};
use crate::domain::message::{Metadata, ProviderMessage};
use crate::domain::operation::answer::{MessageView, MinimalMessage};
use crate::domain::operation::request::Format;
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

impl TokenAnswer {
    /// A token is made of visible signs of ASCII (RFC 6749, appendix A.12): any other would not fit
    /// into a header.
    pub fn sound(self) -> Result<Self, Failure> {
        let plain = |token: &str| {
            !token.is_empty() && token.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        };
        match plain(&self.access_token) && self.refresh_token.as_deref().is_none_or(plain) {
            true => Ok(self),
            false => Err(Failure::no_answer("a token holds what no token may")),
        }
    }
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
    /// In base64url, with `format=raw`.
    raw: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Part {
    part_id: String,
    mime_type: String,
    filename: String,
    headers: Vec<Header>,
    body: PartBody,
    parts: Vec<Part>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PartBody {
    size: u64,
    /// In base64url.
    data: Option<String>,
    attachment_id: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

/// Google's error body: of the API (`error` is an object) and of the token endpoint (`error` is a
/// code).
impl From<HistoryAnswer> for HistoryPage {
    fn from(answer: HistoryAnswer) -> Self {
        let records = answer.history.into_iter().map(HistoryRecord::into_record).collect();
        Self { records, history_id: answer.history_id, next_page_token: answer.next_page_token }
    }
}

impl From<ListAnswer> for MessagePage {
    fn from(answer: ListAnswer) -> Self {
        let messages =
            answer.messages.into_iter().map(|message| MessageId::new(message.id)).collect();
        Self { messages, next_page_token: answer.next_page_token }
    }
}

impl HistoryRecord {
    fn into_record(self) -> Record {
        let added = self.messages_added.into_iter().map(|added| Change::Added {
            message: MessageId::new(added.message.id),
            label_ids: added.message.label_ids,
        });
        let labelled = self.labels_added.into_iter().map(|labelled| Change::Labelled {
            message: MessageId::new(labelled.message.id),
            label_ids: labelled.label_ids,
        });
        Record { id: self.id, changes: added.chain(labelled).collect() }
    }
}

impl Message {
    /// An error when Gmail's date is not a number: such a message is not missing, so it must not be
    /// passed over.
    pub fn into_message(self) -> Result<ProviderMessage, Failure> {
        let received_at = self.received_at()?;
        Ok(ProviderMessage {
            id: MessageId::new(self.id),
            thread_id: self.thread_id,
            label_ids: self.label_ids,
            history_id: self.history_id,
            received_at,
            snippet: self.snippet,
            size_estimate: self.size_estimate,
            has_attachments: self.payload.has_attachments(),
            headers: self
                .payload
                .headers
                .into_iter()
                .map(|header| (header.name, header.value))
                .collect(),
        })
    }
}

impl Message {
    fn received_at(&self) -> Result<Timestamp, Failure> {
        let date = self
            .internal_date
            .parse()
            .map_err(|_| Failure::no_answer("a message's internalDate is not a number"))?;
        Ok(Timestamp::from_millis(date))
    }

    /// The message and its tree of parts.
    pub fn into_whole(mut self) -> Result<(ProviderMessage, mail::Part), Failure> {
        let root = std::mem::take(&mut self.payload);
        let headers = root
            .headers
            .iter()
            .map(|header| Header { name: header.name.clone(), value: header.value.clone() })
            .collect();
        let has_attachments = root.has_attachments();
        self.payload.headers = headers;
        Ok((ProviderMessage { has_attachments, ..self.into_message()? }, root.into_part()?))
    }

    /// In the requested format.
    pub fn into_view(self, format: Format) -> Result<MessageView, Failure> {
        match format {
            Format::Metadata => Ok(MessageView::Whole(Box::new(self.into_message()?.normalize()))),
            Format::Full => {
                let (message, root) = self.into_whole()?;
                Ok(MessageView::Whole(Box::new(message.normalize_whole(&root))))
            }
            Format::Raw if self.raw.is_none() => {
                Err(Failure::no_answer("a raw message without its bytes"))
            }
            Format::Minimal | Format::Raw => Ok(MessageView::Minimal(self.into_minimal()?)),
        }
    }

    /// The mail's bytes, of `format=raw`, and its thread.
    pub fn into_raw(self) -> Result<(Vec<u8>, String), Failure> {
        let raw = self.raw.as_deref().map(|raw| raw.trim_end_matches('='));
        let bytes = raw.and_then(|raw| BASE64_URL_SAFE_NO_PAD.decode(raw).ok());
        let bytes = bytes.ok_or_else(|| Failure::no_answer("a raw message without its bytes"))?;
        Ok((bytes, self.thread_id))
    }

    fn into_minimal(self) -> Result<MinimalMessage, Failure> {
        Ok(MinimalMessage {
            timestamp: self.received_at()?,
            id: MessageId::new(self.id),
            thread_id: self.thread_id,
            label_ids: self.label_ids,
            snippet: self.snippet,
            metadata: Metadata { history_id: self.history_id, size_estimate: self.size_estimate },
            raw: self.raw,
        })
    }
}

impl Part {
    fn into_part(self) -> Result<mail::Part, Failure> {
        let content = match (self.body.data, self.body.attachment_id) {
            (_, Some(attachment_id)) => Content::Elsewhere { attachment_id },
            (Some(data), None) => {
                let decoded = BASE64_URL_SAFE_NO_PAD.decode(data.trim_end_matches('='));
                Content::Bytes(
                    decoded.map_err(|_| Failure::no_answer("a part's data is not base64url"))?,
                )
            }
            (None, None) => Content::None,
        };
        Ok(mail::Part {
            part_id: self.part_id,
            mime_type: self.mime_type,
            filename: self.filename,
            headers: self.headers.into_iter().map(|header| (header.name, header.value)).collect(),
            content,
            size: self.body.size,
            parts: self.parts.into_iter().map(Self::into_part).collect::<Result<_, _>>()?,
        })
    }

    /// A part with a file name is an attachment. Where only headers may be read there are no parts,
    /// and a mixed message is the best sign of one.
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
        let expected = [
            Record { id: HistoryId::new(u64::MAX), changes },
            Record { id: HistoryId::new(9), changes: vec![] },
        ];
        assert_eq!(page.records, expected);
    }

    #[test]
    fn a_list_without_messages_is_empty() {
        let page =
            |json: &str| MessagePage::from(serde_json::from_str::<ListAnswer>(json).unwrap());
        assert_eq!(page("{}"), MessagePage { messages: vec![], next_page_token: None });
        let more =
            MessagePage { messages: vec![MessageId::new("a")], next_page_token: Some("p".into()) };
        assert_eq!(page(r#"{"messages":[{"id":"a"}],"nextPageToken":"p"}"#), more);
    }

    #[test]
    fn a_message_without_a_readable_date_is_not_taken_for_a_missing_one() {
        let message = |date: &str| {
            let json = format!(r#"{{"id":"m","threadId":"t","internalDate":"{date}"}}"#);
            serde_json::from_str::<Message>(&json).unwrap().into_message()
        };
        assert_eq!(
            message("1700000000123").unwrap().received_at,
            Timestamp::from_millis(1_700_000_000_123)
        );
        assert!(message("yesterday").is_err());
    }
}

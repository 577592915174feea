//! Gmail's and Google's answers, as they are sent (names and types of Gmail's discovery document).

use serde::Deserialize;

use super::errors::Failure;
use super::{parse_error, tree};
use crate::domain::changes::{Change, ChangePage, Record};
use crate::domain::id::MessageId;
use crate::domain::mail::automatic::{Automatic, Kind};
use crate::domain::mail::files::LONGEST_SEARCHED;
use crate::domain::mail::html::unescaped;
use crate::domain::mail::{self, Content};
use crate::domain::mark::Mark;
use crate::domain::message::{Metadata, ProviderMessage};
use crate::domain::operation::answer::MinimalMessage;
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
    pub history_id: Mark,
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
    pub history_id: Mark,
    pub next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryRecord {
    pub id: Mark,
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
    history_id: Option<Mark>,
    /// An int64, as a string: milliseconds since the epoch.
    internal_date: String,
    #[serde(default)]
    size_estimate: u64,
    #[serde(default)]
    payload: tree::Part,
    /// In base64url, with `format=raw`.
    raw: Option<String>,
}

impl From<HistoryAnswer> for ChangePage {
    fn from(answer: HistoryAnswer) -> Self {
        let records = answer.history.into_iter().map(HistoryRecord::into_record).collect();
        Self {
            records,
            mark: Some(answer.history_id),
            next_page_token: answer.next_page_token,
            contents: Vec::new(),
        }
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
        Record { key: self.id.into(), changes: added.chain(labelled).collect() }
    }
}

/// A message that was read with its parts, and what is known of its attachments.
pub struct Summary {
    pub message: ProviderMessage,
    /// Only the HTML can tell whether a part is an attachment, there are deeper parts, or it is a
    /// bounce, whose parts tell what it is about.
    pub is_open: bool,
}

impl Message {
    /// However deep its parts are: `tree` bounds them.
    pub fn parse(json: &[u8]) -> Result<Self, Failure> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        reader.disable_recursion_limit();
        let read = Self::deserialize(&mut reader).and_then(|read| reader.end().map(|()| read));
        read.map_err(parse_error)
    }

    pub fn id(&self) -> MessageId {
        MessageId::new(self.id.clone())
    }

    /// Where only the headers were read. Their types tell of a mail that is not a multipart; of
    /// another, being mixed is the best sign of attachments.
    pub fn into_headers(mut self) -> Result<ProviderMessage, Failure> {
        let root = std::mem::take(&mut self.payload).into_part(|_| Ok(Content::None))?;
        let is_multipart = root.mime_type.starts_with("multipart/");
        let has_attachments = match is_multipart {
            true => root.mime_type == "multipart/mixed",
            false => root.has_attachments(),
        };
        let message = self.into_message(root.headers)?;
        Ok(ProviderMessage { has_attachments, attachments_unknown: is_multipart, ..message })
    }

    /// Where the parts were read without their bodies.
    pub fn into_summary(mut self) -> Result<Summary, Failure> {
        let root = std::mem::take(&mut self.payload).into_part(|_| Ok(Content::None))?;
        let known = root.has_attachments_by_structure();
        let automatic = Automatic::read(&root.headers, None);
        let is_bounce = automatic.is_some_and(|automatic| automatic.kind == Kind::Bounce);
        let is_open = known.is_none()
            || (known == Some(false) && root.depth() > tree::LEVELS)
            || (is_bounce && self.size_estimate <= LONGEST_SEARCHED);
        let message = self.into_message(root.headers)?;
        // What may be shown by the HTML is there at any rate.
        let has_attachments = known.unwrap_or(true);
        Ok(Summary { message: ProviderMessage { has_attachments, ..message }, is_open })
    }

    /// The message and its tree of parts.
    pub fn into_whole(mut self) -> Result<(ProviderMessage, mail::Part), Failure> {
        let root = std::mem::take(&mut self.payload);
        if root.is_cut {
            return Err(Failure::unreadable(format_args!(
                "its parts are nested more than {} levels deep",
                tree::DEEPEST
            )));
        }
        let root = root.into_part(tree::content)?;
        let message = self.into_message(root.headers.clone())?;
        let automatic = Automatic::read(&root.headers, Some(&root));
        let bounce = automatic.and_then(|automatic| automatic.bounce);
        Ok((ProviderMessage { has_attachments: root.has_attachments(), bounce, ..message }, root))
    }

    /// `into_whole` with as many levels as were read.
    pub fn into_known(mut self) -> Result<(ProviderMessage, mail::Part), Failure> {
        self.payload.is_cut = false;
        self.into_whole()
    }

    /// An error when Gmail's date is not a number: such a message is not missing, so it must not be
    /// passed over.
    fn into_message(self, headers: Vec<(String, String)>) -> Result<ProviderMessage, Failure> {
        Ok(ProviderMessage {
            received_at: self.received_at()?,
            id: MessageId::new(self.id),
            identity: None,
            thread_id: self.thread_id,
            label_ids: self.label_ids,
            history_id: self.history_id,
            snippet: unescaped(&self.snippet),
            size_estimate: self.size_estimate,
            has_attachments: false,
            attachments_unknown: false,
            bounce: None,
            headers,
        })
    }

    fn received_at(&self) -> Result<Timestamp, Failure> {
        let date = self
            .internal_date
            .parse()
            .map_err(|_| Failure::no_answer("a message's internalDate is not a number"))?;
        Ok(Timestamp::from_millis(date))
    }

    /// Of the formats without headers.
    pub fn into_minimal(self) -> Result<MinimalMessage, Failure> {
        Ok(MinimalMessage {
            timestamp: self.received_at()?,
            id: MessageId::new(self.id),
            thread_id: self.thread_id,
            label_ids: self.label_ids,
            snippet: unescaped(&self.snippet),
            metadata: Metadata { history_id: self.history_id, size_estimate: self.size_estimate },
            raw: self.raw,
        })
    }

    /// The mail as RFC 5322, with `format=raw`, and its thread.
    pub fn into_raw(self) -> Result<(Vec<u8>, String), Failure> {
        let raw = self.raw.ok_or_else(|| Failure::no_answer("a raw message without its bytes"))?;
        Ok((tree::decoded(&raw)?, self.thread_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_keeps_its_id_and_all_that_happened_at_it() {
        let json = r#"{"history":[{"id":"18446744073709551615","messagesAdded":[{"message":{"id":"a","labelIds":["INBOX"]}}],
            "labelsAdded":[{"message":{"id":"b"},"labelIds":["Label_7"]}]},{"id":"9"}],"historyId":"18446744073709551615"}"#;
        let page = ChangePage::from(serde_json::from_str::<HistoryAnswer>(json).unwrap());
        let changes = vec![
            Change::Added { message: MessageId::new("a"), label_ids: vec!["INBOX".into()] },
            Change::Labelled { message: MessageId::new("b"), label_ids: vec!["Label_7".into()] },
        ];
        let expected = [
            Record { key: Mark::new(u64::MAX).into(), changes },
            Record { key: Mark::new(9).into(), changes: vec![] },
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
            Message::parse(json.as_bytes()).unwrap().into_headers()
        };
        assert_eq!(
            message("1700000000123").unwrap().received_at,
            Timestamp::from_millis(1_700_000_000_123)
        );
        assert!(message("yesterday").is_err());
    }
}

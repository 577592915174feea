//! Graph's answers, as they are sent (names and types of
//! <https://learn.microsoft.com/en-us/graph/api/resources/message>). What cannot be read is absent,
//! save what a message cannot be without.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::errors::Failure;
use crate::domain::id::{MessageId, MessageIdentity};
use crate::domain::message::{Metadata, ProviderMessage};
use crate::domain::operation::answer::{MessageReference, MinimalMessage};
use crate::domain::provider::outlook::identity::identity;
use crate::domain::provider::outlook::labels::Marks;
use crate::domain::provider::outlook::received::Folders;
use crate::domain::timestamp::Timestamp;

/// All that a decision and an event need: no message is read by itself. `internetMessageHeaders` and
/// `bodyPreview` need more than `Mail.ReadBasic`.
pub const FIELDS: &str = "id,changeKey,conversationId,internetMessageId,parentFolderId,categories,isRead,isDraft,importance,flag,hasAttachments,receivedDateTime,lastModifiedDateTime,subject,from,sender,toRecipients,ccRecipients,bccRecipients,replyTo";
pub const MORE_FIELDS: &str = "bodyPreview,internetMessageHeaders";
/// What labels are made of.
pub const PLACE_FIELDS: &str =
    "id,conversationId,parentFolderId,categories,isRead,isDraft,importance,flag";
pub const ID_FIELDS: &str = "id,conversationId,parentFolderId,isDraft";

/// What `$select` takes of a whole message.
pub fn fields(only_headers: bool) -> String {
    if only_headers { FIELDS.into() } else { format!("{FIELDS},{MORE_FIELDS}") }
}

/// A page of a collection.
#[derive(Deserialize)]
pub struct Page {
    pub value: Vec<Box<RawValue>>,
    #[serde(rename = "@odata.nextLink", default)]
    pub next_link: Option<String>,
}

impl Page {
    pub fn items<T: DeserializeOwned>(&self) -> Result<Vec<T>, Failure> {
        self.value.iter().map(|item| super::client::parse(item.get().as_bytes())).collect()
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    pub id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub change_key: String,
    #[serde(default, deserialize_with = "lenient")]
    pub conversation_id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub internet_message_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub parent_folder_id: String,
    #[serde(default, deserialize_with = "lenient")]
    categories: Vec<String>,
    #[serde(default, deserialize_with = "lenient")]
    is_read: bool,
    #[serde(default, deserialize_with = "lenient")]
    pub is_draft: bool,
    #[serde(default, deserialize_with = "lenient")]
    importance: String,
    #[serde(default, deserialize_with = "lenient")]
    flag: Flag,
    #[serde(default, deserialize_with = "lenient")]
    has_attachments: bool,
    #[serde(default, deserialize_with = "lenient")]
    received_date_time: String,
    #[serde(default, deserialize_with = "lenient")]
    last_modified_date_time: String,
    #[serde(default, deserialize_with = "lenient")]
    subject: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    body_preview: String,
    #[serde(default, deserialize_with = "lenient")]
    from: Option<Recipient>,
    #[serde(default, deserialize_with = "lenient")]
    sender: Option<Recipient>,
    #[serde(default, deserialize_with = "lenient")]
    to_recipients: Vec<Recipient>,
    #[serde(default, deserialize_with = "lenient")]
    cc_recipients: Vec<Recipient>,
    #[serde(default, deserialize_with = "lenient")]
    reply_to: Vec<Recipient>,
    /// As they were sent; absent of what was never sent.
    #[serde(default, deserialize_with = "lenient")]
    internet_message_headers: Vec<Header>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Flag {
    flag_status: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Recipient {
    email_address: EmailAddress,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct EmailAddress {
    #[serde(deserialize_with = "lenient")]
    name: String,
    #[serde(deserialize_with = "lenient")]
    address: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Folder {
    pub id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub display_name: String,
    #[serde(default, deserialize_with = "lenient")]
    pub parent_folder_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub child_folder_count: u32,
    #[serde(default, deserialize_with = "lenient")]
    pub total_item_count: u32,
    #[serde(default, deserialize_with = "lenient")]
    pub unread_item_count: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Category {
    pub display_name: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    #[serde(default, deserialize_with = "lenient")]
    pub mail: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub user_principal_name: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    pub id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub expiration_date_time: String,
    #[serde(default, deserialize_with = "lenient")]
    pub notification_url: String,
    #[serde(default, deserialize_with = "lenient")]
    pub resource: String,
}

/// What cannot be read is as if it were not there.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

impl Message {
    pub fn id(&self) -> MessageId {
        MessageId::new(self.id.clone())
    }

    pub fn reference(&self) -> MessageReference {
        MessageReference { id: self.id(), thread_id: self.conversation_id.clone() }
    }

    pub fn marks(&self) -> Marks {
        Marks {
            folder: self.parent_folder_id.clone(),
            is_draft: self.is_draft,
            is_read: self.is_read,
            is_flagged: self.flag.flag_status.eq_ignore_ascii_case("flagged"),
            is_important: self.importance.eq_ignore_ascii_case("high"),
            categories: self.categories.clone(),
        }
    }

    /// An error when it cannot be read: such a message must not be passed over.
    pub fn modified(&self) -> Result<Timestamp, Failure> {
        Timestamp::parse(&self.last_modified_date_time)
            .ok_or_else(|| Failure::no_answer("a message's lastModifiedDateTime is no moment"))
    }

    pub fn received(&self) -> Result<Timestamp, Failure> {
        // A draft may have none; it counts as new as it is.
        Timestamp::parse(&self.received_date_time)
            .or_else(|| Timestamp::parse(&self.last_modified_date_time))
            .ok_or_else(|| Failure::no_answer("a message's receivedDateTime is no moment"))
    }

    pub fn body_preview(&self) -> String {
        self.body_preview.clone()
    }

    /// What stays the same of it when it is moved.
    fn identity(&self) -> Result<MessageIdentity, Failure> {
        let message_id = self.internet_message_id.as_deref();
        Ok(MessageIdentity::new(identity(&self.id, message_id, self.received()?)))
    }

    pub fn into_message(mut self, folders: &Folders) -> Result<ProviderMessage, Failure> {
        Ok(ProviderMessage {
            received_at: self.received()?,
            identity: Some(self.identity()?),
            label_ids: self.marks().label_ids(folders),
            headers: self.take_headers(),
            id: MessageId::new(self.id),
            thread_id: self.conversation_id,
            history_id: None,
            snippet: self.body_preview,
            size_estimate: 0,
            has_attachments: self.has_attachments,
            attachments_unknown: false,
            bounce: None,
        })
    }

    pub fn into_minimal(
        self,
        folders: &Folders,
        raw: Option<String>,
        size_estimate: u64,
    ) -> Result<MinimalMessage, Failure> {
        Ok(MinimalMessage {
            timestamp: self.received()?,
            label_ids: self.marks().label_ids(folders),
            id: MessageId::new(self.id),
            thread_id: self.conversation_id,
            snippet: self.body_preview,
            metadata: Metadata { history_id: None, size_estimate },
            raw,
        })
    }

    /// As they were sent where that is known, and made of what Graph read of them where it is not.
    fn take_headers(&mut self) -> Vec<(String, String)> {
        let sent = std::mem::take(&mut self.internet_message_headers);
        let mut headers: Vec<(String, String)> =
            sent.into_iter().map(|header| (header.name, header.value)).collect();
        headers.retain(|(name, _)| !is_verdict(name));
        let made = [
            ("From", self.from.as_ref().or(self.sender.as_ref()).map(Recipient::written)),
            ("To", list(&self.to_recipients)),
            ("Cc", list(&self.cc_recipients)),
            ("Reply-To", list(&self.reply_to)),
            ("Subject", self.subject.take()),
            ("Message-ID", self.internet_message_id.clone()),
        ];
        for (name, value) in made {
            let is_there = headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
            if let Some(value) = value.filter(|value| !is_there && !value.is_empty()) {
                headers.push((name.into(), value));
            }
        }
        headers
    }
}

/// Exchange writes its findings about the sender without its name, and so may the sender: whose they
/// are cannot be told, and nobody's are believed.
pub fn is_verdict(name: &str) -> bool {
    name.eq_ignore_ascii_case("authentication-results")
}

fn list(recipients: &[Recipient]) -> Option<String> {
    let written: Vec<String> =
        recipients.iter().map(Recipient::written).filter(|one| !one.is_empty()).collect();
    (!written.is_empty()).then(|| written.join(", "))
}

impl Recipient {
    /// As a mailbox of RFC 5322.
    fn written(&self) -> String {
        let line = |text: &str| -> String {
            text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect()
        };
        let EmailAddress { name, address } = &self.email_address;
        let (name, address) = (line(name), line(address));
        let quoted = || format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
        match (name.is_empty() || name == address, address.is_empty()) {
            (true, _) => address,
            (false, true) => quoted(),
            (false, false) => format!("{} <{address}>", quoted()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::provider::outlook::received::WellKnown;

    fn read(message: Value) -> Result<Message, Failure> {
        super::super::client::parse(message.to_string().as_bytes())
    }

    fn folders() -> Folders {
        Folders::new([("IN".to_string(), WellKnown::Inbox)])
    }

    #[test]
    fn a_message_of_graphs_is_a_message() {
        let message = json!({
            "id": "AA=", "changeKey": "k", "conversationId": "C=", "internetMessageId": "<1@x.example>",
            "parentFolderId": "IN", "categories": ["Red category"], "isRead": false, "isDraft": false,
            "importance": "normal", "flag": {"flagStatus": "flagged"}, "hasAttachments": true,
            "receivedDateTime": "2026-05-31T10:00:00Z", "lastModifiedDateTime": "2026-05-31T10:00:01Z",
            "subject": "Hello", "bodyPreview": "Hi <there>",
            "from": {"emailAddress": {"name": "Ada \"the\" Countess", "address": "ada@x.example"}},
            "toRecipients": [{"emailAddress": {"name": "b@x.example", "address": "b@x.example"}}, {"emailAddress": {"address": "c@x.example"}}],
        });
        let message = read(message).unwrap();
        assert_eq!(message.modified().unwrap().to_string(), "2026-05-31T10:00:01.000Z");
        let message = message.into_message(&folders()).unwrap();
        assert_eq!(message.label_ids, ["INBOX", "UNREAD", "STARRED", "category:Red category"]);
        assert_eq!((message.thread_id.as_str(), message.snippet.as_str()), ("C=", "Hi <there>"));
        let message = message.normalize();
        let from = message.from.unwrap();
        assert_eq!(from.name.as_deref(), Some("Ada \"the\" Countess"));
        assert_eq!(from.address, "ada@x.example");
        let to: Vec<&str> = message.to.iter().map(|to| to.address.as_str()).collect();
        assert_eq!(to, ["b@x.example", "c@x.example"]);
        assert_eq!(message.headers.message_id.as_deref(), Some("<1@x.example>"));
        assert!(message.has_attachments);
    }

    #[test]
    fn headers_as_they_were_sent_count_first() {
        let message = json!({
            "id": "a", "receivedDateTime": "2026-05-31T10:00:00Z", "subject": "read",
            "from": {"emailAddress": {"address": "read@x.example"}},
            "internetMessageHeaders": [{"name": "subject", "value": "sent"},
                {"name": "Authentication-Results", "value": "mx.google.com; dmarc=pass header.from=x.example"}, {"name": "Auto-Submitted", "value": "auto-replied"}],
        });
        let message = read(message).unwrap().into_message(&folders()).unwrap();
        let expected =
            [("subject", "sent"), ("Auto-Submitted", "auto-replied"), ("From", "read@x.example")];
        let headers: Vec<(&str, &str)> =
            message.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(headers, expected);
    }

    #[test]
    fn what_graph_writes_wrongly_is_absent_and_a_message_needs_an_id_and_a_moment() {
        let message = json!({
            "id": "a", "changeKey": null, "categories": null, "isRead": "yes", "flag": 7, "from": [],
            "toRecipients": {"emailAddress": 7}, "internetMessageHeaders": [{"name": 7}], "subject": {},
            "receivedDateTime": "2026-05-31T10:00:00Z",
        });
        let message = read(message).unwrap();
        assert!(message.modified().is_err());
        let message = message.into_message(&folders()).unwrap();
        assert_eq!(
            (message.label_ids, message.headers),
            (vec!["folder:".into(), "UNREAD".into()], vec![])
        );
        assert!(read(json!({"subject": "a"})).is_err());
        assert!(read(json!({"id": 7})).is_err());
        assert!(read(json!({"id": "a", "receivedDateTime": "soon"})).unwrap().received().is_err());
    }

    #[test]
    fn a_name_cannot_smuggle_in_a_header() {
        let message = json!({
            "id": "a", "receivedDateTime": "2026-05-31T10:00:00Z",
            "from": {"emailAddress": {"name": "Ada\r\nBcc: x@x.example", "address": "ada@x.example"}},
        });
        let message = read(message).unwrap().into_message(&folders()).unwrap();
        assert_eq!(message.headers[0].1, "\"Ada  Bcc: x@x.example\" <ada@x.example>");
    }
}

//! A mail that is to be sent or drafted: read from what a caller sent, completed from what it
//! answers, written as RFC 5322.

pub mod encoded;
mod written;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::email_address::EmailAddress;
use crate::domain::id::MessageId;
use crate::domain::invalid::Invalid;
use crate::domain::message::{Address, Message};

/// Gmail's own bound of one mail.
const MOST_RECIPIENTS: usize = 500;
const MOST_ATTACHMENTS: usize = 100;
const LONGEST_SUBJECT: usize = 998;
const LONGEST_NAME: usize = 255;
/// What a thread's references may grow to: readers look at the last ones.
const LONGEST_REFERENCES: usize = 4000;

/// A mail as its sender describes it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Outgoing {
    pub to: Vec<Recipient>,
    pub cc: Vec<Recipient>,
    pub bcc: Vec<Recipient>,
    /// Where answers go, if not to the sender.
    pub reply_to: Vec<Recipient>,
    #[schema(max_length = 998, example = "The invoice for May")]
    pub subject: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
    pub attachments: Vec<OutgoingAttachment>,
    /// A message of this mailbox that this mail answers.
    pub reply_to_message_id: Option<MessageId>,
    /// The thread to join, where that does not follow from what is answered.
    pub thread_id: Option<String>,
    /// A Message-ID.
    pub in_reply_to: Option<String>,
    /// Message-IDs, the oldest first.
    pub references: Option<String>,
}

/// An address, with or without a name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Recipient {
    #[schema(example = "bo@example.com")]
    Plain(String),
    Named(NamedRecipient),
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedRecipient {
    #[serde(default)]
    pub name: Option<String>,
    pub address: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutgoingAttachment {
    #[schema(min_length = 1, max_length = 255, example = "may.pdf")]
    pub filename: String,
    #[schema(
        pattern = "^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$",
        example = "application/pdf"
    )]
    pub mime_type: String,
    /// Base64.
    #[schema(value_type = String, format = Byte, example = "VG90YWw6IDcgRVVSCg==")]
    #[serde(with = "base64_bytes")]
    pub content: Vec<u8>,
    /// Shown within the HTML, which names it by `cid:`.
    #[serde(default)]
    pub inline: bool,
    #[serde(default)]
    pub content_id: Option<String>,
}

mod base64_bytes {
    use super::{BASE64_STANDARD, Deserialize, Engine};

    pub fn serialize<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD
            .decode(text)
            .map_err(|error| serde::de::Error::custom(format!("is not base64 ({error})")))
    }
}

impl Recipient {
    pub fn address(&self) -> &str {
        match self {
            Self::Plain(address) => address,
            Self::Named(named) => &named.address,
        }
    }

    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Plain(_) => None,
            Self::Named(named) => named.name.as_deref().filter(|name| !name.is_empty()),
        }
    }
}

impl From<&Address> for Recipient {
    fn from(address: &Address) -> Self {
        Self::Named(NamedRecipient { name: address.name.clone(), address: address.address.clone() })
    }
}

impl Outgoing {
    pub fn parse(body: Value) -> Result<Self, Invalid> {
        let mail: Self = serde_path_to_error::deserialize(body).map_err(|error| {
            let path = error.path().to_string();
            let problem = match error.inner().to_string() {
                // From an address, which has two forms.
                message if message.contains("untagged") => {
                    "must be an address, or {\"name\": …, \"address\": …}".into()
                }
                message => message,
            };
            Invalid::new(if path == "." { "body".to_string() } else { path }, problem)
        })?;
        mail.check()?;
        Ok(mail)
    }

    /// Whether there is somebody to send it to. A reply may leave that open.
    pub fn check_sendable(&self) -> Result<(), Invalid> {
        let nobody = self.to.is_empty() && self.cc.is_empty() && self.bcc.is_empty();
        match nobody && self.reply_to_message_id.is_none() {
            true => Err(Invalid::new(
                "to",
                "is empty, and so are cc and bcc; name at least one recipient",
            )),
            false => Ok(()),
        }
    }

    fn check(&self) -> Result<(), Invalid> {
        let lists =
            [("to", &self.to), ("cc", &self.cc), ("bcc", &self.bcc), ("reply_to", &self.reply_to)];
        if lists.iter().map(|(_, list)| list.len()).sum::<usize>() > MOST_RECIPIENTS {
            return Err(Invalid::new(
                "to",
                format!(
                    "and the other lists name more than {MOST_RECIPIENTS} addresses, which Gmail does not take"
                ),
            ));
        }
        for (field, list) in lists {
            for (at, recipient) in list.iter().enumerate() {
                check_recipient(recipient)
                    .map_err(|problem| Invalid::new(format!("{field}[{at}]"), problem))?;
            }
        }
        let lines = [
            ("subject", &self.subject, LONGEST_SUBJECT),
            ("thread_id", &self.thread_id, LONGEST_NAME),
            ("in_reply_to", &self.in_reply_to, LONGEST_SUBJECT),
            ("references", &self.references, LONGEST_REFERENCES),
        ];
        for (field, line, longest) in lines {
            if line.as_ref().is_some_and(|line| line.len() > longest || has_control(line)) {
                return Err(Invalid::new(
                    field,
                    format!(
                        "must be one line of at most {longest} bytes, without control characters"
                    ),
                ));
            }
        }
        // It becomes part of a path.
        let plain = |id: &MessageId| {
            !id.as_str().is_empty()
                && id
                    .as_str()
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if self
            .reply_to_message_id
            .as_ref()
            .is_some_and(|id| id.as_str().len() > LONGEST_NAME || !plain(id))
        {
            return Err(Invalid::new(
                "reply_to_message_id",
                "is no message's id; `GET …/messages` lists them",
            ));
        }
        for (field, ids) in [("in_reply_to", &self.in_reply_to), ("references", &self.references)] {
            if ids.as_ref().is_some_and(|ids| !ids.split_whitespace().all(is_message_id)) {
                return Err(Invalid::new(
                    field,
                    "must hold Message-IDs, each as `<id@example.com>`",
                ));
            }
        }
        if self.attachments.len() > MOST_ATTACHMENTS {
            return Err(Invalid::new("attachments", format!("holds more than {MOST_ATTACHMENTS}")));
        }
        for (at, attachment) in self.attachments.iter().enumerate() {
            check_attachment(attachment).map_err(|(field, problem)| {
                Invalid::new(format!("attachments[{at}].{field}"), problem)
            })?;
        }
        Ok(())
    }

    /// Fills what is missing (recipients, subject, thread, references) from the message that this
    /// one answers.
    pub fn in_reply_to(self, original: &Message, own: &EmailAddress) -> Self {
        let answered = original.headers.message_id.clone().filter(|id| is_message_id(id));
        let before = original
            .headers
            .references
            .as_deref()
            .or(original.headers.in_reply_to.as_deref())
            .unwrap_or_default();
        let references =
            self.references.or_else(|| answered.as_ref().map(|id| bounded_references(before, id)));
        let to = if self.to.is_empty() { whom(original, own) } else { self.to };
        let subject = self
            .subject
            .or_else(|| Some(answering(original.subject.as_deref().unwrap_or_default())));
        let thread_id = self.thread_id.or_else(|| Some(original.thread_id.clone()));
        Self {
            to,
            subject,
            thread_id,
            in_reply_to: self.in_reply_to.or(answered),
            references,
            reply_to_message_id: None,
            ..self
        }
    }
}

/// The recipients of a reply: `Reply-To` or the author; for the owner's own mail, its recipients.
fn whom(original: &Message, own: &EmailAddress) -> Vec<Recipient> {
    let mine = |address: &Address| {
        EmailAddress::parse(&address.address).is_ok_and(|parsed| parsed == *own)
    };
    let wrote = original.from.as_ref();
    let list: Vec<Recipient> = match (wrote.is_some_and(mine), original.reply_to.is_empty()) {
        (true, _) => original.to.iter().map(Into::into).collect(),
        (false, false) => original.reply_to.iter().map(Into::into).collect(),
        (false, true) => wrote.into_iter().map(Into::into).collect(),
    };
    list.into_iter()
        .filter(|recipient| check_recipient(recipient).is_ok())
        .take(MOST_RECIPIENTS)
        .collect()
}

fn answering(subject: &str) -> String {
    let again = subject.get(..3).is_some_and(|begins| begins.eq_ignore_ascii_case("re:"));
    let whole = if again { subject.to_string() } else { format!("Re: {subject}") };
    let mut subject: String =
        whole.trim_end().chars().filter(|character| !character.is_control()).collect();
    while subject.len() > LONGEST_SUBJECT {
        subject.pop();
    }
    subject
}

/// The first, which names the thread, and as many of the last as fit.
fn bounded_references(before: &str, answered: &str) -> String {
    let ids: Vec<&str> =
        before.split_whitespace().filter(|id| is_message_id(id) && *id != answered).collect();
    let mut kept = vec![answered];
    let mut length = answered.len() + ids.first().map_or(0, |first| first.len() + 1);
    for id in ids.iter().skip(1).rev() {
        length += id.len() + 1;
        if length > LONGEST_REFERENCES {
            break;
        }
        kept.push(id);
    }
    kept.extend(ids.first().filter(|first| first.len() + 1 + answered.len() <= LONGEST_REFERENCES));
    kept.reverse();
    kept.join(" ")
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

fn is_message_id(text: &str) -> bool {
    let inner = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    inner.is_some_and(|inner| {
        (1..=LONGEST_SUBJECT - 2).contains(&inner.len())
            && inner.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>".contains(&byte))
    })
}

fn check_recipient(recipient: &Recipient) -> Result<(), String> {
    if recipient.name().is_some_and(|name| name.len() > LONGEST_NAME || has_control(name)) {
        return Err(format!("its name must be one line of at most {LONGEST_NAME} bytes"));
    }
    let address = recipient.address();
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"<>()[],;:\\\"".contains(&byte);
    if !address.bytes().all(plain) || EmailAddress::parse(address).is_err() {
        let shown: String =
            address.chars().filter(|character| !character.is_control()).take(80).collect();
        return Err(format!(
            "`{shown}` is no address as ada@example.com; write a domain in other letters in its ASCII form (xn--…)"
        ));
    }
    Ok(())
}

fn check_attachment(attachment: &OutgoingAttachment) -> Result<(), (&'static str, String)> {
    let name = &attachment.filename;
    if name.trim().is_empty() || name.len() > LONGEST_NAME || has_control(name) {
        return Err(("filename", format!("must be one line of 1 to {LONGEST_NAME} bytes")));
    }
    let token = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    let kind = attachment
        .mime_type
        .split_once('/')
        .filter(|(kind, subtype)| token(kind) && token(subtype));
    if kind.is_none_or(|(kind, _)| kind.eq_ignore_ascii_case("multipart"))
        || attachment.mime_type.len() > 127
    {
        return Err(("mime_type", "must be a media type as application/pdf".into()));
    }
    if attachment.inline && attachment.content_id.is_none() {
        return Err((
            "content_id",
            "is missing; the HTML names an inline attachment by `cid:` and this".into(),
        ));
    }
    let plain = |id: &String| {
        (1..=LONGEST_NAME).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"".contains(&byte))
    };
    if attachment.content_id.as_ref().is_some_and(|id| !plain(id)) {
        return Err((
            "content_id",
            "must hold letters, digits and signs of ASCII, without < and >".into(),
        ));
    }
    Ok(())
}

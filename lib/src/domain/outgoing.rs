//! A mail that is to be sent or drafted: read from what a caller sent, completed from what it
//! answers or passes on, written as RFC 5322.

mod answering;
pub mod attachment;
pub mod draft_change;
pub mod encoded;
pub mod forwarding;
pub mod identity;
pub mod media_type;
pub mod recipient;
mod split;
pub mod streamed;
mod written;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

pub use self::answering::answered_in;
use self::attachment::OutgoingAttachment;
use self::draft_change::Kept;
use self::recipient::{Author, Recipient};
use crate::domain::id::MessageId;
use crate::domain::invalid::Invalid;

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
    /// Who writes, if not the mailbox by its own address.
    pub from: Option<Author>,
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
    /// Whether the answer goes to everybody who got what it answers, beside its writer.
    pub reply_all: bool,
    /// A message of this mailbox that this mail passes on.
    pub forward_message_id: Option<MessageId>,
    /// How it is passed on: `inline` if absent.
    pub forward_as: Option<ForwardAs>,
    /// The thread to join; its last message is answered, unless another is named.
    pub thread_id: Option<String>,
    /// A Message-ID.
    pub in_reply_to: Option<String>,
    /// Message-IDs, the oldest first.
    pub references: Option<String>,
    /// Whether all that it takes from other messages is in it.
    #[serde(skip)]
    #[schema(ignore)]
    pub complete: bool,
    /// What of the draft that it changes stays.
    #[serde(skip)]
    #[schema(ignore)]
    pub kept: Option<Kept>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForwardAs {
    /// Quoted in the body, with its attachments.
    Inline,
    /// The mail itself, as a file.
    Attachment,
}

/// What has to be read before a mail can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs<'a> {
    Nothing,
    /// The headers of the message that it answers.
    Message(&'a MessageId),
    /// The headers of a thread, whose last message it answers.
    Thread(&'a str),
    /// A whole message, which it passes on.
    Original(&'a MessageId),
}

/// Reads the body, naming the path of the field that does not fit.
fn parsed<T: DeserializeOwned>(body: Value) -> Result<T, Invalid> {
    serde_path_to_error::deserialize(body).map_err(|error| {
        let path = error.path().to_string();
        let problem = match error.inner().to_string() {
            // From an address, which has two forms.
            message if message.contains("untagged") => {
                "must be an address, or {\"name\": …, \"address\": …}".into()
            }
            message => message,
        };
        Invalid::new(if path == "." { "body".to_string() } else { path }, problem)
    })
}

impl Outgoing {
    pub fn parse(body: Value) -> Result<Self, Invalid> {
        parsed::<Self>(body)?.checked()
    }

    pub fn needs(&self) -> Needs<'_> {
        match (&self.forward_message_id, &self.reply_to_message_id, &self.thread_id) {
            _ if self.complete => Needs::Nothing,
            (Some(original), ..) => Needs::Original(original),
            (None, Some(message), _) => Needs::Message(message),
            (None, None, Some(thread)) if !self.says_all() => Needs::Thread(thread),
            (None, None, _) => Needs::Nothing,
        }
    }

    /// Whether nothing is left to take from what it answers.
    fn says_all(&self) -> bool {
        self.subject.is_some()
            && self.in_reply_to.is_some()
            && !self.to.is_empty()
            && !self.reply_all
    }

    /// Whether there is somebody to send it to. A mail that is not complete may leave that open if
    /// it is a reply.
    pub fn check_sendable(&self) -> Result<(), Invalid> {
        let nobody = self.to.is_empty() && self.cc.is_empty() && self.bcc.is_empty();
        match nobody && !matches!(self.needs(), Needs::Message(_) | Needs::Thread(_)) {
            true => Err(Invalid::new(
                "to",
                "is empty, and so are cc and bcc; name at least one recipient",
            )),
            false => Ok(()),
        }
    }

    /// With its addresses as mail servers take them.
    fn checked(mut self) -> Result<Self, Invalid> {
        self.check_count()?;
        let lists = [
            ("to", &mut self.to),
            ("cc", &mut self.cc),
            ("bcc", &mut self.bcc),
            ("reply_to", &mut self.reply_to),
        ];
        for (field, list) in lists {
            for (at, recipient) in list.iter_mut().enumerate() {
                *recipient = recipient
                    .clone()
                    .checked()
                    .map_err(|problem| Invalid::new(format!("{field}[{at}]"), problem))?;
            }
        }
        self.from = self
            .from
            .map(Author::checked)
            .transpose()
            .map_err(|(field, problem)| Invalid::new(format!("from.{field}"), problem))?;
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
        self.check_named()?;
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
        let attachments = self.attachments.into_iter().enumerate().map(|(at, attachment)| {
            attachment.checked().map_err(|(field, problem)| {
                Invalid::new(format!("attachments[{at}].{field}"), problem)
            })
        });
        self.attachments = attachments.collect::<Result<_, _>>()?;
        Ok(self)
    }

    fn check_count(&self) -> Result<(), Invalid> {
        let lists = [&self.to, &self.cc, &self.bcc, &self.reply_to];
        match lists.iter().map(|list| list.len()).sum::<usize>() > MOST_RECIPIENTS {
            true => Err(Invalid::new(
                "to",
                format!(
                    "and the other lists name more than {MOST_RECIPIENTS} addresses, which Gmail does not take; say `to` explicitly, and send several mails"
                ),
            )),
            false => Ok(()),
        }
    }

    /// The messages and the thread that it names become parts of paths.
    fn check_named(&self) -> Result<(), Invalid> {
        let plain = |id: &MessageId| {
            !id.as_str().is_empty()
                && id
                    .as_str()
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let messages = [
            ("reply_to_message_id", &self.reply_to_message_id),
            ("forward_message_id", &self.forward_message_id),
        ];
        for (field, named) in messages {
            if named.as_ref().is_some_and(|id| id.as_str().len() > LONGEST_NAME || !plain(id)) {
                return Err(Invalid::new(field, "is no message's id; `GET …/messages` lists them"));
            }
        }
        if self.thread_id.as_ref().is_some_and(|id| !plain(&MessageId::new(id.as_str()))) {
            return Err(Invalid::new("thread_id", "is no thread's id; `GET …/threads` lists them"));
        }
        let forwards = self.forward_message_id.is_some();
        if forwards && self.reply_to_message_id.is_some() {
            return Err(Invalid::new(
                "forward_message_id",
                "stands beside reply_to_message_id; a mail either answers or forwards",
            ));
        }
        if self.forward_as.is_some() && !forwards {
            return Err(Invalid::new("forward_as", "needs forward_message_id: what to forward"));
        }
        if self.reply_all
            && (forwards || (self.reply_to_message_id.is_none() && self.thread_id.is_none()))
        {
            return Err(Invalid::new(
                "reply_all",
                "needs reply_to_message_id or thread_id: what is answered",
            ));
        }
        Ok(())
    }
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

/// Without control characters, and cut between two characters where it would be too long.
fn subject_line(subject: &str) -> String {
    let line: String =
        subject.trim_end().chars().filter(|character| !character.is_control()).collect();
    line[..line.floor_char_boundary(LONGEST_SUBJECT)].to_string()
}

//! Mail as a story delivers it.

use std::time::Duration;

use email_connectors::domain::id::MessageId;
use email_connectors::domain::mark::Mark;
use email_connectors::domain::timestamp::Timestamp;

/// A mail on its way into a mailbox.
#[derive(Debug, Clone)]
pub struct Mail {
    pub(crate) subject: String,
    pub(crate) from: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) label_ids: Vec<String>,
    pub(crate) received_at: Option<Timestamp>,
    /// How long after its arrival the history record and the message become visible.
    pub(crate) record_late: Duration,
    pub(crate) message_late: Duration,
}

impl Mail {
    pub fn new(subject: &str) -> Self {
        Self {
            subject: subject.into(),
            from: "Shop <pay@shop.example>".into(),
            headers: Vec::new(),
            label_ids: ["INBOX", "UNREAD"].map(String::from).into(),
            received_at: None,
            record_late: Duration::ZERO,
            message_late: Duration::ZERO,
        }
    }

    pub fn from(self, from: &str) -> Self {
        Self { from: from.into(), ..self }
    }

    /// With one header more.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// These labels instead of the inbox's.
    pub fn labelled(self, label_ids: &[&str]) -> Self {
        Self { label_ids: label_ids.iter().map(|label| label.to_string()).collect(), ..self }
    }

    /// Received at this time instead of now.
    pub fn received_at(self, received_at: Timestamp) -> Self {
        Self { received_at: Some(received_at), ..self }
    }

    /// It arrives now, but neither the history nor the mailbox shows it before `span` has passed;
    /// later mail shows at once.
    pub fn late(self, span: Duration) -> Self {
        Self { record_late: span, message_late: span, ..self }
    }

    /// The history lists it at once; the message itself is missing until `span` has passed.
    pub fn fetched_late(self, span: Duration) -> Self {
        Self { message_late: span, ..self }
    }
}

/// The error that Gmail answers instead of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poison {
    /// 500, for this message only.
    Fails,
    /// 429.
    Throttled,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    pub message: MessageId,
    /// The mailbox's history id after the delivery, as in Gmail's push.
    pub history_id: Mark,
}

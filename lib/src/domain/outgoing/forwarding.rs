//! A forward: a message that was read, passed on within the body or as a file.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::attachment::OutgoingAttachment;
use super::media_type::MediaType;
use super::readable::{as_html, readable};
use super::split::without;
use super::{ForwardAs, Outgoing, subject_line};
use crate::domain::invalid::Invalid;
use crate::domain::mail::Part;
use crate::domain::message::{Address, Message, ProviderMessage};
use crate::domain::operation::answer::MinimalMessage;

/// In bytes, as Gmail keeps it. A mail that passes on a longer one would be longer than what a
/// caller may send.
pub const LONGEST_ORIGINAL: usize = 5_000_000;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unforwardable {
    /// It is longer than `LONGEST_ORIGINAL`.
    #[error("the original is too large")]
    TooLarge,
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

impl Outgoing {
    /// With the original, which was read with `format=raw`, passed on as the mail says.
    pub fn forwarding(self, original: MinimalMessage) -> Result<Self, Unforwardable> {
        let unreadable = || {
            Invalid::new(
                "forward_message_id",
                "names a message that cannot be read; send its raw form as an attachment instead",
            )
        };
        let raw = original.raw.as_deref().unwrap_or_default().trim_end_matches('=');
        if raw.len() / 4 * 3 > LONGEST_ORIGINAL {
            return Err(Unforwardable::TooLarge);
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(raw).map_err(|_| unreadable())?;
        let root = Part::read(&bytes).ok_or_else(unreadable)?;
        let message = read(original, &root);
        let subject = self
            .subject
            .clone()
            .or_else(|| Some(forwarding(message.subject.as_deref().unwrap_or_default())));
        let how = self.forward_as.unwrap_or(ForwardAs::Inline);
        let forward =
            Self { subject, forward_message_id: None, forward_as: None, complete: true, ..self };
        match how {
            ForwardAs::Inline => Ok(forward.quoting(&message, &root)),
            ForwardAs::Attachment => Ok(forward.enclosing(&message, &bytes)?),
        }
    }

    /// With the message as a file, without its Bcc: whoever gets it learns nothing of them.
    fn enclosing(mut self, message: &Message, bytes: &[u8]) -> Result<Self, Invalid> {
        let kind = MediaType::parse("message/rfc822").unwrap_or_else(|_| MediaType::bytes());
        let file = OutgoingAttachment {
            filename: format!("{}.eml", file_name(message.subject.as_deref().unwrap_or_default())),
            mime_type: kind,
            content: Some(without(bytes, "bcc")),
            upload_id: None,
            uploaded_size: 0,
            inline: false,
            content_id: None,
        };
        let file = file.checked().map_err(|_| {
            Invalid::new(
                "forward_as",
                "cannot be attachment for this message: it holds a NUL or a line longer than 998 bytes, which no attached mail may; forward it inline, or send its raw form (format=raw) as an attachment of the type application/octet-stream",
            )
        })?;
        self.attachments.push(file);
        Ok(self)
    }

    /// With the message quoted below what was written. A text is left out where it could not hold
    /// what the HTML does.
    fn quoting(mut self, message: &Message, root: &Part) -> Self {
        let body = readable(root);
        let head = head(message, root);
        let (text, html) = (self.text.take(), self.html.take());
        let in_html = html.is_some() || body.html.is_some();
        let in_text =
            (text.is_some() || html.is_none()) && (body.text.is_some() || body.html.is_none());
        if in_html {
            let above = html.unwrap_or_else(|| as_html(text.as_deref().unwrap_or_default()));
            let below =
                body.html.unwrap_or_else(|| as_html(body.text.as_deref().unwrap_or_default()));
            self.html = Some(format!(
                "{above}<br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">{}</div><br>{below}</div>",
                as_html(&head)
            ));
        }
        if in_text || !in_html {
            let above = text.map(|text| format!("{text}\n\n")).unwrap_or_default();
            self.text = Some(format!("{above}{head}\n{}", body.text.unwrap_or_default()));
        }
        self.attachments.extend(OutgoingAttachment::all_of(root));
        self
    }
}

fn read(original: MinimalMessage, root: &Part) -> Message {
    ProviderMessage {
        id: original.id,
        identity: None,
        thread_id: original.thread_id,
        label_ids: original.label_ids,
        history_id: original.metadata.history_id,
        received_at: original.timestamp,
        snippet: original.snippet,
        size_estimate: original.metadata.size_estimate,
        has_attachments: false,
        attachments_unknown: false,
        bounce: None,
        headers: root.headers.clone(),
    }
    .normalize()
}

fn forwarding(subject: &str) -> String {
    let again = ["fwd:", "fw:"].iter().any(|prefix| {
        subject.get(..prefix.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(prefix))
    });
    subject_line(&if again { subject.to_string() } else { format!("Fwd: {subject}") })
}

/// The lines above a forwarded mail, as mail programs write them.
fn head(message: &Message, root: &Part) -> String {
    let mut lines = "---------- Forwarded message ---------\n".to_string();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            // Writing to a string cannot fail.
            let _ = writeln!(lines, "{name}: {value}");
        }
    };
    let date = root.header("date").map(String::from);
    line("From", message.from.as_ref().map(shown).unwrap_or_default());
    line("Date", date.unwrap_or_else(|| message.timestamp.to_string()));
    line("Subject", message.subject.clone().unwrap_or_default());
    line("To", all_shown(&message.to));
    line("Cc", all_shown(&message.cc));
    lines
}

fn all_shown(addresses: &[Address]) -> String {
    addresses.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn shown(address: &Address) -> String {
    match &address.name {
        Some(name) => format!("{name} <{}>", address.address),
        None => address.address.clone(),
    }
}

/// The subject without what a file's name may not hold.
fn file_name(subject: &str) -> String {
    let safe = |sign: char| match sign {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
        sign if sign.is_control() => '_',
        sign => sign,
    };
    let name: String = subject.trim().chars().map(safe).collect();
    if name.is_empty() { "message".into() } else { name }
}

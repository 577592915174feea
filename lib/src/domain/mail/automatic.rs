//! Mail that no person wrote, told by its headers, and what a bounce is about. Any sender can write
//! or leave out these headers: they keep machines from answering machines, and prove nothing.

mod report;

use serde::Serialize;
use utoipa::ToSchema;

use self::report::first_word;
pub use self::report::{Action, Bounce, FailedRecipient};
use super::mailbox::mailboxes;
use super::{Part, one_line};

/// Why a mail counts as automatic. Absent of a mail that a person wrote to its recipients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AutomaticMail)]
pub struct Automatic {
    pub kind: Kind,
    /// Of the mailing list that it came through (List-Id, RFC 2919), without angle brackets.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "announcements.shop.example")]
    pub list_id: Option<String>,
    /// What a bounce is about, where the whole message was read: headers alone do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounce: Option<Bounce>,
}

/// Of several kinds that the headers name, the first one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AutomaticMailKind)]
pub enum Kind {
    /// A mail server's report about a mail that was sent: not delivered, or late (RFC 3464).
    Bounce,
    /// An answer that a program gave to a mail, such as an out-of-office reply (RFC 3834).
    Reply,
    /// Mail to many: a mailing list, a newsletter, a mass mailing.
    List,
    /// Anything else that a program sent by itself: alerts, calendars, read receipts.
    Notification,
}

/// What a `multipart/report` (RFC 6522) is about.
#[derive(PartialEq)]
enum Report {
    Delivery,
    /// A read receipt (RFC 8098), a complaint (RFC 5965) or another one. Nobody wrote it to be read
    /// or answered, and it answers no question of a mail, so it is a notification.
    Other,
}

impl Automatic {
    /// `None` for a person's mail. The kind comes from the headers alone, so that it is the same
    /// wherever a mail is read; details of a bounce need the tree.
    pub fn read(headers: &[(String, String)], root: Option<&Part>) -> Option<Self> {
        let headers = Headers(headers);
        let kind = headers.kind()?;
        let bounce = root.filter(|_| kind == Kind::Bounce).and_then(|root| {
            Bounce::read(root, headers.first("x-failed-recipients"), headers.first("in-reply-to"))
        });
        Some(Self { kind, list_id: headers.list_id(), bounce })
    }

    /// With at most so many recipients, and its texts cut short.
    pub fn cut(&self, most: usize, short: impl Fn(&str) -> String) -> Self {
        let recipient = |whole: &FailedRecipient| FailedRecipient {
            recipient: short(&whole.recipient),
            ..whole.clone()
        };
        Self {
            list_id: self.list_id.as_deref().map(&short),
            bounce: self.bounce.as_ref().map(|bounce| Bounce {
                message_id: bounce.message_id.as_deref().map(&short),
                recipients: bounce.recipients.iter().take(most).map(recipient).collect(),
            }),
            ..self.clone()
        }
    }
}

struct Headers<'a>(&'a [(String, String)]);

impl<'a> Headers<'a> {
    fn all(&self, name: &'static str) -> impl Iterator<Item = &'a str> + use<'a> {
        let named = self.0.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim())
    }

    fn first(&self, name: &'static str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// The first words of all headers of this name, in lower case.
    fn words(&self, name: &'static str) -> impl Iterator<Item = String> + use<'a> {
        self.all(name).map(first_word).filter(|word| !word.is_empty())
    }

    fn has(&self, name: &'static str) -> bool {
        self.all(name).any(|value| !value.is_empty())
    }

    fn kind(&self) -> Option<Kind> {
        let report = self.report();
        let submitted: Vec<String> =
            self.words("auto-submitted").filter(|word| word != "no").collect();
        let precedence: Vec<String> = self.words("precedence").collect();
        let precedes = |word: &str| precedence.iter().any(|other| other == word);
        let is_listed = ["bulk", "list", "junk"].into_iter().any(precedes)
            || ["list-id", "list-unsubscribe", "list-post"].into_iter().any(|name| self.has(name));
        let is_reply = submitted.iter().any(|word| word == "auto-replied")
            || precedes("auto_reply")
            || self.words("x-autoreply").any(|word| word != "no")
            || self.words("x-autorespond").any(|word| word != "no")
            || (!submitted.is_empty() && !is_listed && self.answers_as_exchange_does());
        match report {
            Some(Report::Delivery) => Some(Kind::Bounce),
            _ if self.is_returned_by_a_mail_server() => Some(Kind::Bounce),
            Some(Report::Other) => Some(Kind::Notification),
            None if is_reply => Some(Kind::Reply),
            None if is_listed => Some(Kind::List),
            None => {
                let is_sent_by_a_program = !submitted.is_empty() || self.has_null_sender();
                is_sent_by_a_program.then_some(Kind::Notification)
            }
        }
    }

    /// Exchange calls its out-of-office replies `auto-generated`, and asks that nothing answers
    /// them. By itself X-Auto-Response-Suppress says nothing: Outlook also puts it on what people
    /// write, and it is about answers to a mail, not about who wrote it.
    fn answers_as_exchange_does(&self) -> bool {
        self.has("x-auto-response-suppress") && self.has("in-reply-to")
    }

    /// Servers that write no `multipart/report` send from such an address, and name no one to
    /// return it to (RFC 5321, section 4.5.5) or whom they could not reach.
    fn is_returned_by_a_mail_server(&self) -> bool {
        let from = one_line(self.first("from").unwrap_or_default());
        let address = mailboxes(&from).into_iter().next().map_or(from, |mailbox| mailbox.address);
        let local = address.rsplit_once('@').map_or(address.as_str(), |(local, _)| local);
        let names = ["mailer-daemon", "postmaster"];
        let is_server = names.iter().any(|name| local.trim().eq_ignore_ascii_case(name));
        is_server && (self.has_null_sender() || self.has("x-failed-recipients"))
    }

    /// Only programs send so that nothing can be returned to them (RFC 3834, section 2). The
    /// topmost header is the receiving server's.
    fn has_null_sender(&self) -> bool {
        self.first("return-path")
            .is_some_and(|path| path.split_whitespace().collect::<String>() == "<>")
    }

    fn report(&self) -> Option<Report> {
        let value = self.first("content-type")?;
        if first_word(value) != "multipart/report" {
            return None;
        }
        let parameters = value.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
        let of = parameters
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case("report-type"))
            .map(|(_, value)| value.trim().trim_matches('"').trim().to_ascii_lowercase())
            .next();
        match of.as_deref() {
            Some("delivery-status") => Some(Report::Delivery),
            _ => Some(Report::Other),
        }
    }

    /// What stands between the last angle brackets, or the whole value if there are none.
    fn list_id(&self) -> Option<String> {
        let value = self.all("list-id").find(|value| !value.is_empty())?;
        let id = match value.rsplit_once('<') {
            Some((_, rest)) => rest.split('>').next().unwrap_or_default(),
            None => value,
        };
        let id = one_line(id.trim());
        (!id.is_empty()).then_some(id)
    }
}

#[cfg(test)]
mod tests;

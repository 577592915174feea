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
mod tests {
    use super::*;
    use crate::domain::mail::Content;

    fn headers(lines: &[&str]) -> Vec<(String, String)> {
        let pairs = lines.iter().filter_map(|line| line.split_once(':'));
        pairs.map(|(name, value)| (name.to_string(), value.trim().to_string())).collect()
    }

    fn kind(lines: &[&str]) -> Option<Kind> {
        Automatic::read(&headers(lines), None).map(|automatic| automatic.kind)
    }

    const DSN: &str = "Content-Type: multipart/report; report-type=delivery-status; boundary=\"x\"";

    #[test]
    fn a_kind_for_each_way_of_saying_it() {
        let table: &[(&[&str], Option<Kind>)] = &[
            (&["From: Ada <ada@example.com>", "Return-Path: <ada@example.com>"], None),
            (&["Auto-Submitted: no"], None),
            (&["Auto-Submitted: No (typed)"], None),
            (&["Auto-Submitted:"], None),
            (&["Auto-Submitted: auto-replied"], Some(Kind::Reply)),
            (&["AUTO-SUBMITTED: (vacation) Auto-Replied; owner=x"], Some(Kind::Reply)),
            (&["Auto-Submitted: no", "Auto-Submitted: auto-replied"], Some(Kind::Reply)),
            (&["Auto-Submitted: auto-generated"], Some(Kind::Notification)),
            (&["Auto-Submitted: auto-notified; owner-email=\"a@b\""], Some(Kind::Notification)),
            (&["Auto-Submitted: x-anything"], Some(Kind::Notification)),
            (&["Precedence: bulk"], Some(Kind::List)),
            (&["Precedence: List"], Some(Kind::List)),
            (&["Precedence: junk"], Some(Kind::List)),
            (&["Precedence: auto_reply"], Some(Kind::Reply)),
            (&["Precedence: first-class"], None),
            (&["Precedence: bulk", "Auto-Submitted: auto-replied"], Some(Kind::Reply)),
            (&["List-Id: <l.example.com>"], Some(Kind::List)),
            (&["List-Id:"], None),
            (&["List-Unsubscribe: <https://example.com/u>"], Some(Kind::List)),
            (&["List-Post: NO"], Some(Kind::List)),
            (&["List-Id: <l.example.com>", "Auto-Submitted: auto-generated"], Some(Kind::List)),
            (&["X-Autoreply: yes"], Some(Kind::Reply)),
            (&["X-Autoreply: no"], None),
            (&["X-Autorespond: Thank you"], Some(Kind::Reply)),
            // Outlook's, on what a person wrote.
            (&["X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply"], None),
            (&["X-Auto-Response-Suppress: All", "In-Reply-To: <1@example.com>"], None),
            // Exchange's out-of-office reply.
            (
                &[
                    "Auto-Submitted: auto-generated",
                    "X-Auto-Response-Suppress: All",
                    "In-Reply-To: <1@example.com>",
                ],
                Some(Kind::Reply),
            ),
            (
                &["Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All"],
                Some(Kind::Notification),
            ),
            // A tracker's, which threads what it sends to many.
            (
                &[
                    "Auto-Submitted: auto-generated",
                    "X-Auto-Response-Suppress: All",
                    "In-Reply-To: <1@example.com>",
                    "Precedence: list",
                ],
                Some(Kind::List),
            ),
            (&[DSN], Some(Kind::Bounce)),
            (&[DSN, "Auto-Submitted: auto-replied"], Some(Kind::Bounce)),
            (
                &["Content-Type: Multipart/Report; Report-Type=\"Delivery-Status\""],
                Some(Kind::Bounce),
            ),
            (
                &["Content-Type: multipart/report; report-type=disposition-notification"],
                Some(Kind::Notification),
            ),
            (
                &[
                    "Content-Type: multipart/report; report-type=disposition-notification",
                    "Auto-Submitted: auto-replied",
                ],
                Some(Kind::Notification),
            ),
            (
                &["Content-Type: multipart/report; report-type=feedback-report"],
                Some(Kind::Notification),
            ),
            (&["Content-Type: multipart/mixed; report-type=delivery-status"], None),
            (
                &["Return-Path: <>", "From: MAILER-DAEMON@mx.example (Mail Delivery System)"],
                Some(Kind::Bounce),
            ),
            (&["Return-Path: <>", "From: MAILER-DAEMON"], Some(Kind::Bounce)),
            (&["Return-Path: < >", "From: \"x\" <Postmaster@mx.example>"], Some(Kind::Bounce)),
            (
                &["X-Failed-Recipients: b@example.com", "From: Mailer-Daemon@mx.example"],
                Some(Kind::Bounce),
            ),
            (&["From: postmaster@mx.example", "Return-Path: <postmaster@mx.example>"], None),
            (&["X-Failed-Recipients: b@example.com", "From: ada@example.com"], None),
            (&["Return-Path: <>", "From: ada@example.com"], Some(Kind::Notification)),
            (
                &["Return-Path: <>", "From: ada@example.com", "Auto-Submitted: auto-replied"],
                Some(Kind::Reply),
            ),
            // Only the topmost is the receiving server's.
            (&["Return-Path: <ada@example.com>", "Return-Path: <>"], None),
        ];
        for (lines, expected) in table {
            assert_eq!(kind(lines), *expected, "{lines:?}");
        }
    }

    #[test]
    fn a_list_is_named_as_it_names_itself() {
        for (value, expected) in [
            ("Announcements <news.shop.example>", Some("news.shop.example")),
            ("\"a < b\" <news.shop.example>", Some("news.shop.example")),
            ("news.shop.example", Some("news.shop.example")),
            ("<news.shop.example", Some("news.shop.example")),
            ("<a\u{1b}b>", Some("a b")),
            ("<>", None),
        ] {
            let lines = headers(&[&format!("List-Id: {value}"), "Precedence: list"]);
            let read = Automatic::read(&lines, None).unwrap();
            assert_eq!((read.kind, read.list_id.as_deref()), (Kind::List, expected), "{value}");
        }
        let reply = headers(&["List-Id: <l.example>", "Auto-Submitted: auto-replied"]);
        let reply = Automatic::read(&reply, None).unwrap();
        assert_eq!((reply.kind, reply.list_id.as_deref()), (Kind::Reply, Some("l.example")));
    }

    fn leaf(mime_type: &str, text: &str) -> Part {
        let content = if text.is_empty() {
            Content::None
        } else {
            Content::Bytes(text.replace('\n', "\r\n").into_bytes())
        };
        Part { mime_type: mime_type.into(), content, ..Part::default() }
    }

    fn tree(mime_type: &str, parts: Vec<Part>) -> Part {
        Part { mime_type: mime_type.into(), parts, ..Part::default() }
    }

    fn group(lines: &[&str]) -> Part {
        Part { mime_type: "text/plain".into(), headers: headers(lines), ..Part::default() }
    }

    const STATUS: &str = "Reporting-MTA: dns; mx.example\nArrival-Date: x\n\n\
        Final-Recipient: rfc822; bob@example.com\nAction: Failed\nStatus: 5.1.1 (unknown)\n\
        Diagnostic-Code: smtp; 550\n 5.1.1 no such user\n\n\
        Original-Recipient: rfc822;eve@example.com\nStatus: soon\nAction: DELAYED\n";
    const ORIGINAL: &str = "Received: from x\nMessage-ID:\n <1@example.com>\nSubject: s\n\nMessage-ID: <no@example.com>";

    fn recipient(recipient: &str, status: Option<&str>, action: Option<Action>) -> FailedRecipient {
        FailedRecipient { recipient: recipient.into(), status: status.map(String::from), action }
    }

    fn told() -> Bounce {
        Bounce {
            message_id: Some("<1@example.com>".into()),
            recipients: vec![
                recipient("bob@example.com", Some("5.1.1"), Some(Action::Failed)),
                recipient("eve@example.com", None, Some(Action::Delayed)),
            ],
        }
    }

    fn bounce(parts: Vec<Part>, more: &[&str]) -> Option<Bounce> {
        let mut lines = vec![DSN];
        lines.extend(more);
        Automatic::read(&headers(&lines), Some(&tree("multipart/report", parts))).unwrap().bounce
    }

    #[test]
    fn of_a_report_no_more_is_read_than_any_report_needs() {
        let original = |before: usize| {
            let text = format!("{}Message-ID: <1@example.com>\n", "a: b\n".repeat(before));
            bounce(vec![leaf("text/plain", "Sorry"), leaf("text/rfc822-headers", &text)], &[])
        };
        let id = |read: Option<Bounce>| read.and_then(|read| read.message_id);
        assert_eq!(id(original(1_000)).as_deref(), Some("<1@example.com>"));
        assert_eq!(id(original(60_000)), None);
    }

    #[test]
    fn a_bounce_is_read_in_each_shape_that_its_parts_come_in() {
        let groups = || {
            tree(
                "message/delivery-status",
                vec![
                    group(&["Reporting-MTA: dns; mx.example"]),
                    group(&[
                        "Final-Recipient: rfc822; bob@example.com",
                        "Action: failed",
                        "Status: 5.1.1",
                    ]),
                    group(&["Original-Recipient: rfc822;eve@example.com", "action: delayed"]),
                ],
            )
        };
        // A group whose fields are the text of its part.
        let texts = || {
            let parts = STATUS.split("\n\n").map(|text| leaf("text/plain", text)).collect();
            tree("message/delivery-status", parts)
        };
        let with_final_recipient = |mut status: Part| {
            status.parts[2] =
                group(&["Final-Recipient: rfc822; eve@example.com", "Action: delayed"]);
            status
        };
        let whole = || {
            let inner = group(&["Message-ID: <1@example.com>", "Subject: s"]);
            tree("message/rfc822", vec![inner])
        };
        let table = [
            (leaf("message/delivery-status", STATUS), whole()),
            (leaf("message/delivery-status", STATUS), leaf("text/rfc822-headers", ORIGINAL)),
            (leaf("message/delivery-status", STATUS), leaf("message/rfc822", ORIGINAL)),
            (
                leaf("message/global-delivery-status", STATUS),
                leaf("message/global-headers", ORIGINAL),
            ),
            (with_final_recipient(groups()), whole()),
            (groups(), whole()),
            (texts(), leaf("text/rfc822-headers", ORIGINAL)),
        ];
        for (status, original) in table {
            let case = format!("{status:?} {original:?}");
            let parts = vec![leaf("text/plain", "Sorry"), status, original];
            assert_eq!(bounce(parts, &[]), Some(told()), "{case}");
        }
    }

    #[test]
    fn a_report_below_another_multipart_is_found_and_one_within_a_mail_is_not() {
        let report = || {
            let original = leaf("text/rfc822-headers", ORIGINAL);
            vec![leaf("text/plain", "Sorry"), leaf("message/delivery-status", STATUS), original]
        };
        assert_eq!(bounce(vec![tree("multipart/mixed", report())], &[]), Some(told()));
        let forwarded = tree("message/rfc822", vec![tree("multipart/report", report())]);
        assert_eq!(bounce(vec![leaf("text/plain", "see below"), forwarded], &[]), None);
    }

    #[test]
    fn headers_of_a_bounce_say_what_its_parts_do_not() {
        let more = [
            "X-Failed-Recipients: bob@example.com, eve@example.com",
            "In-Reply-To: <1@example.com>",
        ];
        let expected = Bounce {
            recipients: vec![
                recipient("bob@example.com", None, None),
                recipient("eve@example.com", None, None),
            ],
            ..told()
        };
        assert_eq!(bounce(vec![leaf("text/plain", "Sorry")], &more), Some(expected));
        assert_eq!(bounce(vec![leaf("text/plain", "Sorry")], &[]), None);
        let headers = headers(&[&[DSN], more.as_slice()].concat());
        assert_eq!(Automatic::read(&headers, None).unwrap().bounce, None, "headers alone");
    }

    #[test]
    fn a_sender_cannot_make_a_bounce_endless() {
        let status = "Final-Recipient: rfc822; a@example.com\n\n".repeat(20_000);
        let read = bounce(vec![leaf("message/delivery-status", &status)], &[]).unwrap();
        assert_eq!(read.recipients.len(), 500);
        let nested =
            (0..5000).fold(leaf("text/plain", "x"), |part, _| tree("multipart/mixed", vec![part]));
        assert_eq!(bounce(vec![nested], &[]), None);
    }

    #[test]
    fn what_others_attach_makes_no_bounce() {
        let parts = vec![leaf("text/plain", "see below"), leaf("message/delivery-status", STATUS)];
        let mail = headers(&["Content-Type: multipart/mixed; boundary=x", "From: ada@example.com"]);
        assert_eq!(Automatic::read(&mail, Some(&tree("multipart/mixed", parts))), None);
    }
}

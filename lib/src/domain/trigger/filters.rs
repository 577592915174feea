//! A trigger's filters: what they hold, and which mail passes them.

use serde::{Deserialize, Serialize};

use super::TriggerType;
use crate::domain::comparable::comparable;
use crate::domain::invalid::Invalid;
use crate::domain::mail_domain::MailDomain;
use crate::domain::message::{Address, Message};

const MOST_VALUES: usize = 50;
/// In characters.
const LONGEST_VALUE: usize = 200;
/// In bytes, as JSON: forty triggers with their connector go in one transaction of DynamoDB, which
/// takes 4 MB.
const LARGEST_FILTERS: usize = 64 * 1024;

/// All that is given must hold. Text is compared as people see it: without letter case (`STRASSE` is
/// `Straße`), compatibility forms and invisible characters, and with one blank for any white space.
/// A header that is missing does not match.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Filters {
    /// Words, each of which must occur in From, as it is shown, or in Subject. Senders choose both:
    /// it is no check of who sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// At least one must occur in From's address; the name beside it does not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from_contains: Vec<String>,
    /// One of which must be the whole domain of From's address. A subdomain is another one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from_domain: Vec<MailDomain>,
    /// At least one must occur in an address of To.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to_contains: Vec<String>,
    /// At least one must occur.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subject_contains: Vec<String>,
    /// Labels that the message must all carry. A request may name them by id or by name; ids are
    /// stored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub label_include: Vec<String>,
    /// Labels of which it must carry none, named alike.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub label_exclude: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_attachment: Option<bool>,
    /// Whether the receiving server said that the domain of From's address stands behind the mail
    /// (DMARC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticated: Option<bool>,
    /// Whether its own headers say that no person wrote it. An agent that answers mail sets `false`:
    /// two machines that answer each other never end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automatic: Option<bool>,
}

/// One of a trigger's filters, by its name in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    Query,
    FromContains,
    FromDomain,
    ToContains,
    SubjectContains,
    LabelInclude,
    LabelExclude,
    HasAttachment,
    Authenticated,
    Automatic,
}

impl Filter {
    pub const ALL: [Self; 10] = [
        Self::Query,
        Self::FromContains,
        Self::FromDomain,
        Self::ToContains,
        Self::SubjectContains,
        Self::LabelInclude,
        Self::LabelExclude,
        Self::HasAttachment,
        Self::Authenticated,
        Self::Automatic,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FromContains => "from_contains",
            Self::FromDomain => "from_domain",
            Self::ToContains => "to_contains",
            Self::SubjectContains => "subject_contains",
            Self::LabelInclude => "label_include",
            Self::LabelExclude => "label_exclude",
            Self::HasAttachment => "has_attachment",
            Self::Authenticated => "authenticated",
            Self::Automatic => "automatic",
        }
    }
}

impl Filters {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        // A text of which nothing can be seen would be in every mail.
        let unfit = |text: &str| {
            comparable(text).trim().is_empty()
                || text.chars().count() > LONGEST_VALUE
                || text.chars().any(char::is_control)
        };
        if self.query.as_deref().is_some_and(unfit) {
            return Err(Invalid::new(
                "config.filters.query",
                format!("must hold 1 to {LONGEST_VALUE} printable characters, or be absent"),
            ));
        }
        if self.from_domain.len() > MOST_VALUES {
            return Err(Invalid::new(
                "config.filters.from_domain",
                format!("holds more than {MOST_VALUES} values"),
            ));
        }
        let lists = [
            ("from_contains", &self.from_contains),
            ("to_contains", &self.to_contains),
            ("subject_contains", &self.subject_contains),
            ("label_include", &self.label_include),
            ("label_exclude", &self.label_exclude),
        ];
        for (name, list) in lists {
            if list.len() > MOST_VALUES {
                return Err(Invalid::new(
                    format!("config.filters.{name}"),
                    format!("holds more than {MOST_VALUES} values"),
                ));
            }
            if let Some(at) = list.iter().position(|value| unfit(value)) {
                return Err(Invalid::new(
                    format!("config.filters.{name}[{at}]"),
                    format!("must hold 1 to {LONGEST_VALUE} printable characters"),
                ));
            }
        }
        // Text, lists and flags: rendering them cannot fail.
        let bytes = serde_json::to_vec(self).unwrap_or_default().len();
        if bytes > LARGEST_FILTERS {
            return Err(Invalid::new(
                "config.filters",
                format!(
                    "hold {bytes} bytes of the {LARGEST_FILTERS} that they may; make several triggers"
                ),
            ));
        }
        Ok(())
    }

    pub(super) fn check_of(&self, kind: TriggerType) -> Result<(), Invalid> {
        match kind == TriggerType::Webhook && *self != Self::default() {
            true => Err(Invalid::new(
                "config.filters",
                "filter mail; what fires a `webhook` trigger is for its sender to choose",
            )),
            false => Ok(()),
        }
    }

    pub fn matches(&self, message: &Message) -> bool {
        self.unmet(message).next().is_none()
    }

    /// Those that the message does not pass.
    pub fn unmet(&self, message: &Message) -> impl Iterator<Item = Filter> {
        Filter::ALL.into_iter().filter(|filter| !self.holds(*filter, message))
    }

    fn holds(&self, filter: Filter, message: &Message) -> bool {
        // Whoever writes several senders, or a name that looks like one, is none of them.
        let by = |is_meant: &dyn Fn(&Address) -> bool| {
            message.from.is_some() && message.authors().all(is_meant)
        };
        let from = |part: &str| by(&|author| author.contains(part));
        let shown = |part: &str| message.from.as_ref().is_some_and(|from| from.shows(part));
        let to = |part: &str| message.to.iter().any(|to| to.contains(part));
        let subject = |part: &str| {
            message.subject.as_ref().is_some_and(|subject| comparable(subject).contains(part))
        };
        let any = |parts: &[String], occurs: &dyn Fn(&str) -> bool| {
            parts.is_empty()
                || parts.iter().map(|part| comparable(part)).any(|part| {
                    // An older version may have stored one of which nothing can be seen.
                    !part.trim().is_empty() && occurs(&part)
                })
        };
        let labelled = |label: &String| message.label_ids.contains(label);

        match filter {
            Filter::Query => {
                let Some(query) = self.query.as_deref().map(comparable) else { return true };
                let words: Vec<&str> = query.split_whitespace().collect();
                !words.is_empty() && words.into_iter().all(|word| shown(word) || subject(word))
            }
            Filter::FromContains => any(&self.from_contains, &from),
            Filter::FromDomain => {
                let is_listed = |author: &Address| {
                    author.domain().is_some_and(|domain| self.from_domain.contains(&domain))
                };
                self.from_domain.is_empty() || by(&is_listed)
            }
            Filter::ToContains => any(&self.to_contains, &to),
            Filter::SubjectContains => any(&self.subject_contains, &subject),
            Filter::LabelInclude => self.label_include.iter().all(labelled),
            Filter::LabelExclude => !self.label_exclude.iter().any(labelled),
            Filter::HasAttachment => {
                self.has_attachment.is_none_or(|wanted| wanted == message.has_attachments)
            }
            Filter::Authenticated => {
                self.authenticated.is_none_or(|wanted| wanted == message.is_authenticated())
            }
            Filter::Automatic => {
                self.automatic.is_none_or(|wanted| wanted == message.automatic.is_some())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::id::MessageId;
    use crate::domain::message::ProviderMessage;
    use crate::domain::timestamp::Timestamp;

    fn given() -> ProviderMessage {
        ProviderMessage {
            id: MessageId::new("m"),
            identity: None,
            thread_id: "t".into(),
            label_ids: vec!["INBOX".into(), "Label_7".into()],
            history_id: None,
            received_at: Timestamp::from_seconds(0),
            snippet: String::new(),
            size_estimate: 0,
            has_attachments: true,
            attachments_unknown: false,
            bounce: None,
            headers: [
                ("Authentication-Results", "mx.google.com; dmarc=pass header.from=shop.example"),
                ("From", "Billing <pay@shop.example>"),
                ("To", "Ada <ada@example.com>"),
                ("Subject", "Your INVOICE for May"),
                ("Auto-Submitted", "auto-generated"),
            ]
            .map(|(name, value)| (name.into(), value.into()))
            .into(),
        }
    }

    fn mail() -> Message {
        given().normalize()
    }

    #[test]
    fn fires_for_what_every_given_filter_accepts() {
        let table = [
            (json!({}), true),
            (json!({"query": "billing invoice"}), true),
            (json!({"query": "billing receipt"}), false),
            (json!({"query": "ada"}), false),
            (json!({"from_contains": ["nobody", "SHOP.example"]}), true),
            (json!({"from_contains": ["nobody"]}), false),
            (json!({"from_contains": ["Billing"]}), false),
            (json!({"from_domain": ["other.example", "SHOP.example"]}), true),
            (
                json!({"from_domain": ["example", "op.example", "mail.shop.example", "shop.example.com"]}),
                false,
            ),
            (json!({"to_contains": ["ada@"]}), true),
            (json!({"to_contains": ["Ada <"]}), false),
            (json!({"subject_contains": ["invoice"]}), true),
            (json!({"subject_contains": ["receipt"]}), false),
            (json!({"label_include": ["INBOX", "Label_7"]}), true),
            (json!({"label_include": ["INBOX", "Label_8"]}), false),
            (json!({"label_exclude": ["Label_8"]}), true),
            (json!({"label_exclude": ["Label_7"]}), false),
            (json!({"has_attachment": true}), true),
            (json!({"has_attachment": false}), false),
            (json!({"authenticated": true}), true),
            (json!({"authenticated": false}), false),
            (json!({"automatic": true}), true),
            (json!({"automatic": false}), false),
            (json!({"subject_contains": ["invoice"], "from_contains": ["nobody"]}), false),
        ];
        for (filters, expected) in table {
            let parsed: Filters = serde_json::from_value(filters.clone()).unwrap();
            assert_eq!(parsed.matches(&mail()), expected, "{filters}");
        }
    }

    /// A filter that the list lacks would be accepted, stored and never applied.
    #[test]
    fn every_field_is_a_filter_that_is_applied() {
        let full = Filters {
            query: Some("a".into()),
            from_contains: vec!["a".into()],
            from_domain: vec![MailDomain::parse("a.example").unwrap()],
            to_contains: vec!["a".into()],
            subject_contains: vec!["a".into()],
            label_include: vec!["A".into()],
            label_exclude: vec!["B".into()],
            has_attachment: Some(true),
            authenticated: Some(true),
            automatic: Some(true),
        };
        let fields: Vec<String> =
            serde_json::to_value(full).unwrap().as_object().unwrap().keys().cloned().collect();
        let mut applied = Filter::ALL.map(|filter| filter.as_str().to_string()).to_vec();
        applied.sort();
        assert_eq!(fields, applied);
    }

    #[test]
    fn a_part_of_a_word_matches_in_any_letter_case() {
        let greek = Message { subject: Some("ΟΔΟΣ ΑΣΒ".into()), ..mail() };
        for part in ["ΟΔΟΣ", "οδος", "ΑΣ", "ας", "ασβ"] {
            let parsed: Filters =
                serde_json::from_value(json!({"subject_contains": [part], "query": part})).unwrap();
            assert!(parsed.matches(&greek), "{part}");
        }
    }

    #[test]
    fn text_matches_as_people_see_it() {
        for (subject, part, expected) in [
            ("Re\u{301}sume\u{301}", "résumé", true),
            ("Invoice\u{a0}4711", "invoice 4711", true),
            ("Rechnung für die Hauptstraße", "HAUPTSTRASSE", true),
            ("In\u{ad}voi\u{200b}ce", "invoice", true),
            ("Invoice", "in\u{ad}voice", true),
            ("Resume", "résumé", false),
        ] {
            let mail = Message { subject: Some(subject.into()), ..mail() };
            for filters in [json!({"subject_contains": [part]}), json!({"query": part})] {
                let parsed: Filters = serde_json::from_value(filters.clone()).unwrap();
                assert_eq!(parsed.matches(&mail), expected, "{filters} {subject}");
            }
        }
    }

    #[test]
    fn a_text_of_which_nothing_can_be_seen_is_refused_and_matches_nothing() {
        for text in ["\u{ad}", "\u{200b}\u{feff}", " \u{2060} ", "\u{3000}"] {
            for filters in [
                json!({"query": text}),
                json!({"from_contains": [text]}),
                json!({"to_contains": [text]}),
                json!({"subject_contains": [text]}),
            ] {
                let parsed: Filters = serde_json::from_value(filters.clone()).unwrap();
                assert!(parsed.check().is_err(), "{filters}");
                assert!(!parsed.matches(&mail()), "{filters}");
            }
        }
    }

    /// U+FF20 becomes an `@` where text is compared, and a sender may put it anywhere.
    #[test]
    fn what_looks_like_the_sign_before_the_domain_is_not_it() {
        let from = |address: &str| Message {
            from: Some(Address { name: None, address: address.into() }),
            ..mail()
        };
        let parsed: Filters =
            serde_json::from_value(json!({"from_contains": ["@trusted.example"]})).unwrap();
        for (address, expected) in [
            ("pay@trusted.example", true),
            ("pay@TRUSTED.example", true),
            ("pay\u{ff20}trusted.example@evil.example", false),
            ("pay@evil.example\u{ff20}trusted.example", false),
            ("pay\u{ff20}trusted.example", false),
        ] {
            assert_eq!(parsed.matches(&from(address)), expected, "{address}");
        }
    }

    #[test]
    fn of_several_senders_each_must_be_meant() {
        let from = |value: &str| {
            let headers = vec![("From".to_string(), value.to_string())];
            ProviderMessage { headers, ..given() }.normalize()
        };
        for filters in [
            json!({"from_contains": ["@trusted.example"]}),
            json!({"from_domain": ["trusted.example"]}),
        ] {
            let parsed: Filters = serde_json::from_value(filters.clone()).unwrap();
            for (value, expected) in [
                ("pay@trusted.example", true),
                ("pay@trusted.example, bo@trusted.example", true),
                // As Gmail shows `=?utf-8?q?Pay_<pay=40trusted.example>,?= <a@evil.example>`.
                ("Pay <pay@trusted.example>, <a@evil.example>", false),
                ("a@evil.example, pay@trusted.example", false),
                ("Pay", false),
            ] {
                assert_eq!(parsed.matches(&from(value)), expected, "{filters} {value}");
            }
        }
    }

    #[test]
    fn a_domain_has_two_spellings_and_is_one() {
        let from = |address: &str| Message {
            from: Some(Address { name: None, address: address.into() }),
            ..mail()
        };
        for (domain, address, expected) in [
            ("bücher.example", "a@xn--bcher-kva.example", true),
            ("xn--bcher-kva.example", "a@BÜCHER.example", true),
            ("bucher.example", "a@bücher.example", false),
            ("bücher.example", "\"a@bücher.example\"@x.example", false),
            ("x.example", "\"a@bücher.example\"@x.example", true),
            ("192.0.2.1", "a@[192.0.2.1]", false),
        ] {
            let parsed: Filters = serde_json::from_value(json!({"from_domain": [domain]})).unwrap();
            assert_eq!(parsed.matches(&from(address)), expected, "{domain} {address}");
        }
    }

    #[test]
    fn filters_that_an_earlier_version_wrote_are_read() {
        let earlier = json!({"query": "a", "from_contains": ["b"], "has_attachment": true});
        let read: Filters = serde_json::from_value(earlier.clone()).unwrap();
        assert_eq!((read.from_domain.len(), read.authenticated, read.automatic), (0, None, None));
        assert_eq!(serde_json::to_value(read).unwrap(), earlier, "and written as they were");
    }

    #[test]
    fn a_missing_header_does_not_match() {
        let bare =
            Message { subject: None, from: None, to: vec![], authentication: None, ..mail() };
        for filters in [
            json!({"query": "a"}),
            json!({"from_contains": ["a"]}),
            json!({"from_domain": ["a.example"]}),
            json!({"to_contains": ["a"]}),
            json!({"subject_contains": ["a"]}),
            json!({"authenticated": true}),
        ] {
            let parsed: Filters = serde_json::from_value(filters.clone()).unwrap();
            assert!(!parsed.matches(&bare), "{filters}");
        }
    }
}

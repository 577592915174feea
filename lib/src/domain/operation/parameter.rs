//! Query parameters: which there are, what they may hold, and what they hold in one request.

use crate::domain::invalid::Invalid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// Comma separated.
    List,
    Flag,
    /// From 1 to so many.
    Count(u32),
    OneOf(&'static [&'static str]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    pub name: &'static str,
    pub kind: Kind,
    pub about: &'static str,
}

const fn parameter(name: &'static str, kind: Kind, about: &'static str) -> Parameter {
    Parameter { name, kind, about }
}

/// Gmail's own bound of a listing.
pub const MOST_LISTED: u32 = 500;
/// Of a listing that reads each message.
pub const MOST_READ: u32 = 100;

const QUERY: Parameter =
    parameter("query", Kind::Text, "Gmail's search operators, as in its search box.");
const LABEL_IDS: Parameter =
    parameter("label_ids", Kind::List, "Label ids, comma separated, all of which must be there.");
const SPAM_TRASH: Parameter =
    parameter("include_spam_trash", Kind::Flag, "Whether spam and trash are listed too.");
const PAGE_SIZE: Parameter = parameter("page_size", Kind::Count(MOST_LISTED), "How many at most.");
const PAGE_TOKEN: Parameter =
    parameter("page_token", Kind::Text, "The next_page_token of the page before.");
const LIST_FORMAT: Parameter = parameter(
    "format",
    Kind::OneOf(&["ids", "metadata", "full"]),
    "How much of each message is read: nothing but its ids (page_size to 500), its headers (the default), or its bodies too (page_size to 100).",
);
const FORMAT: Parameter = parameter(
    "format",
    Kind::OneOf(&["full", "metadata", "minimal", "raw"]),
    "All (the default), no bodies, only ids and labels, or the mail as RFC 5322 in base64url.",
);
const FORMAT_OF_THREAD: Parameter = parameter(
    "format",
    Kind::OneOf(&["full", "metadata", "minimal"]),
    "All (the default), no bodies, or only ids and labels.",
);
const FOR_GOOD: Parameter = parameter(
    "permanent",
    Kind::Flag,
    "true deletes for good, which the scope https://mail.google.com/ alone allows; the default is the trash.",
);

pub const NO_PARAMETERS: &[Parameter] = &[];
pub const MESSAGE_LISTING: &[Parameter] =
    &[QUERY, LABEL_IDS, SPAM_TRASH, LIST_FORMAT, PAGE_SIZE, PAGE_TOKEN];
pub const THREAD_LISTING: &[Parameter] = &[QUERY, LABEL_IDS, SPAM_TRASH, PAGE_SIZE, PAGE_TOKEN];
pub const DRAFT_LISTING: &[Parameter] = &[QUERY, SPAM_TRASH, PAGE_SIZE, PAGE_TOKEN];
pub const LABEL_LISTING: &[Parameter] = &[PAGE_SIZE, PAGE_TOKEN];
pub const FULL_FORMAT: &[Parameter] = &[FORMAT];
pub const THREAD_FORMAT: &[Parameter] = &[FORMAT_OF_THREAD];
pub const PERMANENT: &[Parameter] = &[FOR_GOOD];

/// In characters.
const LONGEST_TEXT: usize = 2000;

/// What a request's query holds: each parameter known, given once, and of its kind.
#[derive(Debug)]
pub struct Given<'a>(&'a [(String, String)]);

impl<'a> Given<'a> {
    pub fn check(known: &[Parameter], query: &'a [(String, String)]) -> Result<Self, Invalid> {
        for (at, (name, value)) in query.iter().enumerate() {
            let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
                return Err(Invalid::new(shown(name), unknown(known)));
            };
            if query.iter().take(at).any(|(other, _)| other == name) {
                return Err(Invalid::new(name, "is given twice"));
            }
            if let Some(problem) = parameter.kind.problem(value) {
                return Err(Invalid::new(name, problem));
            }
        }
        Ok(Self(query))
    }

    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn list(&self, name: &str) -> Vec<String> {
        let parts = self.text(name).into_iter().flat_map(|text| text.split(','));
        parts.map(str::trim).filter(|part| !part.is_empty()).map(String::from).collect()
    }

    pub fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    pub fn count(&self, name: &str) -> Option<u32> {
        self.text(name)?.parse().ok()
    }
}

impl Kind {
    fn problem(self, value: &str) -> Option<String> {
        let printable = !value.is_empty()
            && value.chars().count() <= LONGEST_TEXT
            && !value.chars().any(char::is_control);
        match self {
            Self::Text | Self::List => (!printable).then(|| {
                format!("must hold 1 to {LONGEST_TEXT} printable characters, or be absent")
            }),
            Self::Flag => {
                (!matches!(value, "true" | "false")).then(|| "must be true or false".to_string())
            }
            Self::Count(most) => {
                let fits = value.parse().is_ok_and(|count: u32| (1..=most).contains(&count));
                (!fits).then(|| format!("must be a number from 1 to {most}"))
            }
            Self::OneOf(words) => {
                (!words.contains(&value)).then(|| format!("must be one of {}", words.join(", ")))
            }
        }
    }
}

/// A parameter name that a caller made up, short and without control characters.
fn shown(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(64).collect()
}

fn unknown(known: &[Parameter]) -> String {
    let names: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
    if names.is_empty() {
        "is no parameter here; there is none".into()
    } else {
        format!("is no parameter here; use {}", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(query: &[(&str, &str)]) -> Result<(), (String, String)> {
        let query: Vec<_> =
            query.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Given::check(MESSAGE_LISTING, &query)
            .map(drop)
            .map_err(|refused| (refused.field, refused.problem))
    }

    #[test]
    fn a_wrong_parameter_is_named_with_the_way_out() {
        let table = [
            (vec![("q", "x")], "q", "use query, label_ids"),
            (vec![("page_size", "0")], "page_size", "1 to 500"),
            (vec![("page_size", "501")], "page_size", "1 to 500"),
            (vec![("page_size", "+5x")], "page_size", "1 to 500"),
            (vec![("format", "Full")], "format", "ids, metadata, full"),
            (vec![("include_spam_trash", "1")], "include_spam_trash", "true or false"),
            (vec![("query", "a"), ("query", "b")], "query", "twice"),
            (vec![("query", "")], "query", "printable"),
            (vec![("query", "a\r\nb")], "query", "printable"),
        ];
        for (query, field, problem) in table {
            let (at, reason) = checked(&query).unwrap_err();
            assert!(at == field && reason.contains(problem), "{query:?}: {at} {reason}");
        }
        assert_eq!(
            checked(&[("query", "from:ada is:unread"), ("page_size", "500"), ("format", "ids")]),
            Ok(())
        );
    }
}

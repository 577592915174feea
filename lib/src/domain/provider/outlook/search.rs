//! A listing's `query` and labels, as Graph takes them: `$filter` where every term has one, else
//! `$search` where every term has one. The two do not combine
//! (<https://learn.microsoft.com/en-us/graph/search-query-parameter>).
//!
//! | term | `$filter` | `$search` |
//! |---|---|---|
//! | words, "phrases" | | the same |
//! | `from:` | an address | `from:` |
//! | `to:`, `cc:`, `bcc:`, `subject:` | | the same |
//! | `has:attachment` | `hasAttachments` | `hasAttachments:true` |
//! | `is:unread`, `is:read`, `is:starred` | `isRead`, `flag` | |
//! | `is:important` | `importance` | `importance:high` |
//! | `after:`, `before:` with a day | `receivedDateTime` | `received>=`, `received<` |
//! | `after:`, `before:` with seconds, `newer_than:`, `older_than:` | `receivedDateTime` | |
//! | `larger:`, `smaller:` | | `size>`, `size<` |
//! | `in:`, `label:` | a folder is listed by itself; `categories` | a folder |
//! | `-` before a term | where the term is a flag | `NOT` |
//! | `OR` | | `OR` |

use std::time::Duration;

use time::Date;
use time::format_description::FormatItem;
use time::macros::format_description;

use super::labels::{CATEGORY, FOLDER, Label};
use super::received::WellKnown;
use crate::domain::invalid::Invalid;
use crate::domain::timestamp::Timestamp;

/// What is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// The id, or the well-known name, of the only folder that is listed.
    pub folder: Option<String>,
    pub clause: Clause,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Clause {
    #[default]
    All,
    /// An OData expression that stands beside an order by `receivedDateTime`, and so begins with it.
    Filter(String),
    /// The value of `$search`, with its quotes.
    Search(String),
}

/// Graph wants the property of the order first in the filter
/// (<https://learn.microsoft.com/en-us/graph/api/user-list-messages#using-filter-and-orderby-in-the-same-query>).
const ANY_TIME: &str = "receivedDateTime ge 1900-01-01T00:00:00Z";
const DAYS: [&[FormatItem<'static>]; 2] =
    [format_description!("[year]/[month]/[day]"), format_description!("[year]-[month]-[day]")];
const DAY: u64 = 24 * 3600;
const FIELD: &str = "query";

/// One condition, as either language says it.
#[derive(Debug, Default)]
struct Term {
    text: String,
    /// `receivedDateTime` conditions stand first.
    of_time: bool,
    filter: Option<String>,
    search: Option<String>,
    folder: Option<String>,
}

impl Search {
    pub fn read(
        query: Option<&str>,
        label_ids: &[String],
        now: Timestamp,
    ) -> Result<Self, Invalid> {
        let mut terms = Vec::new();
        let mut negated_or = false;
        for word in words(query.unwrap_or_default())? {
            negated_or |= word.text == "OR" && !word.is_quoted;
            terms.push(word.term(now).map_err(|problem| Invalid::new(FIELD, problem))?);
        }
        for (at, id) in label_ids.iter().enumerate() {
            let term = labelled(id, false);
            terms.push(term.map_err(|problem| Invalid::new(format!("label_ids[{at}]"), problem))?);
        }
        Self::of(terms, negated_or)
    }

    fn of(terms: Vec<Term>, has_or: bool) -> Result<Self, Invalid> {
        let mut folder: Option<String> = None;
        for named in terms.iter().filter_map(|term| term.folder.as_ref()) {
            if folder.replace(named.clone()).is_some_and(|other| other != *named) {
                let problem = "names two folders; in Outlook a message is in one";
                return Err(Invalid::new(FIELD, problem));
            }
        }
        let conditions: Vec<Term> =
            terms.into_iter().filter(|term| term.folder.is_none()).collect();
        if conditions.is_empty() {
            return Ok(Self { folder, clause: Clause::All });
        }
        let clause = match conditions.iter().all(|term| term.filter.is_some()) && !has_or {
            true => Clause::Filter(filter(conditions)),
            false => Clause::Search(search(conditions)?),
        };
        Ok(Self { folder, clause })
    }
}

fn filter(mut terms: Vec<Term>) -> String {
    terms.sort_by_key(|term| !term.of_time);
    let any_time = (!terms.iter().any(|term| term.of_time)).then(|| ANY_TIME.to_string());
    let filters = terms.into_iter().filter_map(|term| term.filter);
    any_time.into_iter().chain(filters).collect::<Vec<_>>().join(" and ")
}

fn search(terms: Vec<Term>) -> Result<String, Invalid> {
    let mut parts = Vec::new();
    for term in terms {
        parts.push(term.search.ok_or_else(|| {
            let problem = format!(
                "combines {} with words, for which Microsoft Graph has no search; leave one out",
                term.text
            );
            Invalid::new(FIELD, problem)
        })?);
    }
    let is_or = |part: Option<&String>| part.is_some_and(|part| part == "OR");
    let doubled = parts.windows(2).any(|pair| pair.iter().all(|part| part == "OR"));
    if is_or(parts.first()) || is_or(parts.last()) || doubled {
        return Err(Invalid::new(FIELD, "has an OR without a term on either side"));
    }
    let text = parts.join(" ").replace('\\', "\\\\").replace('"', "\\\"");
    Ok(format!("\"{text}\""))
}

struct Word {
    text: String,
    /// Where its value begins, if it has an operator before a colon.
    operator: Option<String>,
    is_negated: bool,
    is_quoted: bool,
}

/// The words of a query; quotes hold one together.
fn words(query: &str) -> Result<Vec<Word>, Invalid> {
    let invalid = |problem: &str| Invalid::new(FIELD, problem);
    if query.chars().any(|character| "(){}\\".contains(character) || character.is_control()) {
        return Err(invalid(
            "has brackets, backslashes or control characters, for which there is nothing in Outlook",
        ));
    }
    let mut words = Vec::new();
    let mut rest = query.trim_start();
    while !rest.is_empty() {
        let is_negated = rest.len() > 1 && rest.starts_with('-');
        rest = rest.strip_prefix('-').filter(|_| is_negated).unwrap_or(rest);
        let end = rest.find([' ', '"']).unwrap_or(rest.len());
        let (head, tail) = rest.split_at(end);
        let operator = head.split_once(':');
        let (value, after, is_quoted) = match tail.strip_prefix('"') {
            Some(quoted) if head.is_empty() || head.ends_with(':') => {
                let (value, after) = quoted
                    .split_once('"')
                    .ok_or_else(|| invalid("has a quote that does not end"))?;
                (value.to_string(), after, true)
            }
            Some(_) => return Err(invalid("has a quote in the middle of a word")),
            None => (operator.map_or(head, |(_, value)| value).to_string(), tail, false),
        };
        words.push(Word {
            text: value,
            operator: operator.map(|(name, _)| name.to_ascii_lowercase()),
            is_negated,
            is_quoted,
        });
        rest = after.trim_start();
    }
    Ok(words)
}

impl Word {
    fn term(self, now: Timestamp) -> Result<Term, String> {
        let shown = match &self.operator {
            Some(operator) => format!("{operator}:{}", self.text),
            None => self.text.clone(),
        };
        if self.text.is_empty() {
            return Err(format!("has nothing after {shown}"));
        }
        let term = match self.operator.as_deref() {
            None if self.text == "OR" && !self.is_quoted => {
                Term { search: Some("OR".into()), ..Term::default() }
            }
            None => Term { search: Some(self.negated(quoted(&self.text))), ..Term::default() },
            Some(name @ ("from" | "to" | "cc" | "bcc" | "subject")) => self.of_text(name),
            Some("has") => self.of_attachments()?,
            Some("is") => self.of_flag()?,
            Some(name @ ("after" | "before" | "newer" | "older")) => self.of_day(name)?,
            Some(name @ ("newer_than" | "older_than")) => self.of_age(name, now)?,
            Some(name @ ("larger" | "smaller")) => self.of_size(name)?,
            Some("in") => self.of_place()?,
            Some("label") => labelled(&self.text, self.is_negated)?,
            Some(_) => return Err(format!("has {shown}, for which there is nothing in Outlook")),
        };
        Ok(Term { text: shown, ..term })
    }

    fn negated(&self, search: String) -> String {
        if self.is_negated { format!("NOT {search}") } else { search }
    }

    fn of_text(&self, name: &str) -> Term {
        let is_address = name == "from" && self.text.contains('@') && !self.is_negated;
        let address = || format!("from/emailAddress/address eq {}", literal(&self.text));
        Term {
            filter: is_address.then(address),
            search: Some(self.negated(format!("{name}:{}", quoted(&self.text)))),
            ..Term::default()
        }
    }

    fn of_attachments(&self) -> Result<Term, String> {
        if !self.text.eq_ignore_ascii_case("attachment") {
            return Err(format!("has has:{}, for which there is nothing in Outlook", self.text));
        }
        let has = !self.is_negated;
        Ok(Term {
            filter: Some(format!("hasAttachments eq {has}")),
            search: Some(format!("hasAttachments:{has}")),
            ..Term::default()
        })
    }

    fn of_flag(&self) -> Result<Term, String> {
        let is = !self.is_negated;
        let (label, is) = match self.text.to_ascii_lowercase().as_str() {
            "unread" => (Label::Unread, is),
            "read" => (Label::Unread, !is),
            "starred" => (Label::Starred, is),
            "important" => (Label::Important, is),
            other => return Err(format!("has is:{other}, for which there is nothing in Outlook")),
        };
        let search = (label == Label::Important).then(|| self.negated("importance:high".into()));
        Ok(Term { filter: Some(condition(label, is)), search, ..Term::default() })
    }

    fn of_day(&self, name: &str) -> Result<Term, String> {
        let is_after = matches!(name, "after" | "newer") != self.is_negated;
        let (filter, search) = if is_after { ("ge", ">=") } else { ("lt", "<") };
        let day = DAYS.iter().find_map(|format| Date::parse(&self.text, format).ok());
        let (moment, search) = match day {
            Some(day) => {
                let moment = Timestamp::from_seconds(day.midnight().assume_utc().unix_timestamp());
                (moment, Some(format!("received{search}{day}")))
            }
            None => {
                let seconds: u32 = self
                    .text
                    .parse()
                    .map_err(|_| format!("has {name}:{}; write a day as 2026-05-31", self.text))?;
                (Timestamp::from_seconds(seconds.into()), None)
            }
        };
        Ok(Term {
            filter: Some(received(filter, moment)),
            search,
            of_time: true,
            ..Term::default()
        })
    }

    fn of_age(&self, name: &str, now: Timestamp) -> Result<Term, String> {
        let wrong = || format!("has {name}:{}; write an age as 7d, 2m or 1y", self.text);
        let digits = self.text.trim_end_matches(|last: char| last.is_ascii_alphabetic());
        let days = match &self.text[digits.len()..] {
            "d" => 1,
            "m" => 30,
            "y" => 365,
            _ => return Err(wrong()),
        };
        let count: u16 = digits.parse().map_err(|_| wrong())?;
        let moment = now.before(Duration::from_secs(u64::from(count) * days * DAY));
        let is_after = (name == "newer_than") != self.is_negated;
        let filter = received(if is_after { "ge" } else { "lt" }, moment);
        Ok(Term { filter: Some(filter), of_time: true, ..Term::default() })
    }

    fn of_size(&self, name: &str) -> Result<Term, String> {
        let wrong = || format!("has {name}:{}; write bytes as 5000, 500K or 5M", self.text);
        let (digits, times) = match self.text.to_ascii_lowercase().strip_suffix(['k', 'm']) {
            Some(digits) if self.text.ends_with(['k', 'K']) => (digits.to_string(), 1024),
            Some(digits) => (digits.to_string(), 1024 * 1024),
            None => (self.text.clone(), 1),
        };
        let bytes: u32 = digits.parse().map_err(|_| wrong())?;
        let sign = if name == "larger" { '>' } else { '<' };
        let search = self.negated(format!("size{sign}{}", u64::from(bytes) * times));
        Ok(Term { search: Some(search), ..Term::default() })
    }

    fn of_place(&self) -> Result<Term, String> {
        let folder = match self.text.to_ascii_lowercase().as_str() {
            "inbox" => WellKnown::Inbox,
            "sent" => WellKnown::SentItems,
            "draft" | "drafts" => WellKnown::Drafts,
            "trash" => WellKnown::DeletedItems,
            "spam" => WellKnown::JunkEmail,
            _ => return labelled(&self.text, self.is_negated),
        };
        labelled(folder.label(), self.is_negated)
    }
}

/// The condition that a label id is.
fn labelled(id: &str, is_negated: bool) -> Result<Term, String> {
    let label = Label::parse(id).ok_or_else(|| {
        format!("is {id}, which is no label in Outlook, as {FOLDER}… or {CATEGORY}… are")
    })?;
    let folder = match label {
        Label::In(folder) => Some(folder.name().to_string()),
        Label::Folder(id) => Some(id.to_string()),
        _ => None,
    };
    match folder {
        Some(_) if is_negated => Err(format!("excludes the folder {id}, which Outlook cannot")),
        Some(folder) => Ok(Term { text: id.into(), folder: Some(folder), ..Term::default() }),
        None => {
            let filter = Some(condition(label, !is_negated));
            Ok(Term { text: id.into(), filter, ..Term::default() })
        }
    }
}

fn condition(label: Label<'_>, is: bool) -> String {
    match label {
        Label::Unread => format!("isRead eq {}", !is),
        Label::Starred if is => "flag/flagStatus eq 'flagged'".into(),
        Label::Starred => "flag/flagStatus ne 'flagged'".into(),
        Label::Important if is => "importance eq 'high'".into(),
        Label::Important => "importance ne 'high'".into(),
        Label::Category(name) if is => format!("categories/any(c:c eq {})", literal(name)),
        Label::Category(name) => format!("not categories/any(c:c eq {})", literal(name)),
        Label::In(_) | Label::Folder(_) => String::new(),
    }
}

/// As Graph writes moments in a filter: in whole seconds, without quotes.
pub fn moment(moment: Timestamp) -> String {
    let text = moment.to_string();
    format!("{}Z", text.split_once('.').map_or(text.as_str(), |(seconds, _)| seconds))
}

fn received(operator: &str, at: Timestamp) -> String {
    format!("receivedDateTime {operator} {}", moment(at))
}

/// A text in OData: in quotes, each of its own doubled.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A value of KQL: in quotes unless it is a plain word that is no operator.
fn quoted(text: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "@._-".contains(character);
    let is_operator = ["AND", "OR", "NOT", "NEAR", "ONEAR", "XRANK"].contains(&text);
    match text.chars().all(plain) && !is_operator && !text.starts_with('-') {
        true => text.to_string(),
        false => format!("\"{text}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_780_272_000);

    fn read(query: &str, label_ids: &[&str]) -> Result<Search, Invalid> {
        let label_ids: Vec<String> = label_ids.iter().map(|id| id.to_string()).collect();
        Search::read(Some(query), &label_ids, NOW)
    }

    #[test]
    fn conditions_that_graph_filters_by_are_filtered() {
        let table = [
            ("is:unread", "receivedDateTime ge 1900-01-01T00:00:00Z and isRead eq false"),
            ("is:read", "receivedDateTime ge 1900-01-01T00:00:00Z and isRead eq true"),
            ("-is:unread", "receivedDateTime ge 1900-01-01T00:00:00Z and isRead eq true"),
            ("after:2026-05-31", "receivedDateTime ge 2026-05-31T00:00:00Z"),
            (
                "is:starred before:2026/05/31",
                "receivedDateTime lt 2026-05-31T00:00:00Z and flag/flagStatus eq 'flagged'",
            ),
            ("newer_than:2d", "receivedDateTime ge 2026-05-30T00:00:00Z"),
            ("older_than:1y", "receivedDateTime lt 2025-06-01T00:00:00Z"),
            ("after:1780272000", "receivedDateTime ge 2026-06-01T00:00:00Z"),
            (
                "from:o'neil@x.example has:attachment",
                "receivedDateTime ge 1900-01-01T00:00:00Z and from/emailAddress/address eq 'o''neil@x.example' and hasAttachments eq true",
            ),
            (
                "label:\"category:Red category\"",
                "receivedDateTime ge 1900-01-01T00:00:00Z and categories/any(c:c eq 'Red category')",
            ),
        ];
        for (query, expected) in table {
            let search = read(query, &[]).unwrap();
            assert_eq!(search.clause, Clause::Filter(expected.into()), "{query}");
        }
    }

    #[test]
    fn words_are_searched() {
        let table = [
            ("invoice", r#""invoice""#),
            ("\"two words\"", r#""\"two words\"""#),
            ("subject:\"two words\" from:ada", r#""subject:\"two words\" from:ada""#),
            ("from:a@x.example invoice", r#""from:a@x.example invoice""#),
            ("-draft", r#""NOT draft""#),
            ("a OR b", r#""a OR b""#),
            ("\"OR\" \"NOT\"", r#""\"OR\" \"NOT\"""#),
            ("invoice after:2026-05-31", r#""invoice received>=2026-05-31""#),
            ("larger:5M", r#""size>5242880""#),
            ("smaller:2k is:important", r#""size<2048 importance:high""#),
            ("a*b", r#""\"a*b\"""#),
            ("SUBJECT:x", r#""subject:x""#),
        ];
        for (query, expected) in table {
            let search = read(query, &[]).unwrap();
            assert_eq!(search.clause, Clause::Search(expected.into()), "{query}");
        }
    }

    #[test]
    fn a_folder_is_listed_by_itself() {
        let folder = |query: &str, label_ids: &[&str]| read(query, label_ids).unwrap();
        let only = |folder: &str| Search { folder: Some(folder.into()), clause: Clause::All };
        assert_eq!(folder("", &[]), Search::default());
        assert_eq!(folder("in:inbox", &[]), only("inbox"));
        assert_eq!(folder("in:inbox", &["INBOX"]), only("inbox"));
        assert_eq!(folder("", &["folder:AQ="]), only("AQ="));
        assert_eq!(folder("label:TRASH", &[]), only("deleteditems"));
        let searched = folder("invoice", &["INBOX"]);
        assert_eq!(searched.clause, Clause::Search("\"invoice\"".into()));
        let unread = folder("", &["INBOX", "UNREAD"]);
        assert!(
            matches!(unread.clause, Clause::Filter(filter) if filter.ends_with("isRead eq false"))
        );
    }

    #[test]
    fn what_graph_cannot_say_is_refused() {
        let table = [
            "invoice is:unread",
            "invoice newer_than:2d",
            "rfc822msgid:1",
            "has:drive",
            "is:muted",
            "(a b)",
            "{a b}",
            "\"a",
            "a\"b\"",
            "OR a",
            "a OR",
            "a OR OR b",
            "after:soon",
            "newer_than:2w",
            "newer_than:d",
            "larger:x",
            "subject:",
            "in:inbox in:sent",
            "-in:inbox",
            "label:Label_7",
            "is:unread OR is:starred",
            "a\\b",
            "a\u{0}",
        ];
        for query in table {
            assert_eq!(read(query, &[]).unwrap_err().field, FIELD, "{query}");
        }
        assert_eq!(read("", &["INBOX", "CHAT"]).unwrap_err().field, "label_ids[1]");
    }
}

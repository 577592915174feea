//! Gmail's search, as far as the recorded mailbox has it; an operator beyond that is refused by its
//! name.

use super::call::Refusal;
use super::mailbox::{Mailbox, Message};
use super::mime;
use crate::domain::timestamp::Timestamp;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// All of its terms must hold.
pub struct Search(Vec<(bool, Term)>);

enum Term {
    Word(String),
    Header(&'static str, String),
    Label(String),
    Anywhere,
    /// In none of the labels: archived.
    Without(&'static [&'static str]),
    Attachment,
    MessageId(String),
    After(i64),
    Before(i64),
}

impl Search {
    pub fn read(query: &str, mailbox: &Mailbox, now: Timestamp) -> Result<Self, Refusal> {
        let term = |token: String| {
            let (wanted, token) = match token.strip_prefix('-') {
                Some(rest) => (false, rest),
                None => (true, token.as_str()),
            };
            Ok((wanted, term(token, mailbox, now)?))
        };
        tokens(query).into_iter().map(term).collect::<Result<_, _>>().map(Self)
    }

    pub fn reaches_spam_and_trash(&self) -> bool {
        let reaches = |term: &Term| {
            matches!(term, Term::Anywhere)
                || matches!(term, Term::Label(id) if id == "SPAM" || id == "TRASH")
        };
        self.0.iter().any(|(wanted, term)| *wanted && reaches(term))
    }

    pub fn finds(&self, message: &Message) -> bool {
        self.0.iter().all(|(wanted, term)| term.finds(message) == *wanted)
    }
}

impl Term {
    fn finds(&self, message: &Message) -> bool {
        let holds = |text: &str, wanted: &str| text.to_lowercase().contains(wanted);
        match self {
            Self::Word(word) => {
                ["Subject", "From", "To", "Cc"].iter().any(|name| holds(message.header(name), word))
                    || holds(&mime::text(&message.payload), word)
            }
            Self::Header(name, wanted) => holds(message.header(name), wanted),
            Self::Label(id) => message.has(id),
            Self::Anywhere => true,
            Self::Without(labels) => !labels.iter().any(|label| message.has(label)),
            Self::Attachment => mime::has_attachment(&message.payload),
            Self::MessageId(id) => message.header("Message-ID").trim_matches(['<', '>']) == id,
            Self::After(moment) => message.arrived.millis() >= *moment,
            Self::Before(moment) => message.arrived.millis() < *moment,
        }
    }
}

fn term(token: &str, mailbox: &Mailbox, now: Timestamp) -> Result<Term, Refusal> {
    let refused = |operator: &str| {
        Err(Refusal::invalid(format!("A dry run's search does not know {operator}")))
    };
    if matches!(token, "OR" | "AND" | "AROUND") {
        return refused(token);
    }
    if let Some(bracket) =
        token.chars().next().filter(|first| matches!(first, '{' | '}' | '(' | ')' | '+'))
    {
        return refused(&bracket.to_string());
    }
    let Some((operator, value)) = token.split_once(':') else {
        return Ok(Term::Word(token.to_lowercase()));
    };
    let lower = value.to_lowercase();
    let when = |moment: Option<i64>| {
        moment
            .ok_or_else(|| Refusal::invalid(format!("A dry run's search cannot read {operator}:")))
    };
    Ok(match (operator.to_ascii_lowercase().as_str(), lower.as_str()) {
        ("from", _) => Term::Header("From", lower),
        ("to", _) => Term::Header("To", lower),
        ("cc", _) => Term::Header("Cc", lower),
        ("bcc", _) => Term::Header("Bcc", lower),
        ("subject", _) => Term::Header("Subject", lower),
        ("rfc822msgid", _) => Term::MessageId(value.trim_matches(['<', '>']).into()),
        ("has", "attachment") => Term::Attachment,
        ("in", "anywhere") => Term::Anywhere,
        ("in", "archive") => Term::Without(&["INBOX", "SPAM", "TRASH", "DRAFT", "SENT"]),
        ("in" | "label" | "is", _) if label(mailbox, operator, &lower).is_some() => {
            Term::Label(label(mailbox, operator, &lower).unwrap_or_default())
        }
        ("is", "read") => Term::Without(&["UNREAD"]),
        ("after" | "newer", _) => Term::After(when(moment(&lower))?),
        ("before" | "older", _) => Term::Before(when(moment(&lower))?),
        ("newer_than", _) => Term::After(now.millis() - when(span(&lower))?),
        ("older_than", _) => Term::Before(now.millis() - when(span(&lower))?),
        // As with Gmail, an unknown label finds nothing.
        ("label", _) => Term::Label(String::new()),
        ("in" | "is" | "has", _) => return refused(token),
        // The value is not repeated: it is the user's own.
        _ => return refused(&format!("{operator}:")),
    })
}

fn label(mailbox: &Mailbox, operator: &str, value: &str) -> Option<String> {
    let id = match (operator, value) {
        ("is", "unread" | "starred" | "important") | ("in" | "label", "drafts") => {
            value.trim_end_matches('s').to_uppercase()
        }
        ("is", _) => return None,
        _ => value.to_uppercase(),
    };
    // In a search a label's name is written with dashes.
    let named = |name: &str| name.to_lowercase().replace([' ', '/'], "-") == value;
    mailbox
        .labels
        .iter()
        .find(|label| label.id == id || named(&label.name))
        .map(|label| label.id.clone())
}

/// Seconds since the epoch, or a day.
fn moment(value: &str) -> Option<i64> {
    if let Ok(seconds) = value.parse::<i64>() {
        return seconds.checked_mul(1000);
    }
    let numbers: Vec<&str> = value.split(['/', '-']).collect();
    let [year, month, day] = numbers[..] else { return None };
    Timestamp::parse(&format!("{year:0>4}-{month:0>2}-{day:0>2}T00:00:00Z")).map(Timestamp::millis)
}

/// A number of hours, days, months or years.
fn span(value: &str) -> Option<i64> {
    let unit = |suffix: char, millis: i64| {
        value.strip_suffix(suffix)?.parse::<i64>().ok()?.checked_mul(millis)
    };
    unit('h', DAY_MS / 24)
        .or_else(|| unit('d', DAY_MS))
        .or_else(|| unit('m', 30 * DAY_MS))
        .or_else(|| unit('y', 365 * DAY_MS))
}

/// Splits at spaces, except for those within quotation marks.
fn tokens(query: &str) -> Vec<String> {
    let (mut tokens, mut token, mut quoted) = (Vec::new(), String::new(), false);
    for character in query.chars() {
        match character {
            '"' => quoted = !quoted,
            ' ' if !quoted => tokens.push(std::mem::take(&mut token)),
            _ => token.push(character),
        }
    }
    tokens.push(token);
    tokens.retain(|token| !token.is_empty());
    tokens
}

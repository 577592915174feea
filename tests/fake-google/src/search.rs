//! Gmail's search language, as far as the tests use it.

use time::{Date, Month};

use crate::mailbox::Message;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[derive(Debug, PartialEq)]
pub(crate) enum Term {
    Not(Box<Term>),
    /// `{a b}` and `a OR b`.
    Any(Vec<Term>),
    All(Vec<Term>),
    From(String),
    To(String),
    Subject(String),
    In(String),
    Label(String),
    HasAttachment,
    MessageId(String),
    Filename(String),
    /// Bytes, more than.
    Larger(usize),
    Smaller(usize),
    Header(&'static str, String),
    /// Milliseconds, inclusive.
    After(i64),
    /// Milliseconds, exclusive.
    Before(i64),
    Text(String),
}

/// The terms, which must all match. An unknown operator is an error, as ignoring it would give a
/// wrong answer.
pub(crate) fn parse(query: &str, now_ms: i64) -> Result<Vec<Term>, String> {
    let tokens = tokens(query);
    let mut rest = tokens.as_slice();
    let terms = sequence(&mut rest, None, now_ms)?;
    Ok(terms)
}

/// Spam and trash are left out unless the query names them.
pub(crate) fn reaches_spam_and_trash(terms: &[Term]) -> bool {
    terms.iter().any(|term| match term {
        Term::In(folder) => matches!(folder.as_str(), "spam" | "trash" | "anywhere"),
        Term::Label(label) => matches!(label.as_str(), "spam" | "trash"),
        Term::Any(terms) | Term::All(terms) => reaches_spam_and_trash(terms),
        _ => false,
    })
}

impl Term {
    pub fn matches(&self, message: &Message) -> bool {
        let header = |name: &str, wanted: &str| {
            message.header(name).is_some_and(|value| contains(value, wanted))
        };
        let labelled =
            |wanted: &str| message.label_ids.iter().any(|label| label.eq_ignore_ascii_case(wanted));
        match self {
            Self::Not(term) => !term.matches(message),
            Self::Any(terms) => terms.iter().any(|term| term.matches(message)),
            Self::All(terms) => terms.iter().all(|term| term.matches(message)),
            Self::From(wanted) => header("From", wanted),
            Self::To(wanted) => header("To", wanted) || header("Cc", wanted),
            Self::Subject(wanted) => header("Subject", wanted),
            Self::In(folder) => match folder.as_str() {
                "anywhere" => true,
                "drafts" => labelled("DRAFT"),
                folder => labelled(folder),
            },
            Self::Label(label) => labelled(label),
            Self::HasAttachment => message.root.has_attachment(),
            Self::Filename(wanted) => message.root.names_file(wanted),
            Self::Larger(bytes) => message.raw.len() > *bytes,
            Self::Smaller(bytes) => message.raw.len() < *bytes,
            Self::Header(name, wanted) => header(name, wanted),
            Self::MessageId(wanted) => header("Message-ID", wanted.trim_matches(['<', '>'])),
            Self::After(limit) => message.internal_date >= *limit,
            Self::Before(limit) => message.internal_date < *limit,
            Self::Text(wanted) => {
                header("Subject", wanted)
                    || header("From", wanted)
                    || contains(&message.snippet, wanted)
            }
        }
    }
}

fn sequence(rest: &mut &[String], closing: Option<&str>, now_ms: i64) -> Result<Vec<Term>, String> {
    let mut terms = Vec::new();
    let mut joins = false;
    loop {
        let Some((token, after)) = rest.split_first() else {
            return closing.map_or(Ok(terms), |closing| Err(format!("{closing} is missing")));
        };
        *rest = after;
        if Some(token.as_str()) == closing {
            return Ok(terms);
        }
        if token == "OR" {
            joins = true;
            continue;
        }
        let term = term(token, rest, now_ms)?;
        match terms.pop() {
            Some(Term::Any(mut alternatives)) if joins => {
                alternatives.push(term);
                terms.push(Term::Any(alternatives));
            }
            Some(previous) if joins => terms.push(Term::Any(vec![previous, term])),
            previous => {
                terms.extend(previous);
                terms.push(term);
            }
        }
        joins = false;
    }
}

fn term(token: &str, rest: &mut &[String], now_ms: i64) -> Result<Term, String> {
    if let Some(negated) = token.strip_prefix('-') {
        return Ok(Term::Not(Box::new(term(negated, rest, now_ms)?)));
    }
    match token {
        "{" => return Ok(Term::Any(sequence(rest, Some("}"), now_ms)?)),
        "(" => return Ok(Term::All(sequence(rest, Some(")"), now_ms)?)),
        _ => {}
    }
    let Some((operator, value)) = token.split_once(':') else {
        return Ok(Term::Text(token.into()));
    };
    let value = value.to_owned();
    Ok(match operator {
        "from" => Term::From(value),
        "to" => Term::To(value),
        "subject" => Term::Subject(value),
        "in" => Term::In(value.to_lowercase()),
        "label" => Term::Label(value.to_lowercase()),
        "is" => match value.as_str() {
            "read" => Term::Not(Box::new(Term::Label("unread".into()))),
            _ => Term::Label(value.to_lowercase()),
        },
        "has" if value == "attachment" => Term::HasAttachment,
        "cc" => Term::Header("Cc", value),
        "bcc" => Term::Header("Bcc", value),
        "filename" => Term::Filename(value.to_lowercase()),
        "larger" => Term::Larger(bytes(&value)?),
        "smaller" => Term::Smaller(bytes(&value)?),
        "rfc822msgid" => Term::MessageId(value),
        "after" => Term::After(instant(&value)?),
        "before" => Term::Before(instant(&value)?),
        "newer_than" => Term::After(now_ms - age(&value)?),
        "older_than" => Term::Before(now_ms - age(&value)?),
        _ => return Err(format!("search operator {operator}:{value} is not known here")),
    })
}

/// Words, quoted values with their operator, and the four brackets.
fn tokens(query: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut token = String::new();
    let mut quoted = false;
    for letter in query.chars() {
        match letter {
            '"' => quoted = !quoted,
            _ if quoted => token.push(letter),
            ' ' => tokens.extend(taken(&mut token)),
            '{' | '(' if token.is_empty() || token == "-" => {
                token.push(letter);
                tokens.extend(taken(&mut token));
            }
            '}' | ')' => {
                tokens.extend(taken(&mut token));
                tokens.push(letter.into());
            }
            _ => token.push(letter),
        }
    }
    tokens.extend(taken(&mut token));
    tokens
}

fn taken(token: &mut String) -> Option<String> {
    let token = std::mem::take(token);
    (!token.is_empty()).then_some(token)
}

/// Epoch seconds, or a day (which Gmail takes in Pacific time and we in UTC).
fn instant(value: &str) -> Result<i64, String> {
    if let Ok(seconds) = value.parse::<i64>() {
        return Ok(seconds * 1000);
    }
    let numbers: Vec<i32> =
        value.split(['/', '-']).filter_map(|number| number.parse().ok()).collect();
    let date = match numbers.as_slice() {
        [year, month, day] => u8::try_from(*month)
            .and_then(|month| u8::try_from(*day).map(|day| (month, day)))
            .ok()
            .and_then(|(month, day)| {
                Date::from_calendar_date(*year, Month::try_from(month).ok()?, day).ok()
            }),
        _ => None,
    };
    let date = date.ok_or_else(|| format!("{value} is no date"))?;
    Ok(date.midnight().assume_utc().unix_timestamp() * 1000)
}

fn bytes(value: &str) -> Result<usize, String> {
    let unit = |size: usize, suffix: [char; 2]| {
        value.strip_suffix(suffix).and_then(|count| count.parse::<usize>().ok()?.checked_mul(size))
    };
    let bytes = unit(1024, ['k', 'K'])
        .or_else(|| unit(1024 * 1024, ['m', 'M']))
        .or_else(|| value.parse().ok());
    bytes.ok_or_else(|| format!("{value} is no size"))
}

fn age(value: &str) -> Result<i64, String> {
    let unit = |days: i64, suffix| {
        value.strip_suffix(suffix).and_then(|count: &str| Some(days * count.parse::<i64>().ok()?))
    };
    let days = unit(1, 'd').or_else(|| unit(30, 'm')).or_else(|| unit(365, 'y'));
    days.map(|days| days * DAY_MS).ok_or_else(|| format!("{value} is no age"))
}

fn contains(haystack: &str, needle: &str) -> bool {
    haystack.to_lowercase().contains(&needle.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::Mailbox;
    use crate::new_message::NewMessage;

    const NOW: i64 = 1_767_225_600_000; // 2026-01-01

    #[test]
    fn finds_what_gmail_would_find() {
        let mut mailbox = Mailbox::new("a@example.com".into(), "1".into(), 1);
        let new = NewMessage {
            from: Some("Ann <ann@shop.example>".into()),
            subject: Some("Your invoice is ready".into()),
            ..Default::default()
        };
        let id = mailbox.add_message(&new, NOW).message_id;
        let message = &mailbox.messages[&id];
        let check = |query: &str, expected: bool| {
            let terms = parse(query, NOW).expect(query);
            assert_eq!(terms.iter().all(|term| term.matches(message)), expected, "{query}");
        };
        check("", true);
        check("from:ann@shop.example subject:invoice", true);
        check("from:bob", false);
        check("-from:bob", true);
        check("subject:\"invoice is\"", true);
        check("in:inbox -in:trash", true);
        check("in:sent", false);
        check("after:1767225600 before:1767225601", true);
        check("after:1767225601", false);
        check("before:2026/01/01", false);
        check("after:2026/01/01", true);
        check("from:bob OR from:ann", true);
        check("{from:bob subject:nothing}", false);
        check("-{from:bob subject:nothing} invoice", true);
        check("-(from:ann subject:nothing)", true);
        check("newer_than:1d is:unread", true);
        check("has:attachment", false);
        check("filename:pdf", false);
        check("smaller:1M -larger:1M", true);
        check("larger:10", true);
        check("cc:bob", false);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for query in ["list:a", "larger:much", "after:soon", "{from:a"] {
            assert!(parse(query, NOW).is_err(), "{query}");
        }
    }
}

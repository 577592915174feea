//! `$search`, as far as the recorded mailbox has it; a term beyond that is refused by its text.

use serde_json::Value;

use super::call::Refusal;
use super::mailbox::Message;
use super::mime;
use crate::domain::timestamp::Timestamp;

/// All of its terms must hold.
pub struct Search(Vec<(bool, Term)>);

enum Term {
    Word(String),
    /// In one of these properties.
    Within(&'static [&'static str], String),
    Attachment(bool),
    Important,
    Since(Timestamp),
    Before(Timestamp),
    Larger(usize),
    Smaller(usize),
}

const PEOPLE: &[&str] = &["from", "toRecipients", "ccRecipients", "subject"];

impl Search {
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let unescaped = inner.unwrap_or(text).replace("\\\"", "\"").replace("\\\\", "\\");
        let mut terms = Vec::new();
        let mut is_wanted = true;
        for token in tokens(&unescaped) {
            if token == "NOT" {
                is_wanted = false;
                continue;
            }
            let term = term(&token).ok_or_else(|| {
                Refusal::not_implemented(format!("A dry run does not know the search {token}"))
            })?;
            terms.push((is_wanted, term));
            is_wanted = true;
        }
        Ok(Self(terms))
    }

    pub fn finds(&self, message: &Message) -> bool {
        self.0.iter().all(|(wanted, term)| term.holds(message) == *wanted)
    }
}

/// Separated by spaces; quotes hold one together.
fn tokens(text: &str) -> Vec<String> {
    let (mut tokens, mut is_quoted) = (vec![String::new()], false);
    for character in text.chars() {
        is_quoted ^= character == '"';
        match (character, tokens.last_mut()) {
            (' ', _) if !is_quoted => tokens.push(String::new()),
            (character, Some(last)) => last.push(character),
            (_, None) => {}
        }
    }
    tokens.retain(|token| !token.is_empty());
    tokens
}

fn term(token: &str) -> Option<Term> {
    let plain = |text: &str| text.replace('"', "").to_lowercase();
    let day = |text: &str| Timestamp::parse(&format!("{text}T00:00:00Z"));
    if ["OR", "AND", "NEAR", "ONEAR", "XRANK"].contains(&token) {
        return None;
    }
    if token.starts_with('"') {
        return Some(Term::Word(plain(token)));
    }
    for (sign, made) in [
        ("received>=", Term::Since as fn(Timestamp) -> Term),
        ("received<", Term::Before as fn(Timestamp) -> Term),
    ] {
        if let Some(text) = token.strip_prefix(sign) {
            return day(text).map(made);
        }
    }
    for (sign, made) in [
        ("size>", Term::Larger as fn(usize) -> Term),
        ("size<", Term::Smaller as fn(usize) -> Term),
    ] {
        if let Some(text) = token.strip_prefix(sign) {
            return text.parse().ok().map(made);
        }
    }
    let Some((name, value)) = token.split_once(':') else { return Some(Term::Word(plain(token))) };
    match (name, value) {
        ("from", _) => Some(Term::Within(&["from"], plain(value))),
        ("to", _) => Some(Term::Within(&["toRecipients"], plain(value))),
        ("cc", _) => Some(Term::Within(&["ccRecipients"], plain(value))),
        ("bcc", _) => Some(Term::Within(&["bccRecipients"], plain(value))),
        ("subject", _) => Some(Term::Within(&["subject"], plain(value))),
        ("hasAttachments", _) => value.parse().ok().map(Term::Attachment),
        ("importance", "high") => Some(Term::Important),
        _ => None,
    }
}

/// All texts of a property, whatever it is made of.
fn said(value: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(" ");
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => joined(items.iter().map(said).collect()),
        Value::Object(fields) => joined(fields.values().map(said).collect()),
        _ => String::new(),
    }
}

impl Term {
    fn holds(&self, message: &Message) -> bool {
        let within = |names: &[&str], wanted: &str| {
            names.iter().any(|name| said(&message.shown[name]).to_lowercase().contains(wanted))
        };
        let received = message.moment("receivedDateTime");
        match self {
            Self::Word(word) => {
                within(PEOPLE, word) || mime::text(&message.mime).to_lowercase().contains(word)
            }
            Self::Within(names, wanted) => within(names, wanted),
            Self::Attachment(has) => message.shown["hasAttachments"] == *has,
            Self::Important => message.shown["importance"] == "high",
            Self::Since(moment) => received.is_some_and(|received| received >= *moment),
            Self::Before(moment) => received.is_some_and(|received| received < *moment),
            Self::Larger(bytes) => message.mime.len() > *bytes,
            Self::Smaller(bytes) => message.mime.len() < *bytes,
        }
    }
}

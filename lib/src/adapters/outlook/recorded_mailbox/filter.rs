//! `$filter`, as far as the recorded mailbox has it: conditions that all must hold. A condition
//! beyond that is refused by its text.

use std::cmp::Ordering;

use serde_json::Value;

use super::call::Refusal;
use super::mailbox::Message;
use crate::domain::timestamp::Timestamp;

pub struct Filter(Vec<Condition>);

enum Condition {
    Compared { property: Property, operator: String, literal: Literal },
    Category { name: String, is: bool },
}

/// A property, by the path that leads to it.
type Property = &'static str;

#[derive(PartialEq)]
enum Literal {
    Moment(Timestamp),
    Flag(bool),
    Text(String),
}

const MOMENTS: [Property; 2] = ["/receivedDateTime", "/lastModifiedDateTime"];
const FLAGS: [Property; 3] = ["/isRead", "/isDraft", "/hasAttachments"];
const TEXTS: [Property; 4] =
    ["/importance", "/flag/flagStatus", "/conversationId", "/from/emailAddress/address"];

impl Filter {
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let known = |text: &str| {
            condition(text).ok_or_else(|| {
                Refusal::not_implemented(format!("A dry run does not know the filter {text}"))
            })
        };
        parts(text).iter().map(|part| known(part)).collect::<Result<_, _>>().map(Self)
    }

    pub fn finds(&self, message: &Message) -> bool {
        self.0.iter().all(|condition| condition.holds(message))
    }
}

/// What stands between `and`s, of which none is within quotes.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for piece in text.split(" and ").filter(|piece| !piece.is_empty()) {
        match parts.last_mut().filter(|last| last.matches('\'').count() % 2 == 1) {
            Some(last) => *last = format!("{last} and {piece}"),
            None => parts.push(piece.into()),
        }
    }
    parts
}

fn condition(text: &str) -> Option<Condition> {
    let (is, any) = text.strip_prefix("not ").map_or((true, text), |rest| (false, rest));
    if let Some(name) = any.strip_prefix("categories/any(c:c eq ") {
        return Some(Condition::Category { name: unquoted(name.strip_suffix(')')?)?, is });
    }
    let (path, rest) = text.split_once(' ')?;
    let (operator, literal) = rest.split_once(' ')?;
    let named = |known: &[Property]| known.iter().copied().find(|one| one[1..] == *path);
    let (property, literal) = if let Some(property) = named(&MOMENTS) {
        (property, Literal::Moment(Timestamp::parse(literal)?))
    } else if let Some(property) = named(&FLAGS) {
        (property, Literal::Flag(literal.parse().ok()?))
    } else {
        (named(&TEXTS)?, Literal::Text(unquoted(literal)?))
    };
    let is_moment = matches!(literal, Literal::Moment(_));
    let is_known = match operator {
        "eq" | "ne" => true,
        "ge" | "gt" | "le" | "lt" => is_moment,
        _ => false,
    };
    is_known.then(|| Condition::Compared { property, operator: operator.into(), literal })
}

/// A text in OData: in quotes, each of its own doubled.
fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let plain = inner.replace("''", "");
    (!plain.contains('\'')).then(|| inner.replace("''", "'"))
}

impl Condition {
    fn holds(&self, message: &Message) -> bool {
        match self {
            Self::Category { name, is } => {
                let categories = message.shown["categories"].as_array();
                categories.is_some_and(|all| all.iter().any(|one| one == name)) == *is
            }
            Self::Compared { property, operator, literal } => {
                let value = message.shown.pointer(property).unwrap_or(&Value::Null);
                let order = literal.compared(value);
                match operator.as_str() {
                    "eq" => order == Some(Ordering::Equal),
                    "ne" => order != Some(Ordering::Equal),
                    "ge" => order.is_some_and(Ordering::is_ge),
                    "gt" => order.is_some_and(Ordering::is_gt),
                    "le" => order.is_some_and(Ordering::is_le),
                    _ => order.is_some_and(Ordering::is_lt),
                }
            }
        }
    }
}

impl Literal {
    /// How a message's value stands to it.
    fn compared(&self, value: &Value) -> Option<Ordering> {
        match self {
            Self::Moment(moment) => Some(Timestamp::parse(value.as_str()?)?.cmp(moment)),
            Self::Flag(flag) => Some(value.as_bool()?.cmp(flag)),
            // Ids differ in case alone; no text here but an address comes in another case.
            Self::Text(text) if text.contains('@') => {
                Some(value.as_str()?.to_lowercase().cmp(&text.to_lowercase()))
            }
            Self::Text(text) => Some(value.as_str()?.cmp(text)),
        }
    }
}

//! `$filter` and `$orderby` of messages: read, checked against Exchange's rule of what it can do,
//! and answered.

mod lexer;
mod parser;

use crate::message::{Message, Person};
use crate::values::milliseconds;
use lexer::Token;

pub(crate) use parser::parse;

/// What the expression is made of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Compare {
        property: String,
        operator: Operator,
        value: Literal,
    },
    /// `startswith`, `endswith` or `contains`.
    Text {
        function: String,
        property: String,
        value: String,
    },
    /// `categories/any(c:c eq 'x')`, or an address of `toRecipients`.
    Any {
        collection: String,
        operator: Operator,
        value: Literal,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    /// Milliseconds since 1970.
    Moment(i64),
    Flag(bool),
    Null,
}

/// The value of one property of a message.
#[derive(Debug, PartialEq)]
enum Value<'a> {
    Text(&'a str),
    Moment(i64),
    Flag(bool),
    Null,
}

/// A sort key: the property, and whether the largest comes first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    pub property: String,
    pub descending: bool,
}

/// What a message may be sorted by.
const SORTABLE: [&str; 12] = [
    "receiveddatetime",
    "sentdatetime",
    "lastmodifieddatetime",
    "createddatetime",
    "subject",
    "isread",
    "importance",
    "hasattachments",
    "from/emailaddress/name",
    "from/emailaddress/address",
    "isdraft",
    "inferenceclassification",
];

pub(crate) fn orders(text: &str) -> Result<Vec<Order>, String> {
    let one = |part: &str| {
        let mut words = part.split_whitespace();
        let property = words.next().unwrap_or_default().to_lowercase();
        let descending = match words.next() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(other) => return Err(format!("Syntax error at '{other}' in '{part}'.")),
        };
        if !SORTABLE.contains(&property.as_str()) {
            return Err(format!(
                "Could not find a property named '{property}' on type 'Microsoft.OutlookServices.Message'."
            ));
        }
        Ok(Order { property, descending })
    };
    text.split(',').map(one).collect()
}

/// Whether Exchange takes both together: what is sorted by must be filtered by, in the same order,
/// and before anything else.
/// <https://learn.microsoft.com/graph/api/user-list-messages#using-filter-and-orderby-in-the-same-query>
pub(crate) fn is_efficient(filter: &Expression, orders: &[Order]) -> bool {
    let mut named: Vec<&str> = Vec::new();
    filter.properties(&mut named);
    let mut distinct: Vec<&str> = Vec::new();
    for name in named {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    orders.len() <= distinct.len()
        && orders.iter().zip(distinct).all(|(order, name)| order.property == name)
}

pub(crate) fn compare(one: &Message, other: &Message, orders: &[Order]) -> std::cmp::Ordering {
    let by = |order: &Order| {
        let compared = ordering(&value(one, &order.property), &value(other, &order.property));
        if order.descending { compared.reverse() } else { compared }
    };
    orders.iter().map(by).find(|compared| compared.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
}

fn ordering(one: &Value<'_>, other: &Value<'_>) -> std::cmp::Ordering {
    match (one, other) {
        (Value::Moment(one), Value::Moment(other)) => one.cmp(other),
        (Value::Flag(one), Value::Flag(other)) => one.cmp(other),
        (Value::Text(one), Value::Text(other)) => one.to_lowercase().cmp(&other.to_lowercase()),
        (Value::Null, Value::Null) => std::cmp::Ordering::Equal,
        (Value::Null, _) => std::cmp::Ordering::Less,
        _ => std::cmp::Ordering::Greater,
    }
}

impl Expression {
    fn properties<'a>(&'a self, named: &mut Vec<&'a str>) {
        match self {
            Self::And(one, other) | Self::Or(one, other) => {
                one.properties(named);
                other.properties(named);
            }
            Self::Not(one) => one.properties(named),
            Self::Compare { property, .. } | Self::Text { property, .. } => named.push(property),
            Self::Any { collection, .. } => named.push(collection),
        }
    }

    pub fn is_met_by(&self, message: &Message) -> bool {
        match self {
            Self::And(one, other) => one.is_met_by(message) && other.is_met_by(message),
            Self::Or(one, other) => one.is_met_by(message) || other.is_met_by(message),
            Self::Not(one) => !one.is_met_by(message),
            Self::Compare { property, operator, value: literal } => {
                holds(&value(message, property), *operator, literal)
            }
            Self::Text { function, property, value: wanted } => {
                let Value::Text(text) = value(message, property) else { return false };
                let (text, wanted) = (text.to_lowercase(), wanted.to_lowercase());
                match function.as_str() {
                    "startswith" => text.starts_with(&wanted),
                    "endswith" => text.ends_with(&wanted),
                    _ => text.contains(&wanted),
                }
            }
            Self::Any { collection, operator, value: literal } => {
                members(message, collection).any(|one| holds(&Value::Text(one), *operator, literal))
            }
        }
    }
}

fn members<'a>(message: &'a Message, collection: &str) -> Box<dyn Iterator<Item = &'a str> + 'a> {
    let addresses = |all: &'a [Person]| Box::new(all.iter().map(|person| person.address.as_str()));
    match collection {
        "categories" => Box::new(message.marks.categories.iter().map(String::as_str)),
        "torecipients" => addresses(&message.content.to),
        "ccrecipients" => addresses(&message.content.cc),
        _ => Box::new(std::iter::empty()),
    }
}

/// Ids are compared letter by letter, other texts without their case.
fn holds(value: &Value<'_>, operator: Operator, literal: &Literal) -> bool {
    let compared = match (value, literal) {
        (Value::Moment(one), Literal::Moment(other)) => one.cmp(other),
        (Value::Flag(one), Literal::Flag(other)) => one.cmp(other),
        (Value::Text(one), Literal::Text(other)) if one == other => std::cmp::Ordering::Equal,
        (Value::Text(one), Literal::Text(other)) if one.len() > 60 => (*one).cmp(other.as_str()),
        (Value::Text(one), Literal::Text(other)) => one.to_lowercase().cmp(&other.to_lowercase()),
        (Value::Null, Literal::Null) => std::cmp::Ordering::Equal,
        _ => return operator == Operator::Ne,
    };
    match operator {
        Operator::Eq => compared.is_eq(),
        Operator::Ne => compared.is_ne(),
        Operator::Gt => compared.is_gt(),
        Operator::Ge => compared.is_ge(),
        Operator::Lt => compared.is_lt(),
        Operator::Le => compared.is_le(),
    }
}

/// Names of what `$filter` takes, in lower case; `None` for any other.
pub(crate) fn is_filterable(property: &str) -> bool {
    SORTABLE.contains(&property)
        || matches!(
            property,
            "id" | "changekey"
                | "internetmessageid"
                | "conversationid"
                | "parentfolderid"
                | "flag/flagstatus"
                | "bodypreview"
                | "body/content"
                | "sender/emailaddress/address"
                | "sender/emailaddress/name"
        )
}

fn value<'a>(message: &'a Message, property: &str) -> Value<'a> {
    let content = &message.content;
    let text = |text: Option<&'a str>| text.map_or(Value::Null, Value::Text);
    let address =
        |person: &'a Option<Person>| text(person.as_ref().map(|person| person.address.as_str()));
    let name =
        |person: &'a Option<Person>| text(person.as_ref().map(|person| person.name.as_str()));
    match property {
        "receiveddatetime" => Value::Moment(message.received * 1000),
        "sentdatetime" => Value::Moment(message.sent * 1000),
        "lastmodifieddatetime" => Value::Moment(message.modified * 1000 + message.fraction),
        "createddatetime" => Value::Moment(message.created * 1000),
        "isread" => Value::Flag(message.marks.is_read),
        "isdraft" => Value::Flag(message.marks.is_draft),
        "hasattachments" => Value::Flag(content.has_attachments()),
        "subject" => text(content.subject.as_deref()),
        "importance" => Value::Text(&message.marks.importance),
        "inferenceclassification" => Value::Text(&message.marks.inference),
        "flag/flagstatus" => Value::Text(&message.marks.flag),
        "internetmessageid" => text(content.message_id.as_deref()),
        "conversationid" => Value::Text(&message.conversation),
        "parentfolderid" => Value::Text(&message.folder),
        "id" => Value::Text(&message.ids.immutable),
        "bodypreview" | "body/content" => Value::Text(&content.body.text),
        "from/emailaddress/address" => address(&content.from),
        "from/emailaddress/name" => name(&content.from),
        "sender/emailaddress/address" => address(&content.sender),
        "sender/emailaddress/name" => name(&content.sender),
        _ => Value::Null,
    }
}

fn literal(token: &Token) -> Option<Literal> {
    Some(match token {
        Token::Text(text) => Literal::Text(text.clone()),
        Token::Word(word) => match word.as_str() {
            "true" => Literal::Flag(true),
            "false" => Literal::Flag(false),
            "null" => Literal::Null,
            other => Literal::Moment(milliseconds(&other.to_uppercase())?),
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn efficient(filter: &str, order: &str) -> bool {
        is_efficient(&parse(filter).unwrap(), &orders(order).unwrap())
    }

    #[test]
    fn what_is_sorted_by_is_filtered_by_first() {
        let table = [
            ("lastModifiedDateTime ge 2026-01-01T00:00:00Z", "lastModifiedDateTime", true),
            (
                "receivedDateTime ge 2026-01-01T00:00:00Z and isRead eq false",
                "receivedDateTime desc",
                true,
            ),
            (
                "isRead eq false and receivedDateTime ge 2026-01-01T00:00:00Z",
                "receivedDateTime desc",
                false,
            ),
            ("importance eq 'high'", "sentDateTime desc", false),
            ("conversationId eq 'x'", "receivedDateTime", false),
            ("receivedDateTime ge 2026-01-01T00:00:00Z", "receivedDateTime,subject", false),
        ];
        for (filter, order, expected) in table {
            assert_eq!(efficient(filter, order), expected, "{filter} by {order}");
        }
    }

    #[test]
    fn only_known_properties_are_taken() {
        assert!(parse("nonsense eq 1").is_err());
        assert!(orders("nonsense").is_err());
        assert!(orders("subject backwards").is_err());
    }
}

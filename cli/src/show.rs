//! The API's answers as text for people.

pub mod connector;
pub mod mail;
pub mod table;
pub mod trigger;

use serde_json::Value;

/// How an answer is rendered.
pub type Show = fn(&Value) -> String;

/// Text without terminal control and bidirectional characters: mail is untrusted.
pub fn clean(text: &str) -> String {
    let hidden = |letter: char| {
        (letter.is_control() && !matches!(letter, '\n' | '\t'))
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.replace("\r\n", "\n")
        .chars()
        .map(|letter| if hidden(letter) { '\u{fffd}' } else { letter })
        .collect()
}

/// One value on one line; null is empty.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => clean(text).split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(object) => match (object.get("name"), object.get("address")) {
            (Some(name), Some(address)) => format!("{} <{}>", text(name), text(address)),
            (None, Some(address)) => text(address),
            _ => value.to_string(),
        },
        value => value.to_string(),
    }
}

pub fn at(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).map(text).unwrap_or_default()
}

/// The list under a name in an answer.
pub fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// For answers that say nothing but that it is done.
pub fn done(_: &Value) -> String {
    "done".into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_strangers_text_steers_no_terminal() {
        assert_eq!(
            clean("a\u{1b}[31mb\u{202e}c\r\nd\te\r"),
            "a\u{fffd}[31mb\u{fffd}c\nd\te\u{fffd}"
        );
        assert_eq!(text(&json!("two\nlines \u{7}")), "two lines \u{fffd}");
    }

    #[test]
    fn an_address_is_shown_as_mail_shows_it() {
        let both =
            json!([{"name": "Ada", "address": "ada@example.com"}, {"address": "bob@example.com"}]);
        assert_eq!(text(&both), "Ada <ada@example.com>, bob@example.com");
    }
}

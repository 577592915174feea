//! The query that a browser brings back from Google's consent page.

use email_connectors::domain::callback::{Answer, Callback};
use secrecy::ExposeSecret;

use super::plain;

const LONGEST_QUERY: usize = 4096;
/// No word that Debug prints by itself is longer, so a longer code is not in it by chance.
const LONGEST_NAME: usize = 20;

pub fn callback(data: &[u8]) {
    let Ok(query) = std::str::from_utf8(data) else { return };
    let Ok(callback) = Callback::parse(query, "https://accounts.google.com") else { return };
    assert!(query.len() <= LONGEST_QUERY);
    let (name, value) = parameter(&callback);
    assert_eq!(only(query, "state").as_deref(), Some(callback.state.as_str()), "{query}");
    assert_eq!(only(query, name).as_deref(), Some(value.as_str()), "{query}");
    assert!(only(query, "iss").is_none_or(|iss| iss == "https://accounts.google.com"), "{query}");
    for text in [&callback.state, &value] {
        assert!(!text.is_empty() && !plain::has_control(text), "{text:?}");
    }
    if name == "error" {
        assert!(
            value.len() <= 64
                && value.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{value}"
        );
        assert_eq!(only(query, "code").unwrap_or_default(), "");
    } else {
        assert_eq!(only(query, "error"), None);
        let printed = format!("{callback:?}");
        let is_distinctive = value.len() > LONGEST_NAME && !callback.state.contains(&value);
        assert!(!is_distinctive || !printed.contains(&value), "the code is printed: {printed}");
    }
    check_sent_on(&callback);
}

fn parameter(callback: &Callback) -> (&'static str, String) {
    match &callback.answer {
        Answer::Code(code) => ("code", code.expose_secret().to_string()),
        Answer::Error(error) => ("error", error.clone()),
    }
}

/// The one value of that name, if there is one and it is text.
fn only(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut values = pairs
        .filter(|(named, _)| plain::percent(named) == name.as_bytes())
        .map(|(_, value)| plain::percent(value));
    let value = values.next()?;
    assert_eq!(values.next(), None, "`{name}` is named twice");
    Some(String::from_utf8(value).expect("a value is text"))
}

/// The query that is sent on is safe in a `Location` header, and says the same.
fn check_sent_on(callback: &Callback) {
    let query = callback.query();
    assert!(
        query.bytes().all(|byte| byte.is_ascii_graphic())
            && query.matches('&').count() == 1
            && !query.contains('#'),
        "{query}"
    );
    if query.len() > LONGEST_QUERY {
        return;
    }
    let again = Callback::parse(&query, "https://accounts.google.com")
        .expect("what is sent on can be read");
    assert_eq!((&again.state, parameter(&again)), (&callback.state, parameter(callback)));
    assert_eq!(again.query(), query);
}

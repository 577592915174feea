//! Header text that mail clients would mistake for encoded words (RFC 2047) is written as encoded
//! words itself.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// An encoded word has at most 75 characters, of which `=?utf-8?B?` and `?=` take 12: so many bytes
/// fit in base64.
const LONGEST_WORD: usize = 45;
/// What is escaped in a parameter: all but letters, digits and these, which RFC 8187 allows.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Mail clients decode a word wherever they see its beginning, within quotes too.
pub fn looks_encoded(text: &str) -> bool {
    text.contains("=?")
}

/// The text as encoded words; blanks between them do not count.
pub fn words(text: &str) -> String {
    let mut words = vec![String::new()];
    for character in text.chars() {
        match words.last_mut() {
            Some(word) if word.len() + character.len_utf8() <= LONGEST_WORD => word.push(character),
            _ => words.push(character.to_string()),
        }
    }
    let encoded: Vec<String> =
        words.iter().map(|word| format!("=?utf-8?B?{}?=", BASE64_STANDARD.encode(word))).collect();
    encoded.join(" ")
}

/// A parameter of a header in the form that holds any text (RFC 2231 in mail, RFC 8187 in HTTP).
pub fn extended_parameter(name: &str, value: &str) -> String {
    format!("{name}*=UTF-8''{}", utf8_percent_encode(value, ENCODED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_between_characters_and_never_longer_than_allowed() {
        let text = format!("=?utf-8?q?hidden?= {}", "ü€".repeat(60));
        let words = words(&text);
        let mut decoded = Vec::new();
        for word in words.split(' ') {
            assert!(word.len() <= 75, "{word}");
            let inner =
                word.strip_prefix("=?utf-8?B?").and_then(|rest| rest.strip_suffix("?=")).unwrap();
            let part = BASE64_STANDARD.decode(inner).unwrap();
            assert!(std::str::from_utf8(&part).is_ok(), "{word}");
            decoded.extend(part);
        }
        assert_eq!(String::from_utf8(decoded).unwrap(), text);
    }

    #[test]
    fn a_parameter_holds_nothing_that_needs_quotes() {
        assert_eq!(
            extended_parameter("filename", "=?utf-8?q?x?= \"ü\".pdf"),
            "filename*=UTF-8''%3D%3Futf-8%3Fq%3Fx%3F%3D%20%22%C3%BC%22.pdf"
        );
    }
}

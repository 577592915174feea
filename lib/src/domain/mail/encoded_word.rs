//! Encoded words (RFC 2047) that cut a character in two, or lack their padding: no mailer may write
//! them so, and many do.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;

/// Many mailers leave the padding out.
const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

const ESCAPE: u8 = 0x1b;
const TO_ASCII: &[u8] = b"\x1b(B";

/// In bytes: no registered name is longer, and it is repeated for each part of a word.
const LONGEST_CHARSET: usize = 40;
/// Stands for an `=?` that begins no word: a character that no text may hold.
const MARK: &str = "\u{fdd0}";

struct Word<'a> {
    charset: &'a str,
    encoding: &'a str,
    text: &'a str,
}

impl Word<'_> {
    fn is_base64(&self) -> bool {
        self.encoding.eq_ignore_ascii_case("b")
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        if self.is_base64() { ANY_PADDING.decode(self.text).ok() } else { Some(q(self.text)) }
    }
}

/// Joins words of one charset that have nothing but space between them, and pads them. Takes linear
/// time, since the sender chooses the length.
pub fn joined(value: &str) -> String {
    let mut result = String::new();
    let mut rest = value;
    while let Some((before, first, after)) = next(rest) {
        result.push_str(before);
        let (charset, encoding) = (first.charset, first.encoding);
        let (mut words, mut then) = (vec![first], after);
        while let Some((between, word, after)) = next(then) {
            let same = word.charset.eq_ignore_ascii_case(charset);
            if !same || !between.trim().is_empty() {
                break;
            }
            words.push(word);
            then = after;
        }
        let as_it_was = &rest[before.len()..rest.len() - then.len()];
        let is_stateful = words.len() > 1 && shifts(charset);
        let one = match is_stateful || words.iter().any(Word::is_base64) {
            true => one_base64(&words).map(|text| ("b", text)),
            false => Some((encoding, words.iter().map(|word| word.text).collect())),
        };
        match one {
            Some((encoding, text)) => result.push_str(&written(charset, encoding, &text)),
            None => result.push_str(as_it_was),
        }
        rest = then;
    }
    result + rest
}

/// Marks each `=?` that begins no word: a decoder that looks for the end of each would take
/// quadratic time.
pub fn with_marked(value: &str) -> String {
    let mut result = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, _, after)) = next(rest) {
        result.push_str(&before.replace("=?", MARK));
        result.push_str(&rest[before.len()..rest.len() - after.len()]);
        rest = after;
    }
    result + &rest.replace("=?", MARK)
}

pub fn without_marks(value: &str) -> String {
    value.replace(MARK, "=?")
}

/// A word, or several: letters outside ASCII, which none may hold, are not in its charset any more.
fn written(charset: &str, encoding: &str, text: &str) -> String {
    let (mut words, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        let is_ascii = first.is_ascii();
        let ends = rest.find(|letter: char| letter.is_ascii() != is_ascii).unwrap_or(rest.len());
        let (run, after) = rest.split_at(ends);
        words.push(match is_ascii {
            true => format!("=?{charset}?{encoding}?{run}?="),
            false => format!("=?utf-8?b?{}?=", BASE64_STANDARD.encode(run)),
        });
        rest = after;
    }
    match words.is_empty() {
        true => format!("=?{charset}?{encoding}??="),
        // Space between words does not count.
        false => words.join(" "),
    }
}

/// What is before the next word, the word, and what is after it.
fn next(value: &str) -> Option<(&str, Word<'_>, &str)> {
    let mut from = 0;
    loop {
        let begins = from + value.get(from..)?.find("=?")?;
        match leading(&value[begins..]) {
            Some((word, after)) => return Some((&value[..begins], word, after)),
            None => from = begins + 2,
        }
    }
}

/// The word that a text begins with, and what is after it.
fn leading(value: &str) -> Option<(Word<'_>, &str)> {
    let mut parts = value.strip_prefix("=?")?.splitn(3, '?');
    let (charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let plain = (1..=LONGEST_CHARSET).contains(&charset.len())
        && charset.bytes().all(|byte| byte.is_ascii_graphic());
    let named = plain && matches!(encoding, "b" | "B" | "q" | "Q");
    // A word contains no space, and no question mark but the one that ends it.
    let ends = rest.find([' ', '?']).filter(|ends| named && rest[*ends..].starts_with("?="))?;
    Some((Word { charset, encoding, text: &rest[..ends] }, &rest[ends + 2..]))
}

/// In bytes, of the word that a text begins with.
pub fn length(value: &str) -> Option<usize> {
    leading(value).map(|(_, after)| value.len() - after.len())
}

fn one_base64(words: &[Word<'_>]) -> Option<String> {
    let mut joined = Vec::new();
    for word in words {
        let bytes = word.bytes()?;
        // A word ends in ASCII and the next one shifts at once: decoders take the two shifts
        // without a letter between them for a mistake.
        if shifts(word.charset) && bytes.first() == Some(&ESCAPE) && joined.ends_with(TO_ASCII) {
            joined.truncate(joined.len() - TO_ASCII.len());
        }
        joined.extend(bytes);
    }
    Some(BASE64_STANDARD.encode(joined))
}

/// Whether a charset has shifts, as ISO-2022-JP (RFC 1468).
fn shifts(charset: &str) -> bool {
    charset.get(..9).is_some_and(|begins| begins.eq_ignore_ascii_case("iso-2022-"))
}

/// The bytes of a word in the encoding Q (RFC 2047, section 4.2); an `=` that begins no byte stands
/// for itself.
fn q(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let coded = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let coded = coded.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let coded = coded.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (byte, then) = match (first, coded) {
            (b'=', Some(byte)) => (byte, &after[2..]),
            (b'_', _) => (b' ', after),
            (byte, _) => (*byte, after),
        };
        bytes.push(byte);
        rest = then;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_kind_are_one_word() {
        let table = [
            ("=?utf-8?b?R3LDvMOD?= =?utf-8?b?n2U=?=", "=?utf-8?b?R3LDvMODn2U=?="),
            ("a =?utf-8?q?f=C3?=  =?UTF-8?Q?=BCr?= b", "a =?utf-8?q?f=C3=BCr?= b"),
            ("=?utf-8?q?a?= =?iso-8859-1?q?b?=", "=?utf-8?q?a?= =?iso-8859-1?q?b?="),
            ("=?utf-8?q?a?= x =?utf-8?q?b?=", "=?utf-8?q?a?= x =?utf-8?q?b?="),
            ("=?utf-8?b?%%%?= =?utf-8?b?YQ==?=", "=?utf-8?b?%%%?= =?utf-8?b?YQ==?="),
            ("=?utf-8?B?SsO8cmdlbg?= <a@x>", "=?utf-8?b?SsO8cmdlbg==?= <a@x>"),
            ("=?utf-8?b?R3LDvMO?= =?utf-8?b?n2U?=", "=?utf-8?b?R3LDvMOfZQ==?="),
            ("=?utf-8?b?SsM?= =?utf-8?q?=BC_=ZZ=?=", "=?utf-8?b?SsO8ID1aWj0=?="),
            ("=?utf-8?q?=4a?= =?utf-8?B?YQ==?=", "=?utf-8?b?SmE=?="),
            (
                "=?iso-8859-1?q?Fr\u{f6}sche?=",
                "=?iso-8859-1?q?Fr?= =?utf-8?b?w7Y=?= =?iso-8859-1?q?sche?=",
            ),
            ("=?utf-8?q??=", "=?utf-8?q??="),
            ("=?utf-8?q?not closed", "=?utf-8?q?not closed"),
            ("=?=?utf-8?q?a?=", "=?=?utf-8?q?a?="),
            ("plain = text?", "plain = text?"),
        ];
        for (value, expected) in table {
            assert_eq!(joined(value), expected, "{value}");
        }
    }

    #[test]
    fn a_sender_cannot_make_it_look_twice() {
        // Half a megabyte each: looked at again for each word, they would take minutes.
        let long = format!("=?{}?q?öa?= ", "x".repeat(400));
        for piece in [
            long.as_str(),
            "=?ab?q?x ",
            "=?a?q?",
            "=?a?b?YQ==?= ",
            "=?a?b?%?= ",
            "=?",
            "=?a?q?b?= x",
            "?=?=",
        ] {
            let header = piece.repeat(500_000 / piece.len());
            assert!(joined(&header).len() <= header.len(), "{piece}");
        }
    }
}

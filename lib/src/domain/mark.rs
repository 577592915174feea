//! How far a mailbox was read, in its provider's own measure, and which of its records was handled.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A position in a mailbox's history, ordered: Gmail's history id, Outlook's `lastModifiedDateTime`
/// in milliseconds since 1970. It is written as a string and read as a string or a number; it never
/// passes through a float. The API's description knows it by the name of the first provider's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(
    as = HistoryId,
    value_type = String,
    pattern = "^[0-9]+$",
    example = "1234567",
    description = "A position in a mailbox's history. Gmail documents it as uint64 and sends it as a string in API\nanswers, as a number in notifications; it never passes through a float."
)]
pub struct Mark(u64);

impl Mark {
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    pub const fn value(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an unsigned 64-bit integer")]
pub struct NotAMark;

impl FromStr for Mark {
    type Err = NotAMark;

    fn from_str(text: &str) -> Result<Self, NotAMark> {
        // Rust's own reading takes a plus sign, too.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits).map(Self).ok_or(NotAMark)
    }
}

impl Serialize for Mark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Mark;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an unsigned 64-bit integer, as a number or a string")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Mark, E> {
        Ok(Mark(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Mark, E> {
        u64::try_from(value)
            .map(Mark)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Mark, E> {
        text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

/// One record of a mailbox's changes, by which it is known whether it was handled. Ordered by its
/// mark: the records of one mark by their tags, one without a tag before all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    pub mark: Mark,
    /// Tells records of one mark apart, where a provider's marks are not unique.
    pub tag: Option<u64>,
}

impl RecordKey {
    /// The first key whose mark is above this one.
    pub const fn above(mark: Mark) -> Self {
        Self { mark: Mark(mark.0.saturating_add(1)), tag: None }
    }
}

impl From<Mark> for RecordKey {
    fn from(mark: Mark) -> Self {
        Self { mark, tag: None }
    }
}

/// `<mark>` or `<mark>:<tag in hexadecimal>`.
impl fmt::Display for RecordKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tag {
            None => self.mark.fmt(formatter),
            Some(tag) => write!(formatter, "{}:{tag:016x}", self.mark),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the key of a record")]
pub struct NotARecordKey;

impl FromStr for RecordKey {
    type Err = NotARecordKey;

    fn from_str(text: &str) -> Result<Self, NotARecordKey> {
        let (mark, tag) =
            text.split_once(':').map_or((text, None), |(mark, tag)| (mark, Some(tag)));
        let mark = mark.parse().map_err(|_| NotARecordKey)?;
        let hexadecimal =
            |tag: &&str| tag.len() == 16 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
        let tag = tag
            .map(|tag| {
                let tag = Some(tag).filter(hexadecimal).ok_or(NotARecordKey)?;
                u64::from_str_radix(tag, 16).map_err(|_| NotARecordKey)
            })
            .transpose()?;
        Ok(Self { mark, tag })
    }
}

impl Serialize for RecordKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeyVisitor)
    }
}

struct KeyVisitor;

impl de::Visitor<'_> for KeyVisitor {
    type Value = RecordKey;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a mark, alone or with a tag after a colon")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<RecordKey, E> {
        Visitor.visit_u64(value).map(RecordKey::from)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<RecordKey, E> {
        Visitor.visit_i64(value).map(RecordKey::from)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RecordKey, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_without_a_tag_is_written_as_its_mark_and_one_with_a_tag_follows_it() {
        let (bare, tagged) =
            (RecordKey::from(Mark(7)), RecordKey { mark: Mark(7), tag: Some(0xab) });
        for (key, json) in [(bare, "\"7\""), (tagged, "\"7:00000000000000ab\"")] {
            assert_eq!(serde_json::to_string(&key).unwrap(), json);
            assert_eq!(serde_json::from_str::<RecordKey>(json).unwrap(), key);
        }
        assert_eq!(serde_json::from_str::<RecordKey>("7").unwrap(), bare);
        for json in
            ["\"\"", "\"7:\"", "\"7:ab\"", "\":00000000000000ab\"", "\"7:+0000000000000ab\"", "-7"]
        {
            assert!(serde_json::from_str::<RecordKey>(json).is_err(), "{json}");
        }
        assert!(bare < tagged && tagged < RecordKey::above(Mark(7)));
    }

    #[test]
    fn reads_numbers_and_strings_exactly() {
        for json in ["18446744073709551615", "\"18446744073709551615\""] {
            assert_eq!(serde_json::from_str::<Mark>(json).unwrap(), Mark(u64::MAX), "{json}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_mark() {
        for json in [
            "-1",
            "1.0",
            "1e3",
            "18446744073709551616",
            "\"\"",
            "\"1.5\"",
            "\"-3\"",
            "\"+3\"",
            "null",
            "[1]",
        ] {
            assert!(serde_json::from_str::<Mark>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn is_written_as_a_string_so_that_no_reader_rounds_it() {
        assert_eq!(serde_json::to_string(&Mark(u64::MAX)).unwrap(), "\"18446744073709551615\"");
    }
}

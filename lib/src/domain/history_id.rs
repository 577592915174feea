//! Gmail's history id: an unsigned 64-bit integer that arrives as a string or as a number.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A position in a mailbox's history. Gmail documents it as uint64 and sends it as a string in API
/// answers, as a number in notifications; it never passes through a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^[0-9]+$", example = "1234567")]
pub struct HistoryId(u64);

impl HistoryId {
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    pub const fn value(self) -> u64 {
        self.0
    }
}

impl fmt::Display for HistoryId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an unsigned 64-bit integer")]
pub struct NotAHistoryId;

impl FromStr for HistoryId {
    type Err = NotAHistoryId;

    fn from_str(text: &str) -> Result<Self, NotAHistoryId> {
        // Rust's own reading takes a plus sign, too.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits).map(Self).ok_or(NotAHistoryId)
    }
}

impl Serialize for HistoryId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HistoryId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = HistoryId;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an unsigned 64-bit integer, as a number or a string")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<HistoryId, E> {
        Ok(HistoryId(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<HistoryId, E> {
        u64::try_from(value)
            .map(HistoryId)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<HistoryId, E> {
        text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_and_strings_exactly() {
        for json in ["18446744073709551615", "\"18446744073709551615\""] {
            assert_eq!(
                serde_json::from_str::<HistoryId>(json).unwrap(),
                HistoryId(u64::MAX),
                "{json}"
            );
        }
    }

    #[test]
    fn refuses_what_is_not_a_history_id() {
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
            assert!(serde_json::from_str::<HistoryId>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn is_written_as_a_string_so_that_no_reader_rounds_it() {
        assert_eq!(
            serde_json::to_string(&HistoryId(u64::MAX)).unwrap(),
            "\"18446744073709551615\""
        );
    }
}

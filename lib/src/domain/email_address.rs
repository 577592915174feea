//! A mailbox address, in the one spelling under which it is stored and compared.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

/// A mailbox address: trimmed, in lower case, with one `@` between two non-empty parts, without
/// white space or control characters, of at most 254 bytes. Two spellings that differ only in
/// letter case are the same mailbox for Gmail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[schema(value_type = String, format = Email, example = "ada@example.com")]
pub struct EmailAddress(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a mailbox address")]
pub struct NotAnAddress;

impl EmailAddress {
    pub fn parse(text: &str) -> Result<Self, NotAnAddress> {
        let address = text.trim().to_lowercase();
        let (local, domain) = address.split_once('@').ok_or(NotAnAddress)?;
        let two_parts = !local.is_empty() && !domain.is_empty() && !domain.contains('@');
        let plain =
            !address.chars().any(|character| character.is_whitespace() || character.is_control());
        if two_parts && plain && address.len() <= 254 {
            Ok(Self(address))
        } else {
            Err(NotAnAddress)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EmailAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mailbox_has_one_spelling() {
        assert_eq!(EmailAddress::parse(" Ada@Example.COM ").unwrap().as_str(), "ada@example.com");
    }

    #[test]
    fn refuses_what_cannot_be_a_mailbox() {
        for text in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "a@b@c",
            "a da@example.com",
            "ada@exam\nple.com",
            &format!("a@{}", "x".repeat(300)),
        ] {
            assert_eq!(EmailAddress::parse(text), Err(NotAnAddress), "{text:?}");
        }
    }
}

//! By what a mailbox is known in keys and in the queue.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::domain::email_address::EmailAddress;
use crate::domain::id::{AccountId, fingerprint};

/// The partition of a mailbox's rows, and what a wake-up names. The address itself for a provider
/// whose addresses tell its mailboxes apart, as rows and messages have it from the beginning; for
/// any other `<provider>:<32 hexadecimal digits>`, a fingerprint of the account: one address may be
/// an account at two providers, and a renamed mailbox keeps its rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct MailboxKey(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the key of a mailbox")]
pub struct NotAMailboxKey;

impl MailboxKey {
    /// Of a mailbox that is known by its account. `provider` is a word of lower-case letters.
    pub fn of_account(provider: &str, account: &AccountId) -> Self {
        let digits = fingerprint(&[provider, account.as_str()]).simple();
        Self(format!("{provider}:{digits}"))
    }

    /// An address in any spelling, or the key of an account.
    pub fn parse(text: &str) -> Result<Self, NotAMailboxKey> {
        if text.split_once(':').is_some_and(|(provider, digits)| is_of_account(provider, digits)) {
            return Ok(Self(text.into()));
        }
        EmailAddress::parse(text).map(Self::from).map_err(|_| NotAMailboxKey)
    }

    /// Whether this is the key of an account at this provider.
    pub fn is_account_of(&self, provider: &str) -> bool {
        self.0.split_once(':').is_some_and(|(named, _)| named == provider)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_of_account(provider: &str, digits: &str) -> bool {
    !provider.is_empty()
        && provider.bytes().all(|byte| byte.is_ascii_lowercase())
        && digits.len() == 32
        && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl From<EmailAddress> for MailboxKey {
    fn from(address: EmailAddress) -> Self {
        Self(address.as_str().into())
    }
}

impl From<&EmailAddress> for MailboxKey {
    fn from(address: &EmailAddress) -> Self {
        Self(address.as_str().into())
    }
}

impl fmt::Display for MailboxKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MailboxKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_an_address_in_its_one_spelling_or_a_fingerprint_of_an_account() {
        let account = MailboxKey::of_account("outlook", &AccountId::new("tenant.object"));
        let table = [
            (" Ada@Example.COM ", Some("ada@example.com")),
            (account.as_str(), Some(account.as_str())),
            ("outlook:7", None),
            ("outlook:0123456789ABCDEF0123456789ABCDEF", None),
            (":0123456789abcdef0123456789abcdef", None),
            ("ada", None),
            ("", None),
        ];
        for (text, expected) in table {
            let parsed = MailboxKey::parse(text).ok();
            assert_eq!(parsed.as_ref().map(MailboxKey::as_str), expected, "{text}");
            let json = serde_json::to_string(text).unwrap();
            assert_eq!(serde_json::from_str::<MailboxKey>(&json).ok(), parsed, "{text}");
        }
        assert_eq!(account.as_str().len(), "outlook:".len() + 32);
        assert_ne!(account, MailboxKey::of_account("outlook", &AccountId::new("tenant.other")));
    }
}

//! The domain of a mail address, in the one spelling under which domains are compared.

use std::fmt;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Deserializer, Serialize, de};

/// A name as the DNS has it: in lower case and, where it has other letters, in its ASCII form
/// (`xn--…`), so that the two ways of writing it are one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[schema(value_type = String, example = "example.com")]
pub struct MailDomain(String);

/// Why a text is no domain, and the way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotADomain {
    #[error(
        "holds an `@`: write only what comes after it, such as `example.com`; `from_contains` looks for whole addresses"
    )]
    Address,
    #[error(
        "holds a `*`: a domain is compared as a whole, so name each subdomain, such as `mail.example.com`"
    )]
    Pattern,
    #[error(
        "is no domain name; write it like `example.com`, without a scheme, a path or a dot at its ends"
    )]
    Malformed,
}

impl MailDomain {
    pub fn parse(text: &str) -> Result<Self, NotADomain> {
        let text = text.trim();
        match text {
            _ if text.contains('@') => Err(NotADomain::Address),
            _ if text.contains('*') => Err(NotADomain::Pattern),
            _ => {
                let ascii = Uts46::new().to_ascii(
                    text.as_bytes(),
                    AsciiDenyList::STD3,
                    Hyphens::CheckFirstLast,
                    DnsLength::Verify,
                );
                ascii.map(|ascii| Self(ascii.into_owned())).map_err(|_| NotADomain::Malformed)
            }
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MailDomain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MailDomain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_domain_has_one_spelling() {
        for (text, expected) in [
            (" Example.COM ", "example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
            ("r3---a.example", "r3---a.example"),
        ] {
            assert_eq!(MailDomain::parse(text).unwrap().as_str(), expected, "{text}");
        }
    }

    #[test]
    fn letters_that_look_alike_are_others() {
        // A Cyrillic "а".
        assert_ne!(
            MailDomain::parse("pаypal.example").unwrap(),
            MailDomain::parse("paypal.example").unwrap()
        );
    }

    #[test]
    fn refuses_what_is_no_domain() {
        let too_long = format!("{}.example", "a".repeat(64));
        for (text, expected) in [
            ("ada@example.com", NotADomain::Address),
            ("@example.com", NotADomain::Address),
            ("*.example.com", NotADomain::Pattern),
            ("", NotADomain::Malformed),
            (".example.com", NotADomain::Malformed),
            ("example.com.", NotADomain::Malformed),
            ("a..example", NotADomain::Malformed),
            ("https://example.com", NotADomain::Malformed),
            ("example.com/a", NotADomain::Malformed),
            ("exa mple.com", NotADomain::Malformed),
            ("[192.0.2.1]", NotADomain::Malformed),
            (&too_long, NotADomain::Malformed),
        ] {
            assert_eq!(MailDomain::parse(text), Err(expected), "{text}");
        }
    }
}

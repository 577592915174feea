//! Whom a mail goes to and who writes it: addresses in the spelling that mail servers take.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LONGEST_NAME, has_control};
use crate::domain::mail_domain::MailDomain;
use crate::domain::message::Address;

/// RFC 5321, section 4.5.3.1.3, without the angle brackets.
const LONGEST_ADDRESS: usize = 254;
/// What an atom of a local part may hold beside letters and digits (RFC 5322, section 3.2.3).
const OF_AN_ATOM: &str = "!#$%&'*+-/=?^_`{|}~";

/// An address, with or without a name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Recipient {
    #[schema(example = "bo@example.com")]
    Plain(String),
    Named(NamedRecipient),
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedRecipient {
    #[serde(default)]
    pub name: Option<String>,
    pub address: String,
}

/// Who a mail is from. What is absent is the mailbox's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Author {
    /// The name that is shown beside the address.
    #[schema(max_length = 255, example = "Ada of the help desk")]
    pub name: Option<String>,
    /// The mailbox's own, or one that Gmail lets it send as.
    #[schema(example = "help@example.com")]
    pub address: Option<String>,
    /// Whether the address was found among those that the mailbox may write from.
    #[serde(skip)]
    #[schema(ignore)]
    pub allowed: bool,
}

impl Recipient {
    pub fn address(&self) -> &str {
        match self {
            Self::Plain(address) => address,
            Self::Named(named) => &named.address,
        }
    }

    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Plain(_) => None,
            Self::Named(named) => named.name.as_deref().filter(|name| !name.is_empty()),
        }
    }

    /// As a caller gave it; the error says what is wrong.
    pub(super) fn checked(self) -> Result<Self, String> {
        check_name(self.name())?;
        let address = routable(self.address())?;
        Ok(match self {
            Self::Plain(_) => Self::Plain(address),
            Self::Named(named) => Self::Named(NamedRecipient { address, ..named }),
        })
    }

    /// Of a mail that was read. A name is cut rather than refused: its writer is not there to ask.
    pub(super) fn of(address: &Address) -> Result<Self, String> {
        let name = address.name.as_deref().map(cut_name).filter(|name| !name.is_empty());
        Ok(Self::Named(NamedRecipient { name, address: routable(&address.address)? }))
    }
}

impl Author {
    pub(super) fn checked(self) -> Result<Self, (&'static str, String)> {
        check_name(self.name.as_deref()).map_err(|problem| ("name", problem))?;
        let address = self.address.as_deref().map(routable).transpose();
        let address = address.map_err(|problem| ("address", problem))?;
        Ok(Self { address, ..self })
    }
}

fn check_name(name: Option<&str>) -> Result<(), String> {
    match name.is_some_and(|name| name.len() > LONGEST_NAME || has_control(name)) {
        true => Err(format!("its name must be one line of at most {LONGEST_NAME} bytes")),
        false => Ok(()),
    }
}

fn cut_name(name: &str) -> String {
    let line: String =
        name.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    line[..line.floor_char_boundary(LONGEST_NAME)].trim().to_string()
}

/// The address as mail servers take it: its domain in ASCII (`xn--…`), its local part quoted only
/// where it must be (RFC 5321, section 4.1.2). The error says what is wrong, and the way out.
pub fn routable(text: &str) -> Result<String, String> {
    let text = text.trim();
    let no_address = || format!("`{}` is no address as ada@example.com", shown(text));
    let (local, domain) = text.rsplit_once('@').ok_or_else(no_address)?;
    if !local.is_ascii() && !has_control(text) {
        return Err(format!(
            "`{}` has letters before its @ that not every mail server takes; use another address of theirs",
            shown(text)
        ));
    }
    let local = local_part(local).ok_or_else(no_address)?;
    let domain = match domain.is_ascii() {
        true if !domain.is_empty() && domain.bytes().all(is_plain) => domain.to_string(),
        true => return Err(no_address()),
        false => MailDomain::parse(domain).map_err(|_| no_address())?.as_str().to_string(),
    };
    let address = format!("{local}@{domain}");
    if address.len() > LONGEST_ADDRESS {
        return Err(format!(
            "`{}…` is longer than the {LONGEST_ADDRESS} bytes that an address may have",
            shown(text)
        ));
    }
    Ok(address)
}

/// One spelling for all of an address: letter case, quotes and the form of the domain make no
/// difference.
pub fn same_mailbox(one: &str, other: &str) -> bool {
    spelling(one) == spelling(other)
}

pub(super) fn spelling(address: &str) -> String {
    routable(address).unwrap_or_else(|_| address.trim().to_string()).to_lowercase()
}

fn local_part(text: &str) -> Option<String> {
    let Some(quoted) = text.strip_prefix('"') else {
        return (!text.is_empty() && text.bytes().all(is_plain)).then(|| text.to_string());
    };
    let mut inner = String::new();
    let mut letters = quoted.strip_suffix('"')?.chars();
    while let Some(letter) = letters.next() {
        let letter = match letter {
            '"' => return None,
            '\\' => letters.next()?,
            letter => letter,
        };
        if !matches!(letter, ' '..='~') {
            return None;
        }
        inner.push(letter);
    }
    let of_an_atom = |sign: char| sign.is_ascii_alphanumeric() || OF_AN_ATOM.contains(sign);
    match inner.split('.').all(|atom| !atom.is_empty() && atom.chars().all(of_an_atom)) {
        true => Some(inner),
        false if inner.is_empty() => None,
        false => Some(format!("\"{}\"", inner.replace('\\', "\\\\").replace('"', "\\\""))),
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"<>()[],;:\\\"@".contains(&byte)
}

/// Short, and on one line.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|sign| !sign.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_mail_servers_take_it() {
        for (given, expected) in [
            ("bo@example.com", "bo@example.com"),
            ("Bo@Example.com", "Bo@Example.com"),
            ("juergen@exämple.com", "juergen@xn--exmple-cua.com"),
            ("bo@BÜCHER.example", "bo@xn--bcher-kva.example"),
            (r#""ab..cd."@example.com"#, r#""ab..cd."@example.com"#),
            (r#""john doe"@example.com"#, r#""john doe"@example.com"#),
            (r#""a\"b@c"@example.com"#, r#""a\"b@c"@example.com"#),
            (r#""a\b"@example.com"#, "ab@example.com"),
            (r#""ada"@example.com"#, "ada@example.com"),
            ("a..b@docomo.example", "a..b@docomo.example"),
            ("bo@a_b.example", "bo@a_b.example"),
        ] {
            assert_eq!(routable(given).as_deref(), Ok(expected), "{given}");
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for refused in [
            "",
            "bo",
            "@example.com",
            "bo@",
            "a@b@example.com",
            "bo smith@example.com",
            "bö@example.com",
            "bo@exa mple.com",
            "bo@ex\u{0}ample.com",
            "bo@ä..example",
            r#""bo@example.com"#,
            r#"""@example.com"#,
            r#""a"b"@example.com"#,
            "\"a\r\nb\"@example.com",
            "\"ä\"@example.com",
            "bo@[192.0.2.1]",
            &long,
        ] {
            let problem = routable(refused).unwrap_err();
            assert!(!problem.chars().any(char::is_control), "{problem}");
        }
    }

    #[test]
    fn one_mailbox_has_many_spellings() {
        for (one, other, same) in [
            ("bo@example.com", "BO@EXAMPLE.com", true),
            ("bo@bücher.example", "bo@XN--BCHER-KVA.example", true),
            (r#""bo"@example.com"#, "bo@example.com", true),
            ("bo@example.com", "bo@example.org", false),
        ] {
            assert_eq!(same_mailbox(one, other), same, "{one} {other}");
        }
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let of = |name: &str| {
            let address = Address { name: Some(name.into()), address: "bo@example.com".into() };
            Recipient::of(&address).unwrap().name().map(String::from)
        };
        assert_eq!(of(&format!("a{}", "ä".repeat(200))).unwrap(), format!("a{}", "ä".repeat(127)));
        assert_eq!(of("Bo\u{7}Smith").as_deref(), Some("Bo Smith"));
        assert_eq!(of(" "), None);
    }
}

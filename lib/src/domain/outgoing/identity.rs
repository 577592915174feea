//! Whose mail it is: the mailbox's own address, and those that it may write from beside it.

use super::recipient::{Author, same_mailbox};
use crate::domain::email_address::EmailAddress;
use crate::domain::invalid::Invalid;
use crate::domain::message::{Address, Message};

/// The label of what the mailbox itself sent, from whichever of its addresses.
const SENT: &str = "SENT";

/// An address that the mailbox may write from beside its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    pub address: String,
    pub name: Option<String>,
}

#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    pub own: &'a EmailAddress,
    /// Empty where they were not read.
    pub aliases: &'a [Alias],
}

impl Identity<'_> {
    pub(super) fn is_me(&self, address: &str) -> bool {
        same_mailbox(address, self.own.as_str()) || self.alias(address).is_some()
    }

    pub(super) fn wrote(&self, message: &Message) -> bool {
        message.label_ids.iter().any(|label| label == SENT)
            || message.from.as_ref().is_some_and(|from| self.is_me(&from.address))
    }

    /// Where the mailbox's own address or one of its aliases stands in a message: the writer of its
    /// own mail, a recipient of other mail.
    fn places<'m>(&self, message: &'m Message) -> Vec<&'m Address> {
        match self.wrote(message) {
            true => message.from.iter().collect(),
            false => message.to.iter().chain(&message.cc).collect(),
        }
    }

    /// Whether the message names the mailbox's own address where it would name one of its aliases.
    pub fn is_own_address_in(&self, message: &Message) -> bool {
        let own = self.own.as_str();
        self.places(message).iter().any(|place| same_mailbox(&place.address, own))
    }

    /// Who a reply to the message is from: the alias that it came to, or was sent from.
    pub(super) fn answering(&self, message: &Message) -> Option<Author> {
        if self.is_own_address_in(message) {
            return None;
        }
        self.places(message).iter().find_map(|place| self.author(&place.address, None))
    }

    /// The address as an author, if it is an alias.
    fn author(&self, address: &str, name: Option<String>) -> Option<Author> {
        let alias = self.alias(address)?;
        let name = name.or_else(|| alias.name.clone());
        Some(Author { name, address: Some(alias.address.clone()), allowed: true })
    }

    fn alias(&self, address: &str) -> Option<&Alias> {
        self.aliases.iter().find(|alias| same_mailbox(&alias.address, address))
    }
}

impl Author {
    /// The mailbox's own address needs no look at its aliases.
    pub fn beside(self, own: &EmailAddress) -> Self {
        let is_own = |address: &String| same_mailbox(address, own.as_str());
        Self { allowed: self.allowed || self.address.as_ref().is_some_and(is_own), ..self }
    }

    /// What is not named is as in the author of the draft that is changed: Gmail took that one.
    pub fn or_else(self, was: Option<Address>) -> Self {
        let Some(was) = was else { return self };
        let keeps = self.address.is_none() && !was.address.is_empty();
        Self {
            name: self.name.or(was.name),
            address: if keeps { Some(was.address) } else { self.address },
            allowed: self.allowed || keeps,
        }
    }

    /// The address that has to be looked up before it is written.
    pub fn asks_for(&self) -> Option<&str> {
        self.address.as_deref().filter(|_| !self.allowed)
    }

    /// An error that names the allowed addresses unless this is one of them.
    pub fn allowed(self, identity: &Identity<'_>) -> Result<Self, Invalid> {
        let Some(address) = self.asks_for().map(String::from) else { return Ok(self) };
        identity.author(&address, self.name).ok_or_else(|| {
            let mut all = vec![identity.own.as_str()];
            all.extend(identity.aliases.iter().map(|alias| alias.address.as_str()));
            Invalid::new(
                "from.address",
                format!(
                    "`{}` is no address that this mailbox may send as; use one of {}, or add it in Gmail's settings (Send mail as)",
                    super::recipient::shown(&address),
                    all.join(", ")
                ),
            )
        })
    }
}

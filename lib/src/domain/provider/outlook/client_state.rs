//! `clientState`: what Graph sends back in every notification, at most 128 characters. It names the
//! mailbox and proves that the subscription is ours, so that the notification's function needs no
//! table. `<32 digits of the mailbox's key>.<43 characters of a MAC>`.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::domain::mailbox_key::MailboxKey;

/// What the key of a mailbox of Outlook's begins with.
const MAILBOX: &str = "outlook:";
/// What is signed begins with it, so that a MAC is good for nothing else.
const LABEL: &str = "email-connectors graph clientState v1";

/// A clientState that has the right form; whether its MAC is right is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientState {
    mailbox: MailboxKey,
    mac: Vec<u8>,
}

impl ClientState {
    pub fn parse(text: &str) -> Option<Self> {
        let (mailbox, mac) = text.split_once('.')?;
        let mac = BASE64_URL_SAFE_NO_PAD.decode(mac).ok().filter(|mac| mac.len() == 32)?;
        Some(Self { mailbox: MailboxKey::parse(&format!("{MAILBOX}{mailbox}")).ok()?, mac })
    }

    /// The mailbox that it speaks of.
    pub fn mailbox(&self) -> &MailboxKey {
        &self.mailbox
    }

    pub fn mac(&self) -> &[u8] {
        &self.mac
    }

    /// The bytes that its MAC must be of.
    pub fn signed(&self) -> Vec<u8> {
        to_sign(&self.mailbox).unwrap_or_default()
    }
}

/// The bytes to sign for a mailbox; `None` if it is none of Outlook's.
pub fn to_sign(mailbox: &MailboxKey) -> Option<Vec<u8>> {
    digits(mailbox).map(|digits| format!("{LABEL}\n{digits}").into_bytes())
}

/// The clientState of a mailbox; `None` if it is none of Outlook's.
pub fn written(mailbox: &MailboxKey, mac: &[u8]) -> Option<String> {
    digits(mailbox).map(|digits| format!("{digits}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac)))
}

fn digits(mailbox: &MailboxKey) -> Option<&str> {
    mailbox.as_str().strip_prefix(MAILBOX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> MailboxKey {
        MailboxKey::parse("outlook:0123456789abcdef0123456789abcdef").unwrap()
    }

    #[test]
    fn a_client_state_names_its_mailbox_and_fits() {
        let text = written(&key(), &[7; 32]).unwrap();
        assert!(text.len() <= 128);
        let state = ClientState::parse(&text).unwrap();
        assert_eq!((state.mailbox(), state.mac()), (&key(), &[7; 32][..]));
        assert_eq!(Some(state.signed()), to_sign(&key()));
    }

    #[test]
    fn what_has_another_form_is_none_of_ours() {
        let good = written(&key(), &[7; 32]).unwrap();
        let (mailbox, mac) = good.split_once('.').unwrap();
        let table = [
            String::new(),
            mailbox.into(),
            format!("{mailbox}{mac}"),
            format!("{}.{mac}", &mailbox[1..]),
            format!("{}.{mac}", mailbox.to_uppercase()),
            format!("{mailbox}.{}", &mac[1..]),
            format!("{mailbox}.{mac}="),
            format!("{mailbox}.{mac}.{mac}"),
            format!(" {good}"),
        ];
        for text in table {
            assert_eq!(ClientState::parse(&text), None, "{text}");
        }
        let gmail = MailboxKey::parse("ada@example.com").unwrap();
        assert_eq!((to_sign(&gmail), written(&gmail, &[7; 32])), (None, None));
    }
}

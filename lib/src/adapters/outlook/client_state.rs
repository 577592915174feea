//! The MAC of `clientState`: HMAC-SHA256 under a key of ours. `flows/notified.rs` verifies it.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

use crate::domain::mailbox_key::MailboxKey;
use crate::domain::provider::outlook::client_state::{to_sign, written};

/// What a fingerprint is of begins with it, so that it is no clientState's MAC.
const FINGERPRINT: &str = "email-connectors graph subscription v1";

/// The clientState of a mailbox; `None` if the mailbox is none of Outlook's.
pub fn sign(key: &SecretString, mailbox: &MailboxKey) -> Option<String> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes());
    written(mailbox, hmac::sign(&key, &to_sign(mailbox)?).as_ref())
}

/// Tells subscriptions of this key and this URL from those that were made under others.
pub fn fingerprint(key: &SecretString, notification_url: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes());
    let mac = hmac::sign(&key, format!("{FINGERPRINT}\n{notification_url}").as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(&mac.as_ref()[..12])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::hmac::HmacSha256;
    use crate::domain::provider::outlook::client_state::ClientState;
    use crate::ports::Signatures;

    #[test]
    fn a_mac_is_good_for_its_key_and_its_mailbox_alone() {
        let (key, other) = (SecretString::from("key"), SecretString::from("other"));
        let mailbox = MailboxKey::parse("outlook:0123456789abcdef0123456789abcdef").unwrap();
        let text = sign(&key, &mailbox).unwrap();
        let is_signed = |key: &SecretString, text: &str| {
            let state = ClientState::parse(text).unwrap();
            HmacSha256.is_signed(key, &state.signed(), state.mac())
        };
        assert!(is_signed(&key, &text));
        assert!(!is_signed(&other, &text));
        assert!(!is_signed(&key, &text.replacen('0', "1", 1)));
        assert_eq!(sign(&key, &MailboxKey::parse("a@example.com").unwrap()), None);
    }

    #[test]
    fn a_fingerprint_is_of_a_key_and_a_url() {
        let (key, other) = (SecretString::from("key"), SecretString::from("other"));
        let made = fingerprint(&key, "https://a.example/");
        assert_eq!((made.len(), &made), (16, &fingerprint(&key, "https://a.example/")));
        assert_ne!(made, fingerprint(&other, "https://a.example/"));
        assert_ne!(made, fingerprint(&key, "https://b.example/"));
        assert!(!made.contains('.'));
    }
}

//! The machine's own clock and randomness: the one place where they are read.

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use uuid::Uuid;

use crate::domain::timestamp::Timestamp;
use crate::ports::{Clock, Entropy};

#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else is given"
    )]
    fn now(&self) -> Timestamp {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Entropy for System {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the randomness that everything else is given"
    )]
    fn uuid(&self, _now: Timestamp) -> Uuid {
        Uuid::now_v7()
    }

    fn secret(&self) -> SecretString {
        let mut bits = [0; 32];
        // Without randomness AWS-LC ends the process itself, so that no secret is ever less than
        // random.
        rand::fill(&mut bits)
            .unwrap_or_else(|_| unreachable!("AWS-LC hands out random bytes or ends the process"));
        URL_SAFE_NO_PAD.encode(bits).into()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_secret_is_43_characters_of_base64url_and_no_two_are_alike() {
        let secrets: Vec<String> =
            (0..100).map(|_| System.secret().expose_secret().to_string()).collect();
        for secret in &secrets {
            assert_eq!(URL_SAFE_NO_PAD.decode(secret).map(|bits| bits.len()), Ok(32), "{secret}");
            assert_eq!(secret.len(), 43);
        }
        let distinct: std::collections::BTreeSet<_> = secrets.iter().collect();
        assert_eq!(distinct.len(), secrets.len());
        // Of 3200 random bytes hardly any value is absent.
        let bytes: std::collections::BTreeSet<u8> =
            secrets.iter().flat_map(|secret| URL_SAFE_NO_PAD.decode(secret).unwrap()).collect();
        assert!(bytes.len() > 200, "{} values", bytes.len());
    }
}

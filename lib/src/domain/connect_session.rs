//! A connect session: for a quarter of an hour it lets a page connect one mailbox for an owner, and
//! nothing else.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::connector::Provider;
use crate::domain::email_address::EmailAddress;
use crate::domain::id::{ConnectorId, OwnerId, fingerprint};
use crate::domain::timestamp::Timestamp;

/// How long a session may be used.
pub const SESSION_LIFE: Duration = Duration::from_secs(15 * 60);
/// What no other token begins with: a JWT begins with `ey`.
const PREFIX: &str = "cst_";
/// 256 bits in base64url.
const SECRET_LENGTH: usize = 43;

/// A session as it is stored: under a fingerprint of its token, never with the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectSession {
    pub id: Uuid,
    /// The page that opened it, the only one that is told how it went.
    pub origin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// The connector that is to be connected again, and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<ConnectorId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<EmailAddress>,
    /// Who asked for it; for the audit log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    pub until: Timestamp,
    /// The one connect that may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<Uuid>,
    /// What the connect led to; it ends the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected: Option<ConnectorId>,
    /// 1 when it is new; raised by every write.
    pub version: u64,
}

/// What a connect may do with a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It has the session, once this is stored.
    Granted(ConnectSession),
    /// It had the session before: the same request comes again.
    Repeated,
    /// Another connect has it.
    Taken,
    /// Another connect ended it.
    Ended,
}

impl ConnectSession {
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.until <= now
    }

    /// Whether it led to a connector.
    pub fn is_done(&self) -> bool {
        self.connected.is_some()
    }

    /// `request` identifies the connect, so that the same request may come again.
    pub fn claim(&self, request: Uuid) -> Claim {
        match self.claimed_by {
            Some(claimed) if claimed == request => Claim::Repeated,
            _ if self.is_done() => Claim::Ended,
            Some(_) => Claim::Taken,
            None => Claim::Granted(Self { claimed_by: Some(request), ..self.next() }),
        }
    }

    /// Free again after a connect that led to nothing.
    pub fn released(&self) -> Self {
        Self { claimed_by: None, ..self.next() }
    }

    /// Ended by a connect.
    pub fn ended(&self, connector: ConnectorId) -> Self {
        Self { connected: Some(connector), ..self.next() }
    }

    fn next(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }
}

/// The bearer token of a session. It names its owner, under whom the session is stored, so that an
/// erasure finds it.
pub struct SessionToken {
    pub owner: OwnerId,
    secret: SecretString,
}

impl SessionToken {
    pub fn new(owner: OwnerId, secret: SecretString) -> Self {
        Self { owner, secret }
    }

    /// Whether a bearer token would be a session's, good or not.
    pub fn is_one(token: &str) -> bool {
        token.starts_with(PREFIX)
    }

    /// `None` for what no session's token looks like.
    pub fn parse(token: &str) -> Option<Self> {
        let (owner, secret) = token.strip_prefix(PREFIX)?.split_once('.')?;
        let sound = secret.len() == SECRET_LENGTH
            && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let owner = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(owner).ok()?).ok()?;
        let owner = OwnerId::parse(&owner).filter(|_| sound)?;
        Some(Self { owner, secret: secret.into() })
    }

    /// The stored id: whoever reads the table cannot send the token.
    pub fn id(&self) -> Uuid {
        fingerprint(&["connect-session", self.owner.as_str(), self.secret.expose_secret()])
    }

    /// As the page sends it.
    pub fn text(&self) -> SecretString {
        let owner = BASE64_URL_SAFE_NO_PAD.encode(self.owner.as_str());
        format!("{PREFIX}{owner}.{}", self.secret.expose_secret()).into()
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SessionToken").field("owner", &self.owner).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
    const SECRET: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-";

    fn session() -> ConnectSession {
        ConnectSession {
            id: Uuid::from_u128(1),
            origin: "https://app.example.com".into(),
            provider: None,
            connector: None,
            login_hint: None,
            user: None,
            until: NOW.after(SESSION_LIFE),
            claimed_by: None,
            connected: None,
            version: 1,
        }
    }

    #[test]
    fn one_connect_has_it_and_the_same_request_has_it_again() {
        let (one, other) = (Uuid::from_u128(7), Uuid::from_u128(8));
        let new = session();
        let Claim::Granted(claimed) = new.claim(one) else { panic!("it is new") };
        assert_eq!((claimed.claimed_by, claimed.version), (Some(one), 2));
        let (free, ended) = (claimed.released(), claimed.ended(ConnectorId::new("con_1")));
        assert_eq!((free.version, ended.version), (3, 3));
        let granted = |session: &ConnectSession, request| match session.claim(request) {
            Claim::Granted(_) => "granted",
            Claim::Repeated => "repeated",
            Claim::Taken => "taken",
            Claim::Ended => "ended",
        };
        let table = [
            (&new, "granted", "granted"),
            (&claimed, "repeated", "taken"),
            (&free, "granted", "granted"),
            (&ended, "repeated", "ended"),
        ];
        for (session, of_one, of_other) in table {
            assert_eq!(granted(session, one), of_one, "{session:?}");
            assert_eq!(granted(session, other), of_other, "{session:?}");
        }
        assert!(ended.is_done() && !free.is_done());
    }

    #[test]
    fn it_is_good_for_a_quarter_of_an_hour() {
        let last = NOW.after(SESSION_LIFE).before(Duration::from_millis(1));
        assert!(!session().is_expired(last));
        assert!(session().is_expired(NOW.after(SESSION_LIFE)));
    }

    #[test]
    fn a_token_is_read_as_it_was_written_and_shows_no_secret() {
        for owner in ["user-17", "auth0|5f", "tenant 7", "bücher", &"o".repeat(256)] {
            let token = SessionToken::new(OwnerId::new(owner), SECRET.into());
            let text = token.text().expose_secret().to_string();
            assert!(SessionToken::is_one(&text) && text.is_ascii(), "{text}");
            let read = SessionToken::parse(&text).unwrap();
            assert_eq!((read.owner.as_str(), read.id()), (owner, token.id()));
            assert!(!format!("{token:?}").contains(SECRET), "{token:?}");
        }
        let of = |owner: &str| SessionToken::new(OwnerId::new(owner), SECRET.into()).id();
        assert_ne!(of("a"), of("b"), "the secret is good under its owner alone");
    }

    #[test]
    fn what_is_no_token_is_none() {
        for text in [
            "",
            "cst_",
            "cst_.",
            "cst_dQ",
            "cst_dQ.short",
            &format!("cst_.{SECRET}"),
            &format!("cst_%%.{SECRET}"),
            &format!("cst_YSNi.{SECRET}"),
            &format!("CST_dQ.{SECRET}"),
            &format!("dQ.{SECRET}"),
            &format!("cst_dQ.{SECRET}A"),
            &format!("cst_dQ.{}", SECRET.replace('-', "#")),
        ] {
            assert!(SessionToken::parse(text).is_none(), "{text}");
        }
    }
}

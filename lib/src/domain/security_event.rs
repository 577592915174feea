//! Google's cross-account-protection events: what happened to an account that a connector reads.

use serde_json::Value;

use crate::domain::claims::{Claims, SecurityEventPolicy};
use crate::domain::connector::Connector;
use crate::domain::id::AccountId;
use crate::domain::timestamp::Timestamp;

/// A security event token's content, after its origin was proven (RFC 8417).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityEvent {
    /// Its identity: the same event is acted on once.
    pub jti: String,
    pub issued_at: Timestamp,
    pub happened: Happened,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// The account's grants or sessions ended, or the account was closed: the user must connect
    /// again.
    AccessEnded { account: AccountId, what: &'static str },
    /// Nothing that a connector must act on.
    Nothing { what: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("the token has no jti")]
    NoId,
    #[error("the token names no event")]
    NoEvent,
    #[error("the event names no account of the issuer")]
    NoAccount,
}

/// What ends a connector's access. `token-revoked` is not here: it names one token by its hash, and
/// the next use of that token is refused anyway.
const ENDS_ACCESS: [(&str, &str); 3] = [
    ("https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked", "tokens-revoked"),
    ("https://schemas.openid.net/secevent/risc/event-type/sessions-revoked", "sessions-revoked"),
    ("https://schemas.openid.net/secevent/risc/event-type/account-disabled", "account-disabled"),
];

const LONGEST_ID: usize = 256;

impl SecurityEvent {
    pub fn read(claims: &Claims) -> Result<Self, Unreadable> {
        let jti = claims
            .get("jti")
            .and_then(Value::as_str)
            .filter(|jti| !jti.is_empty() && jti.len() <= LONGEST_ID);
        let jti = jti.ok_or(Unreadable::NoId)?.to_string();
        let issued_at = claims
            .get("iat")
            .and_then(Value::as_f64)
            .map_or(Timestamp::from_seconds(0), |at| Timestamp::from_seconds(at as i64));
        let events = claims
            .get("events")
            .and_then(Value::as_object)
            .filter(|events| !events.is_empty())
            .ok_or(Unreadable::NoEvent)?;
        let ends =
            ENDS_ACCESS.iter().find_map(|(uri, what)| events.get(*uri).map(|event| (*what, event)));
        let happened = match ends {
            Some((what, event)) => Happened::AccessEnded {
                account: account(event).ok_or(Unreadable::NoAccount)?,
                what,
            },
            None => {
                let uri = events.keys().next().map(String::as_str).unwrap_or_default();
                Happened::Nothing {
                    what: uri.rsplit('/').next().unwrap_or_default().chars().take(64).collect(),
                }
            }
        };
        Ok(Self { jti, issued_at, happened })
    }
}

fn account(event: &Value) -> Option<AccountId> {
    let subject = event.get("subject")?;
    let issuer = subject.get("iss")?.as_str()?;
    // Google writes its issuer in several forms.
    let same = issuer.trim_start_matches("https://").trim_end_matches('/') == "accounts.google.com";
    let sub = subject.get("sub")?.as_str()?;
    (same && issuer.len() <= SecurityEventPolicy::ISSUER.len() && !sub.is_empty())
        .then(|| AccountId::new(sub))
}

/// Whether the event is about the connector's grant: one from before the last consent is not.
pub fn concerns(connector: &Connector, event: &SecurityEvent) -> bool {
    connector.is_live() && event.issued_at.seconds() >= connector.grant.granted_at.seconds()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(claims: Value) -> Result<SecurityEvent, Unreadable> {
        SecurityEvent::read(claims.as_object().unwrap())
    }

    fn event(kind: &str, subject: Value) -> Value {
        json!({"jti": "j", "iat": 100, "events": {kind: {"subject": subject}}})
    }

    #[test]
    fn what_ends_access_names_the_account() {
        let subject =
            json!({"subject_type": "iss-sub", "iss": "https://accounts.google.com/", "sub": "7"});
        for (uri, what) in ENDS_ACCESS {
            let happened = Happened::AccessEnded { account: AccountId::new("7"), what };
            let expected = SecurityEvent {
                jti: "j".into(),
                issued_at: Timestamp::from_seconds(100),
                happened,
            };
            assert_eq!(read(event(uri, subject.clone())), Ok(expected));
            for other in [
                json!({}),
                json!({"iss": "https://evil.example", "sub": "7"}),
                json!({"iss": "https://accounts.google.com", "sub": ""}),
            ] {
                assert_eq!(read(event(uri, other)), Err(Unreadable::NoAccount));
            }
        }
    }

    #[test]
    fn what_ends_nothing_is_taken_note_of() {
        let event = read(event(
            "https://schemas.openid.net/secevent/risc/event-type/verification",
            json!(null),
        ))
        .unwrap();
        assert_eq!(event.happened, Happened::Nothing { what: "verification".into() });
    }

    #[test]
    fn an_event_without_an_id_or_without_an_event_is_none() {
        assert_eq!(read(json!({"events": {"a": {}}})), Err(Unreadable::NoId));
        assert_eq!(read(json!({"jti": "", "events": {"a": {}}})), Err(Unreadable::NoId));
        for events in [json!({}), json!([]), json!("a"), Value::Null] {
            assert_eq!(read(json!({"jti": "j", "events": events})), Err(Unreadable::NoEvent));
        }
    }
}

//! Identifiers, each a type of its own, so that none can stand where another belongs.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! identifier {
    ($(#[$about:meta])* $name:ident) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

identifier!(
    /// Who owns connectors and triggers: the value of the configured claim of the user's token.
    OwnerId
);
identifier!(
    /// A connector: `con_` and a version 7 UUID. Opaque, so it may stand in CloudTrail as KMS
    /// encryption context.
    ConnectorId
);
identifier!(
    /// A trigger: `trg_` and a version 7 UUID.
    TriggerId
);
identifier!(
    /// Gmail's message id, unique within one mailbox.
    MessageId
);
identifier!(
    /// What makes a message the same one for the ledger, whatever its id is now: its id, where a
    /// provider never changes it.
    MessageIdentity
);
identifier!(
    /// A provider's stable id of an account, which survives a renamed address: of Google the subject
    /// (`sub` of its id token).
    AccountId
);
identifier!(
    /// One event: derived, so every attempt to decide the same one finds the same id.
    EventId
);

/// What a caller may name: nothing longer can be an id, or be part of a key.
const LONGEST_NAMED: usize = 64;

fn named(text: &str) -> Option<String> {
    let plain = text.len() <= LONGEST_NAMED
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    plain.then(|| text.to_string())
}

impl OwnerId {
    /// What names an owner, if it can: it becomes part of a key, so it is bounded and free of the
    /// separator.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = !text.is_empty()
            && text.len() <= 256
            && !text.contains(|c: char| c == '#' || c.is_control());
        plain.then(|| Self::new(text))
    }
}

impl ConnectorId {
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(format!("con_{}", uuid.simple()))
    }

    /// What a caller sent, if it could be an id at all.
    pub fn parse(text: &str) -> Option<Self> {
        named(text).map(Self)
    }
}

impl TriggerId {
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(format!("trg_{}", uuid.simple()))
    }

    /// What a caller sent, if it could be an id at all.
    pub fn parse(text: &str) -> Option<Self> {
        named(text).map(Self)
    }
}

impl MessageIdentity {
    /// Of a message whose id never changes.
    pub fn of(id: &MessageId) -> Self {
        Self::new(id.as_str())
    }
}

impl EventId {
    /// The identity of a firing is the account, the message and the trigger: nothing that a retry,
    /// a second worker or a reconnect could change.
    pub fn derive(account: &AccountId, message: &MessageIdentity, trigger: &TriggerId) -> Self {
        Self(format!(
            "evt_{}",
            fingerprint(&[account.as_str(), message.as_str(), trigger.as_str()]).simple()
        ))
    }

    /// The id of an event about the connector itself, derived from its type and its occasion.
    pub fn of_notice(connector: &ConnectorId, detail_type: &str, occasion: &str) -> Self {
        Self(format!(
            "evt_{}",
            fingerprint(&["notice", connector.as_str(), detail_type, occasion]).simple()
        ))
    }
}

/// A name-based (version 5) UUID over the parts, each with its length before it, so that no two
/// lists of parts run together.
pub fn fingerprint(parts: &[&str]) -> Uuid {
    const NAMESPACE: Uuid = Uuid::from_u128(0x7f3c_1f0e_52d4_4d0b_9a5c_3d1b_6a0e_8f21);
    let joined: String = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
    Uuid::new_v5(&NAMESPACE, joined.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_no_id_is_none() {
        assert_eq!(ConnectorId::parse("con_1").unwrap().as_str(), "con_1");
        for text in ["con#1", "con/1", "con 1", "cön", &"c".repeat(65)] {
            assert_eq!((ConnectorId::parse(text), TriggerId::parse(text)), (None, None), "{text}");
        }
    }

    #[test]
    fn a_firing_has_the_same_id_whoever_derives_it() {
        let derive = |sub: &str, message: &str, trigger: &str| {
            EventId::derive(
                &AccountId::new(sub),
                &MessageIdentity::new(message),
                &TriggerId::new(trigger),
            )
        };
        assert_eq!(derive("1", "m", "t"), derive("1", "m", "t"));
        assert_eq!(derive("1", "m", "t").as_str(), "evt_8eda594de71556bdb1d970662bc68251");
        for other in [
            derive("2", "m", "t"),
            derive("1", "n", "t"),
            derive("1", "m", "u"),
            derive("1m", "", "t"),
        ] {
            assert_ne!(derive("1", "m", "t"), other);
        }
    }
}

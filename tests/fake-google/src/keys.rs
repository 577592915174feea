//! RSA keys: Google's, the users' issuer's, and one that only a stranger publishes.

mod signing;

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use crate::admin::identity::KeyName;
pub use signing::Signing;
pub(crate) use signing::{SigningKey, overlay};

/// Public halves of the keys that signed the tokens in `events/`; the private halves are deleted.
static SAMPLE_KEYS: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../sample-keys.json")).expect("sample-keys.json is JSON")
});

pub(crate) struct Keys {
    google: Vec<Arc<SigningKey>>,
    users: Vec<Arc<SigningKey>>,
    unknown: Arc<SigningKey>,
}

impl Keys {
    /// The same in each fake, since to generate one takes longer than most tests; no deployed stack
    /// believes them.
    pub fn new() -> Self {
        let key = |der| Arc::new(SigningKey::read(der));
        Self {
            google: vec![key(include_bytes!("../keys/google.der"))],
            users: vec![key(include_bytes!("../keys/users.der"))],
            unknown: key(include_bytes!("../keys/unknown.der")),
        }
    }

    /// The key that signs now.
    pub fn current(&self, name: KeyName) -> Arc<SigningKey> {
        let published = match name {
            KeyName::Google => self.google.last(),
            KeyName::Users => self.users.last(),
            KeyName::Unknown => None,
        };
        published.unwrap_or(&self.unknown).clone()
    }

    pub fn rotate(&mut self, name: KeyName, new: SigningKey, forget_old: bool) {
        let published = match name {
            KeyName::Google => &mut self.google,
            KeyName::Users => &mut self.users,
            KeyName::Unknown => return,
        };
        if forget_old {
            published.clear();
        }
        published.push(Arc::new(new));
    }

    pub fn jwks(&self, name: KeyName) -> Value {
        let (published, sample) = match name {
            KeyName::Google => (self.google.as_slice(), &SAMPLE_KEYS["google"]),
            KeyName::Users => (self.users.as_slice(), &SAMPLE_KEYS["users"]),
            KeyName::Unknown => return json!({ "keys": [self.current(name).jwk()] }),
        };
        let keys: Vec<&Value> = published.iter().map(|key| key.jwk()).chain([sample]).collect();
        json!({ "keys": keys })
    }
}

//! RS256 keys: Google's, the users' issuer's, and one that nobody publishes.

use std::sync::{Arc, LazyLock, OnceLock};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Map, Value, json};
use tokio::task::spawn_blocking;

use crate::admin::identity::KeyName;
use crate::values::{base64url, sha256};

/// Public halves of the keys that signed the tokens in `events/`; nobody holds the private ones.
static SAMPLE_KEYS: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../sample-keys.json")).expect("sample-keys.json is JSON"));

pub(crate) struct SigningKey {
    kid: String,
    jwk: Value,
    pair: RsaKeyPair,
}

pub(crate) struct Keys {
    google: Vec<Arc<SigningKey>>,
    users: Vec<Arc<SigningKey>>,
    /// Made when first asked for: few tests do, and a key takes its time.
    unknown: OnceLock<Arc<SigningKey>>,
}

impl Keys {
    pub async fn generate() -> Self {
        let [google, users] = [(); 2].map(|()| spawn_blocking(SigningKey::generate));
        let key = |made: Result<SigningKey, _>| Arc::new(made.expect("a key pair"));
        Self { google: vec![key(google.await)], users: vec![key(users.await)], unknown: OnceLock::new() }
    }

    /// The key that signs now.
    pub fn current(&self, name: KeyName) -> Arc<SigningKey> {
        let published = match name {
            KeyName::Google => self.google.last(),
            KeyName::Users => self.users.last(),
            KeyName::Unknown => None,
        };
        published.unwrap_or_else(|| self.unknown.get_or_init(|| Arc::new(SigningKey::generate()))).clone()
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
            KeyName::Unknown => return json!({ "keys": [] }),
        };
        let keys: Vec<&Value> = published.iter().map(|key| &key.jwk).chain([sample]).collect();
        json!({ "keys": keys })
    }
}

impl SigningKey {
    pub fn generate() -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a new RSA key");
        let (modulus, exponent) = public_numbers(pair.public_key().as_ref());
        let kid: String = sha256(modulus).iter().take(20).map(|byte| format!("{byte:02x}")).collect();
        let jwk = json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": base64url(modulus), "e": base64url(exponent)
        });
        Self { kid, jwk, pair }
    }

    /// A compact JWT. `header` is laid over the usual one; null takes an entry out.
    pub fn sign(&self, header: &Map<String, Value>, claims: &Map<String, Value>) -> String {
        let mut full_header = json!({ "alg": "RS256", "kid": self.kid, "typ": "JWT" });
        overlay(full_header.as_object_mut().expect("an object"), header);
        let claims = Value::Object(claims.clone());
        let signing_input = format!("{}.{}", base64url(full_header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signing_input.as_bytes(), &mut signature)
            .expect("a signature of the modulus' length");
        format!("{signing_input}.{}", base64url(&signature))
    }
}

pub(crate) fn overlay(base: &mut Map<String, Value>, changes: &Map<String, Value>) {
    for (name, value) in changes {
        if value.is_null() {
            base.remove(name);
        } else {
            base.insert(name.clone(), value.clone());
        }
    }
}

/// Modulus and exponent out of a DER `RSAPublicKey`: a sequence of two unsigned integers.
fn public_numbers(der: &[u8]) -> (&[u8], &[u8]) {
    let (sequence, _) = der_value(der);
    let (modulus, rest) = der_value(sequence);
    let (exponent, _) = der_value(rest);
    (modulus.strip_prefix(&[0]).unwrap_or(modulus), exponent)
}

/// The first value's content, and what follows it.
fn der_value(der: &[u8]) -> (&[u8], &[u8]) {
    let short = usize::from(der[1]);
    let (start, length) = match short {
        0..0x80 => (2, short),
        _ => {
            let bytes = short - 0x80;
            let length = der[2..2 + bytes].iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            (2 + bytes, length)
        }
    };
    (&der[start..start + length], &der[start + length..])
}

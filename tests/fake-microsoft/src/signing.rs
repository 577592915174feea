//! The RSA key that signs id tokens.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Map, Value, json};

use crate::values::{base64url, sha256};

pub(crate) struct SigningKey {
    kid: String,
    jwk: Value,
    pair: RsaKeyPair,
}

impl SigningKey {
    /// The same in each fake, since to generate one takes longer than most tests; no deployed stack
    /// believes it.
    pub fn first() -> Self {
        let der = include_bytes!("../keys/microsoft.der");
        Self::of(RsaKeyPair::from_der(der).expect("an RSA key"))
    }

    /// Takes up to a second on a busy machine, and so never within an answer that somebody waits
    /// for.
    pub fn new() -> Self {
        Self::of(RsaKeyPair::generate(KeySize::Rsa2048).expect("a new RSA key"))
    }

    fn of(pair: RsaKeyPair) -> Self {
        let (modulus, exponent) = public_numbers(pair.public_key().as_ref());
        let kid = base64url(&sha256(modulus)[..20]);
        let jwk = json!({
            "kty": "RSA", "use": "sig", "kid": kid, "x5t": kid,
            "n": base64url(modulus), "e": base64url(exponent),
        });
        Self { kid, jwk, pair }
    }

    /// Microsoft's keys name no `alg`.
    pub fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// A compact JWT by RS256.
    pub fn sign(&self, claims: &Map<String, Value>) -> String {
        let header = json!({ "alg": "RS256", "kid": self.kid, "typ": "JWT" });
        let claims = Value::Object(claims.clone());
        let [header, claims] = [header, claims].map(|part| base64url(part.to_string().as_bytes()));
        let input = format!("{header}.{claims}");
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature)
            .expect("a signature of the modulus' length");
        format!("{input}.{}", base64url(&signature))
    }
}

/// Entries of `changes` replace those of `base`; null removes one.
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
            let length =
                der[2..2 + bytes].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (2 + bytes, length)
        }
    };
    (&der[start..start + length], &der[start + length..])
}

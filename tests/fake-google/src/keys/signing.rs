//! One RSA key and the tokens it signs, also in the ways that a verifier must refuse.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::values::{base64, base64url, sha256};

const PEM_LINE: usize = 64;

/// How a token is signed. The `alg` of its header says the same, unless an overlay says otherwise.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signing {
    #[default]
    Rs256,
    /// Unsecured: the signature is empty.
    None,
    /// HMAC with the public key's PEM text as the secret.
    Hs256PublicKey,
    /// By a fresh P-256 key under the RSA key's `kid`.
    Es256,
    /// By the RSA key itself.
    Ps256,
}

impl Signing {
    fn alg(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::None => "none",
            Self::Hs256PublicKey => "HS256",
            Self::Es256 => "ES256",
            Self::Ps256 => "PS256",
        }
    }
}

pub(crate) struct SigningKey {
    kid: String,
    jwk: Value,
    pair: RsaKeyPair,
}

impl SigningKey {
    /// Takes up to a second on a busy machine, and so never within an answer that somebody waits
    /// for.
    pub fn new() -> Self {
        Self::of(RsaKeyPair::generate(KeySize::Rsa2048).expect("a new RSA key"))
    }

    /// `der` is an `RSAPrivateKey` of RFC 8017.
    pub fn read(der: &[u8]) -> Self {
        Self::of(RsaKeyPair::from_der(der).expect("an RSA key"))
    }

    fn of(pair: RsaKeyPair) -> Self {
        let (modulus, exponent) = public_numbers(pair.public_key().as_ref());
        let kid: String =
            sha256(modulus).iter().take(20).map(|byte| format!("{byte:02x}")).collect();
        let jwk = json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": base64url(modulus), "e": base64url(exponent)
        });
        Self { kid, jwk, pair }
    }

    pub fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// A compact JWT. `header` overrides the default one; null removes an entry.
    pub fn sign(
        &self,
        signing: Signing,
        header: &Map<String, Value>,
        claims: &Map<String, Value>,
    ) -> String {
        let mut full_header = json!({ "alg": signing.alg(), "kid": self.kid, "typ": "JWT" });
        overlay(full_header.as_object_mut().expect("an object"), header);
        let claims = Value::Object(claims.clone());
        let signing_input = format!(
            "{}.{}",
            base64url(full_header.to_string().as_bytes()),
            base64url(claims.to_string().as_bytes())
        );
        let signature = self.signature(signing, signing_input.as_bytes());
        format!("{signing_input}.{}", base64url(&signature))
    }

    fn signature(&self, signing: Signing, input: &[u8]) -> Vec<u8> {
        match signing {
            Signing::Rs256 => self.rsa_signature(&RSA_PKCS1_SHA256, input),
            Signing::Ps256 => self.rsa_signature(&RSA_PSS_SHA256, input),
            Signing::None => Vec::new(),
            Signing::Hs256PublicKey => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.public_pem().as_bytes());
                hmac::sign(&key, input).as_ref().to_vec()
            }
            Signing::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                    .expect("a new P-256 key");
                pair.sign(&SystemRandom::new(), input).expect("a signature").as_ref().to_vec()
            }
        }
    }

    fn rsa_signature(&self, padding: &'static dyn RsaEncoding, input: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(padding, &SystemRandom::new(), input, &mut signature)
            .expect("a signature of the modulus' length");
        signature
    }

    /// The `SubjectPublicKeyInfo` as a PEM file holds it, with its last line break.
    fn public_pem(&self) -> String {
        let der: PublicKeyX509Der<'_> =
            self.pair.public_key().as_der().expect("a public key has an encoding");
        let encoded = base64(der.as_ref());
        let lines = encoded.as_bytes().chunks(PEM_LINE).map(String::from_utf8_lossy);
        let lines: String = lines.map(|line| format!("{line}\n")).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{lines}-----END PUBLIC KEY-----\n")
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
            let length =
                der[2..2 + bytes].iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            (2 + bytes, length)
        }
    };
    (&der[start..start + length], &der[start + length..])
}

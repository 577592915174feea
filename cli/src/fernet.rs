//! Fernet, opened only (<https://github.com/fernet/spec/blob/master/Spec.md>): 128-bit AES in CBC
//! mode under an HMAC-SHA256.

use std::fmt;

use aws_lc_rs::cipher::{AES_128, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::{ExposeSecret, SecretString};

const VERSION: u8 = 0x80;
const HALF: usize = 16;
const TIMESTAMP: usize = 8;
const HEADER: usize = 1 + TIMESTAMP;
const TAG: usize = 32;
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    #[error("is no base64url")]
    NotBase64,
    #[error("is no Fernet token")]
    NotFernet,
    #[error("was sealed under another key, or was changed since")]
    WrongKey,
    #[error("holds no text")]
    NoText,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a Fernet key is 32 bytes in base64url (44 characters); several are parted by commas or lines"
)]
pub struct NotAKey;

/// The keys that a token may be sealed under, each tried in turn.
pub struct Keys(Vec<Key>);

struct Key {
    signing: hmac::Key,
    decrypting: PaddedBlockDecryptingKey,
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Keys({})", self.0.len())
    }
}

impl Keys {
    pub fn parse(text: &SecretString) -> Result<Self, NotAKey> {
        let texts = text
            .expose_secret()
            .split([',', '\n', '\r', ' ', '\t'])
            .filter(|text| !text.is_empty());
        let keys: Vec<Key> = texts.map(Key::parse).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(NotAKey) } else { Ok(Self(keys)) }
    }

    /// Opens a token, whatever its age: Google decides whether the grant in it is valid.
    pub fn open(&self, token: &str) -> Result<SecretString, NotOpened> {
        let bytes = BASE64.decode(token.trim()).map_err(|_| NotOpened::NotBase64)?;
        let sealed = bytes.len().checked_sub(HEADER + HALF + TAG).ok_or(NotOpened::NotFernet)?;
        if bytes[0] != VERSION || sealed == 0 || sealed % HALF != 0 {
            return Err(NotOpened::NotFernet);
        }
        let (signed, tag) = bytes.split_at(bytes.len() - TAG);
        let key = self
            .0
            .iter()
            .find(|key| hmac::verify(&key.signing, signed, tag).is_ok())
            .ok_or(NotOpened::WrongKey)?;
        let (iv, sealed) = signed[HEADER..].split_at(HALF);
        let iv = FixedLength::try_from(iv).map_err(|_| NotOpened::NotFernet)?;
        let mut open = sealed.to_vec();
        let text = key
            .decrypting
            .decrypt(&mut open, DecryptionContext::Iv128(iv))
            .map_err(|_| NotOpened::NotFernet)?;
        String::from_utf8(text.to_vec()).map(SecretString::from).map_err(|_| NotOpened::NoText)
    }
}

impl Key {
    /// The first half signs, the second encrypts.
    fn parse(text: &str) -> Result<Self, NotAKey> {
        let bytes = BASE64.decode(text).map_err(|_| NotAKey)?;
        if bytes.len() != 2 * HALF {
            return Err(NotAKey);
        }
        let (signing, encrypting) = bytes.split_at(HALF);
        let cipher = UnboundCipherKey::new(&AES_128, encrypting).map_err(|_| NotAKey)?;
        let decrypting = PaddedBlockDecryptingKey::cbc_pkcs7(cipher).map_err(|_| NotAKey)?;
        Ok(Self { signing: hmac::Key::new(hmac::HMAC_SHA256, signing), decrypting })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Of the specification (generate.json); the second one and what cannot be opened were made with
    // Python's `cryptography`.
    const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    const OTHER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const HELLO: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

    fn keys(text: &str) -> Keys {
        Keys::parse(&text.into()).unwrap()
    }

    #[test]
    fn what_python_sealed_opens() {
        let table = [
            (HELLO, "hello"),
            (HELLO.trim_end_matches('='), "hello"),
            (
                "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkyKTyMbYmiNsw2aOq718ErZlYQbIORRvp9giNbObzxmg==",
                "",
            ),
            (
                "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0OD41sMQi7vbfn2r4qIEz11xmPHxvI2x0Gk5i0io1tGfatlXG_OMB081a5cUSw5jZHm4p-vQQZm_gqQgZLQRpXxq8=",
                "exactly sixteen!",
            ),
            (
                "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0OD_uaHLUqVH4UJAJFmtAVnsyQLvogj7sMNohoU622DVMczLFPJSEga-6w3bd6rUv6QOlhuV--vrs3xyeAGprVUlI=",
                "1//0canary-refresh-token",
            ),
            (
                "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODyo1wRYKICOMCJNlxjHU8rszLOWBw5n-mm6gBLhDDisgUAzrH9TK-v3y2Y56wAjq4DteB3reKcXTgn3zbHbxvNo=",
                "of the second key",
            ),
        ];
        let keys = keys(&format!("{KEY},\n{OTHER}\n"));
        for (token, expected) in table {
            assert_eq!(keys.open(token).unwrap().expose_secret(), expected);
        }
    }

    #[test]
    fn what_is_no_token_of_these_keys_does_not_open() {
        let table = [
            ("", NotOpened::NotFernet),
            ("gAAAAAAdwJ6w!!", NotOpened::NotBase64),
            (&HELLO[..40], NotOpened::NotFernet),
            // Of another version, of no whole block, of none at all.
            (
                "gQAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==",
                NotOpened::NotFernet,
            ),
            (
                "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODwAAAAAAAAAAAAAAAAAAAOyqmLoJEoMpLFUWWMJPXPVSEnH8wC__sF8XKqMC_JyK",
                NotOpened::NotFernet,
            ),
            (
                "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0OD2IXeW0FYyXiuAJk_zX-E-FTBOpoVs4HED35KbDYabN0",
                NotOpened::NotFernet,
            ),
            // The last bit of the tag, another key's, and a good tag over bad padding.
            (
                "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDQ==",
                NotOpened::WrongKey,
            ),
            (
                "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODyo1wRYKICOMCJNlxjHU8rszLOWBw5n-mm6gBLhDDisgUAzrH9TK-v3y2Y56wAjq4DteB3reKcXTgn3zbHbxvNo=",
                NotOpened::WrongKey,
            ),
            (
                "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODwAAAAAAAAAAAAAAAAAAAABBjbEPRunJk7hsB5gvNvgH3JdG0M9fg5scKIYFEptneQ==",
                NotOpened::NotFernet,
            ),
            // Neither does what is no text.
            (
                "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODwAGwvyaEnkiFvMS3WT7PXhtigUVxxTffC4C-8tcbECkXQo6todAFKji21dtzG1JuA==",
                NotOpened::NoText,
            ),
        ];
        let keys = keys(KEY);
        for (token, expected) in table {
            assert_eq!(keys.open(token).unwrap_err(), expected, "{token}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_shown() {
        for text in [
            "",
            ",",
            "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e",
            &format!("{KEY},short"),
            &format!("{KEY}{OTHER}"),
            "ключ",
        ] {
            assert_eq!(Keys::parse(&text.into()).unwrap_err(), NotAKey);
        }
        assert_eq!(format!("{:?}", keys(KEY)), "Keys(1)");
    }
}

//! An older system's users: what it sealed, and the export of them.

use aws_lc_rs::cipher::{AES_128, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;

pub const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
pub const ANOTHER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// As Python's Fernet seals; the same at each time.
pub fn sealed(text: &str, key: &str) -> String {
    let key = BASE64_URL_SAFE.decode(key).unwrap();
    let (signing, encrypting) = key.split_at(16);
    let cipher =
        PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_128, encrypting).unwrap())
            .unwrap();
    let (iv, mut body): ([u8; 16], Vec<u8>) = ([7; 16], text.as_bytes().to_vec());
    cipher.less_safe_encrypt(&mut body, EncryptionContext::Iv128(FixedLength::from(iv))).unwrap();
    let mut token = [&[0x80][..], &499_162_800_u64.to_be_bytes(), &iv, &body].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, signing), &token);
    token.extend_from_slice(tag.as_ref());
    BASE64_URL_SAFE.encode(token)
}

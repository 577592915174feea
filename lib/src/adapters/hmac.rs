//! Signatures of those who fire `webhook` triggers: HMAC-SHA256 under the trigger's secret.

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};

use crate::ports::Signatures;

#[derive(Debug, Clone, Copy, Default)]
pub struct HmacSha256;

impl Signatures for HmacSha256 {
    fn is_signed(&self, secret: &SecretString, signed: &[u8], signature: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        hmac::verify(&key, signed, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    const SIGNED: &[u8] = b"what do ya want for nothing?";
    const SIGNATURE: u128 = 0x5bdc_c146_bf60_754e_6a04_2426_0895_75c7;
    const ITS_REST: u128 = 0x5a00_3f08_9d27_3983_9dec_58b9_64ec_3843;

    fn signature() -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&SIGNATURE.to_be_bytes());
        bytes[16..].copy_from_slice(&ITS_REST.to_be_bytes());
        bytes
    }

    #[test]
    fn only_the_holder_of_the_secret_signs() {
        let is_signed = |secret: &str, signed: &[u8], signature: &[u8]| {
            HmacSha256.is_signed(&secret.into(), signed, signature)
        };
        assert!(is_signed("Jefe", SIGNED, &signature()));
        assert!(!is_signed("jefe", SIGNED, &signature()), "another secret");
        assert!(!is_signed("Jefe", &SIGNED[1..], &signature()), "another text");
        assert!(!is_signed("Jefe", SIGNED, &signature()[..31]), "part of a signature");
        assert!(!is_signed("Jefe", SIGNED, &[]), "no signature");
        for at in 0..32 {
            let mut altered = signature();
            altered[at] ^= 1;
            assert!(!is_signed("Jefe", SIGNED, &altered), "byte {at} altered");
        }
    }
}

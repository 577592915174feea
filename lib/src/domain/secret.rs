//! Secrets: types that neither print nor serialize, in the clear or sealed (how rows hold them,
//! only the store knows).

use std::fmt;

use secrecy::SecretString;

use crate::domain::timestamp::Timestamp;

/// Google's refresh token: the grant itself. Leaves the process only sealed by KMS, or to Google's
/// token endpoint.
#[derive(Debug, Clone)]
pub struct RefreshToken(pub SecretString);

/// A bearer token for Gmail, with the moment it stops being one.
#[derive(Debug, Clone)]
pub struct AccessToken {
    pub secret: SecretString,
    pub expires_at: Timestamp,
}

/// Ciphertext. Useless without its key and the context that it was sealed with, and still not for
/// printing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sealed(pub Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sealed({} bytes)", self.0.len())
    }
}

/// The service's data key as KMS wrapped it. It is stored in the table and beside everything that
/// it sealed.
pub type WrappedKey = Sealed;

/// A cached access token: encrypted under the data key, which is beside it in wrapped form, for one
/// generation of one connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedAccessToken {
    pub key: WrappedKey,
    pub token: Sealed,
    pub expires_at: Timestamp,
}

//! Files that go round Lambda's bound of 6 MB: put into a bucket by who sends them, and fetched from
//! it by who reads them.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::id::{ConnectorId, OwnerId, fingerprint};
use crate::domain::invalid::Invalid;

/// The largest file that Gmail takes with a mail, in bytes.
pub const LONGEST_UPLOAD: u64 = 25 * 1024 * 1024;
/// How long a URL is good for.
pub const URL_LIFE: Duration = Duration::from_secs(15 * 60);

/// Names an uploaded file to its owner; to anybody else it names nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = "uuid", example = "019b0000-0000-7000-8000-00000000001f")]
pub struct UploadId(pub Uuid);

/// The body of `uploads.create`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadSpec {
    /// In bytes; no other size can be put.
    #[schema(minimum = 1, maximum = 26_214_400, example = 25_165_824)]
    pub size: u64,
    /// Of the file's bytes, in hexadecimal; other bytes are then refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[0-9a-f]{64}$", example = json!(null))]
    pub sha256: Option<String>,
}

impl UploadSpec {
    pub fn checked(self) -> Result<Self, Invalid> {
        if !(1..=LONGEST_UPLOAD).contains(&self.size) {
            return Err(Invalid::new(
                "size",
                format!("must be from 1 to {LONGEST_UPLOAD} bytes, the most that Gmail takes"),
            ));
        }
        if self.sha256.is_some() && self.checksum().is_none() {
            return Err(Invalid::new("sha256", "must hold 64 lower-case hexadecimal digits"));
        }
        Ok(self)
    }

    /// The SHA-256 in base64, as S3 wants it.
    pub fn checksum(&self) -> Option<String> {
        let text = self.sha256.as_deref().filter(|text| text.len() == 64 && text.is_ascii())?;
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let bytes = text.as_bytes().chunks_exact(2).map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        });
        Some(BASE64_STANDARD.encode(bytes.collect::<Option<Vec<u8>>>()?))
    }
}

/// Where a file is in the bucket. It is made of who owns it: nobody can name another's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Of what is to go out with a mail.
    pub fn of_upload(owner: &OwnerId, connector: &ConnectorId, id: UploadId) -> Self {
        Self::of("up", owner, connector, id.0)
    }

    /// Of what was taken out of a mail.
    pub fn of_download(owner: &OwnerId, connector: &ConnectorId, id: Uuid) -> Self {
        Self::of("down", owner, connector, id)
    }

    fn of(way: &str, owner: &OwnerId, connector: &ConnectorId, id: Uuid) -> Self {
        // An owner's id may hold any sign, and may be an address: it stays out of logs of the bucket.
        let owner = fingerprint(&["owner", owner.as_str()]);
        Self(format!("{way}/{}/{connector}/{}", owner.simple(), id.simple()))
    }

    #[cfg(test)]
    pub fn example(text: &str) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_of_its_owner_and_connector() {
        let id = UploadId(Uuid::from_u128(7));
        let (ada, bo) = (OwnerId::new("ada"), OwnerId::new("bo"));
        let (one, other) = (ConnectorId::new("con_1"), ConnectorId::new("con_2"));
        let key = ObjectKey::of_upload(&ada, &one, id);
        for other in [
            ObjectKey::of_upload(&bo, &one, id),
            ObjectKey::of_upload(&ada, &other, id),
            ObjectKey::of_upload(&ada, &one, UploadId(Uuid::from_u128(8))),
            ObjectKey::of_download(&ada, &one, id.0),
        ] {
            assert_ne!(key, other);
        }
        assert!(key.as_str().ends_with("/con_1/00000000000000000000000000000007"));
        assert_eq!(
            ObjectKey::of_upload(&OwnerId::new("../../x"), &one, id).0.matches("..").count(),
            0
        );
    }

    #[test]
    fn an_upload_has_a_size_that_gmail_takes_and_a_checksum_that_is_one() {
        let spec = |body: serde_json::Value| {
            serde_json::from_value::<UploadSpec>(body)
                .unwrap()
                .checked()
                .map_err(|error| error.field)
        };
        assert!(spec(json!({"size": LONGEST_UPLOAD})).is_ok());
        for (body, field) in [
            (json!({"size": 0}), "size"),
            (json!({"size": LONGEST_UPLOAD + 1}), "size"),
            (json!({"size": 1, "sha256": "ab"}), "sha256"),
            (json!({"size": 1, "sha256": "G".repeat(64)}), "sha256"),
            (json!({"size": 1, "sha256": "A".repeat(64)}), "sha256"),
        ] {
            assert_eq!(spec(body.clone()).unwrap_err(), field, "{body}");
        }
        let zeros = spec(json!({"size": 1, "sha256": "00".repeat(32)})).unwrap();
        assert_eq!(zeros.checksum().unwrap(), BASE64_STANDARD.encode([0; 32]));
    }

    #[test]
    fn what_is_no_uuid_names_no_upload() {
        for text in ["../x", "", "019b", "up/owner/con_1/7"] {
            assert!(serde_json::from_value::<UploadId>(json!(text)).is_err(), "{text}");
        }
    }
}

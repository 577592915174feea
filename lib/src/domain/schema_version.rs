//! The version of what is written for another deployment of this system to read.

use serde::{Deserialize, Serialize};

/// The one version that is known here. Another one is unreadable, not guessed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct SchemaVersion<const KNOWN: u32>;

impl<const KNOWN: u32> From<SchemaVersion<KNOWN>> for u32 {
    fn from(_: SchemaVersion<KNOWN>) -> u32 {
        KNOWN
    }
}

impl<const KNOWN: u32> TryFrom<u32> for SchemaVersion<KNOWN> {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        if version == KNOWN {
            Ok(Self)
        } else {
            Err(format!("schema_version {version} is not known here"))
        }
    }
}

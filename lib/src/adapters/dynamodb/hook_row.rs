//! The row of a `webhook` trigger's owner and secrets.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::domain::id::OwnerId;
use crate::domain::secret::Sealed;
use crate::domain::timestamp::Timestamp;
use crate::ports::Hook;

#[derive(Serialize, Deserialize)]
pub struct HookRow {
    owner_id: OwnerId,
    secret: ByteBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<PreviousSecret>,
}

#[derive(Serialize, Deserialize)]
struct PreviousSecret {
    secret: ByteBuf,
    until: Timestamp,
}

impl From<&Hook> for HookRow {
    fn from(hook: &Hook) -> Self {
        let bytes = |sealed: &Sealed| ByteBuf::from(sealed.0.clone());
        let previous = hook
            .previous
            .as_ref()
            .map(|(secret, until)| PreviousSecret { secret: bytes(secret), until: *until });
        Self { owner_id: hook.owner.clone(), secret: bytes(&hook.secret), previous }
    }
}

impl From<HookRow> for Hook {
    fn from(row: HookRow) -> Self {
        let previous =
            row.previous.map(|previous| (Sealed(previous.secret.into_vec()), previous.until));
        Self { owner: row.owner_id, secret: Sealed(row.secret.into_vec()), previous }
    }
}

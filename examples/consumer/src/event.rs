//! What the sample reads of `TRIGGER_FIRED`: a part of what `events/schemas/TRIGGER_FIRED.json`
//! describes.

use serde::Deserialize;

/// Another version may mean something else by the same names.
const SCHEMA_VERSION: u32 = 1;

/// Fields that it does not know are no fault: events may gain some.
#[derive(Debug, Clone, Deserialize)]
pub struct Fired {
    pub schema_version: u32,
    pub event_id: String,
    pub fired_at: String,
    pub trigger: Trigger,
    /// Of a trigger of type `email`.
    pub message: Option<Message>,
    /// Of a trigger of type `webhook`.
    pub event: Option<Sent>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Trigger {
    pub id: String,
    pub agent_id: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Message {
    pub subject: Option<String>,
    pub from: Option<Address>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Address {
    pub name: Option<String>,
    pub address: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Sent {
    pub event_type: String,
    pub resource_type: Option<String>,
    pub resource_id: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("not the detail of an event")]
    Malformed(#[source] serde_json::Error),
    #[error("an event of schema version {0}, which is not known here")]
    Unknown(u32),
    #[error("an event without an id")]
    Nameless,
}

impl Fired {
    pub fn read(body: &str) -> Result<Self, Unreadable> {
        let fired: Self = serde_json::from_str(body).map_err(Unreadable::Malformed)?;
        match fired.schema_version {
            SCHEMA_VERSION if fired.event_id.is_empty() => Err(Unreadable::Nameless),
            SCHEMA_VERSION => Ok(fired),
            other => Err(Unreadable::Unknown(other)),
        }
    }
}

//! What an owner changes about a connector: whether mail that arrives from now on fires, and what
//! the connector is called.

use serde_json::Value;

use crate::domain::connector::Reading;
use crate::domain::invalid::Invalid;
use crate::domain::pause;
use crate::domain::timestamp::Timestamp;

/// In characters.
const LONGEST_LABEL: usize = 100;

/// Absent fields stay as they are; a label of null is removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectorChange {
    pub paused: Option<bool>,
    pub label: Option<Option<String>>,
}

impl ConnectorChange {
    pub fn paused(paused: bool) -> Self {
        Self { paused: Some(paused), label: None }
    }

    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let fields = body.as_object().filter(|fields| !fields.is_empty());
        let fields = fields.ok_or_else(|| {
            Invalid::new("body", "changes nothing; send `paused`, `label`, or both")
        })?;
        let mut change = Self::default();
        for (field, value) in fields {
            match (field.as_str(), value) {
                ("paused", Value::Bool(paused)) => change.paused = Some(*paused),
                ("paused", _) => return Err(Invalid::new(field, "must be true or false")),
                ("label", Value::Null) => change.label = Some(None),
                ("label", Value::String(label)) if is_label(label) => {
                    change.label = Some(Some(label.clone()))
                }
                ("label", _) => {
                    return Err(Invalid::new(
                        field,
                        format!("must be 1 to {LONGEST_LABEL} printable characters, or null"),
                    ));
                }
                _ => {
                    return Err(Invalid::new(
                        field,
                        "is not for its owner to change; send `paused`, `label`, or both",
                    ));
                }
            }
        }
        Ok(change)
    }

    pub fn apply(&self, reading: &Reading, now: Timestamp) -> Reading {
        let mut changed = reading.clone();
        if let Some(paused) = self.paused {
            changed.pauses = pause::set(&reading.pauses, paused, now);
        }
        if let Some(label) = &self.label {
            changed.label.clone_from(label);
        }
        changed
    }
}

fn is_label(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= LONGEST_LABEL
        && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_holds_what_was_sent_or_names_what_is_wrong() {
        let change = |paused, label: Option<Option<&str>>| {
            Ok(ConnectorChange { paused, label: label.map(|label| label.map(String::from)) })
        };
        let wrong = |field: &str| Err(field.to_string());
        let longest = "ß".repeat(LONGEST_LABEL);
        let table = [
            (json!({"paused": true}), change(Some(true), None)),
            (json!({"label": "Büro 📬"}), change(None, Some(Some("Büro 📬")))),
            (json!({"label": longest}), change(None, Some(Some(&longest)))),
            (json!({"label": null, "paused": false}), change(Some(false), Some(None))),
            (json!({}), wrong("body")),
            (json!({"paused": null}), wrong("paused")),
            (json!({"paused": "true"}), wrong("paused")),
            (json!({"label": ""}), wrong("label")),
            (json!({"label": "  "}), wrong("label")),
            (json!({"label": "a\nb"}), wrong("label")),
            (json!({"label": 7}), wrong("label")),
            (json!({"label": format!("{longest}a")}), wrong("label")),
            (json!({"paused": true, "status": "active"}), wrong("status")),
        ];
        for (body, expected) in table {
            assert_eq!(
                ConnectorChange::parse(&body).map_err(|invalid| invalid.field),
                expected,
                "{body}"
            );
        }
    }
}

//! A trigger: which mail of which connector fires, and for which agent.

mod filters;
pub mod labels;
mod possible;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::id::{ConnectorId, OwnerId, TriggerId};
use crate::domain::invalid::Invalid;
use crate::domain::timestamp::Timestamp;

pub use self::filters::{Filter, Filters};
use self::possible::check_lists;

/// What one connector may hold: its triggers are read in the same query as the connector itself.
pub const MOST_TRIGGERS: usize = 40;
/// Each has a row more, and all of a connector's rows go in one transaction.
pub const MOST_WEBHOOKS: usize = 10;
/// Of an agent's id, in characters.
const LONGEST_AGENT: usize = 200;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Trigger {
    pub id: TriggerId,
    pub owner_id: OwnerId,
    #[serde(rename = "type")]
    pub kind: TriggerType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    pub config: TriggerConfig,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriggerType {
    /// Mail that arrives fires it.
    Email,
    /// Whoever holds its secret, or its owner, fires it.
    Webhook,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TriggerConfig {
    pub connector_id: ConnectorId,
    #[serde(default)]
    pub filters: Filters,
}

/// The body of a request to create a trigger.
#[derive(Debug, Clone, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTrigger {
    #[serde(rename = "type")]
    pub kind: TriggerType,
    pub config: TriggerConfig,
    #[serde(default)]
    pub agent_id: Option<String>,
}

/// The body of a request to change a trigger. What is absent stays; `agent_id: null` takes the
/// agent away.
#[derive(Debug, Clone, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TriggerChange {
    #[serde(default, deserialize_with = "present")]
    agent_id: Option<Option<String>>,
    #[serde(default)]
    config: Option<ConfigChange>,
}

#[derive(Debug, Clone, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ConfigChange {
    filters: Filters,
}

fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl NewTrigger {
    pub fn parse(body: Value) -> Result<Self, Invalid> {
        let has_lists = check_lists(&body);
        let new = Self::parse_adopted(body)?;
        has_lists?;
        new.config.filters.check_possible()?;
        Ok(new)
    }

    /// A trigger of another system: its filters may be such that no mail passes them, and are taken
    /// over as they are.
    pub fn parse_adopted(body: Value) -> Result<Self, Invalid> {
        check_type(body.get("type"))?;
        let new: Self = read(body)?;
        if ConnectorId::parse(new.config.connector_id.as_str()).is_none() {
            return Err(Invalid::new(
                "config.connector_id",
                "is no connector's id; `GET /api/connectors` lists them",
            ));
        }
        check_agent(new.agent_id.as_deref())?;
        new.config.filters.check()?;
        new.config.filters.check_of(new.kind)?;
        Ok(new)
    }

    pub fn into_trigger(self, id: TriggerId, owner_id: OwnerId, now: Timestamp) -> Trigger {
        Trigger {
            id,
            owner_id,
            kind: self.kind,
            agent_id: self.agent_id,
            config: self.config,
            created_at: now,
            updated_at: now,
        }
    }
}

impl TriggerChange {
    pub fn parse(body: Value) -> Result<Self, Invalid> {
        let fixed = [
            ("type", body.get("type")),
            ("config.connector_id", body.pointer("/config/connector_id")),
        ];
        if let Some((field, _)) = fixed.iter().find(|(_, value)| value.is_some()) {
            return Err(Invalid::new(
                *field,
                "cannot be changed; delete this trigger and create another",
            ));
        }
        let has_lists = check_lists(&body);
        let change: Self = read(body)?;
        check_agent(change.agent_id.as_ref().and_then(|agent| agent.as_deref()))?;
        if let Some(config) = &change.config {
            config.filters.check()?;
            has_lists?;
            config.filters.check_possible()?;
        }
        Ok(change)
    }

    pub fn filters(&self) -> Option<&Filters> {
        self.config.as_ref().map(|config| &config.filters)
    }

    pub fn with_filters(self, filters: Filters) -> Self {
        Self { config: Some(ConfigChange { filters }), ..self }
    }

    /// Whether a trigger of this type can be changed so.
    pub fn check_of(&self, kind: TriggerType) -> Result<(), Invalid> {
        self.config.as_ref().map_or(Ok(()), |config| config.filters.check_of(kind))
    }

    pub fn apply(self, trigger: &Trigger, now: Timestamp) -> Trigger {
        let mut changed = Trigger { updated_at: now, ..trigger.clone() };
        if let Some(agent_id) = self.agent_id {
            changed.agent_id = agent_id;
        }
        if let Some(config) = self.config {
            changed.config.filters = config.filters;
        }
        changed
    }
}

fn check_type(kind: Option<&Value>) -> Result<(), Invalid> {
    match kind {
        Some(Value::String(kind)) if kind == "email" || kind == "webhook" => Ok(()),
        Some(Value::String(kind)) if kind == "email:gmail" => Err(Invalid::new(
            "type",
            "`email:gmail` is the legacy form; send `\"type\": \"email\"` with `\"config\": {\"connector_id\": …}`: the connector knows its provider",
        )),
        Some(Value::String(kind)) => Err(Invalid::new(
            "type",
            format!("`{}` is not known; use `email` or `webhook`", kind.escape_debug()),
        )),
        Some(_) => Err(Invalid::new("type", "must be a string; use `email` or `webhook`")),
        None => Err(Invalid::new("type", "is missing; use `email` or `webhook`")),
    }
}

/// Reads the body, naming the path of the field that does not fit.
fn read<T: serde::de::DeserializeOwned>(body: Value) -> Result<T, Invalid> {
    serde_path_to_error::deserialize(body).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "body".to_string() } else { path };
        Invalid::new(field, error.inner().to_string())
    })
}

fn check_agent(agent_id: Option<&str>) -> Result<(), Invalid> {
    match agent_id {
        Some(agent)
            if agent.is_empty()
                || agent.chars().count() > LONGEST_AGENT
                || agent.chars().any(char::is_control) =>
        {
            Err(Invalid::new(
                "agent_id",
                format!("must be 1 to {LONGEST_AGENT} printable characters, or absent"),
            ))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_refusal_names_the_field_and_the_way_out() {
        let with = |filters: Value| json!({"type": "email", "config": {"connector_id": "con_1", "filters": filters}});
        let long = vec!["ж".repeat(200); 50];
        let table = [
            (json!({}), "type", "use `email`"),
            (json!({"type": "email:gmail"}), "type", "legacy"),
            (json!({"type": "sms"}), "type", "`sms` is not known"),
            (json!({"type": 5}), "type", "must be a string"),
            (json!({"type": "email"}), "body", "missing field `config`"),
            (json!({"type": "email", "config": {}}), "config", "missing field `connector_id`"),
            (
                json!({"type": "email", "config": {"connector_id": 5}}),
                "config.connector_id",
                "expected a string",
            ),
            (
                json!({"type": "email", "config": {"connector_id": "a#b"}}),
                "config.connector_id",
                "no connector's id",
            ),
            (with(json!({"subject": ["a"]})), "config.filters.subject", "unknown field"),
            (
                with(json!({"subject_contains": "a"})),
                "config.filters.subject_contains",
                "expected a sequence",
            ),
            (
                with(json!({"subject_contains": ["a", " "]})),
                "config.filters.subject_contains[1]",
                "1 to 200",
            ),
            (with(json!({"query": ""})), "config.filters.query", "1 to 200"),
            (with(json!({"query": "ж".repeat(201)})), "config.filters.query", "1 to 200"),
            (
                with(
                    json!({"subject_contains": long, "from_contains": long, "to_contains": long, "label_include": long}),
                ),
                "config.filters",
                "bytes",
            ),
            (
                with(json!({"label_include": ["a", "b\r\nc"]})),
                "config.filters.label_include[1]",
                "printable",
            ),
            (
                with(json!({"label_include": vec!["a"; 51]})),
                "config.filters.label_include",
                "more than 50",
            ),
            (
                with(json!({"from_domain": ["a.example", "ada@a.example"]})),
                "config.filters.from_domain[1]",
                "only what comes after",
            ),
            (
                with(json!({"from_domain": ["*.a.example"]})),
                "config.filters.from_domain[0]",
                "name each subdomain",
            ),
            (
                with(json!({"from_domain": ["a b"]})),
                "config.filters.from_domain[0]",
                "no domain name",
            ),
            (
                with(json!({"from_domain": "a.example"})),
                "config.filters.from_domain",
                "expected a sequence",
            ),
            (
                with(json!({"from_domain": vec!["a.example"; 51]})),
                "config.filters.from_domain",
                "more than 50",
            ),
            (
                with(json!({"authenticated": "dmarc"})),
                "config.filters.authenticated",
                "expected a boolean",
            ),
            (
                json!({"type": "email", "config": {"connector_id": "c"}, "agent_id": ""}),
                "agent_id",
                "1 to 200",
            ),
            (json!([]), "type", "is missing"),
        ];
        for (body, field, problem) in table {
            let refusal = NewTrigger::parse(body.clone()).unwrap_err();
            assert_eq!(refusal.field, field, "{body}");
            assert!(refusal.problem.contains(problem), "{body}: {}", refusal.problem);
        }
        let longest =
            json!({"query": "ж".repeat(200), "subject_contains": long, "from_contains": long});
        assert!(
            NewTrigger::parse(with(longest)).is_ok(),
            "letters are counted, whatever their bytes"
        );
    }

    #[test]
    fn a_change_leaves_alone_what_it_does_not_name() {
        let body = json!({"type": "email", "config": {"connector_id": "c", "filters": {"query": "a"}}, "agent_id": "agent"});
        let created = Timestamp::from_seconds(1);
        let trigger = NewTrigger::parse(body).unwrap().into_trigger(
            TriggerId::new("t"),
            OwnerId::new("o"),
            created,
        );
        let change = |body: Value| {
            TriggerChange::parse(body)
                .map(|change| change.apply(&trigger, Timestamp::from_seconds(2)))
        };

        assert_eq!(
            change(json!({})).unwrap(),
            Trigger { updated_at: Timestamp::from_seconds(2), ..trigger.clone() }
        );
        assert_eq!(change(json!({"agent_id": null})).unwrap().agent_id, None);
        let refiltered = change(json!({"config": {"filters": {"has_attachment": true}}})).unwrap();
        assert_eq!(
            (refiltered.config.filters.query, refiltered.config.filters.has_attachment),
            (None, Some(true))
        );
        assert_eq!(refiltered.agent_id.as_deref(), Some("agent"));
        for fixed in [json!({"type": "email"}), json!({"config": {"connector_id": "d"}})] {
            assert!(change(fixed).unwrap_err().problem.contains("cannot be changed"));
        }
    }
}

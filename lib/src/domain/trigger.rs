//! A trigger: which mail of which connector fires, and for which agent.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::id::{ConnectorId, OwnerId, TriggerId};
use crate::domain::mail_domain::MailDomain;
use crate::domain::message::{Address, Message, without_case};
use crate::domain::timestamp::Timestamp;

/// What one connector may hold: its triggers are read in the same query as the connector itself.
pub const MOST_TRIGGERS: usize = 40;
/// Each has a row more, and all of a connector's rows go in one transaction.
pub const MOST_WEBHOOKS: usize = 10;
const MOST_VALUES: usize = 50;
/// In characters.
const LONGEST_VALUE: usize = 200;
/// In bytes, as JSON: forty triggers with their connector go in one transaction of DynamoDB, which takes 4 MB.
const LARGEST_FILTERS: usize = 64 * 1024;

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

/// All that is given must hold. Text is compared without regard to letter case; a header that is missing does not match.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Filters {
    /// Words, each of which must occur in From, as it is shown, or in Subject. Senders choose both: it is no check of who sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// At least one must occur in From's address; the name beside it does not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from_contains: Vec<String>,
    /// One of which must be the whole domain of From's address. A subdomain is another one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from_domain: Vec<MailDomain>,
    /// At least one must occur in an address of To.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to_contains: Vec<String>,
    /// At least one must occur.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subject_contains: Vec<String>,
    /// Label ids that the message must all carry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub label_include: Vec<String>,
    /// Label ids of which it must carry none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub label_exclude: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_attachment: Option<bool>,
    /// Whether the receiving server said that the domain of From's address stands behind the mail (DMARC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticated: Option<bool>,
}

/// One of a trigger's filters, by its name in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    Query,
    FromContains,
    FromDomain,
    ToContains,
    SubjectContains,
    LabelInclude,
    LabelExclude,
    HasAttachment,
    Authenticated,
}

impl Filter {
    pub const ALL: [Self; 9] = [
        Self::Query,
        Self::FromContains,
        Self::FromDomain,
        Self::ToContains,
        Self::SubjectContains,
        Self::LabelInclude,
        Self::LabelExclude,
        Self::HasAttachment,
        Self::Authenticated,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FromContains => "from_contains",
            Self::FromDomain => "from_domain",
            Self::ToContains => "to_contains",
            Self::SubjectContains => "subject_contains",
            Self::LabelInclude => "label_include",
            Self::LabelExclude => "label_exclude",
            Self::HasAttachment => "has_attachment",
            Self::Authenticated => "authenticated",
        }
    }
}

/// What a caller sent does not make a trigger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidTrigger {
    /// The field, as a path from the body.
    pub field: String,
    /// What is wrong, and the way out.
    pub problem: String,
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

/// The body of a request to change a trigger. What is absent stays; `agent_id: null` takes the agent away.
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

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl NewTrigger {
    pub fn parse(body: Value) -> Result<Self, InvalidTrigger> {
        check_type(body.get("type"))?;
        let new: Self = read(body)?;
        if ConnectorId::parse(new.config.connector_id.as_str()).is_none() {
            return Err(invalid("config.connector_id", "is no connector's id; `GET /api/connectors` lists them"));
        }
        check_agent(new.agent_id.as_deref())?;
        new.config.filters.check()?;
        new.config.filters.check_of(new.kind)?;
        Ok(new)
    }

    pub fn into_trigger(self, id: TriggerId, owner_id: OwnerId, now: Timestamp) -> Trigger {
        Trigger { id, owner_id, kind: self.kind, agent_id: self.agent_id, config: self.config, created_at: now, updated_at: now }
    }
}

impl TriggerChange {
    pub fn parse(body: Value) -> Result<Self, InvalidTrigger> {
        let fixed = [("type", body.get("type")), ("config.connector_id", body.pointer("/config/connector_id"))];
        if let Some((field, _)) = fixed.iter().find(|(_, value)| value.is_some()) {
            return Err(invalid(*field, "cannot be changed; delete this trigger and create another"));
        }
        let change: Self = read(body)?;
        check_agent(change.agent_id.as_ref().and_then(|agent| agent.as_deref()))?;
        if let Some(config) = &change.config {
            config.filters.check()?;
        }
        Ok(change)
    }

    /// Whether a trigger of this type can be changed so.
    pub fn check_of(&self, kind: TriggerType) -> Result<(), InvalidTrigger> {
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

fn invalid(field: impl Into<String>, problem: impl Into<String>) -> InvalidTrigger {
    InvalidTrigger { field: field.into(), problem: problem.into() }
}

fn check_type(kind: Option<&Value>) -> Result<(), InvalidTrigger> {
    match kind {
        Some(Value::String(kind)) if kind == "email" || kind == "webhook" => Ok(()),
        Some(Value::String(kind)) if kind == "email:gmail" => Err(invalid(
            "type",
            "`email:gmail` is the legacy form; send `\"type\": \"email\"` with `\"config\": {\"connector_id\": …}`: the connector knows its provider",
        )),
        Some(Value::String(kind)) => Err(invalid("type", format!("`{}` is not known; use `email` or `webhook`", kind.escape_debug()))),
        Some(_) => Err(invalid("type", "must be a string; use `email` or `webhook`")),
        None => Err(invalid("type", "is missing; use `email` or `webhook`")),
    }
}

/// Reads the body, naming the path of the field that does not fit.
fn read<T: serde::de::DeserializeOwned>(body: Value) -> Result<T, InvalidTrigger> {
    serde_path_to_error::deserialize(body).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "body".to_string() } else { path };
        invalid(field, error.inner().to_string())
    })
}

fn check_agent(agent_id: Option<&str>) -> Result<(), InvalidTrigger> {
    match agent_id {
        Some(agent) if agent.is_empty() || agent.chars().count() > LONGEST_VALUE || agent.chars().any(char::is_control) => {
            Err(invalid("agent_id", format!("must be 1 to {LONGEST_VALUE} printable characters, or absent")))
        }
        _ => Ok(()),
    }
}

impl Filters {
    fn check(&self) -> Result<(), InvalidTrigger> {
        let unfit = |text: &str| text.trim().is_empty() || text.chars().count() > LONGEST_VALUE || text.chars().any(char::is_control);
        if self.query.as_deref().is_some_and(unfit) {
            return Err(invalid("config.filters.query", format!("must hold 1 to {LONGEST_VALUE} printable characters, or be absent")));
        }
        if self.from_domain.len() > MOST_VALUES {
            return Err(invalid("config.filters.from_domain", format!("holds more than {MOST_VALUES} values")));
        }
        let lists = [
            ("from_contains", &self.from_contains),
            ("to_contains", &self.to_contains),
            ("subject_contains", &self.subject_contains),
            ("label_include", &self.label_include),
            ("label_exclude", &self.label_exclude),
        ];
        for (name, list) in lists {
            if list.len() > MOST_VALUES {
                return Err(invalid(format!("config.filters.{name}"), format!("holds more than {MOST_VALUES} values")));
            }
            if let Some(at) = list.iter().position(|value| unfit(value)) {
                return Err(invalid(
                    format!("config.filters.{name}[{at}]"),
                    format!("must hold 1 to {LONGEST_VALUE} printable characters"),
                ));
            }
        }
        // Text, lists and flags: rendering them cannot fail.
        let bytes = serde_json::to_vec(self).unwrap_or_default().len();
        if bytes > LARGEST_FILTERS {
            return Err(invalid(
                "config.filters",
                format!("hold {bytes} bytes of the {LARGEST_FILTERS} that they may; make several triggers"),
            ));
        }
        Ok(())
    }

    fn check_of(&self, kind: TriggerType) -> Result<(), InvalidTrigger> {
        match kind == TriggerType::Webhook && *self != Self::default() {
            true => Err(invalid("config.filters", "filter mail; what fires a `webhook` trigger is for its sender to choose")),
            false => Ok(()),
        }
    }

    pub fn matches(&self, message: &Message) -> bool {
        self.unmet(message).next().is_none()
    }

    /// Those that the message does not pass.
    pub fn unmet(&self, message: &Message) -> impl Iterator<Item = Filter> {
        Filter::ALL.into_iter().filter(|filter| !self.holds(*filter, message))
    }

    fn holds(&self, filter: Filter, message: &Message) -> bool {
        let from = |part: &str| message.from.as_ref().is_some_and(|from| from.contains(part));
        let shown = |part: &str| message.from.as_ref().is_some_and(|from| from.shows(part));
        let to = |part: &str| message.to.iter().any(|to| to.contains(part));
        let subject = |part: &str| message.subject.as_ref().is_some_and(|subject| without_case(subject).contains(part));
        let any = |parts: &[String], held: &dyn Fn(&str) -> bool| parts.is_empty() || parts.iter().any(|part| held(&without_case(part)));
        let labelled = |label: &String| message.label_ids.contains(label);

        match filter {
            Filter::Query => {
                let query = without_case(self.query.as_deref().unwrap_or_default());
                query.split_whitespace().all(|word| shown(word) || subject(word))
            }
            Filter::FromContains => any(&self.from_contains, &from),
            Filter::FromDomain => {
                let domain = message.from.as_ref().and_then(Address::domain);
                self.from_domain.is_empty() || domain.is_some_and(|domain| self.from_domain.contains(&domain))
            }
            Filter::ToContains => any(&self.to_contains, &to),
            Filter::SubjectContains => any(&self.subject_contains, &subject),
            Filter::LabelInclude => self.label_include.iter().all(labelled),
            Filter::LabelExclude => !self.label_exclude.iter().any(labelled),
            Filter::HasAttachment => self.has_attachment.is_none_or(|wanted| wanted == message.has_attachments),
            Filter::Authenticated => self.authenticated.is_none_or(|wanted| wanted == message.is_authenticated()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::id::MessageId;
    use crate::domain::message::ProviderMessage;

    fn mail() -> Message {
        ProviderMessage {
            id: MessageId::new("m"),
            thread_id: "t".into(),
            label_ids: vec!["INBOX".into(), "Label_7".into()],
            history_id: None,
            received_at: Timestamp::from_seconds(0),
            snippet: String::new(),
            size_estimate: 0,
            has_attachments: true,
            headers: [
                ("Authentication-Results", "mx.google.com; dmarc=pass header.from=shop.example"),
                ("From", "Billing <pay@shop.example>"),
                ("To", "Ada <ada@example.com>"),
                ("Subject", "Your INVOICE for May"),
            ]
            .map(|(name, value)| (name.into(), value.into()))
            .into(),
        }
        .normalize()
    }

    #[test]
    fn fires_for_what_every_given_filter_accepts() {
        let table = [
            (json!({}), true),
            (json!({"query": "billing invoice"}), true),
            (json!({"query": "billing receipt"}), false),
            (json!({"query": "ada"}), false),
            (json!({"from_contains": ["nobody", "SHOP.example"]}), true),
            (json!({"from_contains": ["nobody"]}), false),
            (json!({"from_contains": ["Billing"]}), false),
            (json!({"from_domain": ["other.example", "SHOP.example"]}), true),
            (json!({"from_domain": ["example", "op.example", "mail.shop.example", "shop.example.com"]}), false),
            (json!({"to_contains": ["ada@"]}), true),
            (json!({"to_contains": ["Ada <"]}), false),
            (json!({"subject_contains": ["invoice"]}), true),
            (json!({"subject_contains": ["receipt"]}), false),
            (json!({"label_include": ["INBOX", "Label_7"]}), true),
            (json!({"label_include": ["INBOX", "Label_8"]}), false),
            (json!({"label_exclude": ["Label_8"]}), true),
            (json!({"label_exclude": ["Label_7"]}), false),
            (json!({"has_attachment": true}), true),
            (json!({"has_attachment": false}), false),
            (json!({"authenticated": true}), true),
            (json!({"authenticated": false}), false),
            (json!({"subject_contains": ["invoice"], "from_contains": ["nobody"]}), false),
        ];
        for (filters, expected) in table {
            let parsed: Filters = serde_json::from_value(filters.clone()).unwrap();
            assert_eq!(parsed.matches(&mail()), expected, "{filters}");
        }
    }

    #[test]
    fn a_part_of_a_word_matches_in_any_letter_case() {
        let greek = Message { subject: Some("ΟΔΟΣ ΑΣΒ".into()), ..mail() };
        for part in ["ΟΔΟΣ", "οδος", "ΑΣ", "ας", "ασβ"] {
            let parsed: Filters = serde_json::from_value(json!({"subject_contains": [part], "query": part})).unwrap();
            assert!(parsed.matches(&greek), "{part}");
        }
    }

    #[test]
    fn a_domain_has_two_spellings_and_is_one() {
        let from = |address: &str| Message { from: Some(Address { name: None, address: address.into() }), ..mail() };
        for (domain, address, expected) in [
            ("bücher.example", "a@xn--bcher-kva.example", true),
            ("xn--bcher-kva.example", "a@BÜCHER.example", true),
            ("bucher.example", "a@bücher.example", false),
            ("bücher.example", "\"a@bücher.example\"@x.example", false),
            ("x.example", "\"a@bücher.example\"@x.example", true),
            ("192.0.2.1", "a@[192.0.2.1]", false),
        ] {
            let parsed: Filters = serde_json::from_value(json!({"from_domain": [domain]})).unwrap();
            assert_eq!(parsed.matches(&from(address)), expected, "{domain} {address}");
        }
    }

    #[test]
    fn filters_that_an_earlier_version_wrote_are_read() {
        let earlier = json!({"query": "a", "from_contains": ["b"], "has_attachment": true});
        let read: Filters = serde_json::from_value(earlier.clone()).unwrap();
        assert_eq!((read.from_domain.len(), read.authenticated), (0, None));
        assert_eq!(serde_json::to_value(read).unwrap(), earlier, "and written as they were");
    }

    #[test]
    fn a_missing_header_does_not_match() {
        let bare = Message { subject: None, from: None, to: vec![], authentication: None, ..mail() };
        for filters in [
            json!({"query": "a"}),
            json!({"from_contains": ["a"]}),
            json!({"from_domain": ["a.example"]}),
            json!({"to_contains": ["a"]}),
            json!({"subject_contains": ["a"]}),
            json!({"authenticated": true}),
        ] {
            let parsed: Filters = serde_json::from_value(filters.clone()).unwrap();
            assert!(!parsed.matches(&bare), "{filters}");
        }
    }

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
            (json!({"type": "email", "config": {"connector_id": 5}}), "config.connector_id", "expected a string"),
            (json!({"type": "email", "config": {"connector_id": "a#b"}}), "config.connector_id", "no connector's id"),
            (with(json!({"subject": ["a"]})), "config.filters.subject", "unknown field"),
            (with(json!({"subject_contains": "a"})), "config.filters.subject_contains", "expected a sequence"),
            (with(json!({"subject_contains": ["a", " "]})), "config.filters.subject_contains[1]", "1 to 200"),
            (with(json!({"query": ""})), "config.filters.query", "1 to 200"),
            (with(json!({"query": "ж".repeat(201)})), "config.filters.query", "1 to 200"),
            (
                with(json!({"subject_contains": long, "from_contains": long, "to_contains": long, "label_include": long})),
                "config.filters",
                "bytes",
            ),
            (with(json!({"label_include": ["a", "b\r\nc"]})), "config.filters.label_include[1]", "printable"),
            (with(json!({"label_include": vec!["a"; 51]})), "config.filters.label_include", "more than 50"),
            (with(json!({"from_domain": ["a.example", "ada@a.example"]})), "config.filters.from_domain[1]", "only what comes after"),
            (with(json!({"from_domain": ["*.a.example"]})), "config.filters.from_domain[0]", "name each subdomain"),
            (with(json!({"from_domain": ["a b"]})), "config.filters.from_domain[0]", "no domain name"),
            (with(json!({"from_domain": "a.example"})), "config.filters.from_domain", "expected a sequence"),
            (with(json!({"from_domain": vec!["a.example"; 51]})), "config.filters.from_domain", "more than 50"),
            (with(json!({"authenticated": "dmarc"})), "config.filters.authenticated", "expected a boolean"),
            (json!({"type": "email", "config": {"connector_id": "c"}, "agent_id": ""}), "agent_id", "1 to 200"),
            (json!([]), "type", "is missing"),
        ];
        for (body, field, problem) in table {
            let refusal = NewTrigger::parse(body.clone()).unwrap_err();
            assert_eq!(refusal.field, field, "{body}");
            assert!(refusal.problem.contains(problem), "{body}: {}", refusal.problem);
        }
        let longest = json!({"query": "ж".repeat(200), "subject_contains": long, "from_contains": long});
        assert!(NewTrigger::parse(with(longest)).is_ok(), "letters are counted, whatever their bytes");
    }

    #[test]
    fn a_change_leaves_alone_what_it_does_not_name() {
        let body = json!({"type": "email", "config": {"connector_id": "c", "filters": {"query": "a"}}, "agent_id": "agent"});
        let created = Timestamp::from_seconds(1);
        let trigger = NewTrigger::parse(body).unwrap().into_trigger(TriggerId::new("t"), OwnerId::new("o"), created);
        let change = |body: Value| TriggerChange::parse(body).map(|change| change.apply(&trigger, Timestamp::from_seconds(2)));

        assert_eq!(change(json!({})).unwrap(), Trigger { updated_at: Timestamp::from_seconds(2), ..trigger.clone() });
        assert_eq!(change(json!({"agent_id": null})).unwrap().agent_id, None);
        let refiltered = change(json!({"config": {"filters": {"has_attachment": true}}})).unwrap();
        assert_eq!((refiltered.config.filters.query, refiltered.config.filters.has_attachment), (None, Some(true)));
        assert_eq!(refiltered.agent_id.as_deref(), Some("agent"));
        for fixed in [json!({"type": "email"}), json!({"config": {"connector_id": "d"}})] {
            assert!(change(fixed).unwrap_err().problem.contains("cannot be changed"));
        }
    }
}

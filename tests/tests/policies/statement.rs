//! One statement of a role's policy, evaluated as IAM does. Features of IAM that no statement here
//! uses are refused.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml_ng::Value;

/// The permission that a call needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AwsRequest {
    pub action: String,
    pub resource: String,
    /// The condition keys of the request, each with its values.
    pub keys: BTreeMap<String, BTreeSet<String>>,
}

/// The smallest part of what a statement allows: one action on one resource, under one value of one
/// condition key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    pub action: String,
    pub resource: String,
    /// `*` where the statement has no condition.
    pub value: String,
}

/// Not compared: most event types are published only after an outage of the bus. Security case 81
/// checks them.
const DETAIL_TYPE: &str = "events:detail-type";

#[derive(Debug)]
pub struct Statement {
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Debug)]
struct Condition {
    operator: Operator,
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    /// Also true for a request without the key.
    AllLike,
    AllEqual,
    AnyLike,
    AnyEqual,
    Null,
}

impl Statement {
    pub fn read(statement: &Value) -> Result<Self, String> {
        let fields = statement.as_mapping().ok_or("a statement is a mapping")?;
        if let Some(other) = fields.keys().find(|key| {
            !["Effect", "Action", "Resource", "Condition"].iter().any(|known| *key == known)
        }) {
            return Err(format!("not evaluated here: {other:?}"));
        }
        if statement["Effect"] != "Allow" {
            return Err(format!("not evaluated here: Effect {:?}", statement["Effect"]));
        }
        let conditions = match &statement["Condition"] {
            Value::Null => Vec::new(),
            given => Condition::read(given)?,
        };
        let (actions, resources) = (texts(&statement["Action"])?, texts(&statement["Resource"])?);
        // All objects of a bucket are recorded as that.
        let named =
            resources.iter().map(|resource| resource.strip_suffix("/*").unwrap_or(resource));
        let named = actions.iter().map(String::as_str).chain(named);
        if let Some(wild) = named.into_iter().find(|text| text.contains(['*', '?'])) {
            return Err(format!("not evaluated here: the wildcard of {wild}"));
        }
        Ok(Self {
            actions,
            resources: resources.iter().map(|resource| logical(resource)).collect(),
            conditions,
        })
    }

    pub fn allows(&self, request: &AwsRequest) -> bool {
        let names = self.actions.iter().any(|action| action.eq_ignore_ascii_case(&request.action))
            && self.resources.contains(&request.resource);
        names
            && self
                .conditions
                .iter()
                .all(|condition| condition.holds(request.keys.get(&condition.key)))
    }

    /// All rights that the statement allows.
    pub fn rights(&self) -> BTreeSet<Right> {
        let any = ["*".to_string()];
        let values =
            self.compared().map_or(any.as_slice(), |condition| condition.values.as_slice());
        let right = |action: &String, resource: &String, value: &String| Right {
            action: action.clone(),
            resource: resource.clone(),
            value: value.clone(),
        };
        let on = |action| {
            self.resources.iter().flat_map(move |resource| {
                values.iter().map(move |value| right(action, resource, value))
            })
        };
        self.actions.iter().flat_map(on).collect()
    }

    /// The rights that an allowed request uses.
    pub fn used_by(&self, request: &AwsRequest) -> BTreeSet<Right> {
        let used = |right: &Right| {
            let here = right.action.eq_ignore_ascii_case(&request.action)
                && right.resource == request.resource;
            let given =
                self.compared().map(|condition| (condition, request.keys.get(&condition.key)));
            here && given.is_none_or(|(condition, given)| {
                given.is_some_and(|given| {
                    given.iter().any(|given| condition.fits(&right.value, given))
                })
            })
        };
        self.rights().into_iter().filter(used).collect()
    }

    /// The condition whose values are compared; a `Null` condition has none.
    fn compared(&self) -> Option<&Condition> {
        self.conditions
            .iter()
            .find(|condition| condition.operator != Operator::Null && condition.key != DETAIL_TYPE)
    }
}

impl Condition {
    fn read(given: &Value) -> Result<Vec<Self>, String> {
        let mut conditions = Vec::new();
        for (operator, keys) in given.as_mapping().ok_or("conditions are a mapping")? {
            let operator = match operator.as_str().unwrap_or_default() {
                "ForAllValues:StringLike" => Operator::AllLike,
                "ForAllValues:StringEquals" => Operator::AllEqual,
                "ForAnyValue:StringLike" => Operator::AnyLike,
                "ForAnyValue:StringEquals" => Operator::AnyEqual,
                "Null" => Operator::Null,
                other => return Err(format!("not evaluated here: the operator {other}")),
            };
            for (key, values) in keys.as_mapping().ok_or("an operator's keys are a mapping")? {
                let key = key.as_str().ok_or("a condition key is text")?.to_string();
                conditions.push(Self { operator, key, values: texts(values)? });
            }
        }
        // The used values are compared for one condition only, so a second one with values is
        // refused.
        let compared = |condition: &&Self| {
            condition.operator != Operator::Null && condition.key != DETAIL_TYPE
        };
        if conditions.iter().filter(compared).count() > 1 {
            return Err("not evaluated here: two conditions that list values".into());
        }
        Ok(conditions)
    }

    fn holds(&self, given: Option<&BTreeSet<String>>) -> bool {
        let none = BTreeSet::new();
        let given = given.unwrap_or(&none);
        let fits = |given: &String| self.values.iter().any(|value| self.fits(value, given));
        match self.operator {
            Operator::AllLike | Operator::AllEqual => given.iter().all(fits),
            Operator::AnyLike | Operator::AnyEqual => given.iter().any(fits),
            Operator::Null => self.values.iter().any(|null| (null == "true") == given.is_empty()),
        }
    }

    fn fits(&self, value: &str, given: &str) -> bool {
        match self.operator {
            Operator::AllLike | Operator::AnyLike => like(value, given),
            _ => value == given,
        }
    }
}

/// `*` matches any text, `?` one character.
fn like(pattern: &str, text: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return text.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' => text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .any(|at| like(rest, &text[at..])),
        '?' => text.chars().next().is_some_and(|one| like(rest, &text[one.len_utf8()..])),
        one => text.strip_prefix(one).is_some_and(|text| like(rest, text)),
    }
}

fn texts(value: &Value) -> Result<Vec<String>, String> {
    let one = |value: &Value| {
        value.as_str().map(String::from).ok_or_else(|| format!("not text: {value:?}"))
    };
    match value {
        Value::Sequence(values) => values.iter().map(one).collect(),
        value => Ok(vec![one(value)?]),
    }
}

/// The logical name: `ConnectorsTable` for `ConnectorsTable.Arn`, `ConnectorsTable/index/due` for
/// its index.
fn logical(resource: &str) -> String {
    resource.replace("${", "").replace('}', "").replace(".Arn", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(yaml: &str) -> Result<Statement, String> {
        Statement::read(&serde_yaml_ng::from_str(yaml).unwrap())
    }

    fn request(action: &str, resource: &str, key: &str, values: &[&str]) -> AwsRequest {
        let keys =
            BTreeMap::from([(key.to_string(), values.iter().map(ToString::to_string).collect())]);
        AwsRequest { action: action.into(), resource: resource.into(), keys }
    }

    #[test]
    fn a_statement_allows_what_iam_would_allow() {
        let rows = |condition: &str| {
            format!(
                "{{Effect: Allow, Action: ['dynamodb:GetItem'], Resource: Table.Arn, Condition: {condition}}}"
            )
        };
        let all = rows(
            r##"{"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["MAILBOX#*", "SERVICE"]}}"##,
        );
        let any = rows(r##"{"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["MAILBOX#*"]}}"##);
        let all_and_there = rows(
            r##"{"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["SERVICE"]}, "Null": {"dynamodb:LeadingKeys": "false"}}"##,
        );
        let any_equal =
            rows(r##"{"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": ["SERVICE"]}}"##);
        let table: [(&str, &str, &[&str], bool); 16] = [
            (&all, "dynamodb:GetItem", &["MAILBOX#"], true),
            (&all, "DynamoDB:getitem", &["MAILBOX#a@example.com"], true),
            (&all, "dynamodb:GetItem", &["MAILBOX#", "SERVICE"], true),
            (&all, "dynamodb:GetItem", &["MAILBOX#", "OWNER#"], false),
            (&all, "dynamodb:GetItem", &["MAILBOX"], false),
            (&all, "dynamodb:GetItem", &["SERVICE#"], false),
            (&all, "dynamodb:PutItem", &["MAILBOX#"], false),
            // Without the key, ForAllValues is true.
            (&all, "dynamodb:GetItem", &[], true),
            (&any, "dynamodb:GetItem", &["OWNER#", "MAILBOX#"], true),
            (&any, "dynamodb:GetItem", &["OWNER#"], false),
            (&any, "dynamodb:GetItem", &[], false),
            (&all_and_there, "dynamodb:GetItem", &["SERVICE"], true),
            (&all_and_there, "dynamodb:GetItem", &["SERVICE", "OWNER#"], false),
            (&all_and_there, "dynamodb:GetItem", &[], false),
            (&any_equal, "dynamodb:GetItem", &["SERVICE"], true),
            (&any_equal, "dynamodb:GetItem", &["SERVICE*"], false),
        ];
        for (yaml, action, values, expected) in table {
            let request = request(action, "Table", "dynamodb:LeadingKeys", values);
            assert_eq!(statement(yaml).unwrap().allows(&request), expected, "{yaml} {request:?}");
        }
    }

    #[test]
    fn an_event_must_fit_by_source_and_by_type() {
        let yaml = r##"{Effect: Allow, Action: "events:PutEvents", Resource: Bus.Arn, Condition: {
            "ForAllValues:StringEquals": {"events:source": [ours], "events:detail-type": [FIRED]},
            "Null": {"events:source": "false", "events:detail-type": "false"}}}"##;
        let statement = statement(yaml).unwrap();
        for (source, detail_type, expected) in [
            (Some("ours"), Some("FIRED"), true),
            (Some("ours"), Some("OTHER"), false),
            (Some("aws.ec2"), Some("FIRED"), false),
            (None, Some("FIRED"), false),
            (Some("ours"), None, false),
        ] {
            let named = [("events:source", source), ("events:detail-type", detail_type)];
            let keys = named.into_iter().filter_map(|(key, value)| {
                Some((key.to_string(), BTreeSet::from([value?.to_string()])))
            });
            let request = AwsRequest {
                action: "events:PutEvents".into(),
                resource: "Bus".into(),
                keys: keys.collect(),
            };
            assert_eq!(statement.allows(&request), expected, "{source:?} {detail_type:?}");
        }
    }

    #[test]
    fn an_index_is_another_resource_than_its_table() {
        let on_index = statement(
            r#"{Effect: Allow, Action: "dynamodb:Query", Resource: "${Table.Arn}/index/due"}"#,
        )
        .unwrap();
        assert!(on_index.allows(&request("dynamodb:Query", "Table/index/due", "", &[])));
        assert!(!on_index.allows(&request("dynamodb:Query", "Table", "", &[])));
        assert!(!on_index.allows(&request("dynamodb:Query", "Table/index/told", "", &[])));
    }

    #[test]
    fn a_request_uses_the_rights_that_it_needs() {
        let yaml = r##"{Effect: Allow, Action: [a:Get, a:Put], Resource: [One.Arn, Two.Arn],
            Condition: {"ForAllValues:StringLike": {k: ["X#*", "Y#*"]}}}"##;
        let statement = statement(yaml).unwrap();
        assert_eq!(statement.rights().len(), 8);
        let used = statement.used_by(&request("a:Put", "Two", "k", &["Y#"]));
        let right = |value: &str| Right {
            action: "a:Put".into(),
            resource: "Two".into(),
            value: value.into(),
        };
        assert_eq!(used, BTreeSet::from([right("Y#*")]));
        assert_eq!(
            statement.used_by(&request("a:Put", "Two", "k", &["X#", "Y#"])),
            BTreeSet::from([right("X#*"), right("Y#*")])
        );
        assert!(statement.used_by(&request("a:Put", "Two", "k", &[])).is_empty());
    }

    #[test]
    fn what_is_not_evaluated_is_refused() {
        for yaml in [
            "{Effect: Deny, Action: 'a:b', Resource: R}",
            "{Effect: Allow, NotAction: 'a:b', Resource: R}",
            "{Effect: Allow, Action: 'a:*', Resource: R}",
            "{Effect: Allow, Action: 'a:b', Resource: '*'}",
            "{Effect: Allow, Action: 'a:b', Resource: R, Condition: {StringEquals: {k: v}}}",
            "{Effect: Allow, Action: 'a:b', Resource: R, Condition: {'ForAllValues:StringLike': {k: v, l: w}}}",
        ] {
            assert!(statement(yaml).is_err(), "{yaml}");
        }
    }

    #[test]
    fn a_pattern_fits_as_in_iam() {
        for (pattern, text, expected) in [
            ("a*c", "abbc", true),
            ("a*c", "ac", true),
            ("a?c", "ac", false),
            ("a?c", "aéc", true),
            ("*", "", true),
            ("a", "ab", false),
        ] {
            assert_eq!(like(pattern, text), expected, "{pattern} {text}");
        }
    }
}

//! The deployed template, for tests that compare something with it.

use std::collections::BTreeMap;

use serde_yaml_ng::Value;
use serde_yaml_ng::value::TaggedValue;

/// The template, with CloudFormation's short forms (`!Ref`, `!Sub`) replaced by their argument.
pub fn read() -> Value {
    read_from("template.yaml")
}

/// Another template, by its path from the root.
pub fn read_from(path: &str) -> Value {
    let text =
        std::fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    plain(serde_yaml_ng::from_str(&text).unwrap())
}

fn plain(value: Value) -> Value {
    match value {
        Value::Tagged(tagged) => {
            let TaggedValue { value, .. } = *tagged;
            plain(value)
        }
        Value::Sequence(values) => Value::Sequence(values.into_iter().map(plain).collect()),
        Value::Mapping(pairs) => {
            Value::Mapping(pairs.into_iter().map(|(key, value)| (key, plain(value))).collect())
        }
        value => value,
    }
}

/// One route of the gateway, and the function behind it, by its binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub method: String,
    pub path: String,
    pub function: String,
}

/// Every route that the gateway lets through.
pub fn routes(template: &Value) -> Vec<Route> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let of = |resource: &Value| {
        let function = text(&resource["Metadata"]["BuildProperties"]["Binary"]);
        let events = resource["Properties"]["Events"].as_mapping().cloned().unwrap_or_default();
        let http =
            events.into_iter().map(|(_, event)| event).filter(|event| event["Type"] == "HttpApi");
        let route = |event: Value| Route {
            method: text(&event["Properties"]["Method"]),
            path: text(&event["Properties"]["Path"]),
            function: function.clone(),
        };
        http.map(route).collect::<Vec<_>>()
    };
    template["Resources"].as_mapping().unwrap().values().flat_map(of).collect()
}

/// The environment variables of a function, by the name of its binary: each as given, or else from
/// the template with its parameters' defaults. Values that only a deployment knows must be given.
pub fn variables(
    template: &Value,
    binary: &str,
    given: impl Fn(&str) -> Option<String>,
) -> BTreeMap<String, String> {
    let resources = template["Resources"].as_mapping().unwrap();
    let function = resources
        .values()
        .find(|resource| resource["Metadata"]["BuildProperties"]["Binary"] == binary);
    let function = function.unwrap_or_else(|| panic!("the template has no {binary}"));
    let own = &function["Properties"]["Environment"]["Variables"];
    let shared = &template["Globals"]["Function"]["Environment"]["Variables"];
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let as_deployed = |declared: &Value| {
        let declared = text(declared)?;
        let parameter = &template["Parameters"][declared.as_str()];
        let resource = &template["Resources"][declared.split('.').next().unwrap()];
        match parameter.is_null() && resource.is_null() {
            true => Some(declared),
            false => text(&parameter["Default"]),
        }
    };
    let value = |(name, declared): (&Value, &Value)| {
        let name = name.as_str().unwrap();
        let value = given(name).or_else(|| as_deployed(declared));
        (
            name.to_string(),
            value.unwrap_or_else(|| {
                panic!("{binary} has a variable {name} that only a deployment knows: give it")
            }),
        )
    };
    [shared, own].into_iter().filter_map(Value::as_mapping).flatten().map(value).collect()
}

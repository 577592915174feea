//! The template that is deployed, for tests that hold something against it.

use serde_yaml_ng::Value;
use serde_yaml_ng::value::TaggedValue;

/// The template, with CloudFormation's short forms (`!Ref`, `!Sub`) replaced by their argument.
pub fn read() -> Value {
    read_from("template.yaml")
}

/// Another one, by its path from the root.
pub fn read_from(path: &str) -> Value {
    let text = std::fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    plain(serde_yaml_ng::from_str(&text).unwrap())
}

fn plain(value: Value) -> Value {
    match value {
        Value::Tagged(tagged) => {
            let TaggedValue { value, .. } = *tagged;
            plain(value)
        }
        Value::Sequence(values) => Value::Sequence(values.into_iter().map(plain).collect()),
        Value::Mapping(pairs) => Value::Mapping(pairs.into_iter().map(|(key, value)| (key, plain(value))).collect()),
        value => value,
    }
}

/// Every route that the gateway lets through: its method and its path.
#[allow(dead_code, reason = "not every test that reads the template asks for its routes")]
pub fn routes(template: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let resources = template["Resources"].as_mapping().unwrap().values();
    let events = resources.filter_map(|resource| resource["Properties"]["Events"].as_mapping()).flat_map(|events| events.values());
    let http = events.filter(|event| event["Type"] == "HttpApi").map(|event| &event["Properties"]);
    http.map(|route| (text(&route["Method"]), text(&route["Path"]))).collect()
}

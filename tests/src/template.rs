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
        let http = events.into_iter().map(|(_, event)| event).filter(|event| event["Type"] == "HttpApi");
        let route = |event: Value| Route {
            method: text(&event["Properties"]["Method"]),
            path: text(&event["Properties"]["Path"]),
            function: function.clone(),
        };
        http.map(route).collect::<Vec<_>>()
    };
    template["Resources"].as_mapping().unwrap().values().flat_map(of).collect()
}

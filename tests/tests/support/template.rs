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

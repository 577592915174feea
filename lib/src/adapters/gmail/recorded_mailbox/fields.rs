//! Partial answers: Google's `fields` parameter, names with commas, slashes, parentheses and `*`.

use serde_json::{Map, Value};

use super::call::Refusal;

/// What is wanted of a value; nothing below a name means all of it.
#[derive(Default)]
struct Wanted(Vec<(String, Wanted)>);

pub fn selected(fields: &str, body: Value) -> Result<Value, Refusal> {
    let mut rest = fields;
    match wanted(&mut rest) {
        Some(wanted) if rest.is_empty() => Ok(wanted.of(body)),
        _ => Err(Refusal::invalid(format!("Invalid field selection {fields}"))),
    }
}

impl Wanted {
    fn of(&self, value: Value) -> Value {
        match value {
            _ if self.0.is_empty() => value,
            Value::Array(items) => items.into_iter().map(|item| self.of(item)).collect(),
            Value::Object(object) => {
                let wanted = |(name, value): (String, Value)| {
                    let (_, below) = self.0.iter().find(|(key, _)| *key == name || key == "*")?;
                    Some((name, below.of(value)))
                };
                Value::Object(object.into_iter().filter_map(wanted).collect::<Map<_, _>>())
            }
            value => value,
        }
    }
}

/// A list, up to its end or to a closing parenthesis. A name that comes twice is wanted as first
/// said.
fn wanted(rest: &mut &str) -> Option<Wanted> {
    let mut all = Wanted::default();
    loop {
        all.0.push(one(rest)?);
        match rest.strip_prefix(',') {
            Some(after) => *rest = after,
            None => return Some(all),
        }
    }
}

fn one(rest: &mut &str) -> Option<(String, Wanted)> {
    let end = rest.find([',', '(', ')', '/']).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    *rest = after;
    let below = if let Some(after) = rest.strip_prefix('(') {
        *rest = after;
        let below = wanted(rest)?;
        *rest = rest.strip_prefix(')')?;
        below
    } else if let Some(after) = rest.strip_prefix('/') {
        *rest = after;
        Wanted(vec![one(rest)?])
    } else {
        Wanted::default()
    };
    (!name.is_empty()).then(|| (name.to_string(), below))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_holds_what_its_fields_name() {
        let body = || json!({"id": "1", "next": "n", "list": [{"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 4}}]});
        let table = [
            ("id", json!({"id": "1"})),
            ("id,list(a)", json!({"id": "1", "list": [{"a": 1}, {}]})),
            ("list/b/c", json!({"list": [{"b": {"c": 2}}, {"b": {}}]})),
            (
                "list(a,b(d)),next",
                json!({"next": "n", "list": [{"a": 1, "b": {"d": 3}}, {"b": {"d": 4}}]}),
            ),
            ("*", body()),
        ];
        for (fields, expected) in table {
            assert_eq!(selected(fields, body()).unwrap(), expected, "{fields}");
        }
        for fields in ["", "id,", "list(a", "list)", "list/"] {
            assert!(selected(fields, body()).is_err(), "{fields}");
        }
    }
}

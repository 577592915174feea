//! Partial responses: the `fields` parameter, as lists with parentheses, slashes and `*`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Selection {
    All,
    Only(BTreeMap<String, Selection>),
}

impl Selection {
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let selection = list(&mut rest)?;
        if rest.is_empty() { Ok(selection) } else { Err(format!("Invalid field selection {text}")) }
    }

    pub fn apply(&self, value: Value) -> Value {
        let Self::Only(fields) = self else { return value };
        match value {
            Value::Array(items) => items.into_iter().map(|item| self.apply(item)).collect(),
            Value::Object(object) => Value::Object(select(fields, object)),
            other => other,
        }
    }

    fn merge(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Only(fields), Self::Only(more)) => {
                for (name, selection) in more {
                    insert(fields, name, selection);
                }
            }
            (whole, _) => *whole = Self::All,
        }
    }
}

fn select(fields: &BTreeMap<String, Selection>, object: Map<String, Value>) -> Map<String, Value> {
    let selection = |name: &str| fields.get(name).or_else(|| fields.get("*"));
    object
        .into_iter()
        .filter_map(|(name, value)| selection(&name).map(|chosen| (name, chosen.apply(value))))
        .collect()
}

fn insert(fields: &mut BTreeMap<String, Selection>, name: String, selection: Selection) {
    match fields.get_mut(&name) {
        Some(known) => known.merge(selection),
        None => {
            fields.insert(name, selection);
        }
    }
}

fn list(rest: &mut &str) -> Result<Selection, String> {
    let mut fields = BTreeMap::new();
    loop {
        let (name, selection) = item(rest)?;
        insert(&mut fields, name, selection);
        match rest.strip_prefix(',') {
            Some(after) => *rest = after,
            None => return Ok(Selection::Only(fields)),
        }
    }
}

fn item(rest: &mut &str) -> Result<(String, Selection), String> {
    let end = rest.find([',', '(', ')', '/']).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    if name.trim().is_empty() {
        return Err("Invalid field selection: a name is missing".into());
    }
    *rest = after;
    let selection = if let Some(after) = rest.strip_prefix('(') {
        *rest = after;
        let inner = list(rest)?;
        *rest = rest.strip_prefix(')').ok_or("Invalid field selection: a parenthesis is open")?;
        inner
    } else if let Some(after) = rest.strip_prefix('/') {
        *rest = after;
        let (inner, selection) = item(rest)?;
        Selection::Only(BTreeMap::from([(inner, selection)]))
    } else {
        Selection::All
    };
    Ok((name.trim().to_owned(), selection))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keeps_only_what_is_selected() {
        let check = |fields: &str, expected: Value| {
            let value = json!({ "id": "1", "list": [{ "a": 1, "b": { "c": 2, "d": 3 } }, { "b": { "d": 4 } }] });
            assert_eq!(
                Selection::parse(fields).map(|selection| selection.apply(value)),
                Ok(expected),
                "{fields}"
            );
        };
        check("id", json!({ "id": "1" }));
        check("id,list(a)", json!({ "id": "1", "list": [{ "a": 1 }, {}] }));
        check("list/b/c", json!({ "list": [{ "b": { "c": 2 } }, { "b": {} }] }));
        check(
            "list(a,b(d))",
            json!({ "list": [{ "a": 1, "b": { "d": 3 } }, { "b": { "d": 4 } }] }),
        );
        check(
            "list/a,list/b/d",
            json!({ "list": [{ "a": 1, "b": { "d": 3 } }, { "b": { "d": 4 } }] }),
        );
        check("*/a", json!({ "id": "1", "list": [{ "a": 1 }, {}] }));
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        for fields in ["", "a,", "a(b", "a)", "a()"] {
            assert!(Selection::parse(fields).is_err(), "{fields}");
        }
    }
}

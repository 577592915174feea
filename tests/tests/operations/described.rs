//! The API's description against the routers, the template, and its own examples.

use std::collections::BTreeSet;

use connectors_api::openapi::description;
use serde_json::{Value, json};
use tests::template;

type Routes = BTreeSet<(String, String)>;

fn description_json() -> Value {
    serde_json::to_value(description()).unwrap()
}

/// Each operation: its method, its path, and its description.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &Value)| {
        let item = item.as_object().unwrap().clone();
        item.into_iter()
            .map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
            .collect::<Vec<_>>()
    };
    let path_of = |(path, item): (&String, &Value)| of((path, item));
    paths.iter().flat_map(path_of).collect()
}

/// A path with its parameters' names left out, since the gateway's differ.
fn shape(path: &str) -> String {
    path.split('/')
        .map(|segment| if segment.starts_with('{') { "{}" } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}

/// Whether a route of the gateway lets a described one through.
fn lets_through(
    (method, path): &(String, String),
    (described_method, described): &(String, String),
) -> bool {
    let (door, wanted): (Vec<&str>, Vec<&str>) =
        (path.split('/').collect(), described.split('/').collect());
    let fits = door.iter().zip(&wanted).all(|(door, wanted)| *door == "{}" || door == wanted);
    method == described_method && door.len() == wanted.len() && fits
}

#[test]
fn what_is_described_is_what_the_gateway_lets_through() {
    let document = description_json();
    let described: Routes =
        operations(&document).into_iter().map(|(method, path, _)| (method, shape(&path))).collect();
    // The console is a page, and no part of the API.
    let deployed: Routes = template::routes(&template::read())
        .into_iter()
        .filter(|route| route.function != "console")
        .map(|route| (route.method, shape(&route.path)))
        .collect();
    assert!(
        !deployed.iter().any(|(_, path)| path.contains('+')),
        "a greedy route cannot tell an id's slashes from its own"
    );
    for route in &described {
        assert!(
            deployed.iter().any(|deployed| lets_through(deployed, route)),
            "described, and not deployed: {route:?}"
        );
    }
    for door in &deployed {
        assert!(
            described.iter().any(|route| lets_through(door, route)),
            "deployed, and not described: {door:?}"
        );
    }
}

#[test]
fn every_operation_describes_its_role_answers_and_problems() {
    let document = description_json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"]
            .as_str()
            .unwrap_or_else(|| panic!("{method} {path} has no operationId"));
        assert!(ids.insert(id.to_string()), "{id} stands twice");
        assert!(
            operation["summary"].as_str().is_some_and(|text| text.ends_with('.')),
            "{id} has no summary"
        );
        let problem = &operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
            ["$ref"];
        assert_eq!(problem, "#/components/schemas/Problem", "{id}");
        let good = operation["responses"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|status| *status != "default")
            .count();
        assert!(good > 0, "{id} has no good answer");
        let in_path: BTreeSet<&str> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let declared: BTreeSet<&str> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(in_path, declared, "{id}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => object.iter().for_each(|(key, value)| {
                match value.as_str().filter(|_| key == "$ref") {
                    Some(reference) => drop(found.insert(reference.to_string())),
                    None => references(value, found),
                }
            }),
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = description_json();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 10, "{found:?}");
    for reference in found {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

/// Every example fits its schema.
#[test]
fn every_example_fits_its_schema() {
    let document = description_json();
    let mut checked = 0;
    for (_, _, operation) in operations(&document) {
        let body = operation.pointer("/requestBody/content").into_iter();
        let responses = operation["responses"]
            .as_object()
            .unwrap()
            .values()
            .filter_map(|response| response.get("content"));
        for content in
            body.chain(responses).flat_map(|content| content.as_object().unwrap().values())
        {
            let Some(example) = content.get("example") else { continue };
            let mut schema = content["schema"].clone();
            schema["components"] = document["components"].clone();
            let validator = jsonschema::validator_for(&schema).unwrap();
            let problems: Vec<String> =
                validator.iter_errors(example).map(|error| error.to_string()).collect();
            assert!(problems.is_empty(), "{}: {problems:?}", operation["operationId"]);
            checked += 1;
        }
    }
    assert!(checked > 40, "{checked}");
    let schema =
        json!({"$ref": "#/components/schemas/Label", "components": document["components"]});
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(!validator.is_valid(&json!({"id": 7})), "a schema that refuses nothing proves nothing");
}

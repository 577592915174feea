//! The routes of the API's description, for cases that send requests to all of them.

use connectors_api::openapi::description;
use serde_json::Value;

/// Each route: the method, and the path with its braces.
pub fn described() -> Vec<(String, String)> {
    let document = serde_json::to_value(description()).unwrap();
    let paths = document["paths"].as_object().unwrap().clone();
    let of = |(path, item): (String, Value)| {
        let methods: Vec<String> =
            item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        methods.into_iter().map(move |method| (method, path.clone())).collect::<Vec<_>>()
    };
    paths.into_iter().flat_map(of).collect()
}

/// Each route with ids in its path: the method, and the segments.
pub fn with_ids() -> Vec<(String, Vec<String>)> {
    let split = |(method, path): (String, String)| {
        (method, path.split('/').map(String::from).collect::<Vec<_>>())
    };
    described()
        .into_iter()
        .map(split)
        .filter(|(_, segments)| segments.iter().any(|segment| segment.starts_with('{')))
        .collect()
}

/// The path with this in place of each of its ids.
pub fn filled(path: &str, id: &str) -> String {
    let fill =
        |segment: &str| if segment.starts_with('{') { id.to_string() } else { segment.to_string() };
    path.split('/').map(fill).collect::<Vec<_>>().join("/")
}

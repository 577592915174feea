//! Gmail's discovery document, trimmed: requests and answers are validated against it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use crate::fields::Selection;
use crate::query::decode_segment;

static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../discovery/gmail.v1.json"))
        .expect("the discovery document is readable")
});

#[derive(Deserialize)]
struct Document {
    revision: String,
    parameters: BTreeMap<String, Schema>,
    methods: BTreeMap<String, Method>,
    schemas: BTreeMap<String, Schema>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Method {
    http_method: String,
    path: String,
    pub scopes: Vec<String>,
    parameters: BTreeMap<String, Schema>,
    request: Option<String>,
    response: Option<String>,
    pub media_upload: Option<MediaUpload>,
}

/// How a method takes a mail besides within its body.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MediaUpload {
    /// Of media types, as `message/*`.
    accept: Vec<String>,
    max_size: String,
    /// By the protocol.
    paths: BTreeMap<String, String>,
}

impl MediaUpload {
    pub fn accepts(&self, media_type: &str) -> bool {
        self.accept.iter().any(|accepted| {
            accepted.strip_suffix('*').is_some_and(|family| media_type.starts_with(family))
        })
    }

    /// In bytes.
    pub fn max_size(&self) -> u64 {
        self.max_size.parse().unwrap_or_default()
    }
}

/// A schema's type, or a parameter's.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Schema {
    #[serde(rename = "$ref")]
    reference: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    format: Option<String>,
    #[serde(rename = "enum")]
    allowed: Option<Vec<String>>,
    items: Option<Box<Schema>>,
    properties: Option<BTreeMap<String, Schema>>,
    location: Option<String>,
    repeated: bool,
    required: bool,
}

pub(crate) struct Found {
    /// Without the leading `gmail.users.`.
    pub name: &'static str,
    pub method: &'static Method,
    pub path_parameters: BTreeMap<&'static str, String>,
}

/// The revision of the document that the committed extract was made from.
pub fn revision() -> &'static str {
    &DOCUMENT.revision
}

/// Is this a call that Gmail knows, with parameters it knows? Answers the method's name
/// (`messages.get`).
pub fn check_request(
    http_method: &str,
    path: &str,
    query: &[(String, String)],
) -> Result<&'static str, String> {
    let found =
        find(http_method, path).ok_or_else(|| format!("no such method: {http_method} {path}"))?;
    check_query(&found, query)?;
    Ok(found.name)
}

/// Is this body one that the method takes? An empty object is none.
pub fn check_body(method: &str, body: &Value) -> Result<(), String> {
    let request = known(method)?.request.as_deref();
    let empty = body.as_object().is_some_and(serde_json::Map::is_empty);
    if request.is_none() && empty { Ok(()) } else { check_against(method, body, request) }
}

/// Is this answer one that the method gives? Stricter than the document: Gmail leaves out what is
/// null or empty.
pub fn check_response(method: &str, answer: &Value) -> Result<(), String> {
    check_against(method, answer, known(method)?.response.as_deref())?;
    empty_path(answer).map_or(Ok(()), |path| {
        Err(format!("{method}: {path} is empty, Gmail leaves such fields out"))
    })
}

pub(crate) fn find(http_method: &str, path: &str) -> Option<Found> {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    DOCUMENT.methods.iter().find_map(|(name, method)| {
        let path_parameters =
            (method.http_method == http_method).then(|| bind(&method.path, &segments))??;
        Some(Found { name, method, path_parameters })
    })
}

/// The method that takes an upload at this path.
pub(crate) fn find_upload(http_method: &str, path: &str) -> Option<Found> {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    DOCUMENT.methods.iter().find_map(|(name, method)| {
        let media = method.media_upload.as_ref().filter(|_| method.http_method == http_method)?;
        let path_parameters =
            media.paths.values().find_map(|path| bind(path.trim_start_matches('/'), &segments))?;
        Some(Found { name, method, path_parameters })
    })
}

pub(crate) fn check_query(found: &Found, query: &[(String, String)]) -> Result<(), String> {
    let own = |name: &str| {
        found.method.parameters.get(name).filter(|own| own.location.as_deref() == Some("query"))
    };
    for (name, value) in query {
        let parameter = own(name)
            .or_else(|| DOCUMENT.parameters.get(name))
            .ok_or_else(|| format!("{}: unknown name \"{name}\"", found.name))?;
        check_scalar(parameter, value)
            .map_err(|problem| format!("{}: {name} {problem}", found.name))?;
        let repeats = query.iter().filter(|(other, _)| other == name).count();
        if repeats > 1 && !parameter.repeated {
            return Err(format!("{}: {name} is not repeatable", found.name));
        }
        if name == "fields" {
            check_fields(found, value)?;
        }
    }
    let given = |name: &String| query.iter().any(|(other, _)| other == name);
    let missing = found.method.parameters.iter().find(|(name, own)| {
        own.required && own.location.as_deref() == Some("query") && !given(name)
    });
    missing.map_or(Ok(()), |(name, _)| Err(format!("{}: {name} is required", found.name)))
}

fn check_fields(found: &Found, selector: &str) -> Result<(), String> {
    let selection = Selection::parse(selector)?;
    let Some(schema) = found.method.response.as_ref().and_then(|name| DOCUMENT.schemas.get(name))
    else {
        return Ok(());
    };
    selectable(schema, &selection)
        .map_err(|field| format!("{}: Invalid field selection {field}", found.name))
}

fn selectable(schema: &'static Schema, selection: &Selection) -> Result<(), String> {
    let schema = resolved(schema);
    if let Some(items) = &schema.items {
        return selectable(items, selection);
    }
    let Selection::Only(fields) = selection else { return Ok(()) };
    for (name, inner) in fields.iter().filter(|(name, _)| *name != "*") {
        let property =
            schema.properties.as_ref().and_then(|properties| properties.get(name)).ok_or(name)?;
        selectable(property, inner)?;
    }
    Ok(())
}

fn known(method: &str) -> Result<&'static Method, String> {
    DOCUMENT.methods.get(method).ok_or_else(|| format!("no such method: {method}"))
}

fn check_against(method: &str, value: &Value, schema: Option<&str>) -> Result<(), String> {
    let schema = schema.ok_or_else(|| format!("{method} has no body here"))?;
    check_value(&DOCUMENT.schemas[schema], value, schema)
        .map_err(|problem| format!("{method}: {problem}"))
}

fn resolved(schema: &'static Schema) -> &'static Schema {
    schema.reference.as_ref().map_or(schema, |name| &DOCUMENT.schemas[name])
}

fn check_value(schema: &'static Schema, value: &Value, path: &str) -> Result<(), String> {
    let schema = resolved(schema);
    match (schema.kind.as_deref(), value) {
        (Some("object"), Value::Object(object)) => object.iter().try_for_each(|(name, value)| {
            let path = format!("{path}.{name}");
            let property = schema.properties.as_ref().and_then(|properties| properties.get(name));
            check_value(property.ok_or_else(|| format!("{path} is unknown"))?, value, &path)
        }),
        (Some("array"), Value::Array(items)) => {
            let item =
                schema.items.as_ref().ok_or_else(|| format!("{path} has items of no type"))?;
            items.iter().try_for_each(|value| check_value(item, value, &format!("{path}[]")))
        }
        (Some("string"), Value::String(text)) => {
            check_scalar(schema, text).map_err(|problem| format!("{path} {problem}"))
        }
        (Some("integer"), Value::Number(number)) => {
            check_scalar(schema, &number.to_string()).map_err(|problem| format!("{path} {problem}"))
        }
        (Some("boolean"), Value::Bool(_)) => Ok(()),
        (kind, other) => Err(format!("{path} should be {kind:?}, is {other}")),
    }
}

fn check_scalar(schema: &Schema, text: &str) -> Result<(), String> {
    if let Some(allowed) = &schema.allowed
        && !allowed.iter().any(|value| value == text)
    {
        return Err(format!("is none of {allowed:?}: {text}"));
    }
    let readable = match (schema.format.as_deref(), schema.kind.as_deref()) {
        (Some("int64"), _) => text.parse::<i64>().is_ok(),
        (Some("uint64"), _) => text.parse::<u64>().is_ok(),
        (Some("int32"), _) => text.parse::<i32>().is_ok(),
        (Some("uint32"), _) => text.parse::<u32>().is_ok(),
        (Some("byte"), _) => {
            text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_=".contains(letter))
        }
        (_, Some("boolean")) => matches!(text, "true" | "false"),
        _ => true,
    };
    if readable {
        Ok(())
    } else {
        Err(format!("is no {}: {text}", schema.format.as_deref().unwrap_or("boolean")))
    }
}

fn bind(template: &'static str, segments: &[&str]) -> Option<BTreeMap<&'static str, String>> {
    let pattern: Vec<&'static str> = template.split('/').collect();
    if pattern.len() != segments.len() {
        return None;
    }
    let mut bound = BTreeMap::new();
    for (pattern, segment) in pattern.into_iter().zip(segments) {
        match pattern.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(_) if segment.is_empty() => return None,
            Some(name) => {
                bound.insert(name, decode_segment(segment));
            }
            None if pattern != *segment => return None,
            None => {}
        }
    }
    Some(bound)
}

fn empty_path(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Array(items) if items.is_empty() => Some(String::new()),
        Value::Array(items) => items.iter().find_map(empty_path).map(|rest| format!("[]{rest}")),
        Value::Object(object) => object
            .iter()
            .find_map(|(name, value)| empty_path(value).map(|rest| format!(".{name}{rest}"))),
        _ => None,
    }
}

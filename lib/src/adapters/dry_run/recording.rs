//! A recording: JSON Lines, each the answer to one call, known by method, route and id.

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub struct RecordedAnswer {
    method: String,
    pub route: String,
    #[serde(default)]
    pub id: String,
    status: u16,
    pub body: Value,
}

/// Takes one answer after the other; an error names its line.
pub fn each(
    recording: &str,
    mut take: impl FnMut(RecordedAnswer) -> Result<(), String>,
) -> Result<(), String> {
    for (number, line) in recording.lines().enumerate() {
        let read = serde_json::from_str::<RecordedAnswer>(line)
            .map_err(|error| error.to_string())
            .and_then(RecordedAnswer::sound)
            .and_then(&mut take);
        read.map_err(|why| format!("line {}: {why}", number + 1))?;
    }
    Ok(())
}

impl RecordedAnswer {
    fn sound(self) -> Result<Self, String> {
        let Self { method, route, status, .. } = &self;
        match (method.as_str(), status) {
            ("GET", 200) => Ok(self),
            _ => Err(format!(
                "{method} {route} answered {status}: only what was read is a recording"
            )),
        }
    }
}

pub fn list<'a>(body: &'a Value, name: &str) -> &'a [Value] {
    body[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

pub fn text(body: &Value, name: &str) -> Result<String, String> {
    body[name].as_str().map(String::from).ok_or_else(|| format!("{name} is missing"))
}

pub fn texts(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|text| text.as_str().map(String::from))
        .collect()
}

//! A request to the API as a value, made of a command line before anything is sent.

use reqwest::Method;
use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub method: Method,
    /// Made of ids that were checked: nothing in it needs escaping.
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    pub body: Option<Value>,
    pub headers: Vec<(&'static str, String)>,
    /// Whether it changes something; a dry run does not send it then.
    pub writes: bool,
    /// Whether it is answered without a token too.
    pub open: bool,
}

/// Where the API has the connectors.
pub const CONNECTORS: &str = "/api/connectors";

/// And one of them.
pub fn connector_path(id: &str) -> String {
    format!("{CONNECTORS}/{id}")
}

/// A path segment, checked when the arguments are parsed.
pub type Id = String;

impl Request {
    fn new(method: Method, path: impl Into<String>, body: Option<Value>) -> Self {
        let writes = method != Method::GET;
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            body,
            headers: Vec::new(),
            writes,
            open: false,
        }
    }

    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, None)
    }

    pub fn post(path: impl Into<String>, body: impl Into<Option<Value>>) -> Self {
        Self::new(Method::POST, path, body.into())
    }

    pub fn put(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::PUT, path, Some(body))
    }

    pub fn patch(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::PATCH, path, Some(body))
    }

    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path, None)
    }

    /// Sent without a token if the caller has none.
    pub fn open(self) -> Self {
        Self { open: true, ..self }
    }

    /// Sent by POST, but changes nothing.
    pub fn that_only_reads(self) -> Self {
        Self { writes: false, ..self }
    }

    pub fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    pub fn flag(self, name: &'static str, set: bool) -> Self {
        self.with(name, set.then_some(true))
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Path and query.
    pub fn target(&self) -> String {
        let query =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish();
        if query.is_empty() { self.path.clone() } else { format!("{}?{query}", self.path) }
    }

    /// What would be sent, for people to read: of a file only its length is shown.
    pub fn to_json(&self) -> Value {
        let mut document = json!({"method": self.method.as_str(), "path": self.target()});
        for (name, value) in &self.headers {
            document["headers"][*name] = json!(value);
        }
        if let Some(body) = &self.body {
            let mut body = body.clone();
            for attachment in
                body.get_mut("attachments").and_then(Value::as_array_mut).into_iter().flatten()
            {
                let length = attachment.get("content").and_then(Value::as_str).map_or(0, str::len);
                attachment["content"] = json!(format!("({length} characters of base64)"));
            }
            document["body"] = body;
        }
        document
    }
}

/// Text that needs no escaping in a path; Google's ids and ours need none.
pub fn id(text: &str) -> Result<Id, String> {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || "_-.:~=".contains(letter);
    let is_dots = text.chars().all(|letter| letter == '.');
    match text.len() <= 256 && text.chars().all(letters) && !is_dots {
        true => Ok(text.into()),
        false => Err("is no id: ids are made of letters, digits and the signs _ - . : ~ =".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_where_it_is_put() {
        for good in [
            "con_019b78ef2a6c7e519d0b4c8f1a2e3d40",
            "18c2f0a1b2c3d4e5",
            "Label_7",
            "0.1",
            "r-871",
            "CATEGORY_SOCIAL",
        ] {
            assert_eq!(id(good).as_deref(), Ok(good));
        }
        for bad in ["", ".", "..", "a/b", "a?b", "a%2fb", "a b", "ä", "a#b"] {
            assert!(id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_query_is_escaped_and_files_are_shown_by_length() {
        let request = Request::get("/a")
            .with("query", Some("from:a b&c"))
            .with("label_ids", None::<String>)
            .flag("all", true);
        assert_eq!(request.target(), "/a?query=from%3Aa+b%26c&all=true");
        let document =
            Request::post("/b", json!({"attachments": [{"filename": "x", "content": "QUJD"}]}))
                .to_json();
        assert_eq!(document["body"]["attachments"][0]["content"], "(4 characters of base64)");
    }
}

//! One call of Graph's and its answer, in Graph's own shapes.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Url;
use serde_json::{Value, json};

use crate::adapters::dry_run::Reply;
use crate::domain::timestamp::Timestamp;

pub struct Call {
    /// The values of the route's parameters, in order.
    pub ids: Vec<String>,
    pub url: Url,
    /// Below which all calls are, without a slash at its end.
    pub base: String,
    pub content_type: String,
    pub body: Vec<u8>,
    pub now: Timestamp,
}

pub type Outcome = Result<Reply, Refusal>;

#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl Call {
    pub fn id(&self, index: usize) -> &str {
        self.ids.get(index).map(String::as_str).unwrap_or_default()
    }

    pub fn parameter(&self, wanted: &str) -> Option<String> {
        self.url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    }

    /// A number in the query.
    pub fn number(&self, name: &str, usual: usize) -> Result<usize, Refusal> {
        let wrong = || Refusal::bad_request(format!("Invalid value for the query option {name}."));
        self.parameter(name).map_or(Ok(usual), |text| text.parse().map_err(|_| wrong()))
    }

    pub fn json(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(&self.body)
            .map_err(|_| Refusal::bad_request("Unable to read JSON request payload.".into()))
    }

    /// A text in the body.
    pub fn text(&self, name: &str) -> Result<String, Refusal> {
        let body = self.json()?;
        let text = body[name].as_str().filter(|text| !text.is_empty());
        text.map(String::from)
            .ok_or_else(|| Refusal::bad_request(format!("The property {name} is missing.")))
    }

    /// The body as mail.
    pub fn mime(&self) -> Result<Vec<u8>, Refusal> {
        if !self.content_type.starts_with("text/plain") {
            return Err(Refusal::not_implemented("A dry run takes mail as MIME alone".into()));
        }
        BASE64_STANDARD.decode(self.body.trim_ascii()).map_err(|_| {
            let message = "Invalid base64 string for MIME content.";
            Refusal::new(400, "ErrorMimeContentInvalidBase64String", message.into())
        })
    }
}

/// What `$select` names of an object, or all that is shown without it.
pub fn selected(body: &Value, select: Option<&str>) -> Value {
    /// Shown only to a `$select` that names them.
    const ON_REQUEST: [&str; 1] = ["internetMessageHeaders"];
    let is_wanted = |name: &str| match select {
        Some(names) => name == "id" || names.split(',').any(|wanted| wanted.trim() == name),
        None => !ON_REQUEST.contains(&name),
    };
    let fields = body.as_object().into_iter().flatten();
    let wanted = fields.filter(|(name, _)| is_wanted(name));
    wanted.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A collection that needs no pages.
pub fn collection(items: Vec<Value>) -> Outcome {
    Ok(Reply::json(200, &json!({"value": items})))
}

impl Refusal {
    fn new(status: u16, code: &'static str, message: String) -> Self {
        Self { status, code, message }
    }

    pub fn bad_request(message: String) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub fn not_found() -> Self {
        let message = "The specified object was not found in the store.";
        Self::new(404, "ErrorItemNotFound", message.into())
    }

    pub fn folder_exists() -> Self {
        let message = "A folder with the specified name already exists.";
        Self::new(409, "ErrorFolderExists", message.into())
    }

    pub fn distinguished_folder() -> Self {
        let message = "Distinguished folders cannot be deleted or renamed.";
        Self::new(400, "ErrorDeleteDistinguishedFolder", message.into())
    }

    pub fn no_recipients() -> Self {
        Self::new(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.".into())
    }

    pub fn out_of_place(range: &str) -> Self {
        Self::new(416, "ErrorInvalidRange", format!("The range '{range}' is not expected."))
    }

    pub fn unauthenticated() -> Self {
        let message = "A dry run takes only the access tokens that it gave.";
        Self::new(401, "InvalidAuthenticationToken", message.into())
    }

    /// Never a silent success: what the recorded mailbox does not know, it does not do.
    pub fn unknown(method: &str, path: &str) -> Self {
        Self::not_implemented(format!("A dry run does not know {method} {path}"))
    }

    pub fn not_implemented(message: String) -> Self {
        Self::new(501, "notImplemented", message)
    }

    pub fn broken(why: String) -> Self {
        Self::new(500, "generalException", format!("the recorded mailbox: {why}"))
    }

    pub fn reply(&self) -> Reply {
        let error = json!({"error": {"code": self.code, "message": self.message}});
        Reply::json(self.status, &error)
    }
}

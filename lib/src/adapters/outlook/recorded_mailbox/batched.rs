//! `$batch`: each part is a call of its own, answered one by one.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::call::{Outcome, Refusal};
use crate::adapters::dry_run::Reply;

/// Microsoft's own bound.
const MOST: usize = 20;

/// `call` takes a method, a URL below the base, a content type and a body.
pub fn answer(body: &[u8], mut call: impl FnMut(&str, &str, &str, &[u8]) -> Outcome) -> Outcome {
    let read: Value = serde_json::from_slice(body)
        .map_err(|_| Refusal::bad_request("Unable to read JSON request payload.".into()))?;
    let parts = read["requests"].as_array().map(Vec::as_slice).unwrap_or_default();
    if parts.is_empty() || parts.len() > MOST {
        return Err(Refusal::bad_request(format!("A batch must hold 1 to {MOST} requests.")));
    }
    let answered = |part: &Value| {
        let text = |name: &str| part[name].as_str().unwrap_or_default();
        let body = match &part["body"] {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        let reply = call(text("method"), text("url"), "application/json", &body)
            .unwrap_or_else(|refusal| refusal.reply());
        shown(text("id"), &reply)
    };
    let responses: Vec<Value> = parts.iter().map(answered).collect();
    Ok(Reply::json(200, &json!({"responses": responses})))
}

/// What is no JSON comes in base64.
fn shown(id: &str, reply: &Reply) -> Value {
    let mut shown = json!({"id": id, "status": reply.status, "headers": {}});
    if !reply.body.is_empty() {
        shown["headers"]["Content-Type"] = reply.content_type.as_str().into();
        shown["body"] = serde_json::from_slice(&reply.body)
            .unwrap_or_else(|_| BASE64_STANDARD.encode(&reply.body).into());
    }
    shown
}

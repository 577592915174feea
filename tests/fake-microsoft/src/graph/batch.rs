//! `$batch`: up to 20 requests, of which four run at once, each with an answer of its own:
//! <https://learn.microsoft.com/graph/json-batching>.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{StreamExt, stream};
use serde_json::{Map, Value, json};

use super::answer::{Answer, Body, Outcome, Refusal};
use super::{Call, Prefer, respond};
use crate::app::App;

const MOST_PARTS: usize = 20;
const AT_ONCE: usize = 4;

pub(super) async fn batch(app: &Arc<App>, call: &Call) -> Outcome {
    let body = call.json()?;
    let parts = body["requests"].as_array().cloned().unwrap_or_default();
    if parts.is_empty() || parts.len() > MOST_PARTS {
        let said =
            format!("Number of batch request steps exceeds the maximum value of {MOST_PARTS}.");
        return Err(Refusal::new(400, "MaximumValueExceeded", &said));
    }
    let mut ids: Vec<&str> = parts.iter().filter_map(|part| part["id"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() != parts.len() {
        return Err(Refusal::bad_request("Each request of a batch needs an id of its own."));
    }
    let chained = parts.iter().any(|part| part["dependsOn"].is_array());
    let responses = if chained {
        in_turn(app, call, &parts).await
    } else {
        beside_each_other(app, call, &parts).await
    };
    Ok(Answer::json(200, json!({ "responses": responses })))
}

async fn beside_each_other(app: &Arc<App>, call: &Call, parts: &[Value]) -> Vec<Value> {
    let mut answers = Vec::new();
    for part in parts {
        answers.push(one(app, call, part));
    }
    stream::iter(answers).buffer_unordered(AT_ONCE).collect().await
}

async fn in_turn(app: &Arc<App>, call: &Call, parts: &[Value]) -> Vec<Value> {
    let mut done: Vec<Value> = Vec::new();
    for part in parts {
        let needed = part["dependsOn"].as_array().cloned().unwrap_or_default();
        let failed = |id: &Value| {
            !done.iter().any(|one| one["id"] == *id && one["status"].as_u64() < Some(300))
        };
        let next = if needed.iter().any(failed) {
            json!({ "id": part["id"], "status": 424, "body": { "error": { "code": "FailedDependency", "message": "A request that this one depends on failed." } } })
        } else {
            one(app, call, part).await
        };
        done.push(next);
    }
    done
}

async fn one(app: &Arc<App>, call: &Call, part: &Value) -> Value {
    let url = part["url"].as_str().unwrap_or_default();
    let url = if url.starts_with('/') { url.to_owned() } else { format!("/{url}") };
    let (path, query) = url.split_once('?').unwrap_or((&url, ""));
    let header = |wanted: &str| {
        let headers = part["headers"].as_object().cloned().unwrap_or_default();
        let named = headers.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        named.and_then(|(_, value)| value.as_str().map(str::to_owned))
    };
    let content_type = header("content-type").unwrap_or_default().to_ascii_lowercase();
    let answer = respond(
        app,
        Call {
            method: part["method"].as_str().unwrap_or("GET").to_uppercase(),
            path: path.into(),
            query: query.into(),
            bearer: call.bearer.clone(),
            prefer: Prefer::of(header("prefer").into_iter()),
            body: body_of(part, &content_type),
            content_type,
            in_batch: true,
        },
    );
    rendered(&part["id"], Box::pin(answer).await)
}

/// What is no JSON stands in base64.
fn body_of(part: &Value, content_type: &str) -> Vec<u8> {
    match &part["body"] {
        Value::Null => Vec::new(),
        Value::String(text) if content_type.starts_with("text/plain") => text.clone().into_bytes(),
        Value::String(text) => STANDARD.decode(text).unwrap_or_default(),
        body => body.to_string().into_bytes(),
    }
}

fn rendered(id: &Value, answer: Answer) -> Value {
    let mut headers: Map<String, Value> = answer
        .headers
        .iter()
        .map(|(name, value)| (title(name.as_str()), value.as_str().into()))
        .collect();
    let body = match answer.body {
        Body::Json(body) => {
            headers.insert("Content-Type".into(), "application/json".into());
            body
        }
        Body::Bytes { mime_type, bytes } => {
            headers.insert("Content-Type".into(), mime_type.into());
            STANDARD.encode(bytes).into()
        }
        Body::Empty | Body::Endless(_) | Body::Gzip(_) => Value::Null,
    };
    let mut part = json!({ "id": id, "status": answer.status, "headers": headers });
    if !body.is_null() {
        part["body"] = body;
    }
    part
}

/// `retry-after` as `Retry-After`.
fn title(name: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('-').filter(|part| !part.is_empty()).map(word).collect::<Vec<_>>().join("-")
}

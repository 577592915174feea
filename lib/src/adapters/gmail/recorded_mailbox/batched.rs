//! The batch endpoint's other side: each part is a call of its own, answered one by one.

use serde_json::json;

use super::call::Refusal;
use crate::adapters::dry_run::Reply;
use crate::adapters::gmail::batch::{boundary, header, split, split_head};

/// Google's own bound.
const MOST: usize = 100;
const BOUNDARY: &str = "dry-run-batch";

pub fn answer(
    content_type: &str,
    body: &[u8],
    mut call: impl FnMut(&str, &str, &[u8]) -> Reply,
) -> Reply {
    let Some(theirs) = boundary(content_type) else {
        return Refusal::invalid("Failed to parse batch request, error: no boundary".into())
            .reply();
    };
    let delimiter = [b"--", theirs.as_bytes()].concat();
    let parts = split(body, &delimiter);
    if parts.is_empty() || parts.len() > MOST {
        return Refusal::invalid(format!("The batch request must hold 1 to {MOST} calls.")).reply();
    }
    let mut answered = Vec::new();
    for part in parts {
        let (id, reply) = one(part, &mut call);
        let head = format!(
            "--{BOUNDARY}\r\nContent-Type: application/http\r\nContent-ID: <response-{id}>\r\n\r\nHTTP/1.1 {} Answered\r\nContent-Type: {}\r\n\r\n",
            reply.status, reply.content_type
        );
        answered.extend_from_slice(head.as_bytes());
        answered.extend_from_slice(&reply.body);
        answered.extend_from_slice(b"\r\n");
    }
    answered.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    Reply {
        status: 200,
        content_type: format!("multipart/mixed; boundary={BOUNDARY}"),
        body: answered,
    }
}

/// The part's id, and the answer to its call.
fn one(part: &[u8], call: &mut impl FnMut(&str, &str, &[u8]) -> Reply) -> (String, Reply) {
    let unreadable = || {
        Reply::json(
            400,
            &json!({"error": {"code": 400, "message": "Failed to parse batch request"}}),
        )
    };
    let Some((own, http)) = split_head(part) else { return (String::new(), unreadable()) };
    let id = header(&own, "content-id").unwrap_or_default().trim_matches(['<', '>']).to_string();
    let Some((head, body)) = split_head(http) else { return (id, unreadable()) };
    let mut words = head.lines().next().unwrap_or_default().split_whitespace();
    match (words.next(), words.next()) {
        (Some(method), Some(target)) => (id, call(method, target, body.trim_ascii())),
        _ => (id, unreadable()),
    }
}

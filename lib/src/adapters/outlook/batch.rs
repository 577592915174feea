//! Several requests in one, each with its own answer and its own refusal
//! (<https://learn.microsoft.com/en-us/graph/json-batching>). Graph works four parts of a batch at a
//! time, and counts each as a request.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Calling;
use super::client::{IMMUTABLE_IDS, Repeat, parse};
use super::errors::{Failure, Fault};
use super::measured::count_part;
use crate::adapters::https::pause;
use crate::adapters::retry_after::Headers;

/// Graph's own bound.
pub const MOST: usize = 20;

/// One request of a batch; each may be repeated.
#[derive(Debug, Clone)]
pub struct Part {
    pub method: Method,
    /// Below the base, with its query.
    pub url: String,
    pub body: Option<Value>,
}

pub type PartAnswer = Result<Vec<u8>, Failure>;

#[derive(Deserialize)]
struct BatchAnswer {
    responses: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Response {
    id: String,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    #[serde(default)]
    body: Option<Box<RawValue>>,
}

impl Calling<'_> {
    /// The answers in the order of the parts. An error if a batch itself was refused, so that the
    /// parts after it were not sent.
    pub async fn batched(&self, parts: &[Part]) -> Result<Vec<PartAnswer>, Failure> {
        let mut answers = Vec::with_capacity(parts.len());
        for parts in parts.chunks(MOST) {
            answers.extend(self.one_batch(parts).await?);
        }
        Ok(answers)
    }

    /// Of at most 20. What may pass is asked for again.
    pub async fn one_batch(&self, parts: &[Part]) -> Result<Vec<PartAnswer>, Failure> {
        let mut answers: Vec<Option<PartAnswer>> = vec![None; parts.len()];
        let mut open: Vec<usize> = (0..parts.len()).collect();
        let mut attempt = 1;
        while !open.is_empty() {
            let answered = self.sent(parts, &open).await?;
            let mut again: Vec<usize> = Vec::new();
            let mut longest = Duration::ZERO;
            for (at, answer) in open.into_iter().zip(answered) {
                let failure = answer.as_ref().err();
                if let Some(wait) = failure.and_then(|one| self.outlook.client.wait(attempt, one)) {
                    longest = longest.max(wait);
                    again.push(at);
                }
                answers[at] = Some(answer);
            }
            if !again.is_empty() {
                pause(longest).await;
            }
            open = again;
            attempt += 1;
        }
        let unanswered = || Err(Failure::no_answer("a part was not answered"));
        Ok(answers.into_iter().map(|answer| answer.unwrap_or_else(unanswered)).collect())
    }

    async fn sent(&self, parts: &[Part], open: &[usize]) -> Result<Vec<PartAnswer>, Failure> {
        let requests: Vec<Value> = open.iter().map(|at| parts[*at].written(*at)).collect();
        let call =
            self.call(Method::POST, &["$batch"])?.json(&json!({"requests": requests})).batch();
        match self.send(call, Repeat::Safely).await {
            Ok(answered) => {
                let answers = read(open, &answered.body)?;
                for (at, answer) in open.iter().zip(&answers) {
                    let part = &parts[*at];
                    count_part(&part.method, &part.url, answer.as_ref().err());
                }
                Ok(answers)
            }
            // In halves, down to the part that is too large by itself.
            Err(failure) if failure.fault == Some(Fault::TooLarge) && open.len() > 1 => {
                let (first, second) = open.split_at(open.len() / 2);
                let mut answers = Box::pin(self.sent(parts, first)).await?;
                answers.extend(Box::pin(self.sent(parts, second)).await?);
                Ok(answers)
            }
            Err(failure) if failure.fault == Some(Fault::TooLarge) => Ok(vec![Err(failure)]),
            Err(failure) => Err(failure),
        }
    }
}

impl Part {
    fn written(&self, id: usize) -> Value {
        let mut request = json!({
            "id": id.to_string(),
            "method": self.method.as_str(),
            "url": self.url,
            "headers": {"Prefer": IMMUTABLE_IDS},
        });
        if let Some(body) = &self.body {
            request["headers"]["Content-Type"] = json!("application/json");
            request["body"] = body.clone();
        }
        request
    }
}

/// Answers come in any order.
fn read(open: &[usize], body: &[u8]) -> Result<Vec<PartAnswer>, Failure> {
    let answer: BatchAnswer = parse(body)?;
    let responses: BTreeMap<String, Response> = answer
        .responses
        .iter()
        .filter_map(|response| serde_json::from_str::<Response>(response.get()).ok())
        .map(|response| (response.id.clone(), response))
        .collect();
    let of = |at: &usize| match responses.get(&at.to_string()) {
        Some(response) => response.outcome(),
        None => Err(Failure::no_answer("a part was not answered")),
    };
    Ok(open.iter().map(of).collect())
}

impl Response {
    fn outcome(&self) -> PartAnswer {
        let body = self.body.as_ref().map_or(&[][..], |body| body.get().as_bytes());
        let header = |name: &str| {
            let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            })
        };
        match self.status {
            200..300 => Ok(body.to_vec()),
            status => {
                let headers = Headers { retry_after: header("retry-after"), date: header("date") };
                let challenge = header("www-authenticate");
                Err(Failure::answered(status, &headers, challenge.as_deref(), body))
            }
        }
    }
}

/// A part that reads.
pub fn get(url: String) -> Part {
    Part { method: Method::GET, url, body: None }
}

impl Calling<'_> {
    /// A part that reads a message.
    pub fn part_of(&self, id: &str, fields: &str) -> Result<Part, Failure> {
        let path = ["me", "messages", id];
        self.outlook.client.relative(&path, &[("$select", fields)]).map(get)
    }

    pub fn part(
        &self,
        method: Method,
        path: &[&str],
        body: Option<Value>,
    ) -> Result<Part, Failure> {
        Ok(Part { method, url: self.outlook.client.relative(path, &[])?, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_its_answer_in_whatever_order_they_come() {
        let body = json!({"responses": [
            {"id": "2", "status": 200, "headers": {}, "body": {"id": "c"}},
            {"id": "0", "status": 429, "headers": {"retry-after": 7}, "body": {"error": {"code": "ApplicationThrottled"}}},
            {"id": "1", "status": 204},
            {"id": 7},
        ]});
        let answers = read(&[0, 1, 2, 3], body.to_string().as_bytes()).unwrap();
        let refused = answers[0].as_ref().unwrap_err();
        assert_eq!(refused.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(refused.effective_status(), Some(429));
        assert_eq!(answers[1], Ok(vec![]));
        assert_eq!(answers[2], Ok(br#"{"id":"c"}"#.to_vec()));
        assert_eq!(answers[3].as_ref().unwrap_err().status, None);
        for hostile in ["", "{}", "[]", r#"{"responses":7}"#] {
            assert!(read(&[0], hostile.as_bytes()).is_err(), "{hostile}");
        }
    }
}

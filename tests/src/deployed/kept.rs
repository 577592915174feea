//! Records every answer that tests get from the deployed stack, to search them for secrets
//! afterwards.

use std::io::Write;
use std::path::PathBuf;

use axum::http::Response as HttpResponse;
use reqwest::Response;
use serde_json::json;

/// A file beside stack.json; `None` without a deployed stack, where nothing is recorded.
#[derive(Default, Clone)]
pub struct Kept(Option<PathBuf>);

impl Kept {
    pub fn beside(stack_json: &str) -> Self {
        Self(Some(PathBuf::from(stack_json).with_file_name("seen.jsonl")))
    }

    /// Records the answer and returns it.
    pub async fn answer(&self, method: &str, path: &str, response: Response) -> Response {
        if self.0.is_none() {
            return response;
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        let shown: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
            .collect();
        self.line(&json!({"kind": "answer", "of": format!("{method} {path}"), "status": status.as_u16(), "headers": shown,
            "body": String::from_utf8_lossy(&body)}));
        let mut again = HttpResponse::new(body);
        (*again.status_mut(), *again.headers_mut()) = (status, headers);
        again.into()
    }

    /// In one write, since other tests write to the same file.
    fn line(&self, content: &serde_json::Value) {
        if let Some(path) = &self.0 {
            let mut file =
                std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
            file.write_all(format!("{content}\n").as_bytes()).unwrap();
        }
    }
}

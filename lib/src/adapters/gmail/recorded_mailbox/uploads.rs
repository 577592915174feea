//! Resumable uploads of mail: pieces, and the call that they make when they are whole.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use reqwest::Url;
use serde_json::Value;

use super::call::Refusal;
use crate::adapters::dry_run::{Pieces, Taken};

/// Of one process, which begins an upload and ends it within a request.
#[derive(Default)]
pub struct Uploads(Vec<Upload>);

struct Upload {
    method: String,
    target: Url,
    metadata: Value,
    pieces: Pieces,
}

pub enum Step {
    /// At this URL, below the upload's prefix.
    Begun(Url),
    /// So many bytes.
    Arrived(usize),
    /// As if the mail had come within the body.
    Whole { method: String, target: Url, body: Vec<u8> },
}

impl Uploads {
    pub fn step(
        &mut self,
        method: &str,
        target: Url,
        range: &str,
        body: &[u8],
    ) -> Result<Step, Refusal> {
        let id = target.query_pairs().find(|(name, _)| name == "upload_id");
        match id {
            None => self.begin(method, target, body),
            Some((_, id)) => {
                let at = id.parse().map_err(|_| Refusal::not_found())?;
                self.fill(at, range, body)
            }
        }
    }

    fn begin(&mut self, method: &str, mut target: Url, body: &[u8]) -> Result<Step, Refusal> {
        let metadata = serde_json::from_slice(body)
            .map_err(|_| Refusal::invalid("The metadata is no JSON".into()))?;
        let others: Vec<(String, String)> =
            target.query_pairs().into_owned().filter(|(name, _)| name != "uploadType").collect();
        target.query_pairs_mut().clear().extend_pairs(others);
        let mut session = target.clone();
        session.query_pairs_mut().append_pair("upload_id", &self.0.len().to_string());
        self.0.push(Upload { method: method.into(), target, metadata, pieces: Pieces::default() });
        Ok(Step::Begun(session))
    }

    fn fill(&mut self, at: usize, range: &str, body: &[u8]) -> Result<Step, Refusal> {
        let wrong = || Refusal::invalid(format!("Invalid Content-Range: {range}"));
        let upload = self.0.get_mut(at).ok_or_else(Refusal::not_found)?;
        let bytes = match upload.pieces.take(range, body).ok_or_else(wrong)? {
            Taken::Arrived(bytes) => return Ok(Step::Arrived(bytes)),
            Taken::Whole(bytes) => bytes,
        };
        let mut body = upload.metadata.clone();
        let raw: Value = BASE64_URL_SAFE.encode(bytes).into();
        match body.get_mut("message") {
            Some(message) => message["raw"] = raw,
            None => body["raw"] = raw,
        }
        let body = body.to_string().into_bytes();
        Ok(Step::Whole { method: upload.method.clone(), target: upload.target.clone(), body })
    }
}

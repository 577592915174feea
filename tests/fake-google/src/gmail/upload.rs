//! Resumable uploads of mail (<https://developers.google.com/workspace/gmail/api/guides/uploads>): a
//! session is begun, filled in pieces, and makes one message when it is full.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_RANGE, LOCATION, RANGE};
use axum::http::{HeaderMap, Method, Response, Uri};
use axum::response::IntoResponse;
use serde_json::Value;

use super::answer::{Answer, Refusal};
use super::{Call, answer};
use crate::app::App;
use crate::discovery;
use crate::faults::Target;
use crate::query::Query;
use crate::server::bearer;
use crate::values::{base64url_padded, unguessable};

/// All chunks but the last are multiples of this.
const UNIT: u64 = 256 * 1024;
/// Sessions and chunks in the log of calls, and for faults.
const BEGIN: &str = "upload.begin";
const CHUNK: &str = "upload";

#[derive(Default)]
pub(crate) struct Uploads(BTreeMap<String, Session>);

struct Session {
    http_method: String,
    /// Of the method itself, without the upload's prefix.
    path: String,
    query: String,
    metadata: Value,
    length: u64,
    bytes: Vec<u8>,
    /// What the whole was answered with.
    answered: Option<(u16, String)>,
}

pub(crate) fn is_upload(path: &str) -> bool {
    path.starts_with("/upload/") || path.starts_with("/resumable/upload/")
}

pub(crate) async fn respond(
    app: &Arc<App>,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> axum::response::Response {
    let query = Query::parse(uri.query().unwrap_or_default());
    let session = query.first("upload_id").map(String::from);
    let name = if session.is_some() { CHUNK } else { BEGIN };
    let token = bearer(headers);
    let email = token.as_deref().and_then(|token| app.state().oauth.holder(token, app.now_ms()));
    let email = email.map(|(email, _)| email);
    let target = Target {
        method: name,
        path: uri.path(),
        email: email.as_deref(),
        in_batch: false,
        message_id: None,
    };
    let fault = app.state().faults.take(&target);
    if let Some(fault) = &fault {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    }
    let instead = fault.as_ref().and_then(Answer::from_fault);
    let is_done = instead.is_none() || fault.as_ref().is_some_and(|fault| fault.applied);
    let mut response = match (is_done, session) {
        (false, _) => Answer::no_content().into_response(),
        (true, None) => begin(app, method, uri, &query, headers, token.as_deref(), body)
            .unwrap_or_else(|refusal| Answer::from(refusal).into_response()),
        (true, Some(id)) => fill(app, method, &id, headers, token, body)
            .await
            .unwrap_or_else(|refusal| Answer::from(refusal).into_response()),
    };
    if let Some(instead) = instead {
        response = instead.into_response();
    }
    let shown = uri.to_string();
    app.state().calls.record(name, &shown, email.as_deref(), response.status().as_u16(), false);
    response
}

fn begin(
    app: &Arc<App>,
    method: &Method,
    uri: &Uri,
    query: &Query,
    headers: &HeaderMap,
    token: Option<&str>,
    body: &[u8],
) -> Result<axum::response::Response, Refusal> {
    let mut state = app.state();
    let found = discovery::find_upload(method.as_str(), uri.path());
    let Some(found) = found else {
        state.violations.push(format!("no such upload: {method} {}", uri.path()));
        return Err(Refusal::not_found());
    };
    let (_, scopes) = state
        .oauth
        .holder(token.unwrap_or_default(), app.now_ms())
        .ok_or_else(Refusal::unauthenticated)?;
    if !scopes.iter().any(|scope| found.method.scopes.contains(scope)) {
        return Err(Refusal::insufficient_scope());
    }
    if query.first("uploadType") != Some("resumable") {
        return Err(Refusal::invalid_argument("This fake takes resumable uploads only"));
    }
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let media = found.method.media_upload.as_ref().ok_or_else(Refusal::not_found)?;
    let length = header("x-upload-content-length").and_then(|length| length.parse::<u64>().ok());
    let length = length.ok_or_else(|| Refusal::invalid_argument("The length is not known"))?;
    let media_type = header("x-upload-content-type").unwrap_or_default();
    if !media.accepts(media_type) {
        return Err(Refusal::invalid_argument(&format!(
            "Media type '{media_type}' is not supported. Valid media types: [message/*]"
        )));
    }
    if length > media.max_size() {
        return Err(Refusal::new(413, "uploadTooLarge", "Message too large"));
    }
    let metadata = match body.iter().all(u8::is_ascii_whitespace) {
        true => Value::Object(serde_json::Map::new()),
        false => serde_json::from_slice(body).map_err(|_| Refusal::parse_error())?,
    };
    if let Err(problem) = discovery::check_body(found.name, &metadata) {
        state.violations.push(problem);
    }
    let path = uri.path().trim_start_matches("/resumable").trim_start_matches("/upload");
    let own = uri.query().unwrap_or_default().split('&');
    let rest: Vec<&str> = own.filter(|pair| !pair.starts_with("uploadType=")).collect();
    let session = Session {
        http_method: method.to_string(),
        path: path.into(),
        query: rest.join("&"),
        metadata,
        length,
        bytes: Vec::new(),
        answered: None,
    };
    let id = unguessable("", 24);
    state.uploads.0.insert(id.clone(), session);
    let location = format!("{}{}?uploadType=resumable&upload_id={id}", app.url, uri.path());
    let response = Response::builder()
        .header(LOCATION, location)
        .header("x-guploader-uploadid", id)
        .body(Body::empty());
    Ok(response.unwrap_or_default())
}

async fn fill(
    app: &Arc<App>,
    method: &Method,
    id: &str,
    headers: &HeaderMap,
    token: Option<String>,
    body: &[u8],
) -> Result<axum::response::Response, Refusal> {
    let range = headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let call = {
        let mut state = app.state();
        let session = state.uploads.0.get_mut(id).ok_or_else(Refusal::not_found)?;
        if method != Method::PUT {
            return Err(Refusal::invalid_argument("An upload is put"));
        }
        if let Some((status, text)) = &session.answered {
            return Ok(plain(*status, text));
        }
        session.take(range.unwrap_or_default(), body)?;
        if (session.bytes.len() as u64) < session.length {
            return Ok(session.incomplete());
        }
        session.call(token)
    };
    let answer = answer(app, call).await;
    let (status, text) = (answer.status, answer.text());
    // Only what was done is remembered: a session that was refused may be put again.
    if status < 300
        && let Some(session) = app.state().uploads.0.get_mut(id)
    {
        session.answered = Some((status, text.clone()));
        session.bytes = Vec::new();
    }
    if status >= 500
        && let Some(session) = app.state().uploads.0.get_mut(id)
    {
        let kept = session.bytes.len().saturating_sub(body.len());
        session.bytes.truncate(kept);
    }
    Ok(plain(status, &text))
}

impl Session {
    /// `bytes 0-262143/2000000`, or `bytes */2000000`, which asks what has arrived.
    fn take(&mut self, range: &str, body: &[u8]) -> Result<(), Refusal> {
        let wrong = || Refusal::invalid_argument(&format!("Invalid Content-Range: {range}"));
        let (span, length) = range
            .strip_prefix("bytes ")
            .and_then(|range| range.split_once('/'))
            .ok_or_else(wrong)?;
        if length.parse() != Ok(self.length) {
            return Err(wrong());
        }
        if span == "*" {
            return if body.is_empty() { Ok(()) } else { Err(wrong()) };
        }
        let (first, last) = span.split_once('-').ok_or_else(wrong)?;
        let (first, last): (u64, u64) =
            (first.parse().map_err(|_| wrong())?, last.parse().map_err(|_| wrong())?);
        let arrived = self.bytes.len() as u64;
        let fits = first == arrived
            && last >= first
            && last < self.length
            && last - first + 1 == body.len() as u64
            && (last + 1 == self.length || (body.len() as u64).is_multiple_of(UNIT));
        if !fits {
            return Err(wrong());
        }
        self.bytes.extend_from_slice(body);
        Ok(())
    }

    fn incomplete(&self) -> axum::response::Response {
        let response = Response::builder().status(308);
        let response = match self.bytes.len() {
            0 => response,
            arrived => response.header(RANGE, format!("bytes=0-{}", arrived - 1)),
        };
        response.body(Body::empty()).unwrap_or_default()
    }

    /// As if the mail had come within the body.
    fn call(&self, token: Option<String>) -> Call {
        let mut body = self.metadata.clone();
        let raw: Value = base64url_padded(&self.bytes).into();
        if self.path.contains("/drafts") {
            body["message"]["raw"] = raw;
        } else {
            body["raw"] = raw;
        }
        Call {
            http_method: self.http_method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            bearer: token,
            body: body.to_string().into_bytes(),
            in_batch: false,
        }
    }
}

fn plain(status: u16, text: &str) -> axum::response::Response {
    let response = Response::builder()
        .status(status)
        .header("content-type", super::answer::JSON_UTF8)
        .body(Body::from(text.to_owned()));
    response.unwrap_or_default()
}

//! Upload sessions of large attachments, at a host of Outlook's own:
//! <https://learn.microsoft.com/graph/outlook-large-attachments>.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_RANGE, LOCATION};
use serde_json::json;

use super::answer::{Answer, Outcome, Refusal};
use crate::app::{App, State};
use crate::calls::CallRecord;
use crate::mail::attachment_id;
use crate::mailbox::When;
use crate::message::Attachment;
use crate::notify;
use crate::values::moment;

/// The largest range of one PUT.
const LONGEST_RANGE: usize = 4 * 1024 * 1024;

pub(crate) type Uploads = BTreeMap<String, Upload>;

pub(crate) struct Upload {
    pub key: String,
    pub number: u64,
    pub name: String,
    pub mime_type: String,
    pub inline: bool,
    pub content_id: Option<String>,
    pub size: usize,
    pub bytes: Vec<u8>,
}

pub(crate) fn respond(
    app: &Arc<App>,
    method: &str,
    token: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Answer {
    if headers.contains_key(AUTHORIZATION) {
        app.state().violations.push("an upload carries the Authorization header".into());
    }
    let outcome = match method {
        "PUT" => put(app, token, headers, body),
        "DELETE" => {
            app.state().uploads.remove(token).map(|_| Answer::empty(204)).ok_or_else(unknown)
        }
        _ => Err(Refusal::new(405, "MethodNotAllowed", "PUT or DELETE is wanted.")),
    };
    let answer = outcome.unwrap_or_else(|refusal| refusal.answer(app));
    app.state().calls.record(CallRecord {
        name: "upload".into(),
        http_method: method.into(),
        path: "/upload".into(),
        status: answer.status,
        ..CallRecord::default()
    });
    answer
}

fn unknown() -> Refusal {
    Refusal::new(404, "ErrorItemNotFound", "There is no such upload session.")
}

fn put(app: &Arc<App>, token: &str, headers: &HeaderMap, body: &[u8]) -> Outcome {
    let mut guard = app.state();
    let state = &mut *guard;
    let upload = state.uploads.get_mut(token).ok_or_else(unknown)?;
    let range =
        headers.get(CONTENT_RANGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let end = upload.bytes.len() + body.len();
    let wanted = format!("bytes {}-{}/{}", upload.bytes.len(), end.saturating_sub(1), upload.size);
    if body.is_empty() || body.len() > LONGEST_RANGE || range != wanted {
        let said = format!("The range '{range}' is not the expected one, '{wanted}'.");
        return Err(Refusal::new(416, "ErrorInvalidRange", &said));
    }
    upload.bytes.extend_from_slice(body);
    let when = state.when(app, 0);
    let upload = state.uploads.get_mut(token).ok_or_else(unknown)?;
    if end < upload.size {
        return Ok(Answer::json(
            200,
            json!({
                "@odata.context": format!("{}/v1.0/$metadata#microsoft.graph.uploadSession", app.url),
                "expirationDateTime": moment(when.server + 3600),
                "nextExpectedRanges": [format!("{end}-")],
            }),
        ));
    }
    let upload = state.uploads.remove(token).ok_or_else(unknown)?;
    let location = finished(app, state, upload, when)?;
    notify::publish(app, state);
    Ok(Answer::empty(201).with(LOCATION, location))
}

/// Attaches what has gone up; answers where it is.
fn finished(app: &App, state: &mut State, upload: Upload, when: When) -> Result<String, Refusal> {
    let mailbox = state.mailboxes.get_mut(&upload.key).ok_or_else(unknown)?;
    let message = &mailbox.messages.get(&upload.number).ok_or_else(unknown)?.message;
    let id = attachment_id(&upload.bytes, message.content.attachments.len());
    let (owner, of) = (mailbox.user.graph_id(), message.ids.immutable.clone());
    mailbox.attach(upload.number, upload.attachment(id.clone()), when);
    Ok(format!("{}/v1.0/users('{owner}')/messages('{of}')/attachments('{id}')", app.url))
}

impl Upload {
    fn attachment(self, id: String) -> Attachment {
        Attachment {
            id,
            name: self.name,
            mime_type: self.mime_type,
            bytes: self.bytes,
            content_id: self.content_id,
            inline: self.inline,
            item: false,
        }
    }
}

//! The batch endpoint: many calls in one request, each answered for itself.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::faults::{Fault, Target};
use crate::gmail::answer::{Answer, Refusal};
use crate::gmail::{self, Call};
use crate::hostile;
use crate::server::bearer;
use crate::values::unguessable;

const PATH: &str = "/batch/gmail/v1";
const LARGEST_BATCH: usize = 100;

struct Part {
    content_id: Option<String>,
    /// None if the inner request cannot be read.
    call: Option<Call>,
}

pub(crate) async fn batch(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let token = bearer(&headers);
    let email = token
        .as_deref()
        .and_then(|token| app.state().oauth.holder(token, app.now_ms()))
        .map(|(email, _)| email);
    let target = Target {
        method: "batch",
        path: PATH,
        email: email.as_deref(),
        in_batch: false,
        message_id: None,
    };
    let fault = app.state().faults.take(&target);
    if let Some(fault) = &fault {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    }
    let response = match performed(&app, fault.as_ref(), &headers, &body, token.as_deref()).await {
        Ok(answer) => answer,
        Err(refusal) => Answer::from(refusal).into_response(),
    };
    let number = app.state().calls.record(
        "batch",
        PATH,
        email.as_deref(),
        response.status().as_u16(),
        false,
    );
    hostile::spoilt(&app, fault.as_ref(), number, response).await
}

async fn performed(
    app: &Arc<App>,
    fault: Option<&Fault>,
    headers: &HeaderMap,
    body: &[u8],
    token: Option<&str>,
) -> Result<Response, Refusal> {
    let mut other = fault.and_then(Answer::from_fault);
    let applied = fault.is_some_and(|fault| fault.applied);
    if let Some(other) = other.take_if(|_| !applied) {
        return Ok(other.into_response());
    }
    let answered = answer_parts(app, fault, parts(headers, body, token)?).await;
    Ok(other.map_or(answered, Answer::into_response))
}

async fn answer_parts(app: &Arc<App>, fault: Option<&Fault>, parts: Vec<Part>) -> Response {
    let boundary = unguessable("batch_", 18);
    let echo = fault
        .filter(|fault| fault.boundary_in_header)
        .map(|_| format!("x-note: before --{boundary}-- after\r\n"));
    let mut texts = Vec::new();
    for part in parts {
        let answer = match part.call {
            Some(call) => gmail::answer(app, call).await,
            None => Refusal::new(400, "badRequest", "Failed to parse the inner request").into(),
        };
        let content_id = part
            .content_id
            .map(|id| format!("Content-ID: {}\r\n", response_id(&id)))
            .unwrap_or_default();
        let echo = echo.as_deref().unwrap_or_default();
        let http = http_text(&answer, echo);
        texts.push(format!(
            "--{boundary}\r\nContent-Type: application/http\r\n{echo}{content_id}\r\n{http}\r\n"
        ));
    }
    let count = fault.and_then(|fault| fault.batch_parts).unwrap_or(texts.len());
    let body: String = texts
        .iter()
        .map(String::as_str)
        .cycle()
        .take(count)
        .chain([format!("--{boundary}--\r\n").as_str()])
        .collect();
    let note = if echo.is_some() { format!("; note=\"--{boundary}--\"") } else { String::new() };
    let content_type = format!("multipart/mixed; boundary={boundary}{note}");
    (StatusCode::OK, [(CONTENT_TYPE, content_type)], Body::from(body)).into_response()
}

/// `more` are whole header lines.
fn http_text(answer: &Answer, more: &str) -> String {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut text =
        format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or(""));
    for (name, value) in &answer.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    let body = answer.text();
    text.push_str(&format!("{more}Content-Length: {}\r\n\r\n{body}", body.len()));
    text
}

/// `<item>` is answered as `<response-item>`.
fn response_id(id: &str) -> String {
    match id.strip_prefix('<') {
        Some(rest) => format!("<response-{rest}"),
        None => format!("response-{id}"),
    }
}

fn parts(headers: &HeaderMap, body: &[u8], token: Option<&str>) -> Result<Vec<Part>, Refusal> {
    let bad = |message: &str| Refusal::new(400, "badRequest", message);
    let content_type =
        headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary =
        boundary(content_type).ok_or_else(|| bad("Missing a multipart/mixed boundary"))?;
    let text = String::from_utf8_lossy(body).replace("\r\n", "\n");
    let delimited = format!("\n{text}");
    let (inner, _) = delimited
        .rsplit_once(&format!("\n--{boundary}--"))
        .ok_or_else(|| bad("The batch has no end"))?;
    let parts: Vec<Part> = inner
        .split(&format!("\n--{boundary}\n"))
        .skip(1)
        .map(|part| read_part(part, token))
        .collect();
    if parts.is_empty() {
        return Err(bad("The batch request is empty"));
    }
    if parts.len() > LARGEST_BATCH {
        return Err(bad(&format!(
            "The batch request must not contain more than {LARGEST_BATCH} calls"
        )));
    }
    Ok(parts)
}

fn read_part(text: &str, outer_token: Option<&str>) -> Part {
    let (head, request) = text.split_once("\n\n").unwrap_or((text, ""));
    let is_http = header(head, CONTENT_TYPE.as_str())
        .is_some_and(|kind| kind.starts_with("application/http"));
    let call = is_http.then(|| inner_call(request, outer_token)).flatten();
    Part { content_id: header(head, "content-id").map(Into::into), call }
}

/// The inner request names a path only; its own headers go before the outer ones.
fn inner_call(request: &str, outer_token: Option<&str>) -> Option<Call> {
    let (head, body) =
        request.trim_start_matches('\n').split_once("\n\n").unwrap_or((request.trim(), ""));
    let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
    let mut words = line.split_whitespace();
    let (http_method, target) = (words.next()?, words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let own_token =
        header(headers, AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
    path.starts_with('/').then(|| Call {
        http_method: http_method.into(),
        path: path.into(),
        query: query.into(),
        bearer: own_token.or(outer_token).map(Into::into),
        body: body.trim().as_bytes().to_vec(),
        in_batch: true,
    })
}

fn header<'a>(headers: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = headers.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(field, _)| field.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    let value =
        parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?;
    (kind.trim() == "multipart/mixed").then(|| value.trim_matches('"'))
}

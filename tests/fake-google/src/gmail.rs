//! One Gmail call, on its own or in a batch: who calls, may they, and what comes back.

mod account;
pub(crate) mod answer;
mod drafts;
mod labels;
mod messages;
mod threads;
pub(crate) mod upload;

use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::app::{App, State};
use crate::discovery::{self, Found};
use crate::faults::{Fault, Target};
use crate::fields::Selection;
use crate::query::Query;
use crate::values::unguessable;
use crate::{history, hostile};
use answer::{Answer, Refusal};

const METADATA_SCOPE: &str = "https://www.googleapis.com/auth/gmail.metadata";

pub(crate) struct Call {
    pub http_method: String,
    /// As sent, still percent-encoded.
    pub path: String,
    pub query: String,
    pub bearer: Option<String>,
    pub body: Vec<u8>,
    pub in_batch: bool,
}

/// What a method's code works on: an admitted call of one mailbox.
pub(crate) struct Admitted<'a> {
    pub app: &'a Arc<App>,
    pub state: &'a mut State,
    pub email: &'a str,
    pub found: &'a Found,
    pub query: &'a Query,
    pub body: Value,
    pub only_metadata: bool,
}

/// A call that came by itself.
pub(crate) async fn respond(app: &Arc<App>, call: Call) -> Response {
    let (answer, fault, number) = perform_and_log(app, call).await;
    hostile::spoilt(app, fault.as_ref(), number, answer.into_response()).await
}

pub(crate) async fn answer(app: &Arc<App>, call: Call) -> Answer {
    perform_and_log(app, call).await.0
}

/// The answer, the fault that hit it, and its number in the log.
async fn perform_and_log(app: &Arc<App>, call: Call) -> (Answer, Option<Fault>, u64) {
    let found = discovery::find(&call.http_method, &call.path);
    let email =
        call.bearer.as_deref().and_then(|token| app.state().oauth.holder(token, app.now_ms()));
    let email = email.map(|(email, _)| email);
    let method = found.as_ref().map_or("unknown", |found| found.name);
    let fault = app.state().faults.take(&Target {
        method,
        path: &call.path,
        email: email.as_deref(),
        in_batch: call.in_batch,
        message_id: found
            .as_ref()
            .and_then(|found| found.path_parameters.get("id"))
            .map(String::as_str),
    });
    let query = Query::parse(&call.query);
    let mut answer = match &fault {
        Some(fault) => answer_with_fault(app, &call, found.as_ref(), &query, fault).await,
        None => perform(app, &call, found.as_ref(), &query),
    };
    answer.pretty = query.first("prettyPrint") != Some("false");
    let shown = if call.query.is_empty() {
        call.path.clone()
    } else {
        format!("{}?{}", call.path, call.query)
    };
    let number =
        app.state().calls.record(method, &shown, email.as_deref(), answer.status, call.in_batch);
    (answer, fault, number)
}

async fn answer_with_fault(
    app: &Arc<App>,
    call: &Call,
    found: Option<&Found>,
    query: &Query,
    fault: &Fault,
) -> Answer {
    tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    match Answer::from_fault(fault) {
        Some(other) if !fault.applied => other,
        Some(other) => {
            perform(app, call, found, query);
            other
        }
        None if fault.endless_pages => {
            with_next_page(perform(app, call, found, &query.without("pageToken")))
        }
        None => perform(app, call, found, query),
    }
}

fn with_next_page(mut answer: Answer) -> Answer {
    if let Some(body) = answer.body.as_mut().filter(|_| answer.status == 200) {
        body["nextPageToken"] = unguessable("", 18).into();
    }
    answer
}

fn perform(app: &Arc<App>, call: &Call, found: Option<&Found>, query: &Query) -> Answer {
    let outcome = admitted(app, &mut app.state(), call, found, query);
    // A large answer takes long, and others need the state.
    let described = |found, answer| described(app, found, query, answer);
    let outcome =
        outcome.and_then(|answer| found.zip(answer).map(|(f, a)| described(f, a)).transpose());
    outcome.map_or_else(Answer::from, |body| body.map_or_else(Answer::no_content, Answer::ok))
}

/// The answer's body, or none for 204.
fn admitted(
    app: &Arc<App>,
    state: &mut State,
    call: &Call,
    found: Option<&Found>,
    query: &Query,
) -> Result<Option<Value>, Refusal> {
    let Some(found) = found else {
        violation(app, state, format!("no such method: {} {}", call.http_method, call.path))?;
        return Err(Refusal::not_found());
    };
    if let Err(problem) = discovery::check_query(found, query.pairs()) {
        violation(app, state, problem)?;
    }
    let token = call.bearer.as_deref().unwrap_or_default();
    let (email, scopes) =
        state.oauth.holder(token, app.now_ms()).ok_or_else(Refusal::unauthenticated)?;
    let user_id = found.path_parameters.get("userId").map(String::as_str).unwrap_or_default();
    if user_id != "me" && !user_id.eq_ignore_ascii_case(&email) {
        return Err(Refusal::delegation_denied(&email));
    }
    if !scopes.iter().any(|scope| found.method.scopes.contains(scope)) {
        return Err(Refusal::insufficient_scope());
    }
    let readable = |scope: &String| found.method.scopes.contains(scope) && scope != METADATA_SCOPE;
    let body = request_body(app, state, call, found)?;
    let only_metadata = !scopes.iter().any(readable);
    dispatch(Admitted { app, state, email: &email, found, query, body, only_metadata })
}

/// The asked-for fields of an answer, which is held against Google's own description first.
fn described(
    app: &Arc<App>,
    found: &Found,
    query: &Query,
    answer: Value,
) -> Result<Value, Refusal> {
    if let Err(problem) = discovery::check_response(found.name, &answer) {
        app.state().violations.push(format!("the fake's own answer: {problem}"));
    }
    match query.first("fields").map(Selection::parse).transpose() {
        Ok(None) => Ok(answer),
        Ok(Some(selection)) => Ok(selection.apply(answer)),
        Err(problem) => Err(Refusal::invalid_argument(&problem)),
    }
}

fn dispatch(call: Admitted<'_>) -> Result<Option<Value>, Refusal> {
    let (trash, inbox) = (["TRASH".to_owned()], ["INBOX".to_owned()]);
    match call.found.name {
        "getProfile" => account::profile(call).map(Some),
        "watch" => account::watch(call).map(Some),
        "stop" => account::stop(call).map(|()| None),
        "labels.list" => labels::list(call).map(Some),
        "labels.get" => labels::get(call).map(Some),
        "labels.create" => labels::create(call).map(Some),
        "labels.update" | "labels.patch" => labels::change(call).map(Some),
        "labels.delete" => labels::delete(call).map(|()| None),
        "history.list" => history::list(call).map(Some),
        "messages.list" => messages::list(call).map(Some),
        "messages.get" => messages::get(call).map(Some),
        "messages.attachments.get" => messages::attachment(call).map(Some),
        "messages.modify" => messages::modify(call).map(Some),
        "messages.trash" => messages::relabel(call, &trash, &inbox).map(Some),
        "messages.untrash" => messages::relabel(call, &[], &trash).map(Some),
        "messages.delete" => messages::delete(call).map(|()| None),
        "messages.batchModify" => messages::batch_modify(call).map(|()| None),
        "messages.batchDelete" => messages::batch_delete(call).map(|()| None),
        "messages.send" => drafts::send(call).map(Some),
        "threads.list" => threads::list(call).map(Some),
        "threads.get" => threads::get(call).map(Some),
        "threads.modify" => threads::modify(call).map(Some),
        "threads.trash" => threads::relabel(call, &trash, &inbox).map(Some),
        "threads.untrash" => threads::relabel(call, &[], &trash).map(Some),
        "threads.delete" => threads::delete(call).map(|()| None),
        "settings.sendAs.list" => account::send_as(call).map(Some),
        "drafts.list" => drafts::list(call).map(Some),
        "drafts.get" => drafts::get(call).map(Some),
        "drafts.create" => drafts::create(call).map(Some),
        "drafts.update" => drafts::update(call).map(Some),
        "drafts.send" => drafts::send_draft(call).map(Some),
        "drafts.delete" => drafts::delete(call).map(|()| None),
        _ => Err(Refusal::not_found()),
    }
}

fn request_body(
    app: &App,
    state: &mut State,
    call: &Call,
    found: &Found,
) -> Result<Value, Refusal> {
    if call.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(json!({}));
    }
    let body = serde_json::from_slice(&call.body).map_err(|_| Refusal::parse_error())?;
    if let Err(problem) = discovery::check_body(found.name, &body) {
        violation(app, state, problem)?;
    }
    Ok(body)
}

fn violation(app: &App, state: &mut State, problem: String) -> Result<(), Refusal> {
    if !app.config.strict {
        return Ok(());
    }
    let refusal = Refusal::invalid_argument(&problem);
    state.violations.push(problem);
    Err(refusal)
}

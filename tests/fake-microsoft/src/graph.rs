//! Microsoft Graph v1.0, as far as mail and its notifications go: one call from its request to its
//! answer.

pub(crate) mod answer;
mod attachments;
pub(crate) mod batch;
mod drafts;
mod folders;
mod listing;
mod messages;
mod reading;
pub(crate) mod routes;
mod sending;
pub(crate) mod subscribing;
pub(crate) mod uploads;

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use serde_json::{Value, json};

use crate::app::{App, State};
use crate::calls::CallRecord;
use crate::faults::{Fault, Target};
use crate::hostile;
use crate::mailbox::{Mailbox, When};
use crate::message::{Content, Wishes};
use crate::notify;
use crate::query::{Query, decode_segment};
use crate::shapes::Shapes;
use crate::throttle::Refused;
use answer::{Answer, Outcome, Refusal, challenge};
use routes::Route;
use uploads::Upload;

pub(crate) use sending::date as sending_date;

pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// More than this is refused: <https://learn.microsoft.com/graph/use-the-api#method>.
const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// A request, alone or in a batch.
pub(crate) struct Call {
    pub method: String,
    /// Without `/v1.0`.
    pub path: String,
    pub query: String,
    pub bearer: Option<String>,
    pub content_type: String,
    pub prefer: Prefer,
    pub body: Vec<u8>,
    pub in_batch: bool,
}

/// What the `Prefer` headers ask for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Prefer {
    pub wishes: Wishes,
    pub page_size: Option<usize>,
}

impl Prefer {
    pub fn of(values: impl Iterator<Item = String>) -> Self {
        let mut prefer = Self::default();
        for value in values {
            for one in value.split(',') {
                let (name, wish) = one.trim().split_once('=').unwrap_or((one, ""));
                let wish = wish.trim().trim_matches('"');
                match name.trim().to_ascii_lowercase().as_str() {
                    "idtype" => prefer.wishes.immutable = wish.eq_ignore_ascii_case("ImmutableId"),
                    "outlook.body-content-type" => {
                        prefer.wishes.text_body = wish.eq_ignore_ascii_case("text")
                    }
                    "odata.maxpagesize" => prefer.page_size = wish.parse().ok(),
                    _ => {}
                }
            }
        }
        prefer
    }

    /// As the answer confirms them.
    fn applied(&self) -> Option<String> {
        let ids = self.wishes.immutable.then(|| "IdType=\"ImmutableId\"".to_owned());
        let text = self.wishes.text_body.then(|| "outlook.body-content-type=\"text\"".to_owned());
        let size = self.page_size.map(|size| format!("odata.maxpagesize={size}"));
        let applied: Vec<String> = [ids, text, size].into_iter().flatten().collect();
        (!applied.is_empty()).then(|| applied.join(", "))
    }
}

impl Call {
    pub fn new(method: &str, path: &str, query: &str, headers: &HeaderMap, body: Vec<u8>) -> Self {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let all = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        let bearer = text(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        Self {
            method: method.into(),
            path: path.into(),
            query: query.into(),
            bearer: bearer.map(Into::into),
            content_type: text(CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase(),
            prefer: Prefer::of(all.map(Into::into)),
            body,
            in_batch: false,
        }
    }

    pub fn json(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Refusal::bad_request(&format!("Unable to read JSON request payload. {error}"))
        })
    }
}

/// What answers a call of one mailbox.
pub(crate) struct Context<'a> {
    pub app: &'a App,
    pub call: &'a Call,
    pub query: Query,
    /// What stands in the braces of the route.
    pub ids: &'a [String],
    pub mailbox: &'a mut Mailbox,
    pub shapes: Shapes,
    pub when: When,
    /// Mail that leaves the mailbox.
    pub sent: Vec<Content>,
    /// Upload sessions by their tokens.
    pub uploads: Vec<(String, Upload)>,
}

/// Who calls.
pub(crate) struct Caller {
    pub key: String,
    pub scopes: Vec<String>,
}

/// Performs a call, with the armed faults, and logs it.
pub(crate) async fn respond(app: &Arc<App>, call: Call) -> Answer {
    let found = found(app, &call);
    let name = found.as_ref().map_or("unknown", |(route, _)| route.name);
    app.requests.record(&call, found.as_ref().map(|(route, _)| *route));
    app.run_hook(name, &call.path);
    let email = caller(app, &call).ok().map(|caller| caller.key);
    let target =
        Target { name, path: &call.path, email: email.as_deref(), in_batch: call.in_batch };
    let fault = app.state().faults.take(&target);
    let answer = admitted(app, &call, found.as_ref(), fault.as_ref()).await;
    app.state().calls.record(CallRecord {
        name: name.into(),
        http_method: call.method.clone(),
        path: call.path.clone(),
        query: call.query.clone(),
        template: found.as_ref().map(|(route, _)| route.template.into()).unwrap_or_default(),
        email,
        status: answer.status,
        in_batch: call.in_batch,
        immutable_ids: call.prefer.wishes.immutable,
        ..CallRecord::default()
    });
    match call.prefer.applied() {
        Some(applied) if answer.status < 300 => answer.with(PREFERENCE_APPLIED, applied),
        _ => answer,
    }
}

/// The route of a call; `/users/{id}` of the caller is `/me`.
fn found(app: &App, call: &Call) -> Option<(&'static Route, Vec<String>)> {
    // `messages('id')` is `messages/id`.
    let path = call.path.replace("('", "/").replace("')", "");
    let mut segments: Vec<String> = path.split('/').skip(1).map(decode_segment).collect();
    if segments.len() > 1 && segments[0].eq_ignore_ascii_case("users") {
        let key = caller(app, call).ok()?.key;
        let state = app.state();
        let user = &state.mailboxes.get(&key)?.user;
        if !user.is(&segments[1]) {
            return None;
        }
        segments.splice(0..2, ["me".to_owned()]);
    }
    routes::find(&call.method, &segments)
}

/// The throttled part of a call: in, held up or spoilt by a fault, and out.
async fn admitted(
    app: &Arc<App>,
    call: &Call,
    found: Option<&(&'static Route, Vec<String>)>,
    fault: Option<&Fault>,
) -> Answer {
    let caller = match caller(app, call) {
        Ok(caller) => caller,
        Err(refusal) => return refusal.answer(app),
    };
    let is_batch = found.is_some_and(|(route, _)| route.name == "batch");
    if !is_batch && let Err(refusal) = enter(app, &caller.key) {
        return refusal.answer(app);
    }
    let leaves = Leaves { app, key: (!is_batch).then_some(caller.key.as_str()) };
    if let Some(fault) = fault.filter(|fault| fault.delay_ms > 0) {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    }
    let other = fault.and_then(|fault| Answer::of_fault(app, fault));
    let performs = other.is_none() || fault.is_some_and(|fault| fault.applied);
    let performed = if performs {
        Some(
            performed(app, call, found, &caller)
                .await
                .unwrap_or_else(|refusal| refusal.answer(app)),
        )
    } else {
        None
    };
    drop(leaves);
    let answer = other.or(performed).expect("performed unless a fault replaces the answer");
    match fault {
        Some(fault) => hostile::spoilt(app, call, fault, answer),
        None => answer,
    }
}

/// Gives its place free even if the caller hangs up meanwhile.
struct Leaves<'a> {
    app: &'a App,
    key: Option<&'a str>,
}

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        if let Some(mailbox) = self.app.state().mailboxes.get_mut(key) {
            mailbox.throttle.leave();
        }
    }
}

fn enter(app: &App, key: &str) -> Result<(), Refusal> {
    let mut state = app.state();
    let limits = state.limits;
    let Some(mailbox) = state.mailboxes.get_mut(key) else { return Ok(()) };
    let throttled = |said: &str, seconds: i64| {
        let refusal = Refusal::new(429, "ApplicationThrottled", said);
        let wait = limits.wait(seconds).map(|wait| (RETRY_AFTER, wait));
        wait.into_iter().fold(refusal, |refusal, (name, wait)| refusal.with(name, wait))
    };
    mailbox.throttle.enter(&limits, app.now_ms()).map_err(|refused| match refused {
        Refused::AtOnce => throttled("Application is over its MailboxConcurrency limit.", 1),
        Refused::TooMany(seconds) => {
            throttled("Application is over its RequestCount limit.", seconds)
        }
    })
}

/// Who the bearer token stands for, or why it stands for nobody.
fn caller(app: &App, call: &Call) -> Result<Caller, Refusal> {
    let refused = |message: &str| Refusal::new(401, "InvalidAuthenticationToken", message);
    let token = call.bearer.as_deref().ok_or_else(|| refused("Access token is empty."))?;
    let state = app.state();
    let now = state.server_now(app).unix_timestamp();
    let token = state
        .oauth
        .access_tokens
        .get(token)
        .ok_or_else(|| refused("IDX14100: JWT is not well formed, there are no dots (.)."))?;
    if now >= token.expires {
        return Err(refused("Lifetime validation failed, the token is expired."));
    }
    let grant = &state.oauth.grants[token.grant];
    let claims = state.mailboxes.get(&grant.key).and_then(|mailbox| mailbox.claims.clone());
    let (key, scopes) = (grant.key.clone(), token.scopes.clone());
    drop(state);
    match claims {
        Some(claims) => Err(challenge(app, &claims)),
        None => Ok(Caller { key, scopes }),
    }
}

async fn performed(
    app: &Arc<App>,
    call: &Call,
    found: Option<&(&'static Route, Vec<String>)>,
    caller: &Caller,
) -> Outcome {
    let Some((route, ids)) = found else { return Err(no_such(app, call)) };
    if call.body.len() > LONGEST_BODY {
        return Err(Refusal::new(413, "RequestEntityTooLarge", "The request body is too large."));
    }
    if !route.need.is_met_by(&caller.scopes) {
        return Err(Refusal::new(
            403,
            "ErrorAccessDenied",
            "Access is denied. Check credentials and try again.",
        ));
    }
    let query = Query::parse(&call.query);
    note_unheeded(app, route, &query);
    match route.name {
        "batch" => batch::batch(app, call).await,
        name if name.starts_with("subscriptions.") => {
            subscribing::respond(app, call, name, ids, caller).await
        }
        name => with_mailbox(app, call, query, (name, ids), &caller.key),
    }
}

/// What Graph does not have, or the fake does not.
fn no_such(app: &App, call: &Call) -> Refusal {
    let said = format!("{} {}", call.method, call.path);
    app.state().violations.push(said);
    let segment = call.path.rsplit('/').next().unwrap_or_default();
    Refusal::bad_request(&format!("Resource not found for the segment '{segment}'."))
}

fn note_unheeded(app: &App, route: &Route, query: &Query) {
    let heeded = |name: &str| {
        let dollar = format!("${name}");
        route
            .query
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name) || known.eq_ignore_ascii_case(&dollar))
    };
    let unheeded = query.pairs().iter().filter(|(name, _)| !heeded(name));
    let said = unheeded.map(|(name, _)| format!("{} {}: {name}", route.method, route.template));
    app.state().violations.extend(said);
}

fn with_mailbox(
    app: &Arc<App>,
    call: &Call,
    query: Query,
    (name, ids): (&str, &[String]),
    key: &str,
) -> Outcome {
    let mut guard = app.state();
    let state = &mut *guard;
    let when = state.when(app, 0);
    let shapes = state.shapes;
    let Some(mailbox) = state.mailboxes.get_mut(key) else {
        return Err(Refusal::new(
            404,
            "MailboxNotEnabledForRESTAPI",
            "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
        ));
    };
    let (sent, uploads) = (Vec::new(), Vec::new());
    let mut context = Context { app, call, query, ids, mailbox, shapes, when, sent, uploads };
    let outcome = answered(&mut context, name);
    let (sent, uploads) = (context.sent, context.uploads);
    for (token, upload) in uploads {
        state.uploads.insert(token, Upload { key: key.into(), ..upload });
    }
    deliver(state, sent, when);
    notify::publish(app, state);
    outcome
}

fn answered(context: &mut Context<'_>, name: &str) -> Outcome {
    match name {
        "me" => Ok(me(context)),
        "messages.list" => listing::list(context, None),
        "messages.listInFolder" => {
            let folder = folders::find(context, 0)?.id;
            listing::list(context, Some(&folder))
        }
        "messages.get" => messages::get(context),
        "messages.mime" => messages::mime(context),
        "messages.update" => messages::update(context),
        "messages.delete" => messages::delete(context),
        "messages.permanentDelete" => messages::permanent_delete(context),
        "messages.move" => messages::relocate(context, true),
        "messages.copy" => messages::relocate(context, false),
        "messages.create" => drafts::create(context),
        "messages.createReply" => drafts::answer(context, drafts::Kind::Reply),
        "messages.createReplyAll" => drafts::answer(context, drafts::Kind::ReplyAll),
        "messages.createForward" => drafts::answer(context, drafts::Kind::Forward),
        "messages.send" => sending::send(context),
        "messages.reply" => sending::answer(context, drafts::Kind::Reply),
        "messages.replyAll" => sending::answer(context, drafts::Kind::ReplyAll),
        "messages.forward" => sending::answer(context, drafts::Kind::Forward),
        "sendMail" => sending::send_mail(context),
        "attachments.list" => attachments::list(context),
        "attachments.create" => attachments::create(context),
        "attachments.get" => attachments::get(context),
        "attachments.delete" => attachments::delete(context),
        "attachments.content" => attachments::content(context),
        "attachments.createUploadSession" => attachments::create_upload_session(context),
        _ => folders::respond(context, name),
    }
}

/// Mail to a mailbox of this fake arrives there.
fn deliver(state: &mut State, sent: Vec<Content>, when: When) {
    for content in sent {
        let to: Vec<String> = content.recipients().collect();
        let hit =
            state.mailboxes.values_mut().filter(|one| to.contains(&one.user.email.to_lowercase()));
        for mailbox in hit {
            let inbox = mailbox.folders.known("inbox");
            mailbox.add(sending::received(&content, inbox, when), when);
        }
    }
}

fn me(context: &Context<'_>) -> Answer {
    let user = &context.mailbox.user;
    let (given, surname) = user.name.split_once(' ').unwrap_or((&user.name, ""));
    let full = json!({
        "@odata.context": format!("{}/v1.0/$metadata#users/$entity", context.app.url),
        "businessPhones": [],
        "displayName": user.name,
        "givenName": given,
        "jobTitle": null,
        // As users met it; the principal name is the address then.
        "mail": if user.is_personal() { Value::Null } else { json!(user.email) },
        "mobilePhone": null,
        "officeLocation": null,
        "preferredLanguage": null,
        "surname": surname,
        "userPrincipalName": user.upn,
        "id": user.graph_id(),
    });
    Answer::json(200, reading::selected(full, &context.query))
}

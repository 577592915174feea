//! What stands in for Google in a dry run: one recorded mailbox that writes change and nothing leaves. It speaks Google's own
//! HTTP, so that all that makes requests and reads answers is what runs against Google.

mod batched;
mod call;
mod drafts;
mod fields;
mod history;
mod labels;
mod mailbox;
mod messages;
mod mime;
mod oauth;
mod recorded;
mod routes;
mod search;
mod threads;

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Request, Response, StatusCode, Url};
use serde_json::Value;

use self::call::{Outcome, Refusal, Reply};
use self::mailbox::Mailbox;
use self::oauth::Accounts;
use super::line::below;
use crate::config::GoogleSettings;
use crate::domain::timestamp::Timestamp;
use crate::ports::ConsentRequest;

/// Clones are one mailbox.
#[derive(Clone)]
pub struct StandIn {
    places: Arc<Places>,
    now: fn() -> Timestamp,
    state: Arc<Mutex<State>>,
}

/// Where Google would be: by these URLs a request is known.
struct Places {
    token_url: String,
    revoke_url: String,
    batch_url: String,
    api_base: String,
}

struct State {
    accounts: Accounts,
    /// Read from the recorded set when it is first asked for.
    mailbox: Option<Mailbox>,
}

impl StandIn {
    pub fn new(settings: &GoogleSettings, scopes: Vec<String>, now: fn() -> Timestamp) -> Self {
        let places = Places {
            token_url: settings.token_url.clone(),
            revoke_url: settings.revoke_url.clone(),
            batch_url: settings.batch_url.clone(),
            api_base: settings.api_base.clone(),
        };
        let state = State { accounts: Accounts::new(settings.client_id.clone(), scopes), mailbox: None };
        Self { places: Arc::new(places), now, state: Arc::new(Mutex::new(state)) }
    }

    /// The consent is given at once: the browser goes straight back to where Google would send it.
    pub fn consent_url(&self, consent: &ConsentRequest<'_>) -> String {
        oauth::consented(consent)
    }

    pub fn answer(&self, request: &Request) -> Response {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.now)();
        let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
        let header = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
        let url = request.url();
        let is = |place: &str| Url::parse(place).is_ok_and(|place| place == *url);
        let reply = match request.method().as_str() {
            "POST" if is(&self.places.token_url) => match state.mailbox() {
                Ok(mailbox) => {
                    let account = mailbox.account.clone();
                    state.accounts.token(&account, body, now)
                }
                Err(refusal) => refusal.reply(),
            },
            "POST" if is(&self.places.revoke_url) => state.accounts.revoke(body),
            "POST" if is(&self.places.batch_url) => {
                batched::answer(header(CONTENT_TYPE), body, |method, target, body| match Url::parse(&self.places.api_base) {
                    Ok(base) => match base.join(target) {
                        Ok(url) => self.api(&mut state, method, &url, header(AUTHORIZATION), body, now),
                        Err(_) => Refusal::unknown(method, target).reply(),
                    },
                    Err(_) => Refusal::unknown(method, target).reply(),
                })
            }
            method => self.api(&mut state, method, url, header(AUTHORIZATION), body, now),
        };
        response(reply)
    }

    fn api(&self, state: &mut State, method: &str, url: &Url, authorization: &str, body: &[u8], now: Timestamp) -> Reply {
        let Some(path) = below(&self.places.api_base, url) else { return Refusal::unknown(method, url.path()).reply() };
        if !oauth::is_ours(authorization.strip_prefix("Bearer ").unwrap_or_default()) {
            return Refusal::unauthenticated().reply();
        }
        let query: Vec<(String, String)> = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        state
            .mailbox()
            .and_then(|mailbox| routes::answer(mailbox, method, path, query, body, now))
            .unwrap_or_else(|refusal| refusal.reply())
    }
}

impl State {
    fn mailbox(&mut self) -> Result<&mut Mailbox, Refusal> {
        if self.mailbox.is_none() {
            self.mailbox = Some(recorded::mailbox().map_err(Refusal::broken)?);
        }
        self.mailbox.as_mut().ok_or_else(|| Refusal::broken("there is no mailbox".into()))
    }
}

fn response(reply: Reply) -> Response {
    let mut response = http::Response::new(reply.body);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(value) = HeaderValue::from_str(&reply.content_type) {
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
    response.into()
}

fn reply_of(outcome: Outcome, selected: impl FnOnce(Value) -> Result<Value, Refusal>) -> Result<Reply, Refusal> {
    match outcome? {
        Some(body) => Ok(Reply::json(200, &selected(body)?)),
        None => Ok(Reply::empty()),
    }
}

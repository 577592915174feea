//! The methods of Gmail's API that the recorded mailbox answers, by Google's route templates.

use serde_json::Value;

use super::call::{Call, Outcome, Refusal};
use super::mailbox::Mailbox;
use super::{drafts, fields, history, labels, messages, threads};
use crate::adapters::dry_run::{self, Reply};
use crate::domain::timestamp::Timestamp;

struct Route {
    method: &'static str,
    template: &'static str,
    /// The query parameters that it takes, beside those that every method takes.
    query: &'static [&'static str],
    handler: fn(&mut Mailbox, &Call) -> Outcome,
}

const USER: &str = "/gmail/v1/users/{userId}";
const STANDARD: [&str; 3] = ["fields", "prettyPrint", "alt"];
const LISTING: &[&str] = &["q", "labelIds", "includeSpamTrash", "maxResults", "pageToken"];
const FORMAT: &[&str] = &["format", "metadataHeaders"];
const HISTORY: &[&str] = &["startHistoryId", "historyTypes", "labelId", "maxResults", "pageToken"];

const fn route(
    method: &'static str,
    template: &'static str,
    query: &'static [&'static str],
    handler: fn(&mut Mailbox, &Call) -> Outcome,
) -> Route {
    Route { method, template, query, handler }
}

const ROUTES: [Route; 33] = [
    route("GET", "/profile", &[], history::profile),
    route("GET", "/settings/sendAs", &[], history::send_as),
    route("POST", "/watch", &[], history::watch),
    route("POST", "/stop", &[], history::stop),
    route("GET", "/history", HISTORY, history::list),
    route("GET", "/messages", LISTING, messages::list),
    route("POST", "/messages/send", &[], messages::send),
    route("POST", "/messages/batchModify", &[], messages::batch_modify),
    route("POST", "/messages/batchDelete", &[], messages::batch_delete),
    route("GET", "/messages/{id}", FORMAT, messages::get),
    route("DELETE", "/messages/{id}", &[], messages::delete),
    route("POST", "/messages/{id}/modify", &[], messages::modify),
    route("POST", "/messages/{id}/trash", &[], messages::trash),
    route("POST", "/messages/{id}/untrash", &[], messages::untrash),
    route("GET", "/messages/{messageId}/attachments/{id}", &[], messages::attachment),
    route("GET", "/threads", LISTING, threads::list),
    route("GET", "/threads/{id}", FORMAT, threads::get),
    route("DELETE", "/threads/{id}", &[], threads::delete),
    route("POST", "/threads/{id}/modify", &[], threads::modify),
    route("POST", "/threads/{id}/trash", &[], threads::trash),
    route("POST", "/threads/{id}/untrash", &[], threads::untrash),
    route("GET", "/labels", &[], labels::list),
    route("POST", "/labels", &[], labels::create),
    route("GET", "/labels/{id}", &[], labels::get),
    route("PUT", "/labels/{id}", &[], labels::update),
    route("PATCH", "/labels/{id}", &[], labels::patch),
    route("DELETE", "/labels/{id}", &[], labels::delete),
    route("GET", "/drafts", &["q", "includeSpamTrash", "maxResults", "pageToken"], drafts::list),
    route("POST", "/drafts", &[], drafts::create),
    route("POST", "/drafts/send", &[], drafts::send),
    route("GET", "/drafts/{id}", &["format"], drafts::get),
    route("PUT", "/drafts/{id}", &[], drafts::update),
    route("DELETE", "/drafts/{id}", &[], drafts::delete),
];

pub fn answer(
    mailbox: &mut Mailbox,
    method: &str,
    path: &str,
    query: Vec<(String, String)>,
    body: &[u8],
    now: Timestamp,
) -> Result<Reply, Refusal> {
    let found = ROUTES.iter().find_map(|route| Some((route, matched(route, method, path)?)));
    let (route, mut ids) = found.ok_or_else(|| Refusal::unknown(method, path))?;
    let user = ids.remove(0);
    if user != "me" && !user.eq_ignore_ascii_case(&mailbox.account.address) {
        return Err(Refusal::foreign_mailbox());
    }
    if let Some((name, _)) = query.iter().find(|(name, _)| {
        !STANDARD.contains(&name.as_str()) && !route.query.contains(&name.as_str())
    }) {
        return Err(Refusal::invalid(format!(
            "Unknown name \"{name}\": Cannot bind query parameter."
        )));
    }
    let body = match body.trim_ascii() {
        [] => Value::Null,
        text => serde_json::from_slice(text)
            .map_err(|_| Refusal::invalid("Invalid JSON payload received.".into()))?,
    };
    let call = Call { ids, query, body, now };
    mailbox.come_to(now);
    let outcome = (route.handler)(mailbox, &call);
    if method != "GET" && outcome.is_ok() {
        let id = call
            .ids
            .first()
            .cloned()
            .or_else(|| outcome.as_ref().ok()?.as_ref()?["id"].as_str().map(String::from));
        let route = format!("{USER}{}", route.template);
        dry_run::log_write(method, &route, &id.unwrap_or_default());
    }
    match (outcome?, call.parameter("fields")) {
        (Some(body), Some(wanted)) => Ok(Reply::json(200, &fields::selected(wanted, body)?)),
        (Some(body), None) => Ok(Reply::json(200, &body)),
        (None, _) => Ok(Reply::bare(204)),
    }
}

fn matched(route: &Route, method: &str, path: &str) -> Option<Vec<String>> {
    let template = USER.split('/').chain(route.template.split('/').skip(1));
    if route.method == method { dry_run::matched(template, path) } else { None }
}

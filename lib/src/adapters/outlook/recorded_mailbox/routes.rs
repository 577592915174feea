//! The methods of Graph's that the recorded mailbox answers, by Graph's route templates.

use super::call::{Call, Outcome, Refusal, collection, selected};
use super::mailbox::Mailbox;
use super::{attachments, folders, messages, subscriptions};
use crate::adapters::dry_run::{self, Reply};

struct Route {
    method: &'static str,
    template: &'static str,
    /// The query options that it takes.
    query: &'static [&'static str],
    handler: fn(&mut Mailbox, &Call) -> Outcome,
}

const LISTING: &[&str] =
    &["$filter", "$orderby", "$search", "$select", "$skip", "$skiptoken", "$top"];
const SELECT: &[&str] = &["$select"];
const FOLDERS: &[&str] = &["$select", "$top"];

const fn route(
    method: &'static str,
    template: &'static str,
    query: &'static [&'static str],
    handler: fn(&mut Mailbox, &Call) -> Outcome,
) -> Route {
    Route { method, template, query, handler }
}

const ROUTES: [Route; 26] = [
    route("GET", "/me", SELECT, me),
    route("POST", "/me/sendMail", &[], messages::send_mail),
    route("GET", "/me/messages", LISTING, messages::list),
    route("POST", "/me/messages", &[], messages::create),
    route("GET", "/me/messages/{id}", SELECT, messages::get),
    route("PATCH", "/me/messages/{id}", &[], messages::update),
    route("DELETE", "/me/messages/{id}", &[], messages::delete),
    route("GET", "/me/messages/{id}/$value", &[], messages::content),
    route("POST", "/me/messages/{id}/move", &[], messages::moved),
    route("POST", "/me/messages/{id}/send", &[], messages::send),
    route("POST", "/me/messages/{id}/permanentDelete", &[], messages::delete),
    route("POST", "/me/messages/{id}/attachments", &[], attachments::create),
    route("POST", "/me/messages/{id}/attachments/createUploadSession", &[], attachments::session),
    route("GET", "/me/mailFolders", FOLDERS, folders::list),
    route("POST", "/me/mailFolders", &[], folders::create),
    route("GET", "/me/mailFolders/{id}", SELECT, folders::get),
    route("PATCH", "/me/mailFolders/{id}", &[], folders::update),
    route("DELETE", "/me/mailFolders/{id}", &[], folders::delete),
    route("GET", "/me/mailFolders/{id}/childFolders", FOLDERS, folders::list),
    route("POST", "/me/mailFolders/{id}/childFolders", &[], folders::create),
    route("GET", "/me/mailFolders/{id}/messages", LISTING, messages::list),
    route("GET", "/me/outlook/masterCategories", &[], categories),
    route("GET", "/subscriptions", &[], subscriptions::list),
    route("POST", "/subscriptions", &[], subscriptions::create),
    route("PATCH", "/subscriptions/{id}", &[], subscriptions::update),
    route("DELETE", "/subscriptions/{id}", &[], subscriptions::delete),
];

pub fn answer(mailbox: &mut Mailbox, method: &str, path: &str, call: Call) -> Outcome {
    let found = ROUTES.iter().find_map(|route| {
        let ids = dry_run::matched(route.template.split('/'), path)?;
        (route.method == method).then_some((route, ids))
    });
    let (route, ids) = found.ok_or_else(|| Refusal::unknown(method, path))?;
    if let Some((name, _)) =
        call.url.query_pairs().find(|(name, _)| !route.query.contains(&name.as_ref()))
    {
        let message = format!("A dry run does not know the query option {name} of {path}");
        return Err(Refusal::not_implemented(message));
    }
    let call = Call { ids, ..call };
    mailbox.come_to(call.now);
    let reply = (route.handler)(mailbox, &call)?;
    if method != "GET" {
        dry_run::log_write(method, route.template, call.id(0));
    }
    Ok(reply)
}

fn me(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    Ok(Reply::json(200, &selected(&mailbox.user, call.parameter("$select").as_deref())))
}

fn categories(mailbox: &mut Mailbox, _: &Call) -> Outcome {
    collection(mailbox.categories.clone())
}

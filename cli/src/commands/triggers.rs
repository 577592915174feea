//! Triggers: made, changed, tried, fired and taken away.

use std::io::Read;

use serde_json::{Map, Value, json};

use super::{idempotency_key, named, paged};
use crate::args::compose::read;
use crate::args::triggers::{Change, Create, Delete, Fire, Test, Triggers};
use crate::failure::Failure;
use crate::request::Request;
use crate::session::Session;
use crate::show::{done, trigger as shown};

const LIST: &str = "/api/triggers";

fn path(trigger: &str) -> String {
    format!("{LIST}/{trigger}")
}

pub fn firings(trigger: &str) -> Request {
    Request::get(format!("{}/firings", path(trigger)))
}

pub async fn run(session: &Session, command: Triggers) -> Result<(), Failure> {
    match command {
        Triggers::List(page) => session.run(paged(Request::get(LIST), &page), shown::all).await,
        Triggers::Create(create) => {
            session.run(Request::post(LIST, new(&create)), shown::one).await
        }
        Triggers::Show(trigger) => {
            session.run(Request::get(path(&trigger.trigger)), shown::one).await
        }
        Triggers::Change(change) => {
            session
                .run(Request::patch(path(&change.trigger.trigger), changed(&change)?), shown::one)
                .await
        }
        Triggers::Delete(delete) => remove(session, delete).await,
        Triggers::Test(test) => session.run(rehearsal(&test), shown::tested).await,
        Triggers::Firings(list) => {
            session.run(paged(firings(&list.trigger.trigger), &list.page), shown::firings).await
        }
        Triggers::RotateSecret(trigger) => {
            let request = Request::post(format!("{}/secret", path(&trigger.trigger)), json!({}));
            session.run(request, shown::rotated).await
        }
        Triggers::Fire(fire) => self::fire(session, fire).await,
    }
}

fn new(create: &Create) -> Value {
    let mut body =
        json!({"type": named(Some(create.kind)), "config": {"connector_id": create.connector}});
    if let Some(filters) = create.filters.json() {
        body["config"]["filters"] = filters;
    }
    if let Some(agent) = &create.agent {
        body["agent_id"] = json!(agent);
    }
    body
}

fn changed(change: &Change) -> Result<Value, Failure> {
    let mut body = Map::new();
    match change.filters.json() {
        Some(_) if change.no_filters => {
            return Err(Failure::here("--no-filters takes all filters away: give none beside it"));
        }
        Some(filters) => body.insert("config".into(), json!({ "filters": filters })),
        None if change.no_filters => body.insert("config".into(), json!({"filters": {}})),
        None => None,
    };
    if change.no_agent || change.agent.is_some() {
        body.insert("agent_id".into(), json!(change.agent));
    }
    if body.is_empty() {
        return Err(Failure::here(
            "say what to change: --agent, --no-agent, filters, or --no-filters",
        ));
    }
    Ok(Value::Object(body))
}

fn rehearsal(test: &Test) -> Request {
    let mut body = Map::new();
    body.extend(test.days.map(|days| ("days".into(), json!(days))));
    body.extend(test.limit.map(|limit| ("limit".into(), json!(limit))));
    Request::post(format!("{}/test", path(&test.trigger.trigger)), Value::Object(body))
        .that_only_reads()
}

async fn remove(session: &Session, delete: Delete) -> Result<(), Failure> {
    if !delete.yes.yes && !session.dry_run {
        session.output.confirm(&format!("Delete the trigger {}?", delete.trigger.trigger))?;
    }
    session.run(Request::delete(path(&delete.trigger.trigger)), done).await
}

async fn fire(session: &Session, fire: Fire) -> Result<(), Failure> {
    let text = match (&fire.data, &fire.file) {
        (Some(data), _) => data.clone().into_bytes(),
        (None, Some(file)) if file.as_os_str() == "-" => {
            let mut text = Vec::new();
            std::io::stdin()
                .read_to_end(&mut text)
                .map_err(|error| Failure::here(format!("cannot read standard input: {error}")))?;
            text
        }
        (None, Some(file)) => read(file)?,
        (None, None) => return Err(Failure::here("give the event: --data or --file")),
    };
    let event: Value = serde_json::from_slice(&text)
        .map_err(|error| Failure::here(format!("the event is not JSON: {error}")))?;
    let key = idempotency_key(session, fire.idempotency_key);
    let request = Request::post(format!("{}/events", path(&fire.trigger.trigger)), event);
    session.run(request.header("idempotency-key", key), shown::fired).await
}

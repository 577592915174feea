//! Connectors: seen, paused, named, looked at, disconnected.

use std::time::Duration;

use serde_json::{Value, json};

use super::{all, paged};
use crate::args::Page;
use crate::args::connectors::{Drill, Health, HealthCommand, Remove};
use crate::failure::Failure;
use crate::health::{self, Verdict};
use crate::pace::{Since, pause as wait, seconds};
use crate::request::Request;
use crate::session::Session;
use crate::show::{at, connector as shown};

pub const LIST: &str = "/api/connectors";
const LOOK_AGAIN: Duration = Duration::from_millis(250);

pub fn path(id: &str) -> String {
    format!("{LIST}/{id}")
}

pub async fn list(session: &Session, page: Page) -> Result<(), Failure> {
    session.run(paged(Request::get(LIST), &page), shown::all).await
}

pub async fn show(session: &Session, id: &str) -> Result<(), Failure> {
    session.run(Request::get(path(id)), shown::one).await
}

pub async fn circuit(session: &Session, id: &str) -> Result<(), Failure> {
    session.run(Request::get(path(id)), shown::circuit).await
}

pub async fn metrics(session: &Session, id: &str) -> Result<(), Failure> {
    session.run(Request::get(path(id)), shown::metrics).await
}

pub async fn pause(session: &Session, id: &str, paused: bool) -> Result<(), Failure> {
    session.run(Request::patch(path(id), json!({ "paused": paused })), shown::one).await
}

pub async fn rename(session: &Session, id: &str, label: &str) -> Result<(), Failure> {
    let label = if label.is_empty() { Value::Null } else { json!(label) };
    session.run(Request::patch(path(id), json!({ "label": label })), shown::one).await
}

pub async fn sync(session: &Session, id: &str) -> Result<(), Failure> {
    session.run(Request::post(format!("{}/sync", path(id)), None), shown::queued).await
}

pub async fn remove(session: &Session, remove: Remove) -> Result<(), Failure> {
    let path = path(&remove.connector.id);
    if !remove.yes.yes && !session.dry_run {
        let connector = session.read(&Request::get(&*path)).await?.json()?;
        let (id, address) = (&remove.connector.id, at(&connector, "/email_address"));
        session.output.confirm(&format!("Disconnect {address} ({id}), with all its triggers?"))?;
    }
    session.run(Request::delete(path), shown::removed).await
}

pub async fn health(session: &Session, health: Health) -> Result<(), Failure> {
    if let Some(HealthCommand::Drill(drill)) = health.drill {
        return self::drill(session, drill).await;
    }
    let (text, answer) = match &health.id {
        Some(id) => {
            let answer = session.read(&Request::get(path(id))).await?;
            (answer.text.clone(), answer.json()?)
        }
        None => {
            let answer = all(session.api().await?, LIST, "connectors").await?;
            (answer.to_string(), answer)
        }
    };
    let verdicts: Vec<Verdict> = shown::each(&answer).iter().map(health::verdict).collect();
    session.output.line(&if session.output.json { text } else { health::table(&verdicts) })?;
    if verdicts.iter().any(|verdict| verdict.needs_person) { Err(Failure::NeedsPerson) } else { Ok(()) }
}

/// Each look that is done moves `updated_at`.
async fn drill(session: &Session, drill: Drill) -> Result<(), Failure> {
    let id = &drill.connector.id;
    let before = at(&session.read(&Request::get(path(id))).await?.json()?, "/updated_at");
    if session.send(&Request::post(format!("{}/sync", path(id)), None)).await?.is_none() {
        return Ok(());
    }
    let (since, spinner) = (Since::now(), session.output.spinner("asked for a look; waiting until it is done"));
    loop {
        let connector = session.read(&Request::get(path(id))).await?.json()?;
        if at(&connector, "/updated_at") != before {
            spinner.finish_and_clear();
            let took = since.elapsed();
            let told = json!({"connector_id": id, "looked_after_milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX)});
            return session.output.document(&told, &format!("looked at after {}", seconds(took)));
        }
        if since.elapsed() > Duration::from_secs(drill.timeout) {
            let hint = "see `health`, the notification queue and its dead letters";
            return Err(Failure::here(format!("nothing was looked at within {} s; {hint}", drill.timeout)));
        }
        wait(LOOK_AGAIN).await;
    }
}

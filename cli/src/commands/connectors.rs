//! Connectors: seen, paused, named, looked at, disconnected.

use std::time::Duration;

use serde_json::{Value, json};

use super::paged;
use crate::api::Api;
use crate::args::Page;
use crate::args::connectors::{Drill, Health, HealthCommand, Remove};
use crate::failure::Failure;
use crate::health;
use crate::pace::{Since, pause as wait, seconds};
use crate::request::{CONNECTORS, Request, connector_path};
use crate::session::Session;
use crate::show::{at, connector as shown};

const LOOK_AGAIN: Duration = Duration::from_millis(250);

pub async fn list(session: &Session, page: Page) -> Result<(), Failure> {
    session.run(paged(Request::get(CONNECTORS), &page), shown::all).await
}

pub async fn show(session: &Session, id: &str) -> Result<(), Failure> {
    session.run(Request::get(connector_path(id)), shown::one).await
}

pub async fn circuit(session: &Session, id: &str) -> Result<(), Failure> {
    session.run(Request::get(connector_path(id)), shown::circuit).await
}

pub async fn metrics(session: &Session, id: &str) -> Result<(), Failure> {
    session.run(Request::get(connector_path(id)), shown::metrics).await
}

pub async fn pause(session: &Session, id: &str, paused: bool) -> Result<(), Failure> {
    session.run(Request::patch(connector_path(id), json!({ "paused": paused })), shown::one).await
}

pub async fn rename(session: &Session, id: &str, label: &str) -> Result<(), Failure> {
    let label = if label.is_empty() { Value::Null } else { json!(label) };
    session.run(Request::patch(connector_path(id), json!({ "label": label })), shown::one).await
}

pub async fn sync(session: &Session, id: &str) -> Result<(), Failure> {
    session.run(Request::post(format!("{}/sync", connector_path(id)), None), shown::queued).await
}

pub async fn remove(session: &Session, remove: Remove) -> Result<(), Failure> {
    let path = connector_path(&remove.connector.id);
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
    if health.system {
        return system(session).await;
    }
    let (text, healths) = match &health.id {
        Some(id) => {
            let answer =
                session.read(&Request::get(format!("{}/health", connector_path(id)))).await?;
            (answer.text.clone(), vec![answer.json()?])
        }
        None => {
            let healths = each_health(session.api().await?).await?;
            (json!({ "connectors": healths }).to_string(), healths)
        }
    };
    session.output.line(&if session.output.json { text } else { health::table(&healths) })?;
    if healths.iter().any(health::is_down) { Err(Failure::Down) } else { Ok(()) }
}

/// Of each connector of the caller's.
pub async fn each_health(api: &Api) -> Result<Vec<Value>, Failure> {
    let connectors = api.all(CONNECTORS, "connectors").await?;
    let mut healths = Vec::new();
    for connector in shown::each(&connectors) {
        match api
            .send(&Request::get(format!("{}/health", connector_path(&at(connector, "/id")))))
            .await
        {
            Ok(answer) => healths.push(answer.json()?),
            // Disconnected since it was listed.
            Err(Failure::Refused(refusal)) if refusal.status == 404 => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(healths)
}

/// A system that is down says so with 503, and how in the same document.
async fn system(session: &Session) -> Result<(), Failure> {
    let text = match session.read(&Request::get("/api/system/health").open()).await {
        Ok(answer) => answer.text,
        Err(Failure::Refused(refusal))
            if refusal.status == 503 && refusal.text.contains("\"checks\"") =>
        {
            refusal.text
        }
        Err(failure) => return Err(failure),
    };
    let health: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::here(format!("the API answered no JSON: {error}")))?;
    session.output.line(&if session.output.json { text } else { health::system(&health) })?;
    if health::is_down(&health) { Err(Failure::Down) } else { Ok(()) }
}

/// Each look that is done moves `updated_at`.
async fn drill(session: &Session, drill: Drill) -> Result<(), Failure> {
    let id = &drill.connector.id;
    let before = at(&session.read(&Request::get(connector_path(id))).await?.json()?, "/updated_at");
    if session.send(&Request::post(format!("{}/sync", connector_path(id)), None)).await?.is_none() {
        return Ok(());
    }
    let (since, spinner) =
        (Since::now(), session.output.spinner("asked for a look; waiting until it is done"));
    loop {
        let connector = session.read(&Request::get(connector_path(id))).await?.json()?;
        if at(&connector, "/updated_at") != before {
            spinner.finish_and_clear();
            let took = since.elapsed();
            let document = json!({"connector_id": id, "looked_after_milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX)});
            return session
                .output
                .document(&document, &format!("looked at after {}", seconds(took)));
        }
        if since.elapsed() > Duration::from_secs(drill.timeout) {
            let hint = "see `health`, the notification queue and its dead letters";
            return Err(Failure::here(format!(
                "nothing was looked at within {} s; {hint}",
                drill.timeout
            )));
        }
        wait(LOOK_AGAIN).await;
    }
}

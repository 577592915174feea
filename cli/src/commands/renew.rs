//! Makes watches due, so that the next sweep renews them. Uses the operator's rights on the table,
//! whoever owns them.

use std::collections::BTreeSet;

use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::system::System;
use email_connectors::domain::connector::Location;
use email_connectors::domain::id::ConnectorId;
use email_connectors::flows::watching::make_due;
use email_connectors::ports::{Clock, Store, StoreError};
use serde_json::json;

use super::everyone::{all_read, each, has_lapsed};
use crate::args::operate::Renew;
use crate::aws;
use crate::failure::Failure;
use crate::request::Id;
use crate::session::Session;

pub async fn run(session: &Session, options: Renew) -> Result<(), Failure> {
    let settings = session.settings()?;
    let table = settings.table().await?;
    let store = DynamoStore::new(&settings.aws().await, &table);
    let (locations, unread) = if options.lapsed {
        lapsed(session, &store).await?
    } else {
        (named(session, &store, &options.ids).await?, 0)
    };
    let ids: Vec<&ConnectorId> = locations.iter().map(|location| &location.connector).collect();
    if session.dry_run {
        let document = json!({"dry_run": true, "would_make_due": ids, "table": table});
        session.output.document(
            &document,
            &format!("would make {} watches due, in the table {table}", ids.len()),
        )?;
        return all_read(unread);
    }
    let bar = session.output.progress(locations.len() as u64, "watches made due");
    let (mut due, mut failed) = (Vec::new(), Vec::new());
    for location in &locations {
        let id = &location.connector;
        let now = System.now();
        match make_due(&store, location, now, now).await {
            Ok(true) => due.push(id),
            Ok(false) => failed.push(format!(
                "{id}: its user must connect again first, or it is being disconnected"
            )),
            Err(StoreError::Conflict) => {
                failed.push(format!("{id}: others change it all the time; try again"))
            }
            Err(error) => failed.push(format!("{id}: {}", aws::describe(&error))),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    failed.iter().for_each(|line| session.output.note(line));
    let summary = match due.len() {
        0 => "due: none".into(),
        count => format!("due: {count}, renewed by the next sweep, within about a minute"),
    };
    session.output.document(&json!({"due": due, "failed": failed}), &summary)?;
    if failed.is_empty() { all_read(unread) } else { Err(Failure::NeedsPerson) }
}

/// The locations of connectors whose watch has lapsed, and how many rows could not be read.
async fn lapsed(session: &Session, store: &DynamoStore) -> Result<(Vec<Location>, u64), Failure> {
    let (now, mut found) = (System.now(), Vec::new());
    let lapsed = |connector| {
        if has_lapsed(&connector, now) {
            found.push(connector.location())
        }
    };
    let unread = each(session, store, lapsed).await?;
    Ok((found, unread))
}

/// The locations of all these connectors. A connector's newest event names its mailbox; the whole
/// table is scanned only for connectors without an event, or that moved since.
async fn named(
    session: &Session,
    store: &DynamoStore,
    ids: &[Id],
) -> Result<Vec<Location>, Failure> {
    let spinner = session.output.spinner("the connectors are looked for");
    let found = find(store, ids).await;
    spinner.finish_and_clear();
    let (found, missing) = found.map_err(|error| Failure::Aws(aws::describe(&error)))?;
    match missing.first() {
        Some(id) => Err(Failure::NotFound(format!("there is no connector {id}; nothing was done"))),
        None => Ok(found),
    }
}

async fn find(
    store: &DynamoStore,
    ids: &[Id],
) -> Result<(Vec<Location>, BTreeSet<ConnectorId>), StoreError> {
    let (mut found, mut missing) = (Vec::new(), BTreeSet::new());
    for id in ids.iter().map(|id| ConnectorId::new(id.to_string())).collect::<BTreeSet<_>>() {
        match store.last_location(&id).await? {
            Some(location) if store.connector_at(&location).await?.is_some() => {
                found.push(location)
            }
            _ => drop(missing.insert(id)),
        }
    }
    let mut scan_key = None;
    while !missing.is_empty() {
        let page = store.all_connectors(scan_key).await?;
        found.extend(page.rows.into_iter().filter(|location| missing.remove(&location.connector)));
        scan_key = page.next;
        if scan_key.is_none() {
            break;
        }
    }
    Ok((found, missing))
}

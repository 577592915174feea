//! A watch is made due: the next sweep renews it, whatever its time.

use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::system::System;
use email_connectors::domain::connector::Location;
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::watch::Watch;
use email_connectors::ports::{Clock, Store, StoreError};
use serde_json::json;

use super::connectors;
use crate::aws;
use crate::failure::Failure;
use crate::request::Request;
use crate::session::Session;
use crate::show::at;

/// Others write the same row: so often it is read again.
const TRIES: u32 = 5;

pub async fn run(session: &Session, id: &str) -> Result<(), Failure> {
    // Whose connector it is and where it lies, its owner's view says.
    let connector = session.read(&Request::get(connectors::path(id))).await?.json()?;
    let address = at(&connector, "/email_address");
    let mailbox = EmailAddress::parse(&address).map_err(|error| Failure::here(format!("`{address}` is no address: {error}")))?;
    let connector = ConnectorId::parse(id).ok_or_else(|| Failure::NotFound("there is no such connector".into()))?;
    let location = Location { mailbox, connector };
    let settings = session.settings()?;
    let table = settings.table().await?;
    if session.dry_run {
        let told = json!({"dry_run": true, "would_make_due": {"connector_id": id, "table": table}});
        return session.output.document(&told, &format!("would make the watch of {id} due, in the table {table}"));
    }
    let store = DynamoStore::new(&aws::config(settings).await, table);
    match make_due(&store, &location, System.now()).await {
        Ok(true) => {
            session.output.document(&json!({"connector_id": id, "due": true}), "due: the next sweep renews it, within about a minute")
        }
        Ok(false) => Err(Failure::NotFound("the table does not hold this connector, or its user must connect again first".into())),
        Err(StoreError::Conflict) => Err(Failure::Aws("others change this connector all the time; try again".into())),
        Err(error) => Err(Failure::Aws(aws::told(&error))),
    }
}

/// Whether there is a live connector whose watch is due now.
pub async fn make_due(store: &impl Store, location: &Location, now: Timestamp) -> Result<bool, StoreError> {
    let mut tried = 1;
    loop {
        let Some(connector) = store.connector_at(location).await?.filter(|connector| connector.is_live()) else { return Ok(false) };
        let written = async {
            store.record_watch(location, connector.generation, &due(&connector.watch)).await?;
            store.schedule(location, connector.version, None, Some(now)).await
        };
        match written.await {
            Err(StoreError::Conflict) if tried < TRIES => tried += 1,
            written => return written.map(|()| true),
        }
    }
}

/// As it would be if it had never been renewed, and as alive as it is.
fn due(watch: &Watch) -> Watch {
    Watch { expiration: watch.expiration, renewed_at: None, failure: None }
}

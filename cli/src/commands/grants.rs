//! Grants are withdrawn by the operator, of some connectors or of all: counted first, and done only if that was asked for.

use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::eventbridge::EventBridge;
use email_connectors::adapters::gmail::Gmail;
use email_connectors::adapters::https;
use email_connectors::adapters::kms::KmsVault;
use email_connectors::adapters::system::System;
use email_connectors::config::{DryRun, GoogleSettings, SettingError};
use email_connectors::domain::connector::Location;
use email_connectors::flows::withdraw::{Withdraw, Withdrawn};
use email_connectors::ports::{Clock, StoreError};
use serde_json::json;

use crate::args::operate::RevokeGrants;
use crate::aws;
use crate::deployed::Deployed;
use crate::failure::Failure;
use crate::session::Session;

/// The function that connects users: what it was given, ending that needs.
const FUNCTION: &str = "OauthConnectFunction";

pub async fn run(session: &Session, asked: RevokeGrants) -> Result<(), Failure> {
    let settings = session.settings()?;
    let config = aws::config(settings).await;
    let deployed = Deployed::read(&config, settings.stack_name()?).await?;
    let env = deployed.environment(FUNCTION).await?;
    let unfit = |error: SettingError| Failure::Aws(format!("the settings of {FUNCTION}: {error}"));
    let store = DynamoStore::new(&config, env.text("TABLE_NAME").map_err(unfit)?);
    let mut locations = all(&store).await.map_err(|error| Failure::Aws(aws::told(&error)))?;
    if !asked.connectors.is_empty() {
        let known = |id: &String| locations.iter().any(|location| location.connector.as_str() == id);
        if let Some(unknown) = asked.connectors.iter().find(|id| !known(id)) {
            return Err(Failure::NotFound(format!("there is no connector {unknown}")));
        }
        locations.retain(|location| asked.connectors.iter().any(|id| location.connector.as_str() == id));
    }
    let count = locations.len();
    if session.dry_run || !asked.apply {
        let told = json!({"dry_run": true, "connectors": count});
        return session.output.document(&told, &format!("{count} connectors hold a grant; --apply withdraws them"));
    }
    let http = https::client().map_err(|error| Failure::here(format!("no HTTPS client can be made: {error}")))?;
    let google = GoogleSettings::read(&env).map_err(unfit)?;
    let provider = Gmail::as_set(http, google, DryRun::read(&env).map_err(unfit)?);
    let vault = KmsVault::new(&config, env.text("KMS_KEY_ID").map_err(unfit)?);
    let bus = EventBridge::new(&config, env.text("EVENT_BUS_NAME").map_err(unfit)?);
    let withdraw = Withdraw { store: &store, vault: &vault, provider: &provider, bus: &bus };
    let bar = session.output.progress(count as u64, "grants withdrawn");
    let (mut withdrawn, mut idle, mut failed) = (0, 0, Vec::new());
    for location in &locations {
        match withdraw.run(location, System.now()).await {
            Ok(Withdrawn::Revoked) => withdrawn += 1,
            Ok(Withdrawn::WasIdle) => idle += 1,
            Err(error) => failed.push(format!("{}: {}", location.connector, aws::told(&error))),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    failed.iter().for_each(|line| session.output.note(line));
    let told = json!({"withdrawn": withdrawn, "waited_already": idle, "failed": failed});
    session.output.document(&told, &format!("{withdrawn} grants withdrawn, {idle} had none in use, {} failed", failed.len()))?;
    if failed.is_empty() { Ok(()) } else { Err(Failure::NeedsPerson) }
}

async fn all(store: &DynamoStore) -> Result<Vec<Location>, StoreError> {
    let (mut found, mut place) = (Vec::new(), None);
    loop {
        let page = store.all_connectors(place).await?;
        found.extend(page.rows);
        place = page.next;
        if place.is_none() {
            return Ok(found);
        }
    }
}

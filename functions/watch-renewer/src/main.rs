//! Wiring of the watch renewer.

use std::time::Duration;

use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::gmail::Gmail;
use email_connectors::adapters::kms::KmsVault;
use email_connectors::adapters::sqs::SqsWakeUps;
use email_connectors::adapters::system::System;
use email_connectors::adapters::telemetry::Telemetry;
use email_connectors::adapters::{aws, https};
use email_connectors::config::{DryRun, GoogleSettings, environment, patience, span};
use email_connectors::flows::access::Refreshes;
use email_connectors::flows::renew::Renew;
use email_connectors::panics;
use email_connectors::ports::Clock;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde::de::IgnoredAny;
use watch_renewer::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    panics::are_logged();
    let env = environment();
    let telemetry = Telemetry::start("watch-renewer", &env)?;
    let google = GoogleSettings::read(&env)?.with_topic(&env)?;
    let (patience, budget) = (patience(&env)?, span(&env, "SWEEP_BUDGET_SECONDS", Duration::from_secs(1))?);
    let (table, key, queue) = (env.text("TABLE_NAME")?, env.text("KMS_KEY_ID")?, env.text("NOTIFICATION_QUEUE_URL")?);
    let aws = aws::load().await;
    let renew = Renew {
        store: DynamoStore::new(&aws, table),
        vault: KmsVault::new(&aws, key),
        provider: Gmail::as_set(https::client()?, google, DryRun::read(&env)?),
        wake_ups: SqsWakeUps::new(&aws, queue),
        clock: System,
        patience,
        budget,
        refreshes: Refreshes::default(),
    };
    run(service_fn(async |_: LambdaEvent<IgnoredAny>| {
        let summary = panics::caught(handle(&renew, System.now())).await;
        telemetry.flush();
        summary.map_err(Error::from)
    }))
    .await
}

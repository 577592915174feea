//! Wiring of the history processor.

use aws_lambda_events::sqs::SqsEvent;
use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::eventbridge::EventBridge;
use email_connectors::adapters::gmail::Gmail;
use email_connectors::adapters::kms::KmsVault;
use email_connectors::adapters::sqs::{SqsQuarantine, SqsWakeUps};
use email_connectors::adapters::system::System;
use email_connectors::adapters::telemetry::Telemetry;
use email_connectors::adapters::{aws, https};
use email_connectors::config::{DryRun, GoogleSettings, environment, pace};
use email_connectors::flows::access::Refreshes;
use email_connectors::flows::process::Process;
use email_connectors::panics;
use email_connectors::ports::Clock;
use history_processor::handle;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    panics::are_logged();
    let env = environment();
    let telemetry = Telemetry::start("history-processor", &env)?;
    let google = GoogleSettings::read(&env)?;
    let pace = pace(&env)?;
    let (table, key, bus) = (env.text("TABLE_NAME")?, env.text("KMS_KEY_ID")?, env.text("EVENT_BUS_NAME")?);
    let (quarantine, queue) = (env.text("QUARANTINE_QUEUE_URL")?, env.text("NOTIFICATION_QUEUE_URL")?);
    let aws = aws::load().await;
    let quarantine = SqsQuarantine::new(&aws, quarantine);
    let process = Process {
        store: DynamoStore::new(&aws, table),
        vault: KmsVault::new(&aws, key),
        provider: Gmail::as_set(https::client()?, google, DryRun::read(&env)?),
        bus: EventBridge::new(&aws, bus),
        wake_ups: SqsWakeUps::new(&aws, queue),
        clock: System,
        pace,
        refreshes: Refreshes::default(),
    };
    run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let response = handle(&process, &quarantine, event.payload, System.now()).await;
        telemetry.flush();
        Ok::<_, Error>(response)
    }))
    .await
}

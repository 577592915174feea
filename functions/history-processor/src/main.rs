//! Wiring of the history processor.

use aws_lambda_events::sqs::SqsEvent;
use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::eventbridge::EventBridge;
use email_connectors::adapters::kms::KmsVault;
use email_connectors::adapters::providers::MailProviders;
use email_connectors::adapters::sqs::{SqsQuarantine, SqsWakeUps};
use email_connectors::adapters::system::System;
use email_connectors::adapters::telemetry::Telemetry;
use email_connectors::adapters::{Production, aws, https};
use email_connectors::config::{HistoryProcessorSettings, environment};
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
    let settings = HistoryProcessorSettings::read(&environment())?;
    let telemetry = Telemetry::start("history-processor", settings.namespace)?
        .by_provider(settings.several_providers);
    let aws = aws::load().await;
    let quarantine = SqsQuarantine::new(&aws, settings.quarantine);
    let process = Process::<Production> {
        store: DynamoStore::new(&aws, settings.table),
        vault: KmsVault::new(&aws, settings.key),
        provider: MailProviders::as_set(
            &https::client()?,
            settings.google,
            settings.microsoft,
            settings.dry_run,
        ),
        bus: EventBridge::new(&aws, settings.bus),
        wake_ups: SqsWakeUps::new(&aws, settings.wake_ups),
        clock: System,
        limits: settings.limits,
        refreshes: Refreshes::default(),
    };
    run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let response = handle(&process, &quarantine, event.payload, System.now()).await;
        telemetry.flush();
        Ok::<_, Error>(response)
    }))
    .await
}

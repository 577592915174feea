//! Wiring of the watch renewer.

use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::kms::KmsVault;
use email_connectors::adapters::providers::MailProviders;
use email_connectors::adapters::sqs::SqsWakeUps;
use email_connectors::adapters::system::System;
use email_connectors::adapters::telemetry::Telemetry;
use email_connectors::adapters::{Production, aws, https};
use email_connectors::config::{WatchRenewerSettings, environment};
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
    let settings = WatchRenewerSettings::read(&environment())?;
    let telemetry = Telemetry::start("watch-renewer", settings.namespace)?
        .by_provider(settings.several_providers);
    let aws = aws::load().await;
    let renew = Renew::<Production> {
        store: DynamoStore::new(&aws, settings.table),
        vault: KmsVault::new(&aws, settings.key),
        provider: MailProviders::as_set(
            &https::client()?,
            settings.google,
            settings.microsoft,
            settings.dry_run,
        ),
        wake_ups: SqsWakeUps::new(&aws, settings.wake_ups),
        clock: System,
        sweep_times: settings.sweep_times,
        budget: settings.budget,
        refreshes: Refreshes::default(),
    };
    run(service_fn(async |_: LambdaEvent<IgnoredAny>| {
        let summary = panics::caught(handle(&renew, System.now())).await;
        telemetry.flush();
        summary.map_err(Error::from)
    }))
    .await
}

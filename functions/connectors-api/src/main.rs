//! Wiring of the API.

use connectors_api::{Api, router};
use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::eventbridge::EventBridge;
use email_connectors::adapters::hmac::HmacSha256;
use email_connectors::adapters::kms::KmsVault;
use email_connectors::adapters::oidc::JwksVerifier;
use email_connectors::adapters::providers::MailProviders;
use email_connectors::adapters::s3::S3;
use email_connectors::adapters::sqs::{QueueUrls, SqsDepths, SqsWakeUps};
use email_connectors::adapters::system::System;
use email_connectors::adapters::telemetry::Telemetry;
use email_connectors::adapters::{Production, aws, https};
use email_connectors::config::{ConnectorsApiSettings, environment};
use email_connectors::flows::access::Refreshes;
use email_connectors::flows::inbound_webhook::OpenedSecrets;
use email_connectors::flows::system_health::Checked;
use email_connectors::gateway;
use email_connectors::web::UserGate;
use lambda_http::{Error, tracing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let settings = ConnectorsApiSettings::read(&environment())?;
    let telemetry = Telemetry::start("connectors-api", settings.namespace)?
        .by_provider(settings.several_providers);
    let (wake_ups, aws, http) = (settings.wake_ups, aws::load().await, https::client()?);
    let urls = QueueUrls {
        wake_ups: wake_ups.clone(),
        dead_letters: settings.dead_letters,
        quarantine: settings.quarantine,
    };
    let api = Api::<Production> {
        gate: UserGate::as_set(
            JwksVerifier::of_users(http.clone(), settings.user.key_source()).warmed(System),
            settings.user,
        ),
        store: DynamoStore::new(&aws, settings.table),
        vault: KmsVault::new(&aws, settings.key),
        provider: MailProviders::as_set(
            &http,
            settings.google,
            settings.microsoft,
            settings.dry_run,
        ),
        wake_ups: SqsWakeUps::new(&aws, wake_ups),
        depths: SqsDepths::new(&aws, urls),
        objects: S3::new(&aws, http, &settings.mail_bucket),
        bus: EventBridge::new(&aws, settings.bus),
        signatures: HmacSha256,
        app: settings.app,
        thresholds: settings.thresholds,
        retention: settings.retention,
        checked: Checked::default(),
        refreshes: Refreshes::default(),
        opened: OpenedSecrets::default(),
        machine: System,
    };
    gateway::run(router(api), move || telemetry.flush()).await
}

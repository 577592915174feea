//! Wiring of the webhook: it knows Google's keys and two queues, and no table.

use email_connectors::adapters::oidc::{JwksVerifier, KeySource};
use email_connectors::adapters::sqs::{SqsQuarantine, SqsWakeUps};
use email_connectors::adapters::system::System;
use email_connectors::adapters::telemetry::Telemetry;
use email_connectors::adapters::{aws, https};
use email_connectors::config::{PushSettings, environment};
use email_connectors::flows::receive::Receive;
use email_connectors::gateway;
use lambda_http::{Error, tracing};
use pubsub_webhook::{Webhook, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let env = environment();
    let telemetry = Telemetry::start("pubsub-webhook", &env)?;
    let settings = PushSettings::read(&env)?;
    let (wake_ups, quarantine) = (env.text("NOTIFICATION_QUEUE_URL")?, env.text("QUARANTINE_QUEUE_URL")?);
    let aws = aws::load().await;
    let webhook = Webhook {
        receive: Receive {
            verifier: JwksVerifier::new(https::client()?, KeySource::Url(settings.certs_url)).warmed(System),
            wake_ups: SqsWakeUps::new(&aws, wake_ups),
            quarantine: SqsQuarantine::new(&aws, quarantine),
            policy: settings.policy,
            subscription: settings.subscription,
        },
        legacy_token: settings.legacy_token,
        clock: System,
    };
    gateway::run(router(webhook), move || telemetry.flush()).await
}

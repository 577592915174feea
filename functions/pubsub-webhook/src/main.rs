//! Wiring of the webhook: it knows Google's keys, those of its own marks and two queues, and no table.

use email_connectors::adapters::hmac::HmacSha256;
use email_connectors::adapters::oidc::{JwksVerifier, KeySource};
use email_connectors::adapters::sqs::{SqsQuarantine, SqsWakeUps};
use email_connectors::adapters::system::System;
use email_connectors::adapters::telemetry::Telemetry;
use email_connectors::adapters::{Production, aws, https};
use email_connectors::config::{PubsubWebhookSettings, environment};
use email_connectors::flows::notified::Notified;
use email_connectors::flows::receive::Receive;
use email_connectors::gateway;
use lambda_http::{Error, tracing};
use pubsub_webhook::{Webhook, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let settings = PubsubWebhookSettings::read(&environment())?;
    let telemetry = Telemetry::start("pubsub-webhook", settings.namespace)?;
    let (push, aws, http) = (settings.push, aws::load().await, https::client()?);
    let legacy_token = push.as_ref().and_then(|push| push.legacy_token.clone());
    let webhook = Webhook::<Production> {
        receive: push.map(|push| Receive {
            verifier: JwksVerifier::new(http, KeySource::Url(push.certs_url)).warmed(System),
            wake_ups: SqsWakeUps::new(&aws, settings.wake_ups.clone()),
            quarantine: SqsQuarantine::new(&aws, settings.quarantine),
            policy: push.policy,
            subscription: push.subscription,
        }),
        notified: Notified {
            wake_ups: SqsWakeUps::new(&aws, settings.wake_ups),
            signatures: HmacSha256,
            keys: settings.notification_keys,
        },
        legacy_token,
        clock: System,
    };
    gateway::run(router(webhook), move || telemetry.flush()).await
}

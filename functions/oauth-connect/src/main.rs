//! Wiring of the connect function.

use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::eventbridge::EventBridge;
use email_connectors::adapters::gmail::Gmail;
use email_connectors::adapters::kms::KmsVault;
use email_connectors::adapters::oidc::{JwksVerifier, KeySource};
use email_connectors::adapters::sqs::SqsWakeUps;
use email_connectors::adapters::system::System;
use email_connectors::adapters::telemetry::Telemetry;
use email_connectors::adapters::{Production, aws, https};
use email_connectors::config::{OauthConnectSettings, environment};
use email_connectors::domain::claims::{IdentityPolicy, SecurityEventPolicy};
use email_connectors::flows::connect::Connect;
use email_connectors::gateway;
use email_connectors::web::UserGate;
use lambda_http::{Error, tracing};
use oauth_connect::{OauthConnect, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let settings = OauthConnectSettings::read(&environment())?;
    let telemetry = Telemetry::start("oauth-connect", settings.namespace)?;
    let (user, google, aws, http) =
        (settings.user, settings.google, aws::load().await, https::client()?);
    let oauth = OauthConnect::<Production> {
        gate: UserGate::as_set(
            JwksVerifier::of_users(http.clone(), user.key_source()).warmed(System),
            user,
        ),
        google: JwksVerifier::new(http.clone(), KeySource::Url(settings.certs_url)),
        events: SecurityEventPolicy { client_id: google.client_id.clone() },
        connect: Connect {
            identity: IdentityPolicy { client_id: google.client_id.clone() },
            store: DynamoStore::new(&aws, settings.table),
            vault: KmsVault::new(&aws, settings.key),
            provider: Gmail::as_set(http.clone(), google, settings.dry_run),
            wake_ups: SqsWakeUps::new(&aws, settings.wake_ups),
            bus: EventBridge::new(&aws, settings.bus),
            required_scopes: settings.connect.scopes.clone(),
            uniqueness: settings.connect.uniqueness,
        },
        app: settings.app,
        settings: settings.connect,
        machine: System,
    };
    gateway::run(router(oauth), move || telemetry.flush()).await
}

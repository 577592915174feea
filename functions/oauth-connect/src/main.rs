//! Wiring of the connect function.

use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::eventbridge::EventBridge;
use email_connectors::adapters::gmail::Gmail;
use email_connectors::adapters::kms::KmsVault;
use email_connectors::adapters::oidc::{JwksVerifier, KeySource};
use email_connectors::adapters::sqs::SqsWakeUps;
use email_connectors::adapters::system::System;
use email_connectors::adapters::telemetry::Telemetry;
use email_connectors::adapters::{aws, https};
use email_connectors::config::{AppSettings, ConnectSettings, DryRun, GoogleSettings, UserSettings, environment};
use email_connectors::domain::claims::{IdentityPolicy, SecurityEventPolicy};
use email_connectors::flows::connect::Connect;
use email_connectors::gateway;
use email_connectors::web::UserGate;
use lambda_http::{Error, tracing};
use oauth_connect::{OauthConnect, World, router};

/// AWS and Google.
struct Real;

impl World for Real {
    type Store = DynamoStore;
    type Vault = KmsVault;
    type Provider = Gmail;
    type WakeUps = SqsWakeUps;
    type Bus = EventBridge;
    type Verifier = JwksVerifier;
    type Machine = System;
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let env = environment();
    let telemetry = Telemetry::start("oauth-connect", &env)?;
    let (user, app, settings) = (UserSettings::read(&env)?, AppSettings::read(&env)?, ConnectSettings::read(&env)?);
    let google = GoogleSettings::read(&env)?.with_consent(&env)?.with_topic(&env)?;
    let (table, key, certs) = (env.text("TABLE_NAME")?, env.text("KMS_KEY_ID")?, env.url("GOOGLE_CERTS_URL")?);
    let (queue, bus, aws, http) = (env.text("NOTIFICATION_QUEUE_URL")?, env.text("EVENT_BUS_NAME")?, aws::load().await, https::client()?);
    let oauth = OauthConnect::<Real> {
        gate: UserGate::as_set(JwksVerifier::of_users(http.clone(), user.key_source()).warmed(System), user),
        google: JwksVerifier::new(http.clone(), KeySource::Url(certs)),
        events: SecurityEventPolicy { client_id: google.client_id.clone() },
        connect: Connect {
            identity: IdentityPolicy { client_id: google.client_id.clone() },
            store: DynamoStore::new(&aws, table),
            vault: KmsVault::new(&aws, key),
            provider: Gmail::as_set(http.clone(), google, DryRun::read(&env)?),
            wake_ups: SqsWakeUps::new(&aws, queue),
            bus: EventBridge::new(&aws, bus),
            required_scopes: settings.scopes.clone(),
            uniqueness: settings.uniqueness,
        },
        app,
        settings,
        machine: System,
    };
    gateway::run(router(oauth), move || telemetry.flush()).await
}

//! Wiring of the connect function.

use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::gmail::Gmail;
use email_connectors::adapters::kms::KmsVault;
use email_connectors::adapters::oidc::JwksVerifier;
use email_connectors::adapters::sqs::SqsWakeUps;
use email_connectors::adapters::system::System;
use email_connectors::adapters::telemetry::Telemetry;
use email_connectors::adapters::{aws, https};
use email_connectors::config::{AppSettings, ConnectSettings, GoogleSettings, UserSettings, environment};
use email_connectors::domain::claims::IdentityPolicy;
use email_connectors::flows::connect::Connect;
use email_connectors::web::{UserGate, after_each};
use lambda_http::{Error, run, tracing};
use oauth_connect::{OauthConnect, World, router};

/// AWS and Google.
struct Real;

impl World for Real {
    type Store = DynamoStore;
    type Vault = KmsVault;
    type Provider = Gmail;
    type WakeUps = SqsWakeUps;
    type Verifier = JwksVerifier;
    type Machine = System;
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let telemetry = Telemetry::start("oauth-connect")?;
    let env = environment();
    let (user, app, settings) = (UserSettings::read(&env)?, AppSettings::read(&env)?, ConnectSettings::read(&env)?);
    let google = GoogleSettings::read(&env)?.with_topic(&env)?;
    let (table, key, queue) = (env.text("TABLE_NAME")?, env.text("KMS_KEY_ID")?, env.text("NOTIFICATION_QUEUE_URL")?);
    let (aws, http) = (aws::load().await, https::client()?);
    let oauth = OauthConnect::<Real> {
        gate: UserGate { verifier: JwksVerifier::new(http.clone(), user.key_source()), policy: user.policy },
        connect: Connect {
            identity: IdentityPolicy { client_id: google.client_id.clone() },
            store: DynamoStore::new(&aws, table),
            vault: KmsVault::new(&aws, key),
            provider: Gmail::new(http, google),
            wake_ups: SqsWakeUps::new(&aws, queue),
            required_scopes: settings.scopes.clone(),
            uniqueness: settings.uniqueness,
        },
        app,
        settings,
        machine: System,
    };
    run(after_each(router(oauth), move || telemetry.flush())).await
}

//! Wiring of the connect function.

mod wiring;

use email_connectors::adapters::oidc::JwksVerifier;
use email_connectors::adapters::system::System;
use email_connectors::adapters::telemetry::Telemetry;
use email_connectors::adapters::{Production, aws, https};
use email_connectors::config::{OauthConnectSettings, environment};
use email_connectors::gateway;
use email_connectors::web::UserGate;
use lambda_http::{Error, tracing};
use oauth_connect::{OauthConnect, router};

use crate::wiring::Wiring;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let settings = OauthConnectSettings::read(&environment())?;
    let telemetry = Telemetry::start("oauth-connect", settings.namespace.clone())?
        .by_provider(settings.several_providers);
    let (aws, http, user) = (aws::load().await, https::client()?, settings.user.clone());
    let wiring = Wiring { aws: &aws, http: &http, settings: &settings };
    let oauth = OauthConnect::<Production> {
        gate: UserGate::as_set(
            JwksVerifier::of_users(http.clone(), user.key_source()).warmed(System),
            user,
        ),
        connects: wiring.connects(),
        admin_consent: wiring.admin_consent(),
        security_events: wiring.security_events(),
        store: wiring.store(),
        bus: wiring.bus(),
        app: settings.app,
        settings: settings.connect,
        machine: System,
    };
    gateway::run(router(oauth), move || telemetry.flush()).await
}

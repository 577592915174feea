//! Wiring of the console: no table, no key and no client.

use console::{Console, router};
use email_connectors::adapters::telemetry::Telemetry;
use email_connectors::config::{ConsoleSettings, environment};
use email_connectors::gateway;
use lambda_http::{Error, tracing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let settings = ConsoleSettings::read(&environment())?;
    let telemetry = Telemetry::start("console", settings.namespace.clone())?;
    gateway::run(router(Console::new(&settings)?), move || telemetry.flush()).await
}

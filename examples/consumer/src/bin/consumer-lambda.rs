//! The consumer as a Lambda function behind the agent-run queue.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_lambda_events::sqs::SqsEvent;
use consumer::batch::handle;
use consumer::consume::Consumer;
use consumer::dynamodb::DynamoClaims;
use consumer::polling::now;
use consumer::printing::Print;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let (table, lease) = settings()?;
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let consumer = Consumer { claims: DynamoClaims::new(&config, table), handler: Print, lease };
    run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        Ok::<_, Error>(handle(&consumer, event.payload, now()).await)
    }))
    .await
}

#[expect(clippy::disallowed_methods, reason = "the function's settings, read once")]
fn settings() -> Result<(String, Duration), Error> {
    let read = |name: &str| std::env::var(name).map_err(|error| format!("{name}: {error}"));
    let lease =
        read("LEASE_SECONDS")?.parse().map_err(|error| format!("LEASE_SECONDS: {error}"))?;
    Ok((read("CLAIMS_TABLE")?, Duration::from_secs(lease)))
}

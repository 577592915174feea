//! Wiring of the audit keeper.

use audit_keeper::keep;
use aws_lambda_events::cloudwatch_logs::LogsEvent;
use email_connectors::panics;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    panics::are_logged();
    run(service_fn(async |event: LambdaEvent<LogsEvent>| {
        // An error has Lambda hand the same lines over again: better twice than not at all.
        let kept = keep(&event.payload, &mut std::io::stdout().lock())?;
        Ok::<_, Error>(json!({ "kept": kept }))
    }))
    .await
}

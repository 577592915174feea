//! The consumer as a plain program: prints each event of the agent-run queue once, until Ctrl-C.

use std::pin::pin;
use std::time::Duration;

use clap::Parser;
use consumer::claims::Cause;
use consumer::consume::Consumer;
use consumer::printing::Print;
use consumer::settings::Arguments;
use lambda_runtime::tracing;
use tokio::signal::ctrl_c;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Cause> {
    tracing::init_default_subscriber_with_writer(std::io::stderr);
    let arguments = Arguments::parse();
    let (claims, queue) = arguments.wire().await?;
    let consumer =
        Consumer { claims, handler: Print, lease: Duration::from_secs(arguments.lease_seconds) };
    let mut stop = pin!(ctrl_c());
    let mut left = arguments.count.unwrap_or(usize::MAX);
    while left > 0 {
        let messages = tokio::select! {
            messages = queue.receive(left) => messages?,
            stopped = &mut stop => return Ok(stopped?),
        };
        // What is in hand is finished, whoever wants to stop.
        left -= queue.consume(&consumer, &messages).await;
    }
    Ok(())
}

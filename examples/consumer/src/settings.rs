//! The plain program's arguments, and the claims and the queue that they select.

use std::path::PathBuf;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use clap::Parser;
use serde::Deserialize;

use crate::claims::Cause;
use crate::dynamodb::DynamoClaims;
use crate::polling::Queue;

/// Prints each event of the agent-run queue once.
#[derive(Parser)]
pub struct Arguments {
    /// The queue's URL: the stack's output AgentRunQueueUrl.
    #[arg(long, required_unless_present = "stack_json")]
    pub queue_url: Option<String>,
    /// The table of claims: the output ClaimsTable of the consumer's own template.
    #[arg(long, default_value = "consumer-claims")]
    pub table: String,
    /// The local stack's stack.json, instead of an account of yours. Its table of claims is made if
    /// it is not there.
    #[arg(long, conflicts_with = "queue_url")]
    pub stack_json: Option<PathBuf>,
    /// Ends after so many events.
    #[arg(long)]
    pub count: Option<usize>,
    /// How long a crash keeps an event from being handled again.
    #[arg(long, default_value_t = 60)]
    pub lease_seconds: u64,
}

/// What `make local` says of its stack.
#[derive(Deserialize)]
struct Stack {
    aws_endpoint: String,
    region: String,
    agent_run_queue_url: String,
}

impl Stack {
    fn config(&self) -> SdkConfig {
        let credentials =
            SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "local"));
        let builder = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()));
        builder.endpoint_url(&self.aws_endpoint).credentials_provider(credentials).build()
    }
}

impl Arguments {
    /// Claims and queue: the local stack's, or those of the account that the environment names.
    pub async fn wire(&self) -> Result<(DynamoClaims, Queue), Cause> {
        let Some(path) = &self.stack_json else {
            let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
            let url = self.queue_url.clone().unwrap_or_default();
            return Ok((DynamoClaims::new(&config, &self.table), Queue::new(&config, url)));
        };
        let stack: Stack = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        let config = stack.config();
        let claims = DynamoClaims::new(&config, &self.table);
        claims.make_table().await?;
        Ok((claims, Queue::new(&config, stack.agent_run_queue_url)))
    }
}

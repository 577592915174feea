//! What AWS charges, by its list prices of us-east-1 in November 2026, and what is assumed where
//! nothing can be counted.

use clap::Args;

use super::counting::{Calls, Counts};
use super::metrics::combinations;

const MILLION: f64 = 1_000_000.0;
const GIGABYTE: f64 = 1_073_741_824.0;
const MINUTES_OF_A_MONTH: f64 = 30.0 * 24.0 * 60.0;

/// Dollars, from the pricing pages of AWS Lambda (Arm), Amazon DynamoDB (on-demand), SQS,
/// EventBridge, API Gateway (HTTP), KMS, CloudWatch and EC2 (transfer).
#[derive(Debug, Clone, Args)]
pub struct Prices {
    /// Lambda, for a GB-second on arm64.
    #[arg(long, default_value_t = 0.0000133334)]
    pub lambda_gb_second: f64,
    /// Lambda, for a million requests.
    #[arg(long, default_value_t = 0.20)]
    pub lambda_requests: f64,
    /// DynamoDB, for a million write units.
    #[arg(long, default_value_t = 0.625)]
    pub dynamodb_writes: f64,
    /// DynamoDB, for a million read units.
    #[arg(long, default_value_t = 0.125)]
    pub dynamodb_reads: f64,
    /// DynamoDB, for a GB and month, with point-in-time recovery.
    #[arg(long, default_value_t = 0.45)]
    pub dynamodb_storage: f64,
    /// SQS, for a million requests to a FIFO queue.
    #[arg(long, default_value_t = 0.50)]
    pub sqs_fifo: f64,
    /// SQS, for a million requests to a standard queue.
    #[arg(long, default_value_t = 0.40)]
    pub sqs_standard: f64,
    /// EventBridge, for a million custom events.
    #[arg(long, default_value_t = 1.00)]
    pub eventbridge: f64,
    /// KMS, for 10,000 requests.
    #[arg(long, default_value_t = 0.03)]
    pub kms: f64,
    /// API Gateway, for a million requests to an HTTP API.
    #[arg(long, default_value_t = 1.00)]
    pub http_api: f64,
    /// CloudWatch, for a GB of logs.
    #[arg(long, default_value_t = 0.50)]
    pub logs_gb: f64,
    /// CloudWatch, for a metric and month.
    #[arg(long, default_value_t = 0.30)]
    pub metric: f64,
    /// EC2, for a GB that leaves AWS.
    #[arg(long, default_value_t = 0.09)]
    pub transfer_gb: f64,
    /// KMS, for a key and month.
    #[arg(long, default_value_t = 1.00)]
    pub key: f64,
}

/// Values that only a deployed stack and a real Google could show.
#[derive(Debug, Clone, Args)]
pub struct Assumptions {
    /// Milliseconds of a call to AWS, from inside a function.
    #[arg(long, default_value_t = 8.0)]
    pub aws_ms: f64,
    /// Milliseconds of a call to Google.
    #[arg(long, default_value_t = 120.0)]
    pub google_ms: f64,
    /// Milliseconds of a failing call to Google, with its retries.
    #[arg(long, default_value_t = 2000.0)]
    pub google_failure_ms: f64,
    /// Milliseconds that a function takes beside its calls.
    #[arg(long, default_value_t = 5.0)]
    pub overhead_ms: f64,
    /// Milliseconds of a whole vCPU for one call over TLS.
    #[arg(long, default_value_t = 0.3)]
    pub cpu_ms: f64,
    /// Milliseconds of one run of the webhook.
    #[arg(long, default_value_t = 20.0)]
    pub webhook_ms: f64,
    /// Bytes that one run of a function logs, with Lambda's own lines.
    #[arg(long, default_value_t = 1500.0)]
    pub log_bytes: f64,
    /// Bytes that one call to Google sends.
    #[arg(long, default_value_t = 1500.0)]
    pub request_bytes: f64,
    /// Custom metrics that are in use in every hour: each combination of a metric's dimensions is
    /// one.
    #[arg(long, default_value_t = combinations().0 as f64)]
    pub metrics: f64,
    /// MB of the renewer, as in the template.
    #[arg(long, default_value_t = 1769.0)]
    pub renewer_mb: f64,
    /// Pollers of the wake-ups' queue that Lambda keeps while nothing is in it.
    #[arg(long, default_value_t = 5.0)]
    pub pollers: f64,
}

impl Assumptions {
    /// How long a function takes for these calls, one after the other.
    pub fn lasts_ms(&self, calls: Calls) -> f64 {
        calls.aws as f64 * self.aws_ms + calls.google as f64 * self.google_ms
    }
}

/// A bill in dollars, by service.
#[derive(Debug, Default, Clone, Copy)]
pub struct Bill {
    pub lambda: f64,
    pub dynamodb: f64,
    pub queues: f64,
    pub events: f64,
    pub kms: f64,
    pub gateway: f64,
    pub logs: f64,
    pub transfer: f64,
}

impl Bill {
    pub fn total(&self) -> f64 {
        self.lambda
            + self.dynamodb
            + self.queues
            + self.events
            + self.kms
            + self.gateway
            + self.logs
            + self.transfer
    }

    pub fn times(&self, by: f64) -> Self {
        self.map(|part| part * by)
    }

    pub fn and(&self, other: &Self) -> Self {
        let [mine, its] = [self, other].map(Self::parts);
        Self::of(std::array::from_fn(|index| mine[index] + its[index]))
    }

    fn map(&self, by: impl Fn(f64) -> f64) -> Self {
        Self::of(self.parts().map(by))
    }

    pub fn parts(&self) -> [f64; 8] {
        [
            self.lambda,
            self.dynamodb,
            self.queues,
            self.events,
            self.kms,
            self.gateway,
            self.logs,
            self.transfer,
        ]
    }

    fn of([lambda, dynamodb, queues, events, kms, gateway, logs, transfer]: [f64; 8]) -> Self {
        Self { lambda, dynamodb, queues, events, kms, gateway, logs, transfer }
    }
}

impl Prices {
    pub fn bill(&self, counts: &Counts, assumed: &Assumptions) -> Bill {
        let gb_second = |mb: f64, ms: f64| mb / 1024.0 * ms / 1000.0 * self.lambda_gb_second;
        let runs = (counts.pushes + counts.wake_ups + counts.requests) as f64;
        let google = (counts.processor.google + counts.renewer.google + counts.api.google) as f64;
        // Of the renewer only what it waits for: it does many at once.
        let lambda = runs * self.lambda_requests / MILLION
            + counts.pushes as f64 * gb_second(256.0, assumed.webhook_ms)
            + gb_second(
                512.0,
                assumed.lasts_ms(counts.processor) + counts.wake_ups as f64 * assumed.overhead_ms,
            )
            + gb_second(
                512.0,
                assumed.lasts_ms(counts.api) + counts.requests as f64 * assumed.overhead_ms,
            )
            + gb_second(assumed.renewer_mb, assumed.lasts_ms(counts.renewer)) / 64.0;
        // Sent, received and deleted; of what fired the agent-run queue's three as well.
        let queues = counts.wake_ups as f64 * 3.0 * self.sqs_fifo / MILLION
            + counts.fired as f64 * 3.0 * self.sqs_standard / MILLION;
        Bill {
            lambda,
            dynamodb: counts.tally.writes as f64 * self.dynamodb_writes / MILLION
                + counts.tally.half_reads as f64 / 2.0 * self.dynamodb_reads / MILLION,
            queues,
            events: counts.events as f64 * self.eventbridge / MILLION,
            kms: counts.tally.kms as f64 * self.kms / 10_000.0,
            gateway: (counts.pushes + counts.requests) as f64 * self.http_api / MILLION,
            logs: runs * assumed.log_bytes / GIGABYTE * self.logs_gb,
            transfer: google * assumed.request_bytes / GIGABYTE * self.transfer_gb,
        }
    }

    /// A month of so many bytes in the table, of which a fifth more lies in its indexes.
    pub fn kept(&self, bytes: u64) -> f64 {
        bytes as f64 * 1.2 / GIGABYTE * self.dynamodb_storage
    }

    /// What a stack costs beside its mailboxes: the renewer each minute, pollers, a key, metrics.
    pub fn stack(&self, assumed: &Assumptions) -> Bill {
        let run_ms = assumed.overhead_ms + 2.0 * assumed.aws_ms;
        let polls = assumed.pollers * MINUTES_OF_A_MONTH * 3.0;
        Bill {
            lambda: MINUTES_OF_A_MONTH
                * (self.lambda_requests / MILLION
                    + assumed.renewer_mb / 1024.0 * run_ms / 1000.0 * self.lambda_gb_second),
            // Two queries for each of eight shards, half a read unit each.
            dynamodb: MINUTES_OF_A_MONTH * 8.0 * self.dynamodb_reads / MILLION,
            queues: polls * self.sqs_fifo / MILLION,
            kms: self.key,
            logs: MINUTES_OF_A_MONTH * assumed.log_bytes / GIGABYTE * self.logs_gb
                + assumed.metrics * self.metric,
            ..Bill::default()
        }
    }
}

//! Logs as the Lambda runtime writes them, and metrics in CloudWatch's embedded format on the same
//! stream.

use metrics::{Unit as Given, describe_counter, describe_histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};

use crate::domain::metric::{METRICS, Unit};
use crate::ports::Cause;

/// The metrics of one process, written out after each invocation.
#[derive(Clone, Copy)]
pub struct Telemetry(&'static Collector);

impl Telemetry {
    /// Once for each process; a second start in one process is an error of its wiring. The
    /// namespace is the stack's: one account may hold several stacks, whose alarms must not mix.
    pub fn start(function: &'static str, namespace: String) -> Result<Self, Cause> {
        let collector = Builder::new()
            .cloudwatch_namespace(namespace)
            .with_dimension("Function", function)
            .init()?;
        for metric in METRICS.iter().filter(|metric| metric.functions.contains(&function)) {
            match metric.unit {
                Unit::Count => describe_counter!(metric.name, Given::Count, metric.tells),
                Unit::Milliseconds => {
                    describe_histogram!(metric.name, Given::Milliseconds, metric.tells)
                }
                Unit::Seconds => describe_histogram!(metric.name, Given::Seconds, metric.tells),
            }
        }
        Ok(Self(collector))
    }

    pub fn flush(self) {
        // A metric that cannot be written has nowhere better to be reported than the log that it
        // belongs to.
        if let Err(error) = self.0.flush(std::io::stdout()) {
            tracing::warn!(%error, "metrics were not written");
        }
    }
}

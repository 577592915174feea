//! Logs as the Lambda runtime writes them, and metrics in CloudWatch's embedded format on the same stream.

use metrics_cloudwatch_embedded::{Builder, Collector};

/// The metrics of one process, written out after each invocation.
#[derive(Clone, Copy)]
pub struct Telemetry(&'static Collector);

impl Telemetry {
    /// Once for each process; a second start in one process is an error of its wiring.
    pub fn start(function: &'static str) -> Result<Self, crate::ports::Cause> {
        let collector = Builder::new().cloudwatch_namespace("EmailConnectors").with_dimension("Function", function).init()?;
        Ok(Self(collector))
    }

    pub fn flush(self) {
        // A metric that cannot be written has nowhere better to be reported than the log that it belongs to.
        if let Err(error) = self.0.flush(std::io::stdout()) {
            tracing::warn!(%error, "metrics were not written");
        }
    }
}

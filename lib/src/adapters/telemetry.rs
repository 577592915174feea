//! Logs as the Lambda runtime writes them, and metrics in CloudWatch's embedded format on the same
//! stream.

use std::io::{self, Write};

use metrics::{Unit as Given, describe_counter, describe_histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::metric::{METRICS, PROVIDER, Unit, is_by_provider};
use crate::ports::Cause;

/// The metrics of one process, written out after each invocation.
#[derive(Clone, Copy)]
pub struct Telemetry {
    collector: &'static Collector,
    by_provider: bool,
}

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
        Ok(Self { collector, by_provider: false })
    }

    /// Whether CloudWatch shows metrics for each provider too. In a stack that has only one, they
    /// would tell nothing, and be charged.
    pub const fn by_provider(self, by_provider: bool) -> Self {
        Self { by_provider, ..self }
    }

    pub fn flush(self) {
        // A metric that cannot be written has nowhere better to be reported than the log that it
        // belongs to.
        if let Err(error) = self.write(io::stdout()) {
            tracing::warn!(%error, "metrics were not written");
        }
    }

    fn write(self, mut to: impl Write) -> io::Result<()> {
        let mut lines = Vec::new();
        self.collector.flush(&mut lines)?;
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            to.write_all(&with_dimensions(line, self.by_provider)?)?;
        }
        Ok(())
    }
}

/// What a line of the collector says of its metrics.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: String,
    dimensions: [Vec<String>; 1],
    metrics: Vec<Value>,
}

/// The collector makes every label of a line a dimension of all its metrics. The provider is none
/// of a metric's own: what alarms read counts all providers, and where the list says so, a second
/// set of dimensions has the provider too. In any case it stays in the line, for Logs Insights.
fn with_dimensions(line: &[u8], by_provider: bool) -> serde_json::Result<Vec<u8>> {
    let mut document: Value = serde_json::from_slice(line)?;
    let [Directive { namespace, dimensions: [all], metrics }] =
        serde_json::from_value(document["_aws"]["CloudWatchMetrics"].take())?;
    let own: Vec<String> = all.iter().filter(|name| *name != PROVIDER).cloned().collect();
    let is_known = own.len() < all.len();
    let (split, whole): (Vec<_>, Vec<_>) = metrics.into_iter().partition(|metric| {
        by_provider && is_known && metric["Name"].as_str().is_some_and(is_by_provider)
    });
    document["_aws"]["CloudWatchMetrics"] = [(vec![own.clone(), all], split), (vec![own], whole)]
        .into_iter()
        .filter(|(_, metrics)| !metrics.is_empty())
        .map(|(dimensions, metrics)| {
            json!({"Namespace": namespace, "Dimensions": dimensions, "Metrics": metrics})
        })
        .collect();
    let mut text = serde_json::to_vec(&document)?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::metric::{MESSAGES_MATCHED, MESSAGES_SEEN, PANICS, WAKE_UPS};

    /// What a process writes of these counts.
    fn written(collector: &'static Collector, by_provider: bool) -> String {
        metrics::counter!(PANICS).increment(1);
        metrics::counter!(WAKE_UPS, "Outcome" => "listed", PROVIDER => "gmail").increment(2);
        metrics::counter!(WAKE_UPS, "Outcome" => "listed", PROVIDER => "outlook").increment(3);
        metrics::counter!(WAKE_UPS, "Outcome" => "unreadable").increment(1);
        metrics::counter!(MESSAGES_SEEN, PROVIDER => "outlook").increment(7);
        metrics::counter!(MESSAGES_MATCHED, PROVIDER => "outlook").increment(5);
        let mut text = Vec::new();
        Telemetry { collector, by_provider }.write(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    /// In one test: a process has one collector.
    #[test]
    fn a_metric_has_a_second_set_of_dimensions_where_the_list_and_the_stack_say_so() {
        let builder = Builder::new().cloudwatch_namespace("stack").with_dimension("Function", "f");
        let collector = builder.with_timestamp(1).init().unwrap();
        let metric = |name: &str| json!({"Name": name});
        let line = |directives: &[(Value, Value)], values: Value| {
            let directives: Vec<Value> = directives
                .iter()
                .map(|(dimensions, metric)| {
                    json!({"Namespace": "stack", "Dimensions": dimensions, "Metrics": [metric]})
                })
                .collect();
            let mut line =
                json!({"_aws": {"Timestamp": 1, "CloudWatchMetrics": directives}, "Function": "f"});
            line.as_object_mut().unwrap().extend(values.as_object().unwrap().clone());
            line
        };
        let read = |text: String| -> Vec<Value> {
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        let lines = |outcomes: Value, providers: Value| {
            let plain = json!([["Function"]]);
            vec![
                line(&[(plain.clone(), metric(PANICS))], json!({"Panics": 1})),
                line(
                    &[(json!([["Function", "Outcome"]]), metric(WAKE_UPS))],
                    json!({"Outcome": "unreadable", "WakeUps": 1}),
                ),
                line(
                    &[(outcomes.clone(), metric(WAKE_UPS))],
                    json!({"Outcome": "listed", "Provider": "gmail", "WakeUps": 2}),
                ),
                line(
                    &[(outcomes, metric(WAKE_UPS))],
                    json!({"Outcome": "listed", "Provider": "outlook", "WakeUps": 3}),
                ),
                line(
                    &[(providers, metric(MESSAGES_SEEN)), (plain, metric(MESSAGES_MATCHED))],
                    json!({"Provider": "outlook", "MessagesSeen": 7, "MessagesMatched": 5}),
                ),
            ]
        };
        let sorted = |mut lines: Vec<Value>| {
            lines.sort_by_key(Value::to_string);
            lines
        };
        let of_both = lines(
            json!([["Function", "Outcome"], ["Function", "Outcome", "Provider"]]),
            json!([["Function"], ["Function", "Provider"]]),
        );
        assert_eq!(sorted(read(written(collector, true))), sorted(of_both));

        // A stack of one provider: the same lines, and no dimension that is charged for.
        let of_one = read(written(collector, false));
        for line in &of_one {
            for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
                let [own] = directive["Dimensions"].as_array().unwrap().as_slice() else {
                    panic!("{directive} has one set of dimensions");
                };
                assert!(!own.as_array().unwrap().contains(&json!(PROVIDER)), "{directive}");
            }
        }
        let said = of_one.iter().filter(|line| line["Provider"] == "outlook").count();
        assert_eq!((of_one.len(), said), (5, 2));
    }
}

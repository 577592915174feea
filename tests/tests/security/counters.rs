//! The metrics of this process, counted where a test can read them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use email_connectors::domain::metric::PROVIDER;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

static COUNTERS: LazyLock<Mutex<BTreeMap<String, Arc<AtomicU64>>>> = LazyLock::new(Mutex::default);

struct Counting;

/// Once per process, which runs one test.
pub fn start() {
    metrics::set_global_recorder(Counting).expect("nobody else counts");
}

/// The count of a metric, of all providers; dimension values follow its name: `WakeUps/stale`.
pub fn of(name: &str) -> u64 {
    COUNTERS.lock().unwrap().get(name).map_or(0, |count| count.load(Ordering::SeqCst))
}

/// Every metric name so far, with its dimension values.
pub fn names() -> Vec<String> {
    COUNTERS.lock().unwrap().keys().cloned().collect()
}

impl Recorder for Counting {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let name = key
            .labels()
            .filter(|label| label.key() != PROVIDER)
            .fold(key.name().to_string(), |name, label| format!("{name}/{}", label.value()));
        Counter::from_arc(COUNTERS.lock().unwrap().entry(name).or_default().clone())
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

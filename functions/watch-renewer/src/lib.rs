//! A tick of the schedule to the flow `renew`, and back as a summary.

use email_connectors::domain::metric;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::flows::renew::Renew;
use email_connectors::ports::Ports;
use email_connectors::web::causes;
use serde::Serialize;

/// What one run did, as the invocation's answer.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub renewed: usize,
    pub not_renewed: usize,
    pub lapsed: usize,
    pub unproven: usize,
    pub woken: usize,
    pub silent: usize,
    pub renamed: usize,
    pub closed: usize,
    pub failed: usize,
}

/// A failed connector stays due and the next tick retries it, so the tick itself never fails.
pub async fn handle<P: Ports>(renew: &Renew<P>, now: Timestamp) -> Summary {
    let swept = renew.run(now).await;
    for failure in &swept.failures {
        tracing::error!(error = %causes(failure), "a due connector was not swept");
    }
    metrics::counter!(metric::WATCHES_RENEWED).increment(swept.renewed as u64);
    metrics::counter!(metric::WATCHES_NOT_RENEWED).increment(swept.not_renewed as u64);
    metrics::counter!(metric::WATCHES_LAPSED).increment(swept.lapsed as u64);
    metrics::counter!(metric::WATCHES_UNPROVEN).increment(swept.unproven as u64);
    metrics::counter!(metric::MAILBOXES_SILENT).increment(swept.silent as u64);
    metrics::counter!(metric::MAILBOXES_RENAMED).increment(swept.renamed as u64);
    metrics::counter!(metric::CONNECTORS_CLOSED).increment(swept.closed as u64);
    metrics::counter!(metric::MAILBOXES_WOKEN).increment(swept.woken as u64);
    metrics::counter!(metric::SWEEPS_FAILED).increment(swept.failures.len() as u64);
    Summary {
        renewed: swept.renewed,
        not_renewed: swept.not_renewed,
        lapsed: swept.lapsed,
        unproven: swept.unproven,
        woken: swept.woken,
        silent: swept.silent,
        renamed: swept.renamed,
        closed: swept.closed,
        failed: swept.failures.len(),
    }
}

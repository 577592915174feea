//! A tick of the schedule to the flow `renew`, and back as a summary.

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

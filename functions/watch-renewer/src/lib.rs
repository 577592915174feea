//! A tick of the schedule to the flow `renew`, and back as a summary.

use email_connectors::domain::timestamp::Timestamp;
use email_connectors::flows::renew::Renew;
use email_connectors::ports::{EmailProvider, Store, Vault, WakeUps};
use email_connectors::web::causes;
use serde::Serialize;

/// What one run did, as the invocation's answer.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub renewed: usize,
    pub not_renewed: usize,
    pub woken: usize,
    pub failed: usize,
}

/// What failed is due still: the next tick tries again, so the tick itself never fails.
pub async fn handle<S: Store, V: Vault, P: EmailProvider, W: WakeUps>(renew: &Renew<S, V, P, W>, now: Timestamp) -> Summary {
    let swept = renew.run(now).await;
    for failure in &swept.failures {
        tracing::error!(error = %causes(failure), "a due connector was not swept");
    }
    metrics::counter!("WatchRenewed").increment(swept.renewed as u64);
    metrics::counter!("WatchNotRenewed").increment(swept.not_renewed as u64);
    metrics::counter!("MailboxWoken").increment(swept.woken as u64);
    metrics::counter!("SweepFailed").increment(swept.failures.len() as u64);
    Summary { renewed: swept.renewed, not_renewed: swept.not_renewed, woken: swept.woken, failed: swept.failures.len() }
}

//! Checks the parts that everything depends on, side by side.

use std::error::Error;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::domain::health::system::{Answer, Part, SystemHealth};
use crate::domain::timestamp::Timestamp;
use crate::ports::{Counted, Depths, Store, TokenVerifier};

/// A part that does not answer within this counts as unavailable: a load balancer soon tries again,
/// and a waiting function costs money.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);
/// The endpoint needs no token: a result is kept for this long, however often it is requested.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// The last result; it is locked during a check, so that concurrent requests share one answer.
#[derive(Default)]
pub struct Checked(Mutex<Option<SystemHealth>>);

impl Checked {
    pub async fn health(
        &self,
        store: &impl Store,
        verifier: &impl TokenVerifier,
        depths: &impl Depths,
        now: Timestamp,
    ) -> SystemHealth {
        let mut last = self.0.lock().await;
        if let Some(kept) = last.as_ref().filter(|kept| now < kept.checked_at.after(KEPT_FOR)) {
            return kept.clone();
        }
        let found = check(store, verifier, depths, now).await;
        *last = Some(found.clone());
        found
    }
}

async fn check(
    store: &impl Store,
    verifier: &impl TokenVerifier,
    depths: &impl Depths,
    now: Timestamp,
) -> SystemHealth {
    let answers = tokio::join!(
        // One small row, by its key.
        there(Part::Table, store.data_key()),
        there(Part::Keys, verifier.ready(now)),
        holds(Part::Queue, depths, Counted::WakeUps),
        holds(Part::DeadLetters, depths, Counted::DeadLetters),
        holds(Part::Quarantine, depths, Counted::Quarantine),
    );
    SystemHealth::of(<[_; 5]>::from(answers), now)
}

async fn there<T, E: Error>(
    part: Part,
    probe: impl Future<Output = Result<T, E>>,
) -> (Part, Answer) {
    (part, answer(part, probe).await.map_or(Answer::Silent, |_| Answer::There))
}

async fn holds(part: Part, depths: &impl Depths, queue: Counted) -> (Part, Answer) {
    (part, answer(part, depths.depth(queue)).await.map_or(Answer::Silent, Answer::Holds))
}

/// The answer, if it comes in time; else the reason is logged.
async fn answer<T, E: Error>(part: Part, probe: impl Future<Output = Result<T, E>>) -> Option<T> {
    match timeout(ANSWERS_WITHIN, probe).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::error!(?part, %error, cause = ?error.source(), "a part that everything depends on is not available");
            None
        }
        Err(_) => {
            tracing::error!(?part, "a part that everything depends on does not answer in time");
            None
        }
    }
}

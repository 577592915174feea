//! The parts that everything depends on are asked, side by side, how they are.

use std::error::Error;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::domain::health::system::{Answer, Part, SystemHealth};
use crate::domain::timestamp::Timestamp;
use crate::ports::{Counted, Depths, Store, TokenVerifier};

/// What does not answer within this is not there: a load balancer asks again soon, and a function that waits is paid for.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);
/// Whoever asks needs no token: however often that is, the parts are asked no more often than this.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// What was found last; held by whoever asks, so that others wait for the same answer.
#[derive(Default)]
pub struct Checked(Mutex<Option<SystemHealth>>);

impl Checked {
    pub async fn health(&self, store: &impl Store, verifier: &impl TokenVerifier, depths: &impl Depths, now: Timestamp) -> SystemHealth {
        let mut last = self.0.lock().await;
        if let Some(kept) = last.as_ref().filter(|kept| now < kept.checked_at.after(KEPT_FOR)) {
            return kept.clone();
        }
        let found = check(store, verifier, depths, now).await;
        *last = Some(found.clone());
        found
    }
}

async fn check(store: &impl Store, verifier: &impl TokenVerifier, depths: &impl Depths, now: Timestamp) -> SystemHealth {
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

async fn there<T, E: Error>(part: Part, asked: impl Future<Output = Result<T, E>>) -> (Part, Answer) {
    (part, answer(part, asked).await.map_or(Answer::Silent, |_| Answer::There))
}

async fn holds(part: Part, depths: &impl Depths, queue: Counted) -> (Part, Answer) {
    (part, answer(part, depths.depth(queue)).await.map_or(Answer::Silent, Answer::Holds))
}

/// What it answers in time. Why it does not is for the log.
async fn answer<T, E: Error>(part: Part, asked: impl Future<Output = Result<T, E>>) -> Option<T> {
    match timeout(ANSWERS_WITHIN, asked).await {
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

//! One delivery: tried until it is acknowledged, pulled, or too old.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, FROM, USER_AGENT};
use tokio::time::{Instant, sleep};

use super::{PushMode, token};
use crate::app::App;

const ACKNOWLEDGED: [u16; 5] = [102, 200, 201, 202, 204];

struct Attempt {
    endpoint: String,
    authorization: String,
    body: String,
    mode: PushMode,
}

pub(super) async fn deliver(app: Arc<App>, key: u64, first_wait: Duration) {
    let born = Instant::now();
    sleep(first_wait).await;
    let mut failures = 0;
    while let Some(attempt) = next_attempt(&app, key).await {
        if born.elapsed() > Duration::from_millis(attempt.mode.retention_ms) {
            finish(&app, key, false);
            return;
        }
        if acknowledged(&app, &attempt).await {
            finish(&app, key, true);
            return;
        }
        app.state().push.status.failed_attempts += 1;
        app.push_changed.notify_waiters();
        sleep(backoff(&attempt.mode, failures)).await;
        failures += 1;
    }
}

/// Waits until deliveries may go on. None once the notification has been pulled.
async fn next_attempt(app: &App, key: u64) -> Option<Attempt> {
    loop {
        let changed = app.push_changed.notified();
        {
            let state = app.state();
            let notification = state.push.pending.get(&key)?;
            let settings = &state.push.settings;
            if let Some(endpoint) = settings.endpoint.clone().filter(|_| !settings.mode.paused) {
                let token = token(app, &state);
                return Some(Attempt {
                    endpoint,
                    authorization: format!("Bearer {token}"),
                    body: state.push.envelope(notification).to_string(),
                    mode: settings.mode.clone(),
                });
            }
        }
        changed.await;
    }
}

async fn acknowledged(app: &App, attempt: &Attempt) -> bool {
    let sent = app
        .http
        .post(&attempt.endpoint)
        .timeout(Duration::from_millis(attempt.mode.ack_deadline_ms))
        .header(AUTHORIZATION, &attempt.authorization)
        .header(CONTENT_TYPE, "application/json")
        .header(FROM, "noreply@google.com")
        .header(
            USER_AGENT,
            "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
        )
        .body(attempt.body.clone())
        .send()
        .await;
    sent.is_ok_and(|answer| ACKNOWLEDGED.contains(&answer.status().as_u16()))
}

fn finish(app: &App, key: u64, delivered: bool) {
    let mut state = app.state();
    let push = &mut state.push;
    // A notification that was pulled meanwhile has been counted there.
    if push.pending.remove(&key).is_some() {
        let count = if delivered { &mut push.status.delivered } else { &mut push.status.expired };
        *count += 1;
    }
    drop(state);
    app.push_changed.notify_waiters();
}

fn backoff(mode: &PushMode, failures: u32) -> Duration {
    let doubled = mode.first_backoff_ms.saturating_mul(2_u64.saturating_pow(failures));
    Duration::from_millis(doubled.min(mode.longest_backoff_ms))
}

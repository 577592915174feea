//! Deliveries to one URL: as many items as fit, tried until they are accepted, pulled, or too old.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::time::sleep;

use super::{NotificationMode, envelope};
use crate::app::App;

/// What one POST carries.
struct Post {
    numbers: Vec<u64>,
    items: Vec<Value>,
    mode: NotificationMode,
}

pub(super) async fn deliver(app: Arc<App>, url: String, first_wait: Duration) {
    sleep(first_wait).await;
    let mut failures = 0;
    while let Some(post) = next(&app, &url).await {
        let accepted = accepted(&app, &url, &post).await;
        let wait = post.mode.backoff(failures);
        finish(&app, &post, accepted, wait);
        if accepted {
            failures = 0;
            continue;
        }
        sleep(wait).await;
        failures += 1;
    }
}

/// Waits until deliveries may go on. None once nothing of this URL is left to this task.
async fn next(app: &App, url: &str) -> Option<Post> {
    loop {
        let changed = app.notify_changed.notified();
        {
            let mut state = app.state();
            if !state.notifications.mode.paused {
                return taken(&mut state.notifications, url);
            }
        }
        changed.await;
    }
}

fn taken(notifications: &mut super::Notifications, url: &str) -> Option<Post> {
    let now = Instant::now();
    let mode = notifications.mode.clone();
    let retention = Duration::from_millis(mode.retention_ms);
    let before = notifications.pending.len();
    notifications.pending.retain(|one| one.travels || now - one.born <= retention);
    notifications.status.expired += (before - notifications.pending.len()) as u64;
    let mut ready: Vec<&mut super::Pending> = notifications
        .pending
        .iter_mut()
        .filter(|one| one.url == url && !one.travels && one.due <= now)
        .collect();
    if mode.reversed {
        ready.reverse();
    }
    ready.truncate(mode.items_per_post.max(1));
    if ready.is_empty() {
        return None;
    }
    let (mut numbers, mut items) = (Vec::new(), Vec::new());
    for one in ready {
        one.travels = true;
        numbers.push(one.n);
        items.push(one.item.clone());
    }
    Some(Post { numbers, items, mode })
}

async fn accepted(app: &App, url: &str, post: &Post) -> bool {
    let sent = app
        .http
        .post(url)
        .timeout(Duration::from_millis(post.mode.answer_deadline_ms))
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .body(envelope(&post.items))
        .send()
        .await;
    sent.is_ok_and(|answer| answer.status().is_success())
}

/// Refused items wait for the next try.
fn finish(app: &App, post: &Post, accepted: bool, wait: Duration) {
    let mut state = app.state();
    let notifications = &mut state.notifications;
    notifications.status.posts += 1;
    if accepted {
        notifications.status.delivered += post.numbers.len() as u64;
        notifications.pending.retain(|one| !post.numbers.contains(&one.n));
    } else {
        notifications.status.failed_posts += 1;
        for one in notifications.pending.iter_mut().filter(|one| post.numbers.contains(&one.n)) {
            one.travels = false;
            one.due = Instant::now() + wait;
        }
    }
    drop(state);
    app.notify_changed.notify_waiters();
}

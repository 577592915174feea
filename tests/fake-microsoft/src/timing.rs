//! The times of each request and its answer, and a latency that every request takes.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::app::App;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// A batch waits once, not for each of its parts.
    pub ms: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Timing {
    pub path: String,
    /// Microseconds since 1970, by the machine's own clock.
    pub began: u64,
    pub answered: u64,
}

/// Nothing is recorded before a latency is set, even 0.
#[derive(Default)]
pub(crate) struct Timings {
    pub latency: Option<Latency>,
    pub log: Vec<Timing>,
}

pub(crate) async fn timed(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let latency = app.state().timings.latency.clone();
    let Some(latency) = latency.filter(|_| !path.starts_with("/admin/")) else {
        return next.run(request).await;
    };
    let began = micros();
    tokio::time::sleep(Duration::from_millis(latency.ms)).await;
    let response = next.run(request).await;
    app.state().timings.log.push(Timing { path, began, answered: micros() });
    response
}

fn micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

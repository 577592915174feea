//! The one HTTP client for what is not AWS: rustls, short timeouts, no redirects, bounded answers.

use std::time::Duration;

pub use reqwest::Client;
use reqwest::Response;
use reqwest::redirect::Policy;

/// Built once for each cold start and shared; it keeps connections alive between invocations.
pub fn client() -> reqwest::Result<Client> {
    Client::builder()
        .connect_timeout(Duration::from_secs(3))
        .timeout(Duration::from_secs(8))
        // An answer that leads elsewhere would carry a token to another host.
        .redirect(Policy::none())
        // Google compresses only for a client that says so in both headers.
        .user_agent("email-connectors (gzip)")
        .gzip(true)
        .build()
}

#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    #[error(transparent)]
    Broken(#[from] reqwest::Error),
}

/// What becomes of a body while it arrives.
pub trait Collect: Default + Send {
    fn push(&mut self, chunk: &[u8]);
}

impl Collect for Vec<u8> {
    fn push(&mut self, chunk: &[u8]) {
        self.extend_from_slice(chunk);
    }
}

/// Reads an answer's body, counted after decompression, up to a bound.
pub async fn body(response: Response, most: usize) -> Result<Vec<u8>, BodyError> {
    collected(response, most).await
}

/// As `body`, collected in another way.
pub async fn collected<C: Collect>(mut response: Response, most: usize) -> Result<C, BodyError> {
    let mut collected = C::default();
    let mut length = 0;
    while let Some(chunk) = response.chunk().await? {
        length += chunk.len();
        if length > most {
            return Err(BodyError::TooLong(most));
        }
        collected.push(&chunk);
    }
    Ok(collected)
}

#[expect(clippy::disallowed_methods, reason = "a wait before another try; the policy bounds it")]
pub async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}

#[expect(clippy::disallowed_methods, reason = "retries of many callers must not fall together")]
pub fn jitter() -> u64 {
    uuid::Uuid::now_v7().as_u64_pair().1
}

//! Panics in a function: each is logged and counted, and ends only its own request or wake-up.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::domain::metric::PANICS;

/// It does not say why: a panic's message may contain what a caller sent.
#[derive(Debug, thiserror::Error)]
#[error("an error of our own, of which the log says where it was (`panicked`)")]
pub struct Panicked;

/// Call once for each process: every panic becomes a line of JSON, instead of text on stderr.
pub fn are_logged() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place = location, "panicked");
    }));
}

pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    // Half-done work is dropped with it, except caches, which contain only whole values.
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| {
        metrics::counter!(PANICS).increment(1);
        Panicked
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_panics_is_an_error_and_what_does_not_is_itself() {
        let broken = async { Vec::<u8>::new()[std::hint::black_box(1)] };
        assert!(caught(broken).now_or_never().unwrap().is_err());
        assert_eq!(caught(async { 7 }).now_or_never().unwrap().unwrap(), 7);
    }
}

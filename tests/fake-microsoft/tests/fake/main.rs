//! The fake's own promises: it answers as Microsoft's documents say, and fails on demand.
#![allow(
    clippy::disallowed_methods,
    reason = "a test of the outside world waits and calls as it likes"
)]

mod client;
mod listing;
mod messages;
mod notifications;
mod oauth;
mod sending;
mod throttling;

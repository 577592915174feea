//! The fake's own promises: it answers as Google's documents say, and fails on demand.
#![allow(
    clippy::disallowed_methods,
    reason = "a test of the outside world waits and calls as it likes"
)]

mod batch;
mod client;
mod cloud;
mod conformance;
mod consent;
mod faults;
mod history;
mod hostile;
mod mail;
mod oauth;
mod openid;
mod parts;
mod person;
mod push;
mod shapes;
mod timing;
mod tokens;

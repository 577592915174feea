//! The real template, deployed: stories through its API Gateway, its queues and its bus, told from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test lives in the world, and ends at the first surprise"
)]

#[path = "deployed/api.rs"]
mod api;
#[path = "deployed/bus.rs"]
mod bus;
#[path = "deployed/counting.rs"]
mod counting;
#[path = "deployed/crash.rs"]
mod crash;
#[path = "deployed/health.rs"]
mod health;
#[path = "deployed/killing.rs"]
mod killing;
#[path = "deployed/mail.rs"]
mod mail;
#[path = "deployed/reading.rs"]
mod reading;
#[path = "deployed/seldom.rs"]
mod seldom;
#[path = "deployed/weather.rs"]
mod weather;

//! The shape of the repository: which modules may mention which, how files begin, and what the
//! template must keep.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends at the first surprise")]

#[path = "shape/another_provider.rs"]
mod another_provider;
#[path = "shape/audit.rs"]
mod audit;
#[path = "shape/circles.rs"]
mod circles;
#[path = "shape/documents.rs"]
mod documents;
#[path = "shape/health.rs"]
mod health;
#[path = "shape/metrics.rs"]
mod metrics;
#[path = "shape/modules.rs"]
mod modules;
#[path = "shape/parameters.rs"]
mod parameters;
#[path = "shape/rooms.rs"]
mod rooms;
#[path = "shape/schemas.rs"]
mod schemas;
#[path = "shape/secrets.rs"]
mod secrets;
#[path = "shape/settings.rs"]
mod settings;
#[path = "shape/stack.rs"]
mod stack;
#[path = "shape/supply.rs"]
mod supply;
#[path = "shape/tables.rs"]
mod tables;
#[path = "shape/teeth.rs"]
mod teeth;
#[path = "shape/words.rs"]
mod words;

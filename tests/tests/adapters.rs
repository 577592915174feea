//! The adapters against the real protocols: a local AWS for DynamoDB, KMS, SQS and EventBridge, and
//! the fake Google.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends at the first surprise")]

#[path = "support/aws.rs"]
mod aws;
#[path = "adapters/bus.rs"]
mod bus;
#[path = "adapters/consuming.rs"]
mod consuming;
#[path = "adapters/google.rs"]
mod google;
#[path = "adapters/keys.rs"]
mod keys;
#[path = "adapters/objects.rs"]
mod objects;
#[path = "adapters/outlook.rs"]
mod outlook;
#[path = "adapters/queues.rs"]
mod queues;
#[path = "adapters/reading.rs"]
mod reading;
#[path = "adapters/restore.rs"]
mod restore;
#[path = "adapters/scripted.rs"]
mod scripted;
#[path = "adapters/store.rs"]
mod store;
#[path = "adapters/upgraded.rs"]
mod upgraded;
#[path = "adapters/vault.rs"]
mod vault;

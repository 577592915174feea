//! One module for each use case. Flows know the domain and the ports, and nothing of AWS, HTTP or
//! Lambda.

pub mod access;
pub mod adopt;
pub mod authorize;
pub mod connect;
pub mod connect_session;
pub mod data_export;
pub mod disconnect;
pub mod erasure;
pub mod idempotency;
pub mod inbound_webhook;
pub mod mail_operations;
pub mod notified;
pub mod preconditions;
pub mod process;
pub mod publishing;
mod reauthorization;
pub mod receive;
pub mod rehearse;
pub mod renew;
pub mod security_events;
pub mod subscribe;
pub mod sync;
pub mod system_health;
pub mod trigger_labels;
pub mod update_connector;
pub mod watching;
pub mod withdraw;

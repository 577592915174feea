//! Pure decisions: no I/O, no clock, no randomness, no async.

pub mod circuit;
pub mod claims;
pub mod connector;
pub mod email_address;
pub mod event;
pub mod firing;
pub mod gap;
pub mod history;
pub mod history_id;
pub mod id;
pub mod message;
pub mod notice;
pub mod pause;
pub mod position;
pub mod push;
pub mod quota;
pub mod retry;
pub mod scopes;
pub mod secret;
pub mod sweep;
pub mod timestamp;
pub mod trigger;
pub mod wake_up;
pub mod watch;

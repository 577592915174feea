//! A sample consumer of the agent-run queue: the queue may deliver an event several times, and it
//! is handled once.
//!
//! It knows the events by their published schema alone, and nothing of what publishes them.

pub mod batch;
pub mod claims;
pub mod consume;
pub mod dynamodb;
pub mod event;
pub mod polling;
pub mod printing;
pub mod settings;

//! What the system costs and how much it holds: its calls counted on a metered AWS, its renewer's
//! decisions over many mailboxes.

pub mod aws;
pub mod counting;
pub mod crowd;
pub mod kinds;
pub mod mailboxes;
pub mod measures;
pub mod metrics;
pub mod prices;
pub mod report;
pub mod table;

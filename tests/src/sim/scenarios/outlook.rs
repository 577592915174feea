//! The scenarios of Outlook: Ada's mailbox is at Microsoft. Most are named after what users met.

pub mod clocks;
pub mod grants;
pub mod identities;
pub mod listings;
pub mod lost;
pub mod renewals;
pub mod seconds;

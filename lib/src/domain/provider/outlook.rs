//! What Microsoft Graph requires and means, for mail in Outlook: pure decisions, each with the page
//! of the vendor's documents that it follows.

pub mod aad;
pub mod account;
pub mod client_state;
pub mod identity;
pub mod labels;
pub mod methods;
pub mod notification;
pub mod paging;
pub mod received;
pub mod search;

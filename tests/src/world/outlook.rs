//! Outlook in memory: mailboxes as Microsoft Graph shows them, and the notifications about them.

mod account;
pub(crate) mod listing;
pub(crate) mod mailbox;
pub(crate) mod notifications;
pub(crate) mod reading;
pub(crate) mod subscriptions;

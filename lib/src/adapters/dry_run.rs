//! What the recorded mailboxes of a dry run have in common, whoever they stand in for: consents and
//! tokens that give access to nothing, the recording, routes, answers over HTTP, and mail that is
//! sent nowhere.

mod accounts;
mod mail;
mod pieces;
mod recording;
mod reply;
mod routes;

use std::time::Duration;

pub use self::accounts::{Accounts, consented, is_ours};
pub use self::mail::completed;
pub use self::pieces::{Pieces, Taken};
pub use self::recording::{RecordedAnswer, each, list, text, texts};
pub use self::reply::{Reply, below, body, header};
pub use self::routes::matched;

/// How long after its first use a mailbox receives the recorded mail that is still to arrive.
pub const ARRIVES_AFTER: Duration = Duration::from_secs(60);

/// A write that was done here.
pub fn log_write(method: &str, route: &str, id: &str) {
    tracing::info!(method, route, id, "dry run: done here, not sent");
}

//! The security table: every case, tried in this process and, where it crosses HTTP, on the
//! deployed stack. Each records what was done, expected and got, for `make security` to show.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test lives in the world, and ends at the first surprise"
)]

mod security {
    mod answers;
    mod auditing;
    mod audits;
    mod callbacks;
    mod case;
    mod connecting;
    mod consenting;
    mod counters;
    mod doorway;
    mod downloads;
    mod ending;
    mod files;
    mod forge;
    mod gate;
    mod granting;
    mod handshake;
    mod hostile;
    mod issuing;
    mod keys;
    mod large;
    mod leaving;
    mod lifecycle;
    mod logs;
    mod naming;
    mod notifying;
    mod outlook;
    mod owning;
    mod pages;
    mod processing;
    mod pushing;
    mod reading;
    mod rights;
    mod routes;
    mod sending;
    mod sessions;
    mod signing;
    mod strangers;
    mod target;
    mod telling;
    mod trusting;
    mod users;
    mod waking;
    mod writing;
}

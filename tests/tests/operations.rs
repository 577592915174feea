//! The operations on a mailbox: the tables against Google's documents, the routes against the
//! tables, and every operation against the fake Google, by role, by scope, by cost and with
//! failures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test lives in the world, and ends at the first surprise"
)]

mod operations {
    mod composing;
    mod costing;
    mod described;
    mod documented;
    mod doing;
    mod dry;
    mod granted;
    mod inside;
    mod large;
    mod mailbox;
    mod once;
    mod registered;
    mod requests;
}

//! What can be done with a mailbox: the tables against Google's own documents, the routes against the tables, and every
//! operation against a fake Google, by role, by scope, in its cost and when things go wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test lives in the world, and ends at the first surprise"
)]

mod operations {
    mod costing;
    mod described;
    mod documented;
    mod doing;
    mod dry;
    mod granted;
    mod mailbox;
    mod once;
    mod registered;
    mod requests;
}

//! The real template, deployed: stories through its API Gateway, its queues and its bus, told from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test lives in the world, and ends at the first surprise"
)]

mod deployed {
    /// Tests that have the stack to themselves, since they break what the whole stack shares: .config/nextest.toml knows them by this
    /// name.
    mod alone {
        mod crash;
        mod gap;
        mod killing;
        mod seldom;
        mod shuffled;
    }
    mod api;
    mod bus;
    mod counting;
    mod health;
    mod mail;
    mod reading;
    mod seldom;
    mod weather;
}

//! The real template, deployed: stories through its API Gateway, its queues and its bus, told from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test lives in the world, and ends at the first surprise"
)]

mod deployed {
    /// Tests that have the stack to themselves, since they change what all of it shares: .config/nextest.toml knows them by this name.
    mod alone {
        mod memory;
        mod seldom;
        mod shuffled;
    }
    mod api;
    mod bus;
    mod counting;
    mod health;
    /// Tests that kill the processor, one after the other, on a stack of their own: what a killed one held comes again soon there.
    mod killed {
        mod crash;
        mod gap;
        mod killing;
    }
    mod mail;
    mod reading;
    mod seldom;
    mod weather;
}

//! Stories on the deployed template, from outside: through its API Gateway, its queues and its bus.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test lives in the world, and ends at the first surprise"
)]

mod deployed {
    /// Tests that run alone, since they change what the stack shares; .config/nextest.toml selects
    /// them by this name.
    mod alone {
        mod large;
        mod memory;
        mod seldom;
        mod shuffled;
    }
    mod api;
    mod bus;
    mod counting;
    mod health;
    /// Tests that kill the processor, one after the other, on their own stack, whose visibility
    /// timeout is short.
    mod killed {
        mod crash;
        mod gap;
        mod killing;
        mod outage;
    }
    mod mail;
    mod outlook;
    mod reading;
    mod rows;
    mod seldom;
    mod weather;
}

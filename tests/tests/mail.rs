//! Mail in and out: a corpus of received mail against snapshots, and written mail read back
//! unchanged.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test lives in the world, and ends at the first surprise"
)]

mod mail {
    mod answering;
    mod corpus;
    mod round_trips;
    mod writing;
}

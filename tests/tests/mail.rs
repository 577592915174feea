//! Mail in and out: what the world sends, read as expected, snapshot by snapshot; and what is written, read back as it was.
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
}

//! How deep a test goes: `make test` takes a part of what is long by nature, and `make test-long` the whole of it.
#![allow(clippy::disallowed_methods, reason = "how deep is the environment's to say")]

/// The whole where TEST_DEPTH says so.
pub fn of<T>(part: T, whole: T) -> T {
    match std::env::var("TEST_DEPTH").as_deref() {
        Ok("whole") => whole,
        Ok(other) => panic!("TEST_DEPTH={other}: it is `whole`, or not set"),
        Err(_) => part,
    }
}

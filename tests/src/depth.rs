//! How deep a test goes: `make test` runs a part of the long tests, and `make test-long` the whole.
#![allow(clippy::disallowed_methods, reason = "how deep is the environment's to say")]

/// `whole` if TEST_DEPTH is `whole`, else `part`.
pub fn of<T>(part: T, whole: T) -> T {
    match std::env::var("TEST_DEPTH").as_deref() {
        Ok("whole") => whole,
        Ok(other) => panic!("TEST_DEPTH={other}: it is `whole`, or not set"),
        Err(_) => part,
    }
}

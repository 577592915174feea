//! `tests::fuzz::errors`, under cargo-fuzz.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::errors(data));

//! Gives bytes to [`gatepost_fuzz::delivery`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost_fuzz::delivery(bytes));

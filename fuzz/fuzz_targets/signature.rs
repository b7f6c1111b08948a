//! Gives bytes to [`gatepost_fuzz::signature`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost_fuzz::signature(bytes));

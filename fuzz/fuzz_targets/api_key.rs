//! Gives bytes to [`gatepost_fuzz::api_key`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost_fuzz::api_key(bytes));

//! Gives bytes to [`gatepost_fuzz::decide`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost_fuzz::decide(bytes));

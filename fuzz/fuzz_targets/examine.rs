//! Gives bytes to [`gatepost_fuzz::examine`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost_fuzz::examine(bytes));

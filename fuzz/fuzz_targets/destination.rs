//! Gives bytes to [`gatepost_fuzz::destination`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost_fuzz::destination(bytes));

//! Gives bytes to [`gatepost_fuzz::recipient`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost_fuzz::recipient(bytes));

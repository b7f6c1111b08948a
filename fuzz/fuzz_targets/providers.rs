//! Gives bytes to `providers`.

#![no_main]

#[path = "../src/providers.rs"]
mod providers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| providers::providers(bytes));

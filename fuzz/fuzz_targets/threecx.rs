//! Gives bytes to `threecx`.

#![no_main]

#[path = "../src/threecx.rs"]
mod threecx;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threecx::threecx(bytes));

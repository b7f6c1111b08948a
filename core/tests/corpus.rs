//! Corpus: what the fuzzer is given to begin with, run through the same functions on a stable compiler.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be read fails its test")]
#![expect(clippy::disallowed_methods, reason = "the corpora are files")]

use std::fs;
use std::path::Path;

#[allow(unreachable_pub, reason = "there it is a crate of its own")]
#[path = "../../fuzz/src/lib.rs"]
mod fuzz;

#[test]
fn api_keys_hold() {
    replay("api_key", fuzz::api_key);
}

#[test]
fn decisions_hold() {
    replay("decide", fuzz::decide);
}

#[test]
fn deliveries_hold() {
    replay("delivery", fuzz::delivery);
}

#[test]
fn destinations_hold() {
    replay("destination", fuzz::destination);
}

#[test]
fn examinations_hold() {
    replay("examine", fuzz::examine);
}

#[test]
fn recipients_hold() {
    replay("recipient", fuzz::recipient);
}

#[test]
fn signatures_hold() {
    replay("signature", fuzz::signature);
}

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!seeds.is_empty(), "`{target}` has no corpus");
    for seed in seeds {
        name_on_panic(&seed, || check(&fs::read(&seed).unwrap()));
    }
}

/// Names the file that a panic came from.
fn name_on_panic(seed: &Path, run: impl FnOnce()) {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    assert!(outcome.is_ok(), "{} breaks a promise", seed.display());
}

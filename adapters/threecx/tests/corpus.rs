//! Corpus: what the fuzzer is given to begin with, run through the same function on a stable compiler.

#![allow(clippy::unwrap_used, reason = "what cannot be read fails its test")]

use std::fs;
use std::path::Path;

#[allow(unreachable_pub, reason = "there it is a crate of its own")]
#[path = "../../../fuzz/src/threecx.rs"]
mod threecx;

#[test]
fn what_phone_systems_post_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/threecx");
    let seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!seeds.is_empty(), "the target has no corpus");
    for seed in seeds {
        println!("{}", seed.display());
        let bytes = fs::read(&seed).unwrap();
        threecx::threecx(&bytes);
        // What is cut off anywhere holds as well.
        (0..bytes.len()).for_each(|end| threecx::threecx(&bytes[..end]));
    }
}

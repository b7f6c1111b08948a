//! The model's file and its manifest, as `core/src/examine/model.rs` describes it.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::corpus::Corpus;
use crate::learn::{FAMILY_BITS, Learned, MET_BITS, Output, UNWANTED_BITS};

/// What it was trained on.
pub(crate) fn manifest(corpus: &Corpus) -> String {
    let mut manifest = String::from("format 1\nrows in training: all but those whose SHA-256 begins below 77 (own rows: below 26)\n");
    for (name, hash, rows) in &corpus.files {
        let _ = writeln!(manifest, "{hash} {rows} {name}");
    }
    manifest
}

/// The SHA-256 of the model's file, as `sha256sum -c` reads it: of what is looked at by nobody, a changed byte shall show.
pub(crate) fn sum(bytes: &[u8]) -> String {
    let digits = Sha256::digest(bytes).iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    });
    format!("{digits}  guard.model\n")
}

pub(crate) fn bytes(learned: &Learned, manifest: &str) -> Vec<u8> {
    let mut bytes = b"GPCM".to_vec();
    for size in [1, UNWANTED_BITS, FAMILY_BITS, MET_BITS] {
        bytes.extend(u16::try_from(size).unwrap_or(u16::MAX).to_le_bytes());
    }
    bytes.extend(Sha256::digest(manifest));
    let outputs: Vec<_> = std::iter::once(&learned.unwanted).chain(&learned.families).collect();
    for output in &outputs {
        bytes.extend(millionths(step(output)).to_le_bytes());
        bytes.extend(millionths(output.bias).to_le_bytes());
    }
    for output in &outputs {
        let step = step(output);
        bytes.extend(output.weights.iter().map(|weight| (weight / step).round().clamp(-127.0, 127.0) as i8).map(i8::cast_unsigned));
    }
    bytes.extend(&learned.met);
    bytes
}

/// What 1 weighs: so that nearly all weights fit into a byte, and the few beyond are cut.
fn step(output: &Output) -> f64 {
    let mut sizes: Vec<f64> = output.weights.iter().map(|weight| weight.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let nearly_all = sizes[sizes.len() - 1 - sizes.len() / 2_000];
    (nearly_all / 127.0).max(1e-6)
}

fn millionths(value: f64) -> i32 {
    (value * 1e6).round() as i32
}

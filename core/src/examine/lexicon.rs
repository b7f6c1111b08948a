//! Lexicon: the phrases of all languages, and where they stand in a folded text.
//!
//! One automaton (Aho-Corasick) finds all phrases in one pass. The build script folds the files of `examine/words/` by the code that folds a
//! text. A phrase counts where whole words stand; one that ends in `*` counts for every ending of its last word.

use alloc::boxed::Box;
use core::ops::Range;

use aho_corasick::{AhoCorasick, Anchored, Input, MatchKind};
use once_cell::race::OnceBox;

use super::fold::Folded;
use super::phrase::Phrase;

include!(concat!(env!("OUT_DIR"), "/lexicon.rs"));

static AUTOMATON: OnceBox<AhoCorasick> = OnceBox::new();

/// Built at the first use: it takes some milliseconds.
fn automaton() -> &'static AhoCorasick {
    AUTOMATON.get_or_init(|| {
        let patterns = PHRASES.iter().map(|(text, _)| text);
        let built = AhoCorasick::builder().match_kind(MatchKind::Standard).build(patterns);
        // Too many patterns is the only error, and a test would see it.
        Box::new(built.unwrap_or_else(|_| AhoCorasick::new([" "; 0]).unwrap_or_else(|_| unreachable!("no pattern is not too many"))))
    })
}

/// A phrase in a folded text, without the spaces around it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Hit {
    pub(super) phrase: Phrase,
    pub(super) place: Range<usize>,
}

/// Gives all phrases of a text to `take`, in the order of their ends.
pub(super) fn hits(folded: &Folded, take: &mut impl FnMut(Hit)) {
    let input = Input::new(&folded.text).anchored(Anchored::No);
    let Ok(found) = automaton().try_find_overlapping_iter(input) else { return };
    for found in found {
        let Some((_, phrase)) = PHRASES.get(found.pattern().as_usize()) else { continue };
        let end = if folded.text.as_bytes().get(found.end() - 1) == Some(&b' ') { found.end() - 1 } else { found.end() };
        take(Hit { phrase: *phrase, place: found.start() + 1..end });
    }
}

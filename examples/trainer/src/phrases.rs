//! Phrases: how much each signal tells, by the rows of the training.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gatepost::{Sender, examine};

use crate::corpus::{Corpus, Label};
use crate::learn::content;

/// By signal, in how many wanted and unwanted rows it stands, and what of the texts it was found by.
pub(crate) fn report(corpus: &Corpus) -> String {
    let mut counts: BTreeMap<(&str, String), (usize, usize)> = BTreeMap::new();
    for row in corpus.training() {
        let Some(content) = content(&row.text) else { continue };
        for finding in examine(&content, &Sender::default()).found {
            let words: String = row.text.chars().skip(finding.at.start.into()).take(finding.at.length.into()).collect();
            for key in [String::new(), words.to_lowercase()] {
                let (wanted, unwanted) = counts.entry((finding.signal.as_str(), key)).or_default();
                *(if row.label == Label::Wanted { wanted } else { unwanted }) += 1;
            }
        }
    }
    let mut report = String::new();
    for ((signal, words), (wanted, unwanted)) in counts {
        if words.is_empty() || wanted > 1 {
            let _ = writeln!(report, "{signal}\t{wanted}\t{unwanted}\t{words}");
        }
    }
    report
}

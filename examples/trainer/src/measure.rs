//! Measuring: what the guard does with rows, as the first messages of an account that nothing is known of.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gatepost::{
    ContentKind, Decision, Fact, Facts, Findings, Mode, Origin, Plan, Policy, Purpose, Sender, Subject, Timestamp, Verdict, decide, examine,
};

use crate::corpus::{Corpus, Label, Row, Source};
use crate::learn::content;

/// What became of some rows.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) rows: usize,
    pub(crate) held: usize,
    pub(crate) blocked: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, decision: &Decision) {
        self.rows += 1;
        self.held += usize::from(decision.verdict == Verdict::Hold);
        self.blocked += usize::from(decision.verdict == Verdict::Block);
    }

    /// The share that did not simply go out.
    pub(crate) fn stopped(self) -> f64 {
        share(self.held + self.blocked, self.rows)
    }

    /// The share that was blocked.
    pub(crate) fn refused(self) -> f64 {
        share(self.blocked, self.rows)
    }
}

fn share(part: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}

/// What the guard decides about a text.
pub(crate) fn judge(text: &str) -> Option<Decision> {
    Some(decision(&Policy::default(), &examine(&content(text)?, &Sender::default())))
}

/// What a policy decides about a text with these findings.
pub(crate) fn decision(policy: &Policy, findings: &Findings) -> Decision {
    let now = Timestamp::from_millis(1_795_348_800_000);
    let facts = Facts { content: Fact::Known(findings.clone()), ..Facts::clear(Plan::Starter.limits(), now) };
    let subject = Subject {
        purpose: Purpose::Transactional.into(),
        content: ContentKind::Text,
        origin: Origin::App,
        mode: Mode::Live,
        released: false,
        reviewed: None,
    };
    decide(policy, &facts, &subject, now)
}

/// Which rows are counted together.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Slice<'a> {
    Wanted(&'a str),
    Unwanted(&'a str),
    Smishing,
    OwnWanted,
    OwnUnwanted,
}

pub(crate) fn tallies<'a>(rows: &[&'a Row]) -> BTreeMap<Slice<'a>, Tally> {
    let mut tallies: BTreeMap<Slice<'a>, Tally> = BTreeMap::new();
    for row in rows {
        let Some(decision) = judge(&row.text) else { continue };
        for slice in slices(row) {
            tallies.entry(slice).or_default().add(&decision);
        }
    }
    tallies
}

fn slices(row: &Row) -> Vec<Slice<'_>> {
    let family = |label| match label {
        Label::Wanted => "ok",
        Label::Unwanted(family) => family.as_str(),
    };
    match (row.source, row.label) {
        (Source::Smishing, _) => vec![Slice::Smishing],
        (Source::Own, Label::Wanted) => vec![Slice::OwnWanted],
        (Source::Own, Label::Unwanted(_)) => vec![Slice::OwnUnwanted],
        (Source::Purpose, Label::Wanted) => vec![Slice::Wanted("all"), Slice::Wanted(&row.language)],
        (Source::Purpose, label) => vec![Slice::Unwanted("all"), Slice::Unwanted(&row.language), Slice::Unwanted(family(label))],
    }
}

/// A table of what became of the rows that training never saw, or of those it saw.
pub(crate) fn report(corpus: &Corpus, seen: bool, wrong: bool) -> String {
    let rows = if seen { corpus.training() } else { corpus.sealed() };
    let mut report = String::new();
    if wrong {
        for row in rows.iter().filter(|row| row.source == Source::Purpose || row.source == Source::Smishing) {
            let Some(decision) = judge(&row.text) else { continue };
            if (decision.verdict == Verdict::Allow) != (row.label == Label::Wanted) {
                let reasons: Vec<_> = decision.reasons.iter().map(|reason| format!("{}:{}", reason.rule, reason.points)).collect();
                let _ = writeln!(report, "{:?} {} {} | {}", row.label, decision.risk_score, reasons.join(" "), row.text);
            }
        }
    }
    let _ = writeln!(report, "| rows | count | held | blocked | held or blocked |\n| --- | --- | --- | --- | --- |");
    for (slice, tally) in tallies(&rows) {
        let name = match slice {
            Slice::Wanted(which) => format!("wanted, {which}"),
            Slice::Unwanted(which) => format!("unwanted, {which}"),
            Slice::Smishing => "reported smishing".to_owned(),
            Slice::OwnWanted => "own rows, wanted".to_owned(),
            Slice::OwnUnwanted => "own rows, unwanted".to_owned(),
        };
        let Tally { rows, held, blocked } = tally;
        let _ = writeln!(report, "| {name} | {rows} | {held} | {blocked} | {:.1} % |", tally.stopped() * 100.0);
    }
    report
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::path::Path;

    use gatepost::Model;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::model_file;

    const MANIFEST: &str = include_str!("../../../core/src/examine/guard.manifest");

    fn corpus() -> Corpus {
        Corpus::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus"), None).unwrap()
    }

    #[test]
    fn the_model_is_the_one_of_its_manifest_and_its_rows() {
        assert_eq!(Model::shipped().unwrap().manifest()[..], Sha256::digest(MANIFEST)[..]);
        for (name, hash, rows) in corpus().files {
            assert!(MANIFEST.contains(&format!("{hash} {rows} {name}\n")), "{name} changed since the training");
        }
    }

    /// The weights are bytes that nobody reads in a review: that they are those of the training is said by their hash alone.
    #[test]
    fn the_model_is_the_one_that_was_trained() {
        let model = include_bytes!("../../../core/src/examine/guard.model");
        assert_eq!(model_file::sum(model), include_str!("../../../core/src/examine/guard.sha256"));
    }

    /// What the documents promise, on our own rows that training never saw.
    #[test]
    fn the_figures_do_not_fall() {
        let corpus = corpus();
        let tallies = tallies(&corpus.sealed());
        let of = |slice| tallies.get(&slice).copied().unwrap();
        let (wanted, unwanted) = (of(Slice::Wanted("all")), of(Slice::Unwanted("all")));
        assert!(wanted.rows >= 100 && wanted.stopped() <= 0.05 && wanted.refused() <= 0.01, "{} of wanted stopped", wanted.stopped());
        assert!(unwanted.rows >= 90 && unwanted.stopped() >= 0.90, "{} of unwanted found", unwanted.stopped());
        let (wanted, unwanted) = (of(Slice::OwnWanted), of(Slice::OwnUnwanted));
        assert!(wanted.stopped() <= 0.09 && unwanted.stopped() >= 0.80, "{} {}", wanted.stopped(), unwanted.stopped());
    }
}

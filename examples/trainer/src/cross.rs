//! Cross-validation: where settings are chosen, without the rows that are kept aside.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gatepost::{Findings, Model, Policy, Sender, Verdict, Wording, examine_with};
use sha2::{Digest, Sha256};

use crate::corpus::{Corpus, Label, Row, Source};
use crate::learn::{content, learn};
use crate::measure::{Tally, decision};
use crate::model_file;

const FOLDS: u8 = 5;

fn fold(row: &Row) -> u8 {
    Sha256::digest(&row.text).get(1).map_or(0, |byte| byte % FOLDS)
}

/// How rows would be judged that were not seen, under several settings.
pub(crate) fn report(corpus: &Corpus, wrong: bool) -> String {
    let rows = corpus.training();
    let mut judged: Vec<(&Row, Findings)> = Vec::new();
    for held_out in 0..FOLDS {
        let (test, train): (Vec<&Row>, Vec<&Row>) = rows.iter().copied().partition(|row| fold(row) == held_out);
        let bytes = model_file::bytes(&learn(&train), "");
        let model = Model::from_bytes(&bytes).ok();
        judged
            .extend(test.into_iter().filter_map(|row| Some((row, examine_with(&content(&row.text)?, &Sender::default(), model.as_ref())))));
    }
    let mut report = String::from("from full | purpose: ok held, ok blocked, found | own: ok held, ok blocked, found | smishing found\n");
    for from in [-150, -100, -50, 0, 50] {
        for full in [50, 100, 150, 200] {
            let policy = Policy { wording: Wording { from, full }, ..Policy::default() };
            let _ = writeln!(report, "{}", line(&judged, &policy));
        }
    }
    if wrong {
        report.push_str(&wrongly(&judged));
    }
    report
}

fn line(judged: &[(&Row, Findings)], policy: &Policy) -> String {
    let mut tallies: BTreeMap<(u8, bool), Tally> = BTreeMap::new();
    for (row, findings) in judged {
        tallies.entry((row.source as u8, row.label == Label::Wanted)).or_default().add(&decision(policy, findings));
    }
    let of = |source: Source, wanted| tallies.get(&(source as u8, wanted)).copied().unwrap_or_default();
    let both = |source| {
        let wanted = of(source, true);
        format!("{:.3} {:.3} {:.3}", wanted.stopped(), wanted.refused(), of(source, false).stopped())
    };
    let Wording { from, full } = policy.wording;
    format!("{from} {full} | {} | {} | {:.3}", both(Source::Purpose), both(Source::Own), of(Source::Smishing, false).stopped())
}

fn wrongly(judged: &[(&Row, Findings)]) -> String {
    let mut report = String::new();
    for (row, findings) in judged.iter().filter(|(row, _)| row.source != Source::Own) {
        let decision = decision(&Policy::default(), findings);
        if (decision.verdict == Verdict::Allow) != (row.label == Label::Wanted) {
            let reasons: Vec<_> = decision.reasons.iter().map(|reason| format!("{}:{}", reason.rule, reason.points)).collect();
            let margin = findings.tone.map(|heard| heard.tone.margin);
            let _ = writeln!(report, "{:?} {} {margin:?} {} | {}", row.label, decision.risk_score, reasons.join(" "), row.text);
        }
    }
    report
}
